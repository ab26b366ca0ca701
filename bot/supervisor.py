"""`sre-space up`: Redis, Scout, web and worker as child processes that are kept running and stopped in order."""

import asyncio
import contextlib
import fcntl
import os
import socket
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import structlog

from bot import redis_server, run_files
from bot.child import Child, Echo, Program, create_time
from bot.db.migrate import upgrade
from bot.queue.health import forget_workers, worker_works
from bot.run_files import RunFile, State
from bot.setting_names import environment, reachable
from bot.settings import Settings
from telemetry.errors import SreSpaceError

log = structlog.get_logger()

SUPERVISOR: Final = "up"


class AlreadyUpError(SreSpaceError):
    """Another supervisor runs on the same state folder."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(
            f"SRE-Space already runs on {state_dir}. Stop it, or choose another folder with SRE_SPACE_STATE_DIR."
        )
        self.state_dir = state_dir


def free_port(host: str) -> int:
    """Return a port on which nobody listens."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def with_ports(settings: Settings) -> Settings:
    """Return the settings with a free port in place of each 0."""
    return settings.model_copy(
        update={
            "state_dir": settings.state_dir.resolve(),
            "scout_port": settings.scout_port or free_port(settings.scout_host),
            "scout_grpc_port": settings.scout_grpc_port or free_port(settings.scout_host),
            "web_port": settings.web_port or free_port(settings.web_host),
        }
    )


def programs(settings: Settings, redis_url: str) -> tuple[Program, ...]:
    """Return the three programs of SRE-Space, in the reverse of the order in which they stop."""
    environ = {**environment(settings), "REDIS_URL": redis_url, "PYTHONUNBUFFERED": "1"}
    web_url = f"http://{reachable(settings.web_host)}:{settings.web_port}"
    return (
        _ours("scout", environ, settings.scout_url, reachable(settings.scout_host), settings.scout_port),
        _ours("web", environ, web_url, reachable(settings.web_host), settings.web_port),
        Program(
            "worker",
            _command("worker"),
            environ,
            prepare=lambda: forget_workers(redis_url),
            ready=lambda: worker_works(redis_url),
        ),
    )


def _command(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"bot.{name}_process")


def _ours(name: str, environ: Mapping[str, str], url: str, host: str, port: int) -> Program:
    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection(host.strip("[]"), port)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    return Program(name, _command(name), environ, url, ready=listens)


def redis_program(settings: Settings, folder: Path, path: Path) -> Program:
    """Return the embedded Redis.

    Raises:
        RedisMissingError: there is no server to run.
    """
    binary = redis_server.find_server()
    url = redis_server.url_of(path)
    return Program(
        "redis",
        redis_server.command(binary, folder, path),
        environment(settings),
        url,
        ready=lambda: redis_server.answers(url),
        ready_timeout_s=30,
        grace_s=10,
    )


async def supervise(
    groups: Sequence[Sequence[Program]],
    state_dir: Path,
    stop: asyncio.Event,
    *,
    echo: Echo,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Start group after group, keep the programs running until `stop` is set, stop them in reverse order.

    Raises:
        ProgramFailedError: one did not get ready at its first start; the others were stopped.
    """
    children: list[Child] = []
    stopped = asyncio.create_task(stop.wait())
    try:
        for group in groups:
            fresh = [Child(program, state_dir, echo) for program in group]
            children.extend(fresh)
            if not await _start_all(fresh, stopped):
                return
        started()
        keepers = {child.keeper for child in children if child.keeper is not None}
        done, _ = await asyncio.wait({stopped, *keepers}, return_when=asyncio.FIRST_COMPLETED)
        for keeper in done & keepers:
            keeper.result()
    finally:
        stopped.cancel()
        for child in reversed(children):
            await child.stop()


async def _start_all(children: Sequence[Child], stopped: asyncio.Task[Literal[True]]) -> bool:
    """Return True when all are ready; False when they are to stop before that."""
    starting = [asyncio.create_task(child.start()) for child in children]
    left: set[asyncio.Task[Any]] = set(starting)
    try:
        while left and not stopped.done():
            done, _ = await asyncio.wait({*left, stopped}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopped}:
                task.result()
                left.discard(task)
        return not left
    finally:
        for task in left:
            task.cancel()
        await asyncio.gather(*starting, return_exceptions=True)


@contextlib.contextmanager
def _only_one(state_dir: Path) -> Generator[None]:
    """Hold the state folder's lock, which the kernel frees however this process ends."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyUpError(state_dir) from error
        for left_over in run_files.read(state_dir):
            run_files.remove(state_dir, left_over.name)
        _say_up(state_dir)
        try:
            yield
        finally:
            run_files.remove(state_dir, SUPERVISOR)


def _say_up(state_dir: Path) -> None:
    pid = os.getpid()
    run_files.write(
        state_dir,
        RunFile(
            name=SUPERVISOR,
            state=State.RUNNING,
            pid=pid,
            create_time=create_time(pid),
            url=None,
            log=None,
            restarts=0,
            since=datetime.now(UTC),
        ),
    )


async def up(
    settings: Settings,
    stop: asyncio.Event,
    *,
    echo: Echo,
    started: Callable[[Settings], None] = lambda _: None,
) -> None:
    """Run all of SRE-Space until `stop` is set. `started` gets the settings with the ports that were chosen.

    Raises:
        AlreadyUpError: it runs already on this state folder.
        MigrationError: the database cannot be brought to the current schema.
        RedisMissingError: REDIS_URL is not set and there is no Redis server to run.
        QueueUnavailableError: the Redis of REDIS_URL does not answer.
        ProgramFailedError: a program did not get ready.
    """
    settings = with_ports(settings)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_only_one(settings.state_dir))
        groups: list[Sequence[Program]] = []
        if settings.redis_url is None:
            folder = settings.state_dir / "redis"
            path = stack.enter_context(redis_server.socket_for(folder))
            groups.append([redis_program(settings, folder, path)])
            redis_url = redis_server.url_of(path)
        else:
            redis_url = settings.redis_url.get_secret_value()
        await upgrade(settings.database)
        await supervise(
            [*groups, programs(settings, redis_url)],
            settings.state_dir,
            stop,
            echo=echo,
            started=lambda: started(settings),
        )
