"""CAG takes a verified fix of the very same failure, if it still fits; otherwise it passes on and says why."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.brain import case_text
from agents.cag import cag
from agents.incident import Incident, Stage
from agents.plan import RaiseLimit, RevertCommit
from agents.ports import Case
from agents.rca import diagnose
from agents.signature import incident_signature
from agents.testing.builders import REPO, incident, version
from agents.testing.memory import FakeMemory
from agents.testing.scenarios import bad_deploy, deploy_signal, healthy, pool_exhaustion, pool_signal
from agents.testing.shop import CONFIG, SETTINGS_FILE, Shop
from telemetry.model import Signal

NOW = datetime(2026, 3, 2, 9, 31, tzinfo=UTC)
POOL_FIX = RaiseLimit(
    service="quote",
    knob="database pool",
    file=SETTINGS_FILE,
    path="database.pool_size",
    current=2,
    target=12,
    maximum=20,
)


def now() -> datetime:
    """Stand still."""
    return NOW


def verified(signal: Signal, remedy) -> FakeMemory:
    """Return a memory with one verified case of this failure."""
    diagnosis = diagnose(signal)
    case = Case(
        id="inc-0",
        incident_id="inc-0",
        tenant="default",
        installation_id=REPO.installation_id,
        repo=REPO.full_name,
        issue=3,
        service=diagnosis.service,
        kind=diagnosis.kind,
        signature=incident_signature(signal),
        text=case_text(diagnosis),
        remedy=remedy,
        summary=diagnosis.summary,
        verified_at=NOW - timedelta(days=1),
    )
    return FakeMemory(case)


async def recall(shop: Shop, signal: Signal, memory: FakeMemory) -> Incident:
    """Run CAG's step."""
    return await cag(shop.forge, memory, now)(incident(signal, Stage.RECALLING))


async def test_second_exhaustion_takes_the_remembered_fix_with_a_new_target():
    """The pool was raised to 12 the last time; now 12 are used and four wait."""
    shop = Shop()
    shop.set_pool(12)
    again = pool_signal(pool_exhaustion(size=12, pending=1))
    done = await recall(shop, again, verified(pool_signal(), POOL_FIX))
    assert done.stage is Stage.DECIDING
    assert done.recalled is not None
    assert (done.recalled.issue, done.recalled.distance) == (3, None)
    assert done.remedy == POOL_FIX.model_copy(update={"current": 12, "target": 20})
    assert done.diagnosis is not None
    assert done.diagnosis.claims
    assert "#3" in done.timeline[-1].note


async def test_unknown_failure_goes_to_brain():
    """Nothing is remembered."""
    shop = Shop()
    done = await recall(shop, pool_signal(), FakeMemory())
    assert (done.stage, done.remedy, done.recalled) == (Stage.ORIENTING, None, None)
    assert shop.forge.calls == []


async def test_frozen_case_is_not_used():
    """A fix that did not work is not tried again."""
    memory = verified(pool_signal(), POOL_FIX)
    await memory.freeze(REPO.installation_id, "inc-0")
    done = await recall(Shop(), pool_signal(), memory)
    assert done.stage is Stage.ORIENTING


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (CONFIG.replace("database.pool_size", "database.other"), "no longer in the configuration"),
        (CONFIG.replace("db_pool_exhaustion", "cpu_contention"), "no longer in the configuration"),
        (CONFIG.replace("maximum: 20", "maximum: 2"), "maximum is 2"),
        (None, "configuration cannot be used"),
    ],
)
async def test_preconditions_that_no_longer_hold_lead_to_brain(config, reason):
    """The knob must still exist, remedy the cause, and have room."""
    done = await recall(Shop(config), pool_signal(), verified(pool_signal(), POOL_FIX))
    assert (done.stage, done.remedy, done.recalled) == (Stage.ORIENTING, None, None)
    assert reason in done.timeline[-1].note


async def test_a_revert_is_used_again_only_for_the_same_commit_still_in_place():
    """The commit that was reverted then is deployed again as it was."""
    shop = Shop()
    bad = shop.break_discounts()
    signal = deploy_signal(bad_deploy(shop.first, bad))
    memory = verified(signal, RevertCommit(service="quote", sha=bad, title="Take the discount from a table (#12)"))
    done = await recall(shop, signal, memory)
    assert done.stage is Stage.DECIDING
    assert done.remedy == RevertCommit(service="quote", sha=bad, title="Take the discount from a table (#12)")
    shop.commit(f"Revert\n\nThis reverts commit {bad}.", {"services/quote/discounts.py": "ok"})
    done = await recall(shop, signal, memory)
    assert done.stage is Stage.ORIENTING
    assert "reverted already" in done.timeline[-1].note


async def test_a_revert_of_another_commit_leads_to_brain():
    """The same exception came with another commit this time."""
    shop = Shop()
    bad = shop.break_discounts()
    signal = deploy_signal(bad_deploy(shop.first, bad))
    memory = verified(signal, RevertCommit(service="quote", sha="d" * 40, title="Old"))
    done = await recall(shop, signal, memory)
    assert done.stage is Stage.ORIENTING
    assert "is not the suspect now" in done.timeline[-1].note


async def test_evidence_must_still_speak_for_the_remembered_cause():
    """A signature alone does not make a diagnosis."""
    memory = verified(pool_signal(), POOL_FIX)
    quiet = pool_signal(healthy())
    known = incident(quiet, Stage.RECALLING, signature=incident_signature(pool_signal()))
    done = await cag(Shop().forge, memory, now)(known)
    assert done.stage is Stage.ORIENTING


async def test_a_pool_that_a_deploy_lowered_again_takes_the_remembered_raise_and_names_the_commit():
    """The verified fix applies whoever made the limit too low; people see the commit that did."""
    shop = Shop()
    raised = shop.set_pool(12)
    lowered = shop.set_pool(2)
    evidence = pool_exhaustion()
    deploy = version("quote", raised, lowered).model_copy(update={"id": "E99"})
    again = pool_signal(evidence.model_copy(update={"items": (*evidence.items, deploy)}))
    done = await recall(shop, again, verified(pool_signal(), POOL_FIX))
    assert incident_signature(again) == incident_signature(pool_signal())
    assert done.remedy == POOL_FIX.model_copy(update={"target": 6})
    assert done.recalled is not None
    assert done.diagnosis is not None
    assert done.diagnosis.suspect is not None
    assert done.diagnosis.suspect.sha == lowered
