"""The supervisor over real processes: started in order, kept running, stopped, and gone when it is killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from bot import run_files, status
from bot.child import Program, ProgramFailedError
from bot.settings import load_settings
from bot.supervisor import AlreadyUpError, supervise, up, with_ports
from telemetry.errors import SreSpaceError

ROOT = Path(__file__).parents[3]
WAITS = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit(0)))\n"
WAITS += "print('hello', flush=True)\nwhile True: signal.pause()\n"


def program(name: str, code: str, **changes) -> Program:
    """Return a program of Python code."""
    return Program(name, (sys.executable, "-c", code), dict(os.environ), **changes)


class Watcher:
    """Runs a supervisor in the background and sees what it sees."""

    def __init__(self, state_dir: Path):
        self.state_dir = state_dir
        self.stop = asyncio.Event()
        self.started = asyncio.Event()
        self.lines: list[tuple[str, str]] = []

    def echo(self, name: str, line: str) -> None:
        """Note a line."""
        self.lines.append((name, line))

    def run(self, *groups) -> "asyncio.Task[None]":
        """Start."""
        return asyncio.create_task(
            supervise(groups, self.state_dir, self.stop, echo=self.echo, started=self.started.set)
        )


async def until(condition):
    """Wait until something is so; the test's own timeout ends a wait in vain."""
    while not condition():  # noqa: ASYNC110 - processes have no event to wait for
        await asyncio.sleep(0.01)


@pytest.fixture
def watcher(tmp_path):
    """A watcher."""
    return Watcher(tmp_path)


async def test_programs_are_started_logged_shown_and_stopped_in_reverse(watcher, tmp_path):
    """Their words are in their logs; afterwards nothing is left of them."""
    running = watcher.run([program("one", WAITS)], [program("two", WAITS, url="http://127.0.0.1:1")])
    await watcher.started.wait()
    await until(lambda: len(watcher.lines) == 2)
    one, two = status.processes(tmp_path)
    assert [(one.name, one.state), (two.name, two.state)] == [("one", "running"), ("two", "running")]
    assert two.url == "http://127.0.0.1:1"
    assert one.rss_mb > 1
    watcher.stop.set()
    await running
    assert [line for line in watcher.lines if line[1] == "bye"] == [("two", "bye"), ("one", "bye")]
    assert (tmp_path / "log" / "one.log").read_text() == "hello\nbye\n"
    assert run_files.read(tmp_path) == ()
    assert not psutil.pid_exists(one.pid)


async def test_a_program_that_ends_is_started_again(watcher, tmp_path):
    """Under a new number, and the restart is counted."""
    running = watcher.run([program("one", WAITS)])
    await watcher.started.wait()
    [before] = status.processes(tmp_path)
    os.kill(before.pid, signal.SIGKILL)
    await until(lambda: [one.restarts for one in status.processes(tmp_path) if one.state == "running"] == [1])
    [after] = status.processes(tmp_path)
    assert after.pid != before.pid
    watcher.stop.set()
    await running


async def test_a_program_that_never_gets_ready_ends_it_all_with_its_words(watcher):
    """A missing setting, for instance, is said at once and not tried again for ever."""
    broken = program(
        "broken", "import sys; sys.exit('GITHUB_APP_ID is not set')", ready=lambda: asyncio.sleep(0, False)
    )
    with pytest.raises(ProgramFailedError, match="GITHUB_APP_ID is not set") as caught:
        await watcher.run([program("one", WAITS)], [broken])
    assert caught.value.name == "broken"
    assert not watcher.started.is_set()
    assert run_files.read(watcher.state_dir) == ()


async def test_a_program_that_is_not_ready_in_time_is_stopped(watcher):
    """It runs, but does not do its work."""
    lame = program("lame", WAITS, ready=lambda: asyncio.sleep(0, False), ready_timeout_s=0.3)
    with pytest.raises(ProgramFailedError, match="not ready"):
        await watcher.run([lame])


async def test_stopping_while_starting_stops(watcher):
    """Ctrl-C does not have to wait until everything is ready."""
    running = watcher.run([program("slow", WAITS, ready=lambda: asyncio.sleep(0, False))])
    await until(lambda: watcher.lines)
    watcher.stop.set()
    await running
    assert run_files.read(watcher.state_dir) == ()


async def test_a_program_that_does_not_listen_is_killed(watcher):
    """After its grace."""
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(99)"
    )
    running = watcher.run([program("deaf", deaf, grace_s=0.2)])
    await until(lambda: watcher.lines)
    [found] = status.processes(watcher.state_dir)
    watcher.stop.set()
    await running
    assert not psutil.pid_exists(found.pid)


async def test_children_die_with_a_supervisor_that_is_killed(tmp_path):
    """SIGKILL leaves it no time to stop them: the kernel does."""
    code = (
        "import asyncio, os, sys\n"
        "from pathlib import Path\n"
        "from bot.child import Program\n"
        "from bot.supervisor import supervise\n"
        f"waits = Program('one', (sys.executable, '-c', {WAITS!r}), dict(os.environ))\n"
        f"asyncio.run(supervise([[waits]], Path({str(tmp_path)!r}), asyncio.Event(), echo=lambda *_: None,\n"
        f"    started=Path({str(tmp_path / 'up')!r}).touch))\n"
    )
    supervisor = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
    )
    await until((tmp_path / "up").exists)
    [found] = status.processes(tmp_path)
    child = psutil.Process(found.pid)
    supervisor.kill()
    await supervisor.wait()
    await until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_second_supervisor_on_the_same_folder_is_refused(tmp_path):
    """Two Redis servers on one file would destroy it."""
    settings = load_settings(state_dir=tmp_path, web_port=0, scout_port=0, scout_grpc_port=0)
    hold = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{hold}; sys.stdin.read()", str(tmp_path / "up.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyUpError, match="SRE_SPACE_STATE_DIR"):
            asyncio.run(up(settings, asyncio.Event(), echo=lambda *_: None))


async def test_up_without_credentials_says_which_and_leaves_nothing_running(tmp_path):
    """The first program that cannot start names what it misses; Redis and the others are stopped."""
    settings = load_settings(state_dir=tmp_path, web_port=0, scout_port=0, scout_grpc_port=0)
    with pytest.raises(SreSpaceError) as caught:
        await up(settings, asyncio.Event(), echo=lambda *_: None)
    assert "is not set" in str(caught.value)
    assert run_files.read(tmp_path) == ()
    assert (tmp_path / "sre-space.db").exists()


def test_a_port_of_zero_becomes_a_free_one():
    """And each listener gets its own; what is off stays off."""
    settings = with_ports(load_settings(web_port=0, scout_port=0, scout_grpc_port=0))
    ports = (settings.web_port, settings.scout_port, settings.scout_grpc_port)
    assert min(ports) > 0
    assert len(set(ports)) == 3
    assert with_ports(load_settings(scout_grpc_port="off")).scout_grpc_port == "off"


def test_status_is_a_table_and_json(tmp_path):
    """A number that was given to another process since is not shown as ours."""
    run = run_files.RunFile(
        name="web",
        state=run_files.State.RUNNING,
        pid=os.getpid(),
        create_time=psutil.Process().create_time(),
        url="http://127.0.0.1:8080",
        log=None,
        restarts=2,
        since="2030-01-01T00:00:00Z",
    )
    run_files.write(tmp_path, run)
    run_files.write(tmp_path, run.model_copy(update={"name": "old", "create_time": 1.0}))
    found = status.processes(tmp_path)
    shown = {one["name"]: one for one in json.loads(status.as_json(found))}
    assert shown["web"]["state"] == "running"
    assert shown["web"]["rss_mb"] > 1
    assert (shown["old"]["state"], shown["old"]["pid"], shown["old"]["rss_mb"]) == ("gone", None, None)
    output = StringIO()
    Console(file=output, width=200).print(status.table(found, 512))
    assert "http://127.0.0.1:8080" in output.getvalue()
