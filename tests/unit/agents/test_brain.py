"""Brain ranks, names the suspect, and chooses the remedy that the evidence and the configuration call for."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.brain import brain, case_text
from agents.choice import target_of
from agents.diagnosis import CauseKind, Verdict
from agents.errors import ForgeUnavailableError
from agents.incident import Incident, Stage
from agents.plan import RaiseLimit, RevertCommit
from agents.ports import Case
from agents.rca import diagnose
from agents.testing.builders import REPO, incident, version
from agents.testing.memory import FakeMemory
from agents.testing.scenarios import (
    bad_deploy,
    deploy_signal,
    healthy,
    latency_signal,
    latency_spike,
    pool_exhaustion,
    pool_signal,
)
from agents.testing.shop import CONFIG, SETTINGS_FILE, Shop
from agents.writes import PostComment, Topic
from telemetry.model import MetricEvidence, Signal

NOW = datetime(2026, 3, 2, 9, 31, tzinfo=UTC)


def now() -> datetime:
    """Stand still."""
    return NOW


async def orient(shop: Shop, signal: Signal | None, memory: FakeMemory | None = None) -> Incident:
    """Run Brain's step."""
    return await brain(shop.forge, memory or FakeMemory(), now)(incident(signal))


def remembered(signal: Signal, remedy, **changes) -> Case:
    """Return a verified case of an incident like this one."""
    diagnosis = diagnose(signal)
    return Case(
        id="inc-0",
        incident_id="inc-0",
        tenant="default",
        installation_id=REPO.installation_id,
        repo=REPO.full_name,
        issue=3,
        service=diagnosis.service,
        kind=diagnosis.kind,
        signature="another",
        text=case_text(diagnosis),
        remedy=remedy,
        summary=diagnosis.summary,
        verified_at=NOW - timedelta(days=1),
    ).model_copy(update=changes)


POOL_FIX = RaiseLimit(
    service="quote",
    knob="database pool",
    file=SETTINGS_FILE,
    path="database.pool_size",
    current=2,
    target=5,
    maximum=20,
)


async def test_pool_exhaustion_raises_the_limit_by_the_demand_seen():
    """Two connections serve 55 % of the requests: all need 3.6, and 1.5 times that is six."""
    done = await orient(Shop(), pool_signal())
    assert done.stage is Stage.DECIDING
    assert done.diagnosis is not None
    assert done.diagnosis.verdict is Verdict.CONFIRMED
    assert done.diagnosis.suspect is None
    assert done.remedy == POOL_FIX.model_copy(update={"target": 6})
    assert "so that all would need 3.6; 1.5 times that is 6" in done.timeline[-1].note


async def test_bad_deploy_reverts_the_suspect_commit_and_cites_the_deploy():
    """The RCA names the commit; its claim cites the version evidence."""
    shop = Shop()
    bad = shop.break_discounts()
    done = await orient(shop, deploy_signal(bad_deploy(shop.first, bad)))
    assert isinstance(done.remedy, RevertCommit)
    assert done.remedy.sha == bad
    assert done.diagnosis is not None
    assert done.diagnosis.suspect is not None
    assert done.diagnosis.suspect.sha == bad
    assert done.diagnosis.claims[-1].evidence == ("E9",)


async def test_latency_spike_reverts_the_settings_of_the_slow_service():
    """The culprit is pricing, although quote has the errors."""
    shop = Shop()
    bad = shop.slow_down_pricing()
    done = await orient(shop, latency_signal(latency_spike(shop.first, bad)))
    assert done.remedy == RevertCommit(service="pricing", sha=bad, title="Be gentle to the tax service (#31)")


async def test_inconclusive_evidence_gets_no_remedy():
    """Abstaining is a good answer."""
    done = await orient(Shop(), pool_signal(healthy()))
    assert done.stage is Stage.DECIDING
    assert done.remedy is None
    assert done.diagnosis is not None
    assert done.diagnosis.verdict is Verdict.INCONCLUSIVE
    assert "does not decide" in done.timeline[-1].note


@pytest.mark.parametrize("config", [None, "version: 1\nservices: {quote: {path: [x]}}\n"])
async def test_without_a_usable_configuration_the_diagnosis_stands(config):
    """No remedy, and one comment that says what is wrong with the configuration."""
    shop = Shop(config)
    bad = shop.break_discounts()
    done = await orient(shop, deploy_signal(bad_deploy(shop.first, bad)))
    assert done.stage is Stage.DECIDING
    assert done.remedy is None
    assert done.diagnosis is not None
    assert done.diagnosis.suspect is not None
    assert done.diagnosis.suspect.sha == bad
    comments = [write for write in done.outgoing if isinstance(write, PostComment)]
    assert [(c.key, c.topic) for c in comments] == [("config_problem", Topic.CONFIG_PROBLEM)]
    assert ".github/sre-space.yml" in comments[0].note


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (CONFIG.replace("db_pool_exhaustion", "cpu_contention"), "has no knob for db_pool_exhaustion"),
        (CONFIG.replace("  quote:", "  other:"), "is not in the configuration"),
        (CONFIG.replace("maximum: 20", "maximum: 2"), "declared maximum is 2"),
        (CONFIG.replace("database.pool_size", "database.pool"), "cannot be read"),
        (CONFIG.replace("quote/settings.yaml", "quote/gone.yaml"), "does not exist"),
    ],
)
async def test_reason_is_given_when_no_limit_can_be_raised(config, reason):
    """Every missing remedy says why."""
    done = await orient(Shop(config), pool_signal())
    assert done.remedy is None
    assert reason in done.timeline[-1].note


async def test_a_raise_that_is_not_deployed_yet_is_not_made_twice():
    """The file allows more than what runs has."""
    shop = Shop()
    shop.set_pool(9)
    done = await orient(shop, pool_signal())
    assert done.remedy is None
    assert "not deployed yet" in done.timeline[-1].note


async def test_a_limit_that_a_deploy_lowered_is_brought_back_by_reverting():
    """Raising it in yet another commit would hide the mistake."""
    shop = Shop()
    before = shop.set_pool(9)
    lowered = shop.set_pool(2)
    evidence = pool_exhaustion()
    deploy = version("quote", before, lowered).model_copy(update={"id": "E99"})
    done = await orient(shop, pool_signal(evidence.model_copy(update={"items": (*evidence.items, deploy)})))
    assert isinstance(done.remedy, RevertCommit)
    assert done.remedy.sha == lowered


async def test_the_near_case_gives_its_fix_computed_anew():
    """Memory names the remedy; the target follows from today's demand."""
    shop = Shop()
    memory = FakeMemory(remembered(pool_signal(), POOL_FIX))
    done = await orient(shop, pool_signal(), memory)
    assert done.recalled is not None
    assert (done.recalled.case_id, done.recalled.issue) == ("inc-0", 3)
    assert done.recalled.distance == pytest.approx(0.0, abs=1e-9)
    assert isinstance(done.remedy, RaiseLimit)
    assert done.remedy.target == 6


@pytest.mark.parametrize(
    "changes",
    [{"tenant": "other"}, {"installation_id": 1}, {"service": "pricing"}, {"kind": "exception"}, {"frozen": True}],
)
async def test_a_case_of_somebody_else_or_of_another_kind_is_not_used(changes):
    """Memory is partitioned, and frozen cases never come back."""
    memory = FakeMemory(remembered(pool_signal(), POOL_FIX, **changes))
    done = await orient(Shop(), pool_signal(), memory)
    assert done.recalled is None
    assert done.remedy is not None


async def test_a_remembered_revert_of_another_commit_is_not_used():
    """Reverting a commit of last month helps nobody: today's suspect is reverted."""
    shop = Shop()
    bad = shop.break_discounts()
    signal = deploy_signal(bad_deploy(shop.first, bad))
    memory = FakeMemory(remembered(signal, RevertCommit(service="quote", sha="d" * 40, title="Old")))
    done = await orient(shop, signal, memory)
    assert done.recalled is None
    assert isinstance(done.remedy, RevertCommit)
    assert done.remedy.sha == bad


async def test_a_suspect_that_is_reverted_already_is_not_reverted_again():
    """The fix is on its way."""
    shop = Shop()
    bad = shop.break_discounts()
    shop.commit(f"Revert\n\nThis reverts commit {bad}.", {"services/quote/discounts.py": "ok"})
    done = await orient(shop, deploy_signal(bad_deploy(shop.first, bad)))
    assert done.remedy is None
    assert "reverted already" in done.timeline[-1].note


async def test_github_being_down_is_passed_on():
    """A transient error is the worker's to retry; nothing is decided from half an answer."""
    shop = Shop()
    shop.forge.fail["default_branch"] = ForgeUnavailableError("502")
    with pytest.raises(ForgeUnavailableError):
        await orient(shop, pool_signal())


async def test_an_incident_without_a_signal_goes_to_people():
    """There is nothing to reason from."""
    done = await orient(Shop(), None)
    assert done.stage is Stage.ESCALATED


async def test_summary_is_short_and_has_numbers():
    """Two or three sentences a person can read at night."""
    done = await orient(Shop(), pool_signal())
    assert done.diagnosis is not None
    assert done.diagnosis.kind is CauseKind.DB_POOL_EXHAUSTION
    assert "1080 times" in done.diagnosis.summary
    assert "2 of 2 connections" in done.diagnosis.summary
    assert done.diagnosis.summary.endswith("gateway only passes it on.")


@pytest.mark.parametrize(
    ("current", "maximum", "demand", "target"),
    [(2, 20, 8, 12), (2, 20, 40, 20), (2, 20, 1, 3), (2, 20, None, 4), (15, 20, None, 20), (2, 3, 8, 3)],
)
def test_target_is_above_the_present_and_within_the_maximum(current, maximum, demand, target):
    """One and a half times the demand, or twice the present limit."""
    assert target_of(current, maximum, None if demand is None else (demand, "as seen"))[0] == target


async def test_without_pool_metrics_the_limit_is_doubled():
    """The errors alone say that it is too small, not by how much."""
    evidence = pool_exhaustion()
    items = tuple(item for item in evidence.items if not isinstance(item, MetricEvidence))
    done = await orient(Shop(), pool_signal(evidence.model_copy(update={"items": items})))
    assert isinstance(done.remedy, RaiseLimit)
    assert done.remedy.target == 4
