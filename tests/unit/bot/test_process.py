"""How a process starts, and what its exit code says of its end."""

import json
import logging

import pytest
import structlog

from bot import process
from bot.process import configure_logs, run_process
from bot.settings import SettingsError
from telemetry.errors import TransientError


@pytest.fixture(autouse=True)
def _own_settings(tmp_path, monkeypatch):
    """Nothing of this machine's settings or `.env`; structlog is as before afterwards."""
    monkeypatch.chdir(tmp_path)
    yield
    structlog.reset_defaults()


def ends_with(run):
    """Return the exit code of a process that runs `run`."""
    with pytest.raises(SystemExit) as caught:
        run_process(run)
    return caught.value.code


def test_a_process_gets_its_settings_and_ends_when_its_work_is_done(monkeypatch):
    """Without an exit code of its own."""
    monkeypatch.setenv("SRE_SPACE_REPOSITORY", "acme/shop")
    seen = []

    async def run(settings):
        seen.append(settings.repository)

    run_process(run)
    assert seen == ["acme/shop"]


def test_a_missing_setting_is_one_line_and_exit_code_2(capsys):
    """The supervisor and people see the name and the remedy, not a traceback."""

    async def run(_):
        raise SettingsError("REDIS_URL", "is not set", "Name one (redis://…)")

    assert ends_with(run) == process.USAGE == 2
    assert capsys.readouterr().err == "REDIS_URL is not set. Name one (redis://…)\n"


def test_a_wrong_setting_ends_the_start_before_anything_runs(monkeypatch, capsys):
    """Its value may be a secret: it is not shown."""
    monkeypatch.setenv("MEMORY_LIMIT_MB", "plenty")

    async def run(_):
        raise AssertionError("it was started")

    assert ends_with(run) == 2
    said = capsys.readouterr().err
    assert said.startswith("MEMORY_LIMIT_MB cannot be used: ")
    assert "plenty" not in said


def test_what_is_not_there_is_an_event_in_the_log_and_exit_code_1(monkeypatch, capsys):
    """Another start may go well."""
    monkeypatch.setenv("SRE_SPACE_LOG_JSON", "true")

    async def run(_):
        raise TransientError("Redis does not answer")

    assert ends_with(run) == process.FAILED == 1
    event = json.loads(capsys.readouterr().err)
    assert (event["event"], event["reason"], event["level"]) == ("process_failed", "Redis does not answer", "error")


def test_ctrl_c_before_the_process_can_stop_in_order_is_130(capsys):
    """As shells expect it of SIGINT."""

    async def run(_):
        raise KeyboardInterrupt

    assert ends_with(run) == 130
    assert capsys.readouterr().err == ""


def test_a_defect_is_not_hidden():
    """A broad `except` would hide it."""

    async def run(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_process(run)


@pytest.mark.parametrize("as_json", [True, False])
def test_an_exception_is_logged_whole_and_debug_words_are_not(capsys, as_json):
    """As fields in JSON, as a traceback for people."""
    configure_logs(as_json=as_json)
    log = structlog.get_logger()
    log.debug("detail")
    try:
        int("none")
    except ValueError:
        log.exception("job_failed", job="advance")
    said = capsys.readouterr().err
    assert "detail" not in said
    assert "invalid literal" in said
    if as_json:
        event = json.loads(said)
        assert (event["event"], event["job"], event["exception"][0]["exc_type"]) == (
            "job_failed",
            "advance",
            "ValueError",
        )
    else:
        assert "Traceback" in said
    assert logging.getLogger().level == logging.WARNING
