"""`sre-space up` over a real Redis and small programs: what is started with which settings, and what is left of it."""

import asyncio
import os
import stat
import sys
from datetime import UTC, datetime

import psutil
import pytest

from bot import run_files, status, supervisor
from bot.child import Program
from bot.queue.health import forget_workers, worker_works
from bot.queue.port import QueueUnavailableError
from bot.queue.worker import run_workers, workers
from bot.redis_server import RedisMissingError, answers
from bot.settings import SettingsError, load_settings
from bot.supervisor import AlreadyUpError, free_port, programs, up
from tests.support_redis import running_redis

WAITS = "import signal; signal.sigwait({signal.SIGTERM})"


@pytest.fixture
def settings(tmp_path):
    """Settings of a machine of its own, with every port free to choose."""
    return load_settings(_env_file=None, state_dir=tmp_path, web_port=0, scout_port=0, scout_grpc_port=0)


@pytest.fixture
def waits(monkeypatch):
    """Small programs in place of Scout, web and worker; the list has the URL of Redis that they were given."""
    given = []

    def small(_settings, redis_url):
        given.append(redis_url)
        return (Program("scout", (sys.executable, "-c", WAITS), dict(os.environ)),)

    monkeypatch.setattr(supervisor, "programs", small)
    return given


class Running:
    """A supervisor that runs in the background."""

    def __init__(self, settings):
        self.stop, self.chosen = asyncio.Event(), asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(up(settings, self.stop, echo=lambda *_: None, started=self.chosen.set_result))

    async def started(self):
        """Return the settings with which it has started."""
        await asyncio.wait({self.task, self.chosen}, return_when=asyncio.FIRST_COMPLETED)
        if self.task.done():
            await self.task
        return self.chosen.result()

    async def ended(self):
        """Stop it."""
        self.stop.set()
        await self.task


async def test_redis_the_database_and_the_programs_are_there_and_then_gone(settings, waits, tmp_path):
    """Ports are chosen and told; each process is in the status; nothing is left but what is to be kept."""
    running = Running(settings)
    chosen = await running.started()
    assert min(chosen.web_port, chosen.scout_port, chosen.scout_grpc_port) > 0
    assert waits == [f"unix://{tmp_path}/redis/redis.sock"]
    assert await answers(waits[0])
    shown = {one.name: one for one in status.processes(tmp_path)}
    assert {name: one.state for name, one in shown.items()} == dict.fromkeys(("up", "redis", "scout"), "running")
    assert shown["up"].pid == os.getpid()
    assert stat.S_IMODE((tmp_path / "redis" / "redis.sock").stat().st_mode) == 0o700

    await running.ended()

    assert not await answers(waits[0])
    assert run_files.read(tmp_path) == ()
    assert not any(psutil.pid_exists(shown[name].pid) for name in ("redis", "scout"))
    assert {"sre-space.db", "log", "redis"} <= {path.name for path in tmp_path.iterdir()}


async def test_a_redis_that_is_named_is_used_and_none_is_started(settings, waits, tmp_path):
    """It is somebody else's to run."""
    running = Running(settings.model_copy(update={"redis_url": _secret("unix:///elsewhere.sock")}))
    await running.started()
    assert waits == ["unix:///elsewhere.sock"]
    assert [one.name for one in status.processes(tmp_path)] == ["up", "scout"]
    await running.ended()


def _secret(text):
    return load_settings(_env_file=None, redis_url=text).redis_url


async def test_a_second_one_on_the_same_folder_is_refused_and_the_first_goes_on(settings, waits, tmp_path):
    """Two Redis servers on one file would destroy it."""
    running = Running(settings)
    await running.started()
    with pytest.raises(AlreadyUpError) as caught:
        await up(settings, asyncio.Event(), echo=lambda *_: None)
    assert str(caught.value) == (
        f"SRE-Space already runs on {tmp_path}. Stop it, or choose another folder with SRE_SPACE_STATE_DIR."
    )
    assert await answers(waits[0])
    await running.ended()


async def test_what_a_killed_supervisor_left_is_not_shown_as_running(settings, waits, tmp_path):
    """Its files are removed at the next start."""
    left = run_files.RunFile(
        name="worker",
        state=run_files.State.RUNNING,
        pid=1,
        create_time=1.0,
        url=None,
        log=None,
        restarts=3,
        since=datetime(2026, 3, 2, tzinfo=UTC),
    )
    run_files.write(tmp_path, left)
    running = Running(settings)
    await running.started()
    assert [one.name for one in status.processes(tmp_path)] == ["up", "redis", "scout"]
    await running.ended()


async def test_without_any_redis_server_nothing_starts(settings, waits, monkeypatch, tmp_path):
    """And the lock is given back."""

    def missing():
        raise RedisMissingError

    monkeypatch.setattr("bot.redis_server.find_server", missing)
    for _ in range(2):
        with pytest.raises(RedisMissingError):
            await up(settings, asyncio.Event(), echo=lambda *_: None)
    assert (waits, run_files.read(tmp_path)) == ([], ())


def test_each_program_gets_all_settings_and_the_url_of_redis(settings, tmp_path):
    """In its environment; its address is one at which it can be reached."""
    told = settings.model_copy(update={"web_host": "0.0.0.0", "web_port": 8080, "scout_port": 4318})  # noqa: S104
    scout, web, worker = programs(told, "unix:///redis.sock")
    assert [one.command for one in (scout, web, worker)] == [
        (sys.executable, "-m", f"bot.{name}_process") for name in ("scout", "web", "worker")
    ]
    assert (scout.url, web.url, worker.url) == ("http://127.0.0.1:4318", "http://127.0.0.1:8080", None)
    for one in (scout, web, worker):
        assert one.environment["REDIS_URL"] == "unix:///redis.sock"
        assert one.environment["SRE_SPACE_STATE_DIR"] == str(tmp_path)


async def test_a_program_is_ready_once_it_listens(settings):
    """Not as soon as it runs."""
    port = free_port("127.0.0.1")
    _, web, _ = programs(settings.model_copy(update={"web_port": port}), "unix:///redis.sock")
    assert web.ready is not None
    assert not await web.ready()
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port):
        assert await web.ready()
    assert not await web.ready()


async def test_the_worker_is_ready_once_it_takes_jobs_and_not_by_the_note_of_an_earlier_one(tmp_path, settings):
    """The note is removed before it starts."""

    async def job():
        """Do nothing."""

    with running_redis(tmp_path) as url:
        *_, worker = programs(settings, url)
        assert worker.prepare is not None
        assert worker.ready is not None
        assert not await worker.ready()
        await run_workers(workers(url, {"process_delivery": job}, burst=True), asyncio.Event())
        assert await worker.ready()
        await worker.prepare()
        assert not await worker.ready()


async def test_a_redis_that_does_not_answer_is_said_before_the_worker_starts(tmp_path):
    """Its readiness is then no."""
    url = f"unix://{tmp_path}/nobody.sock"
    with pytest.raises(QueueUnavailableError, match="Redis does not answer"):
        await forget_workers(url)
    assert not await worker_works(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_free_port_can_be_listened_on(host):
    """In both families."""
    assert free_port(host) > 0


def test_a_wrong_port_is_a_wrong_setting():
    """Named before anything starts."""
    with pytest.raises(SettingsError, match="SRE_SPACE_WEB_PORT cannot be used"):
        load_settings(_env_file=None, web_port=70_000)
