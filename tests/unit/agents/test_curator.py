"""Curator: verification by deployed revision and recovered SLI, and what is remembered."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.curator import curator
from agents.diagnosis import CauseKind, Diagnosis, Verdict
from agents.incident import Merge, Recalled, Stage
from agents.plan import RaiseLimit
from agents.ports import Case
from agents.testing.builders import incident
from agents.testing.forge import FakeForge
from agents.testing.github import GitHub
from agents.testing.memory import FakeMemory
from agents.testing.scenarios import pool_signal
from agents.testing.telemetry import FakeTelemetry
from agents.writes import CloseIssue, PostComment, Topic
from telemetry.model import GroupStatus, Health, RevisionSeen, SliReport, SliWindow

MERGED = datetime(2026, 5, 1, 12, tzinfo=UTC)
REMEDY = RaiseLimit(
    service="quote",
    knob="pool",
    file="services/quote/settings.yaml",
    path="database.pool_size",
    current=2,
    target=8,
    maximum=20,
)
DIAGNOSIS = Diagnosis(
    verdict=Verdict.CONFIRMED,
    service="quote",
    operation="GET /quote",
    kind=CauseKind.DB_POOL_EXHAUSTION,
    summary="The pool is dry.",
    claims=(),
    candidates=(),
)
CONFIG = """\
version: 1
services: {quote: {paths: ["services/quote/**"]}}
verification: {window_s: 5, windows: 3, min_requests: 10, deploy_timeout_s: 60, recovery_timeout_s: 60}
"""


class World:
    """A repository, Scout, memory and a clock around one curator."""

    def __init__(self) -> None:
        self.github = GitHub()
        self.fix = self.github.pushes("main", {".github/sre-space.yml": CONFIG}, login="maria")
        self.telemetry = FakeTelemetry()
        self.memory = FakeMemory()
        self.time = MERGED + timedelta(seconds=1)
        self.step = curator(FakeForge(self.github), self.telemetry, self.memory, lambda: self.time)

    def merged(self, **changes):
        """Return an incident whose fix was merged."""
        merge = Merge(sha=self.fix, at=MERGED)
        return incident(pool_signal(), Stage.VERIFYING, merge=merge, remedy=REMEDY, diagnosis=DIAGNOSIS, **changes)

    def deploy(self, revision, *, after_s=5):
        """Let telemetry show a revision of quote."""
        at = MERGED + timedelta(seconds=after_s)
        seen = RevisionSeen(
            service="quote", version=None, revision=revision, first_seen=at, last_seen=at + timedelta(minutes=5)
        )
        self.telemetry.revisions["quote"] = (*self.telemetry.revisions.get("quote", ()), seen)

    def report(self, health, *, windows=3, saturated=False):
        """Let every series answer with windows of this health."""

        def answer(key, since, revision):
            return SliReport(
                key=key,
                revision=revision,
                baseline_error_ratio=0.001,
                saturated=saturated,
                windows=tuple(
                    SliWindow(
                        start=since + timedelta(seconds=5 * number),
                        end=since + timedelta(seconds=5 * number + 5),
                        health=health,
                        requests=0 if health is Health.NO_DATA else 100,
                        errors=40 if health is Health.UNHEALTHY else 0,
                    )
                    for number in range(windows)
                ),
            )

        for service in ("gateway", "quote", "pricing"):
            self.telemetry.answers[service] = answer


@pytest.fixture
def world():
    """Return a world in which the fix was just merged."""
    return World()


async def test_a_merge_that_is_not_deployed_never_closes(world):
    """Healthy series do not count while no telemetry comes from the merged commit."""
    world.report(Health.HEALTHY)
    after = await world.step(world.merged())
    assert after.stage is Stage.VERIFYING
    assert after.wake_at == world.time + timedelta(seconds=2)
    assert after.verification.deployed_at is None


async def test_a_deploy_that_never_comes_is_handed_over(world):
    """After the deploy timeout people are told that the fix is merged but not running."""
    incident_ = await world.step(world.merged())
    world.time += timedelta(seconds=61)
    after = await world.step(incident_)
    assert after.stage is Stage.ESCALATED
    assert "no telemetry of quote" in after.timeline[-1].note


async def test_a_later_commit_that_contains_the_fix_counts_as_deployed(world):
    """A revision ahead of the merge commit holds the fix, one beside it does not."""
    later = world.github.pushes("main", {"README.md": "later"}, login="otto")
    world.deploy("f" * 40)
    first = await world.step(world.merged())
    assert first.verification.deployed_at is None
    world.deploy(later)
    second = await world.step(first)
    assert second.verification.deployed_revision == later


async def test_recovery_needs_every_window_healthy(world):
    """Enough healthy windows on the deployed revision resolve; the impact stopped with the first of them."""
    world.deploy(world.fix)
    deployed = await world.step(world.merged())
    world.report(Health.HEALTHY, windows=2)
    waiting = await world.step(deployed)
    assert waiting.stage is Stage.VERIFYING
    world.report(Health.HEALTHY, windows=3)
    after = await world.step(waiting)
    assert after.stage is Stage.LEARNING
    assert after.clock.mitigated == MERGED + timedelta(seconds=5)
    assert after.clock.resolved == world.time


async def test_very_many_series_are_looked_at_less_often(world):
    """Each is a question to Scout, which has telemetry to take in; few are looked at every two seconds."""
    world.deploy(world.fix)
    deployed = await world.step(world.merged())
    world.report(Health.UNHEALTHY)
    first = deployed.signal.anomalies[0]
    many = tuple(
        first.model_copy(update={"key": first.key.model_copy(update={"operation": f"GET /{number}"})})
        for number in range(200)
    )
    wide = deployed.evolve(signal=deployed.signal.model_copy(update={"anomalies": many}))
    pauses = [(await world.step(seen)).wake_at - world.time for seen in (deployed, wide)]
    assert pauses == [timedelta(seconds=2), timedelta(seconds=20)]


async def test_what_a_signal_leaves_out_must_be_well_too(world):
    """Of very many series only some are told: those that are not are well when Scout's group has closed, not before."""
    world.deploy(world.fix)
    deployed = await world.step(world.merged())
    world.report(Health.HEALTHY)
    signal = deployed.signal.model_copy(update={"more_anomalies": 700})
    wide = deployed.evolve(signal=signal)
    stages = []
    for status in (None, True, False):
        if status is not None:
            group = GroupStatus(group_id=signal.group_id, open=status, anomalies=signal.anomalies)
            world.telemetry.groups[signal.group_id] = group
        stages.append((await world.step(wide)).stage)
    assert stages == [Stage.VERIFYING, Stage.VERIFYING, Stage.LEARNING]


async def test_of_many_series_the_verdict_tells_the_worst(world):
    """A comment on GitHub has its bounds."""
    world.deploy(world.fix)
    deployed = await world.step(world.merged())
    world.report(Health.UNHEALTHY)
    first = deployed.signal.anomalies[0]
    many = tuple(
        first.model_copy(update={"key": first.key.model_copy(update={"operation": f"GET /{number}"})})
        for number in range(500)
    )
    after = await world.step(deployed.evolve(signal=deployed.signal.model_copy(update={"anomalies": many})))
    assert after.verification.verdict.endswith("; and 492 more series")
    assert len(after.verification.verdict) < 1_000


@pytest.mark.parametrize("health", [Health.NO_DATA, Health.UNHEALTHY])
async def test_silence_and_sickness_never_count_as_recovery(world, health):
    """Not recovered in time: no data and unhealthy windows both lead to a revert, not to a close."""
    world.deploy(world.fix)
    deployed = await world.step(world.merged())
    world.report(health, windows=20)
    waiting = await world.step(deployed)
    assert waiting.stage is Stage.VERIFYING
    world.time += timedelta(seconds=70)
    assert (await world.step(waiting)).stage is Stage.REVERTING


async def test_a_saturated_pool_is_not_recovered(world):
    """Healthy requests over a pool that is still dry do not close the incident."""
    world.deploy(world.fix)
    deployed = await world.step(world.merged())
    world.report(Health.HEALTHY, windows=5, saturated=True)
    assert (await world.step(deployed)).stage is Stage.VERIFYING


async def test_a_remembered_fix_that_failed_is_frozen(world):
    """A fix from memory that did not work is not taken from memory again."""
    case = Case(
        id="old",
        incident_id="old",
        tenant="default",
        installation_id=world.merged().repo.installation_id,
        repo="acme/shop",
        issue=1,
        service="quote",
        kind="db_pool_exhaustion",
        signature=world.merged().signature,
        text="",
        remedy=REMEDY,
        summary="",
        verified_at=MERGED,
    )
    await world.memory.remember(case)
    recalled = Recalled(case_id="old", incident_id="old", issue=1, distance=None)
    world.deploy(world.fix)
    world.report(Health.UNHEALTHY)
    deployed = await world.step(world.merged(recalled=recalled))
    world.time += timedelta(seconds=70)
    after = await world.step(deployed)
    assert after.stage is Stage.REVERTING
    assert await world.memory.exact(case.installation_id, "default", case.signature) is None


async def test_a_verified_fix_is_remembered_once_and_the_issue_closed(world):
    """Learning posts the post-mortem, closes the issue, and remembering twice keeps one case."""
    learned = world.merged().evolve(stage=Stage.LEARNING)
    after = await world.step(learned)
    await world.step(learned)
    assert after.stage is Stage.EVOLVING
    assert CloseIssue() in after.outgoing
    assert PostComment(key="post_mortem", topic=Topic.POST_MORTEM) in after.outgoing
    long_ago = MERGED - timedelta(days=1)
    cases = await world.memory.history(learned.repo.installation_id, "default", learned.signature, long_ago)
    assert [case.remedy for case in cases] == [REMEDY]
