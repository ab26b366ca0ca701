"""The customers of the sandbox: open-loop traffic whose rate can be changed while it runs."""

import argparse
import asyncio
import contextlib
import random
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import structlog
from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field

from infra.sandbox.pacing import Arrivals, Pacer
from infra.sandbox.parent import die_with_parent
from infra.sandbox.serving import (
    listen,
    load_token,
    port_of,
    require_token,
    serve_until,
    stop_event,
    write_json_lines,
)
from infra.sandbox.traffic import Answer, Statistics, quote_path

MAX_RATE_RPS = 200.0
TIMEOUT_S = 5.0


@dataclass(frozen=True)
class LoadOptions:
    """What the command line says."""

    url: str
    rps: float
    control_port: int
    token_file: Path
    arrivals: Arrivals
    max_in_flight: int
    max_run_s: float
    seed: int | None


class RateChange(BaseModel):
    """The body of `PUT /rate`."""

    rps: float = Field(gt=0, le=MAX_RATE_RPS)


class LoadStatus(BaseModel):
    """The answer to `GET /status`: totals of the run, and the last 10 s."""

    rps: float
    in_flight: int
    sent: int
    failed: int
    shed: int
    unanswered: dict[str, int]
    last_10_s: dict[str, object]


class Load:
    """Sends requests when they are due, at most `max_in_flight` at once; the rest is shed and counted."""

    def __init__(self, options: LoadOptions) -> None:
        self._options = options
        self._rng = random.Random(options.seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self.pacer = Pacer(options.rps, options.arrivals, self._rng, time.monotonic())
        self.statistics = Statistics()
        self.shed = 0
        self.unanswered: Counter[str] = Counter()
        self._rate_changed = asyncio.Event()

    def set_rate(self, rate_rps: float) -> None:
        """Changes the rate at once."""
        self.pacer.rate_rps = rate_rps
        self._rate_changed.set()

    def status(self) -> LoadStatus:
        """Returns how the customers are served."""
        return LoadStatus(
            rps=self.pacer.rate_rps,
            in_flight=len(self._tasks),
            sent=self.statistics.requests,
            failed=self.statistics.failed,
            shed=self.shed,
            unanswered=dict(self.unanswered),
            last_10_s=asdict(self.statistics.recent(time.monotonic())),
        )

    async def run(self, stopped: asyncio.Event) -> None:
        """Sends until the event is set or the run time is over, then waits for the last answers."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        async with httpx.AsyncClient(
            base_url=self._options.url, timeout=TIMEOUT_S, trust_env=False, limits=limits
        ) as client:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._options.max_run_s):
                    while not stopped.is_set():
                        if await self._wait_until_due():
                            self._start(client)
            await asyncio.gather(*self._tasks)

    async def _wait_until_due(self) -> bool:
        delay_s = self.pacer.due_s() - time.monotonic()
        self._rate_changed.clear()
        if delay_s > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rate_changed.wait(), delay_s)
                return False
        else:
            await asyncio.sleep(0)
        self.pacer.advance(time.monotonic())
        return True

    def _start(self, client: httpx.AsyncClient) -> None:
        if len(self._tasks) >= self._options.max_in_flight:
            self.shed += 1
            return
        task = asyncio.create_task(self._send(client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, client: httpx.AsyncClient) -> None:
        started_s = time.monotonic()
        try:
            status = (await client.get(quote_path(self._rng))).status_code
        except httpx.TransportError as error:
            status = 0
            self.unanswered[type(error).__name__] += 1
        ended_s = time.monotonic()
        self.statistics.add(Answer(ended_s, (ended_s - started_s) * 1000, status))


def control_app(load: Load, token: str) -> FastAPI:
    """Returns the app to watch the load and to change its rate."""
    app = FastAPI(title="load", dependencies=[Depends(require_token(token))])

    @app.get("/status")
    async def status() -> LoadStatus:  # pyright: ignore[reportUnusedFunction] - registered by the decorator
        return load.status()

    @app.put("/rate")
    async def rate(change: RateChange) -> LoadStatus:  # pyright: ignore[reportUnusedFunction] - as above
        structlog.get_logger().info("rate_changed", from_rps=load.pacer.rate_rps, to_rps=change.rps)
        load.set_rate(change.rps)
        return load.status()

    return app


async def run(options: LoadOptions) -> None:
    """Sends traffic until SIGTERM, SIGINT or the end of the run time."""
    log = structlog.get_logger()
    stopped = stop_event()
    listener = listen(options.control_port)
    load = Load(options)
    control = asyncio.create_task(serve_until(control_app(load, load_token(options.token_file)), listener, stopped))
    log.info("load_started", url=options.url, rps=options.rps, control_port=port_of(listener))
    await load.run(stopped)
    stopped.set()
    await control
    totals = {"sent": load.statistics.requests, "failed": load.statistics.failed, "shed": load.shed}
    log.info("load_stopped", **totals, unanswered=dict(load.unanswered), statuses=load.statistics.statuses())


def main() -> None:
    """Reads the command line and sends traffic."""
    parser = argparse.ArgumentParser(prog="python -m infra.sandbox.load", description=__doc__)
    parser.add_argument("--url", required=True, help="base URL of the gateway")
    parser.add_argument("--rps", type=float, default=12.0, help="requests a second at the start")
    parser.add_argument("--control-port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--token-file", type=Path, required=True, help="control token; made when missing")
    parser.add_argument("--arrivals", type=Arrivals, choices=list(Arrivals), default=Arrivals.PACED)
    parser.add_argument("--max-in-flight", type=int, default=200, help="open requests at most")
    parser.add_argument("--max-run-s", type=float, default=900.0, help="the load ends by itself after this")
    parser.add_argument("--seed", type=int, help="makes the sequence of requests repeatable")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the starting process ends")
    arguments = vars(parser.parse_args())
    write_json_lines()
    if arguments.pop("die_with_parent"):
        die_with_parent()
    asyncio.run(run(LoadOptions(**arguments)))


if __name__ == "__main__":
    main()
