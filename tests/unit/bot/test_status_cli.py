"""`sre-space status`: what it prints of a state folder, and of a Scout that answers or does not."""

import contextlib
import json
import os
from datetime import UTC, datetime

import psutil
import pytest
from typer.testing import CliRunner

from agents.errors import ScoutUnavailableError
from bot import run_files, status_cli
from bot.run_files import RunFile, State
from telemetry.model import ScoutStatus

SCOUT = ScoutStatus(
    started=datetime(2026, 3, 2, tzinfo=UTC),
    spans_total=1200,
    spans_per_s=20.0,
    points_total=3,
    dropped_total={"late": 2},
    series=4,
    baselines=3,
    suspects=(),
    watermark=None,
)


class Scout:
    """A Scout that tells its status, or does not answer."""

    answers = True

    async def status(self):
        """Return the status."""
        if not self.answers:
            raise ScoutUnavailableError("connection refused")
        return SCOUT


@pytest.fixture(autouse=True)
def scout(tmp_path, monkeypatch):
    """A machine without settings but for its state folder, and its Scout."""
    found = Scout()

    @contextlib.asynccontextmanager
    async def open_scout(settings, *, timeout_s):
        assert timeout_s == 2.0, "a person waits"
        yield found

    monkeypatch.setattr(status_cli, "open_scout", open_scout)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SRE_SPACE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    return found


def runs(tmp_path, name, **changes):
    """Note a process that runs, which is this one."""
    plain = RunFile(
        name=name,
        state=State.RUNNING,
        pid=os.getpid(),
        create_time=psutil.Process().create_time(),
        url="http://127.0.0.1:8080",
        log=None,
        restarts=1,
        since=datetime(2026, 3, 2, tzinfo=UTC),
    )
    run_files.write(tmp_path / "state", plain.model_copy(update=changes))


def status(*arguments):
    """Return what the command made of some arguments."""
    return CliRunner().invoke(status_cli.status_app, arguments)


def test_nothing_runs_is_said_with_the_folder_and_what_to_do():
    """In JSON it is an empty list."""
    result = status()
    assert result.exit_code == 0
    assert result.output.startswith("Nothing runs on ")
    assert result.output.endswith("/state. Start it with `sre-space up`.\n")
    assert json.loads(status("--json").output) == []


def test_processes_and_scouts_own_health_are_tables(tmp_path):
    """With what Scout says of itself below."""
    runs(tmp_path, "scout")
    runs(tmp_path, "web", pid=None, state=State.WAITING)
    result = status()
    assert result.exit_code == 0
    assert str(os.getpid()) in result.output
    assert "waiting to start again" in result.output
    assert "20.0 a second, 1,200 in all" in result.output
    assert "2 late" in result.output


def test_json_has_scouts_health_at_scout_alone(tmp_path):
    """For programs."""
    runs(tmp_path, "scout")
    runs(tmp_path, "web")
    shown = {one["name"]: one for one in json.loads(status("--json").output)}
    assert (shown["scout"]["scout"]["spans_total"], shown["scout"]["scout"]["lag_s"]) == (1200, None)
    assert (shown["web"]["scout"], shown["web"]["restarts"]) == (None, 1)


@pytest.mark.parametrize("pid", [os.getpid(), None], ids=["runs", "does not run"])
def test_a_scout_that_does_not_answer_or_run_is_shown_without_its_health(tmp_path, scout, pid):
    """The processes are shown all the same."""
    scout.answers = pid is None
    runs(tmp_path, "scout", pid=pid)
    (shown,) = json.loads(status("--json").output)
    assert (shown["pid"], shown["scout"]) == (pid, None)


def test_a_process_that_has_ended_is_gone(tmp_path):
    """Its number may be another's by now; a killed supervisor leaves such files."""
    runs(tmp_path, "web", create_time=1.0)
    runs(tmp_path, "worker", pid=2**22 + 1, create_time=None)
    assert [(one["name"], one["state"], one["pid"]) for one in json.loads(status("--json").output)] == [
        ("worker", "gone", None),
        ("web", "gone", None),
    ]


def test_a_file_of_another_version_is_left_out(tmp_path):
    """It is not ours to read."""
    runs(tmp_path, "web")
    (tmp_path / "state" / "run" / "scout.json").write_text('{"name": "scout"}')
    assert [one["name"] for one in json.loads(status("--json").output)] == ["web"]


def test_a_wrong_setting_is_one_line_with_exit_code_1(monkeypatch, capsys):
    """No traceback."""
    monkeypatch.setenv("MEMORY_LIMIT_MB", "plenty")
    monkeypatch.setattr("sys.argv", ["sre-space status"])
    with pytest.raises(SystemExit) as caught:
        status_cli.main()
    assert caught.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("MEMORY_LIMIT_MB cannot be used")
    assert said.count("\n") == 1
