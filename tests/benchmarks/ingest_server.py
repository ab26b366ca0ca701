"""A receiver in a process of its own, served as `sre-space scout` serves it, whose CPU time can be told apart."""

import asyncio
import multiprocessing
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import psutil

from bot.allocator import suit_telemetry
from bot.scout_serving import config_of
from bot.web.server import Server
from telemetry.otlp import ReceiverLimits, create_receiver
from telemetry.state import TelemetryState


@dataclass(frozen=True, slots=True)
class Serving:
    """A receiver that runs."""

    port: int
    process: psutil.Process

    def cpu_s(self) -> float:
        """Return the CPU seconds that it has used."""
        used = self.process.cpu_times()
        return float(used.user + used.system)


@contextmanager
def serving() -> Generator[Serving]:
    """Run a receiver on loopback until the end of the block; raises AssertionError if it took fewer spans than told."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    child = context.Process(target=_run, args=(theirs,))
    child.start()
    try:
        yield Serving(mine.recv(), psutil.Process(child.pid))
    finally:
        child.terminate()
        child.join()


def _run(pipe: Connection) -> None:
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    app = create_receiver(TelemetryState(), ReceiverLimits())
    server = Server(config_of(app, host="127.0.0.1", port=0))
    suit_telemetry()
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 — uvicorn has no event for it
        await asyncio.sleep(0.01)
    pipe.send(server.servers[0].sockets[0].getsockname()[1])
    await task
