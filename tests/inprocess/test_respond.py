"""One run of `mode: respond` in process: an event file in, writes to GitHub and the step's outcome out."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from action.respond.event import read_delivery
from action.respond.outcome import NOTHING, Outcome, summary
from action.respond.run import handle
from action.respond.telemetry import NoTelemetry
from agents.errors import ForgeRefusedError, ForgeUnavailableError
from agents.incident import Stage
from agents.testing.scenarios import pool_signal
from bot.app.work import Adapters, Work, build_work
from bot.testing import Bot


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    """A GitHub with a database behind it. Web and intake of the driver are not used: webhooks stay with GitHub."""
    async with Bot() as running:
        running.lose_webhooks = True
        yield running


@pytest.fixture(autouse=True)
def slept(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A job that waits moves the clock."""
    found: list[float] = []

    async def sleep(seconds: float) -> None:
        found.append(seconds)
        await bot.world.wait(seconds)

    monkeypatch.setattr("action.respond.loop.asyncio", SimpleNamespace(sleep=sleep))
    return found


class Workflow:
    """The jobs of a workflow, one after the other, over one state."""

    def __init__(self, bot: Bot, folder: Path) -> None:
        self.bot = bot
        self._file = folder / "event.json"

    async def on_webhook(self, *, max_wait_s: float = 0.0, **changes: object) -> Outcome:
        """Run a job on the newest webhook that GitHub has sent."""
        event, payload = await self.newest()
        return await self.on(event, payload, max_wait_s=max_wait_s, **changes)

    async def newest(self) -> tuple[str, dict[str, object]]:
        """Return the newest webhook as a workflow gets it: it has no installation."""
        request = (await self.bot.world.requests())[-1]
        payload = json.loads(request.body)
        payload.pop("installation", None)
        return request.headers["x-github-event"], payload

    async def on(
        self, event: str, payload: dict[str, object], *, max_wait_s: float = 0.0, **changes: object
    ) -> Outcome:
        """Run a job on an event; `changes` are those of the adapters."""
        self._file.write_text(json.dumps(payload))
        delivery = read_delivery(event, self._file)
        return await handle(self.work(**changes), self.bot.queue, delivery, max_wait_s=max_wait_s)

    def work(self, **changes: object) -> Work:
        """Return the working half that a job builds."""
        bot = self.bot
        plain = {"forge": bot.world.forge, "memory": bot.memory, "telemetry": bot.telemetry, "now": bot.world.now}
        adapters = Adapters(store=bot.store, queue=bot.queue, **{**plain, **changes})
        return build_work(bot.settings, adapters, "action")


@pytest.fixture
def workflow(bot: Bot, tmp_path: Path) -> Workflow:
    """The workflow of the shop."""
    return Workflow(bot, tmp_path)


async def proposed(workflow: Workflow) -> Outcome:
    """Let Maria report the dry pool, which telemetry shows, too."""
    bot = workflow.bot
    bot.telemetry.open_signals.append(pool_signal())
    await bot.world.opens("maria", "Quotes fail", "Customers of quote see errors.", ("incident",))
    return await workflow.on_webhook()


async def test_an_issue_leads_to_a_pull_request_in_one_job(workflow: Workflow):
    """Outputs and summary name both; the event is done."""
    outcome = await proposed(workflow)
    incident = await workflow.bot.incident()
    assert (outcome.handled, outcome.problem, outcome.incidents) == (True, "", (incident,))
    assert incident.stage is Stage.AWAITING_APPROVAL
    assert outcome.outputs == {
        "decision": "pass",
        "reason-code": "awaiting-approval",
        "incident": incident.issue,
        "pull-request": incident.pull_request.number,
        "ttd": "15",
        "ttr": None,
    }
    lines = summary(outcome, "issues").splitlines()
    assert lines[0] == "## SRE-Space: `issues`"
    assert lines[-1].startswith(f"| [#{incident.issue}]({incident.issue_url}) | awaiting approval (")
    assert f"| [#{incident.pull_request.number}]({incident.pull_request.url}) |" in lines[-1]


async def test_an_approval_in_a_second_job_merges_and_nothing_is_closed_without_a_deploy(workflow: Workflow):
    """The state of the first job is the second one's."""
    bot = workflow.bot
    await proposed(workflow)
    comment = await bot.world.says("maria", (await bot.incident()).issue or 0, "/approve")
    outcome = await workflow.on_webhook()
    assert outcome.outputs["reason-code"] == "verifying"
    assert await bot.world.reactions(comment) == ("eyes", "rocket")
    assert bot.world.github.issues[1].open


async def test_the_same_event_again_changes_nothing(workflow: Workflow):
    """A job that is run again by hand."""
    bot = workflow.bot
    await bot.world.opens("maria", "Something is slow", "", ("incident",))
    event, payload = await workflow.newest()
    await workflow.on(event, payload)
    told = await bot.comments()
    again = await workflow.on(event, payload)
    assert again == Outcome()
    assert (again.outputs["decision"], again.outputs["reason-code"]) == ("pass", NOTHING)
    assert again.outputs["incident"] is None
    assert summary(again, "issues") == "## SRE-Space: `issues`\n\nNothing to do: the event changed no incident."
    assert await bot.comments() == told


async def test_a_schedule_takes_up_what_is_due(workflow: Workflow):
    """A write that GitHub did not take is carried out by the next job."""
    bot = workflow.bot
    await proposed(workflow)
    bot.world.forge.fail["merge"] = ForgeUnavailableError("502")
    await bot.world.says("maria", (await bot.incident()).issue or 0, "/approve")
    first = await workflow.on_webhook()
    assert first.outputs["reason-code"] == "merging"
    await bot.world.wait(60)
    second = await handle(workflow.work(), bot.queue, read_delivery("schedule", None), max_wait_s=0)
    assert second.outputs["reason-code"] == "verifying"
    assert (await bot.incident()).merge is not None


async def test_what_must_wait_beyond_the_limit_is_left_to_the_next_job(workflow: Workflow, slept: list[float]):
    """Within the limit the job waits for it."""
    bot = workflow.bot
    await proposed(workflow)
    assert slept == [], "nothing waits for time to pass"
    bot.world.forge.fail["merge"] = ForgeUnavailableError("slow down", retry_after_s=20)
    await bot.world.says("maria", (await bot.incident()).issue or 0, "/approve")
    before = bot.world.now()
    outcome = await workflow.on_webhook(max_wait_s=10)
    assert outcome.outputs["reason-code"] == "merging"
    assert 10 <= (bot.world.now() - before).total_seconds() < 11
    assert slept == [0.25] * len(slept)

    later = await handle(workflow.work(), bot.queue, None, max_wait_s=30)
    assert later.outputs["reason-code"] == "verifying"


async def test_an_event_that_cannot_be_handled_fails_the_step_with_the_reason(workflow: Workflow):
    """In the words of the inbox, escaped."""
    bot = workflow.bot
    await proposed(workflow)
    await bot.world.says("maria", (await bot.incident()).issue or 0, "/approve")
    event, payload = await workflow.newest()
    del payload["comment"]["created_at"]
    outcome = await workflow.on(event, payload)
    assert (outcome.handled, outcome.incidents) == (False, ())
    assert outcome.problem == "issue_comment created: comment.created_at: Field required"
    assert outcome.outputs["decision"] == "fail"
    said = summary(outcome, "issue_comment")
    assert "❌ The event was not handled: " in said
    assert "comment.created" in said


async def test_a_github_that_does_not_answer_in_time_is_a_failed_step_and_the_next_job_goes_on(workflow: Workflow):
    """The delivery is in the state, with its reason."""
    bot = workflow.bot
    await proposed(workflow)
    comment = await bot.world.says("maria", (await bot.incident()).issue or 0, "/approve")
    bot.world.forge.fail["comment"] = ForgeUnavailableError("502")
    outcome = await workflow.on_webhook()
    assert (outcome.handled, outcome.problem) == (False, "502")
    await bot.world.wait(60)
    await handle(workflow.work(), bot.queue, None, max_wait_s=0)
    assert await bot.stage() is Stage.VERIFYING
    assert await bot.world.reactions(comment) == ("eyes", "rocket")


async def test_without_telemetry_people_are_told_what_to_give_the_workflow(workflow: Workflow):
    """Nothing is made up."""
    bot = workflow.bot
    await bot.world.opens("maria", "Quotes fail", "Customers of quote see errors.", ("incident",))
    outcome = await workflow.on_webhook(telemetry=NoTelemetry())
    assert outcome.outputs["reason-code"] == "escalated"
    said = "\n".join(await bot.comments())
    assert "this workflow gives me no telemetry to look at. Set the input" in said.replace("\\", "")


async def test_a_defect_of_a_job_ends_the_run(workflow: Workflow, monkeypatch: pytest.MonkeyPatch):
    """It is not tried until the time is over."""
    bot = workflow.bot
    await bot.world.opens("maria", "Something is slow", "", ("incident",))
    event, payload = await workflow.newest()
    work = workflow.work()

    async def broken(_: int) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(work.lanes, "process_delivery", broken)
    monkeypatch.setattr(workflow, "work", lambda: work)
    with pytest.raises(ZeroDivisionError):
        await workflow.on(event, payload, max_wait_s=900)


async def test_the_incident_of_the_event_comes_first_in_the_outcome(workflow: Workflow):
    """Others that were due follow."""
    bot = workflow.bot
    await proposed(workflow)
    bot.world.forge.fail["merge"] = ForgeUnavailableError("502")
    await bot.world.says("maria", 1, "/approve")
    await workflow.on_webhook()
    await bot.world.wait(60)
    number = await bot.world.opens("maria", "Something is slow", "", ("incident",))
    outcome = await workflow.on_webhook(max_wait_s=0)
    assert outcome.incidents[0].issue == number
    assert {incident.issue for incident in outcome.incidents} <= {1, number}


async def test_a_refusal_of_github_is_said_on_the_issue_and_the_event_is_handled(workflow: Workflow):
    """The command was understood; GitHub does not merge."""
    bot = workflow.bot
    await proposed(workflow)
    bot.world.forge.fail["merge"] = ForgeRefusedError(403, "Resource not accessible by integration")
    await bot.world.says("maria", (await bot.incident()).issue or 0, "/approve")
    outcome = await workflow.on_webhook()
    assert outcome.handled
    assert "Resource not accessible" in "\n".join(await bot.comments())
