"""The command line: what each command becomes or prints, and with which exit code."""

import json
import runpy
import sys

import pytest
from typer.testing import CliRunner

from agents.config import json_schema
from agents.life import document as life_tables
from agents.stages import diagram
from bot import cli
from bot.settings import document
from telemetry.errors import SreSpaceError


def run(*arguments, **environment):
    """Return what the command line made of some arguments."""
    return CliRunner().invoke(cli.app, arguments, env=environment)


@pytest.mark.parametrize(
    ("arguments", "module"),
    [
        (["up"], ["bot.up_process"]),
        (["web"], ["bot.web_process"]),
        (["worker"], ["bot.worker_process"]),
        (["scout"], ["bot.scout_process"]),
        (["demo", "--yes", "--scenario", "bad-deploy"], ["infra.sandbox.demo", "--yes", "--scenario", "bad-deploy"]),
        (["detect", "--json", "a.zst"], ["bot.detect_cli", "--json", "a.zst"]),
        (["replay", "--help"], ["bot.replay_cli", "--help"]),
        (["status", "--json"], ["bot.status_cli", "--json"]),
    ],
)
def test_a_command_becomes_its_own_module_and_passes_its_options_on(monkeypatch, arguments, module):
    """Each process loads only what it needs; `--help` is that of the module."""
    became = []
    monkeypatch.setattr("os.execv", lambda program, command: became.append((program, command)))
    assert run(*arguments).exit_code == 0
    assert became == [(sys.executable, [sys.executable, "-m", *module])]


@pytest.mark.parametrize("command", ["up", "web", "worker", "scout"])
def test_a_process_takes_no_options(monkeypatch, command):
    """Settings come from the environment: a mistaken option must not be passed over."""
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("it was started"))
    result = run(command, "--port=1")
    assert (result.exit_code, "No such option" in result.output) == (2, True)


def test_settings_are_a_table_of_every_setting():
    """With defaults and meanings; nothing is left out."""
    result = run("settings", COLUMNS="400")
    assert result.exit_code == 0
    rows = document()
    assert len(rows) > 40
    assert all(row.name in result.output for row in rows)


def test_the_schema_of_the_configuration_is_json():
    """As an editor wants it."""
    result = run("config-schema")
    assert (result.exit_code, json.loads(result.output)) == (0, json_schema())


def test_a_valid_configuration_is_said_to_be_valid(tmp_path):
    """With the number of services, so that an empty one is noticed."""
    file = tmp_path / "sre-space.yml"
    file.write_text(
        "version: 1\nservices:\n  quote: {paths: ['services/quote/**']}\n  tax: {paths: ['services/tax/**']}\n"
    )
    result = run("config-check", str(file))
    assert (result.exit_code, result.output) == (0, f"{file} is valid: 2 services.\n")


def test_a_wrong_configuration_is_refused_with_line_and_problem(tmp_path):
    """Exit code 1, nothing on the standard output."""
    file = tmp_path / "sre-space.yml"
    file.write_text("version: 1\nservises: {}\n")
    result = run("config-check", str(file))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        f"{file}, line 1: the file needs `services`",
        f"{file}, line 2: unknown key `servises`; did you mean `services`?",
    ]


def test_a_configuration_that_is_not_there_is_said_so(tmp_path, monkeypatch):
    """The default is the repository's file."""
    monkeypatch.chdir(tmp_path)
    result = run("config-check")
    assert result.exit_code == 1
    assert result.stderr == ".github/sre-space.yml cannot be read: No such file or directory\n"


def test_the_diagram_and_the_tables_of_life_are_those_of_the_code():
    """As the README and docs/life.md have them."""
    assert run("diagram").output == diagram()
    assert run("life").output == life_tables()


def test_an_error_of_ours_is_one_line(monkeypatch, capsys):
    """Exit code 1, no traceback."""

    def fails():
        raise SreSpaceError("There is no Redis server. Install one.")

    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    assert capsys.readouterr().err == "There is no Redis server. Install one.\n"


def test_python_m_bot_is_the_command_line(monkeypatch, capsys):
    """For machines where the script is not on PATH."""
    monkeypatch.setattr("sys.argv", ["bot", "diagram"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("bot", run_name="__main__")
    assert (caught.value.code, capsys.readouterr().out) == (0, diagram())
