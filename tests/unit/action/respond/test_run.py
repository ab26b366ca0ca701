"""The step `mode: respond` around its core: inputs to settings and adapters, outcome to outputs, summary, exit code."""

import contextlib
import json
import runpy
import stat

import pytest
import structlog
from pydantic import SecretStr

from action.errors import ActionError, InputError
from action.respond import run as respond_run
from action.respond.run import FAILED, OK, run_respond, settings_of
from action.respond.telemetry import InEnvironment, NoTelemetry, Replay
from action.settings import Context, Inputs, Machine, Runner
from agents.ports import SeriesKey
from agents.testing.memory import FakeMemory
from agents.testing.scenarios import pool_signal
from agents.testing.shop import Shop
from agents.testing.telemetry import FakeTelemetry
from tests.support_store import START


@pytest.fixture
def folder(tmp_path):
    """The folder of a job."""
    (tmp_path / "workspace").mkdir()
    return tmp_path


def context_of(folder, event="issues", payload=None, **inputs):
    """Return what a job of acme/shop is given."""
    path = folder / "event.json"
    path.write_text(json.dumps(payload or {}))
    runner = Runner(
        repository="acme/shop",
        event_name=event,
        event_path=path,
        output=folder / "output",
        step_summary=folder / "summary.md",
        workspace=folder / "workspace",
    )
    given = {"mode": "respond", "token": "t0ken", "max_wait_s": 0, **inputs}
    return Context(Inputs(**given), runner, Machine(temp=folder / "temp"))


class GitHub:
    """The shop behind the token of a job."""

    def __init__(self):
        self.shop, self.opened = Shop(), []
        self.shop.github.grant("maria", "maintain")

    def newest(self):
        """Return the newest webhook, without the installation that a workflow does not know."""
        return {name: value for name, value in self.shop.github.hooks[-1].payload.items() if name != "installation"}


@pytest.fixture
def github(monkeypatch):
    """GitHub and the incident memory, opened as the step opens them."""
    found = GitHub()

    @contextlib.asynccontextmanager
    async def open_github_with_token(settings, token, login):
        found.opened.append((settings.github_api_url, token.get_secret_value(), login))
        yield found.shop.forge

    @contextlib.asynccontextmanager
    async def open_incident_memory(settings):
        yield FakeMemory()

    monkeypatch.setattr(respond_run, "open_github_with_token", open_github_with_token)
    monkeypatch.setattr(respond_run, "open_incident_memory", open_incident_memory)
    return found


def outputs(folder):
    """Return the outputs of the step."""
    return dict(line.split("=", 1) for line in (folder / "output").read_text().splitlines() if "=" in line)


def test_an_issue_is_handled_and_outputs_and_summary_say_what_came_of_it(folder, github):
    """Without telemetry people take over; what is written appears under the name of the workflow's token."""
    issue = github.shop.github.opens("maria", "Quotes fail", "Customers of quote see errors.", labels=("incident",))
    context = context_of(folder, payload=github.newest())
    assert run_respond(context) == OK
    assert github.opened == [("https://api.github.com", "t0ken", "github-actions[bot]")]
    said = outputs(folder)
    assert (said["decision"], said["reason-code"], said["incident"]) == ("pass", "escalated", str(issue.number))
    assert (folder / "summary.md").read_text().startswith("## SRE-Space: `issues`\n")

    assert run_respond(context) == OK
    assert outputs(folder)["reason-code"] == "nothing-to-do", "the state tells that it was handled"


def test_an_event_that_was_not_handled_fails_the_step(folder, github):
    """The reason is in the summary; the state keeps the event for the next job."""
    github.shop.github.opens("maria", "Quotes fail", "", labels=("incident",))
    payload = github.newest()
    del payload["issue"]["created_at"]
    context = context_of(folder, payload=payload, bot_login="shop-bot[bot]")
    assert run_respond(context) == FAILED
    assert github.opened[0][2] == "shop-bot[bot]"
    assert outputs(folder)["decision"] == "fail"
    assert "The event was not handled" in (folder / "summary.md").read_text()


def test_an_event_that_is_none_of_ours_ends_before_anything_is_opened(folder, github):
    """The workflow's author reads which events are handled."""
    with pytest.raises(ActionError, match="this workflow was started by `push`"):
        run_respond(context_of(folder, event="push"))
    assert github.opened == []


def test_settings_are_the_actions_own_and_a_foreign_env_file_is_not_read(folder, monkeypatch):
    """The repository that is checked out may hold any `.env`."""
    (folder / ".env").write_text("LLM_API_KEY=from-the-repository\n")
    monkeypatch.chdir(folder)
    settings = settings_of(context_of(folder, label="outage", state=folder / "kept"))
    assert settings.llm_api_key is None
    assert (settings.repository, settings.incident_label) == ("acme/shop", "outage")
    assert settings.database == f"sqlite+aiosqlite:///{folder}/kept/sre-space.db"
    assert settings.chroma == folder / "kept" / "memory"


def test_the_secret_of_marks_is_made_once_and_kept_with_the_state(folder):
    """Only its owner may read it; a secret that is given comes first and is not kept."""
    first, second = (settings_of(context_of(folder)).github_webhook_secret for _ in range(2))
    assert first == second
    assert len(first.get_secret_value()) >= 32
    file = folder / "temp" / "sre-space" / "state" / "marker-secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    given = settings_of(context_of(folder, marker_secret="mine"))
    assert given.github_webhook_secret == SecretStr("mine")
    assert file.read_text() == first.get_secret_value()


async def telemetry_of(context):
    """Return the telemetry that a job looks at."""
    async with respond_run._telemetry(context) as found:
        return found


async def test_a_running_scout_is_asked_with_its_token(folder):
    """For the environment that the input names."""
    found = await telemetry_of(context_of(folder, scout_url="http://scout:4318", scout_token="s3cret"))
    client = found._inner._client
    assert (str(client.base_url), client.headers["authorization"]) == (
        "http://scout:4318/scout/v1/",
        "Bearer s3cret",
    )


async def test_files_are_played_and_without_anything_nobody_can_know(folder):
    """Files are those of the workspace."""
    (folder / "workspace" / "empty.jsonl").touch()
    found = await telemetry_of(context_of(folder, telemetry="*.jsonl"))
    assert isinstance(found, InEnvironment)
    assert isinstance(found._inner, Replay)
    assert isinstance(await telemetry_of(context_of(folder)), NoTelemetry)


async def test_files_and_a_running_scout_exclude_each_other(folder):
    """They may contradict each other."""
    context = context_of(folder, telemetry="*.jsonl", scout_url="http://scout:4318")
    with pytest.raises(InputError, match="exclude each other"):
        await telemetry_of(context)


async def test_an_incident_without_an_environment_is_looked_up_in_the_one_of_the_input():
    """One that names its own is looked up there."""
    inner = FakeTelemetry()
    inner.open_signals = [pool_signal().model_copy(update={"environment": "production"})]
    telemetry = InEnvironment(inner, "production")
    assert await telemetry.signals("default", None, "quote") == tuple(inner.open_signals)
    assert await telemetry.signals("default", "staging", "quote") == ()
    assert await telemetry.group("g1") is None
    key = SeriesKey(tenant="default", environment="default", service="quote", operation="GET /")
    question = {"since": START, "window_s": 10, "min_requests": 5, "revision": None}
    assert (await telemetry.sli(key, **question)).key.environment == "production"
    staging = key.model_copy(update={"environment": "staging"})
    assert (await telemetry.sli(staging, **question)).key.environment == "staging"
    await telemetry.versions("default", "default", "quote")
    assert inner.calls[-1] == "versions default production quote"


def test_python_m_runs_the_step_and_names_a_missing_input(monkeypatch, capsys):
    """One line that GitHub shows on the run, and exit code 1."""
    for name in ("INPUT_TOKEN", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INPUT_MODE", "respond")
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("action.respond", run_name="__main__")
    structlog.reset_defaults()
    assert caught.value.code == 1
    assert capsys.readouterr().out.startswith("::error title=SRE-Space::")
