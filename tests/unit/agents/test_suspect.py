"""The suspect change is the commit that touches what fails, and nobody when none does."""

from datetime import timedelta

import pytest

from agents.config import parse
from agents.diagnosis import CauseKind
from agents.ports import Commit
from agents.rca import diagnose
from agents.suspect import Suspicion, pull_request, still_there, suspect_change
from agents.testing.builders import ONSET, REPO, version
from agents.testing.scenarios import (
    bad_deploy,
    deploy_signal,
    latency_signal,
    latency_spike,
    pool_exhaustion,
    pool_signal,
)
from agents.testing.shop import CONFIG, Shop
from agents.touched import lowers, suffix_match
from telemetry.model import EvidenceBundle, Signal

CONFIGURED = parse(CONFIG)


async def suspect(shop: Shop, signal: Signal, *, configured: bool = True) -> Suspicion:
    """Return the suspicion that Brain would have."""
    diagnosis = diagnose(signal)
    service = CONFIGURED.service(diagnosis.service) if configured else None
    return await suspect_change(diagnosis, signal.evidence, shop.forge, REPO, service)


def deployed(evidence: EvidenceBundle, service: str, before: str, after: str) -> EvidenceBundle:
    """Return the bundle with one more deploy."""
    item = version(service, before, after).model_copy(update={"id": f"E{len(evidence.items) + 1}"})
    return evidence.model_copy(update={"items": (*evidence.items, item)})


@pytest.mark.parametrize("configured", [True, False])
async def test_commit_that_touches_the_raising_frame_is_named(configured):
    """Between harmless commits, with and without a configuration."""
    shop = Shop()
    shop.write_docs()
    shop.commit("Tune the app", {"services/quote/app.py": "def quote(): return 1\n"})
    bad = shop.break_discounts()
    shop.slow_down_pricing()
    found = await suspect(shop, deploy_signal(bad_deploy(shop.first, shop.head)), configured=configured)
    assert found.change is not None
    assert (found.change.sha, found.change.pull_request) == (bad, 12)
    assert found.change.path == "services/quote/discounts.py"
    assert "where the error is raised (bulk_discount_cents)" in found.change.reason


async def test_settings_of_the_slow_service_are_suspected_for_latency():
    """Slowness has no stack; the settings of the service outweigh another file of it."""
    shop = Shop()
    bad = shop.slow_down_pricing()
    shop.commit("Rename", {"services/pricing/tax.py": "def tax(): ...\n"})
    found = await suspect(shop, latency_signal(latency_spike(shop.first, shop.head)))
    assert found.change is not None
    assert found.change.sha == bad
    assert "the settings of pricing" in found.change.reason


async def test_docs_and_tests_are_never_suspected():
    """A deploy of nothing but documentation and tests has no suspect."""
    shop = Shop()
    shop.write_docs()
    shop.commit("Test discounts", {"tests/test_discounts.py": "def test_x(): ...\n"})
    found = await suspect(shop, deploy_signal(bad_deploy(shop.first, shop.head)))
    assert found.change is None
    assert found.reason == "no deployed commit touches what fails"


async def test_without_a_deploy_nobody_is_suspected():
    """Traffic outgrew the pool: no commit did that."""
    found = await suspect(Shop(), pool_signal())
    assert found.change is None
    assert "nothing was deployed" in found.reason


async def test_a_deploy_that_raised_the_pool_is_not_suspected_of_its_exhaustion():
    """Our own fix of the last incident, deployed minutes ago, touches the same file and is not accused."""
    shop = Shop()
    fix = shop.set_pool(9)
    found = await suspect(shop, pool_signal(deployed(pool_exhaustion(size=9), "quote", shop.first, fix)))
    assert found.change is None


async def test_a_deploy_that_lowered_the_pool_is_suspected_of_its_exhaustion():
    """A limit that was lowered and is then reached."""
    shop = Shop()
    before = shop.set_pool(9)
    lowered = shop.set_pool(2)
    found = await suspect(shop, pool_signal(deployed(pool_exhaustion(size=2), "quote", before, lowered)))
    assert found.change is not None
    assert found.change.sha == lowered


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (None, "x", "does not tell the commits"),
        ("0" * 40, "f" * 40, "not in this repository"),
    ],
)
async def test_revisions_that_lead_nowhere_name_nobody(before, after, reason):
    """No last good revision, or one that GitHub does not know."""
    shop = Shop()
    evidence = bad_deploy(before, after)
    if before is None:
        items = tuple(
            item.model_copy(update={"version_before": "1.0"}) if item.kind == "version" else item
            for item in evidence.items
        )
        evidence = evidence.model_copy(update={"items": items})
    found = await suspect(shop, deploy_signal(evidence))
    assert found.change is None
    assert reason in found.reason


async def test_going_back_to_an_older_commit_accuses_no_commit():
    """A roll-back that fails was not brought by a new commit."""
    shop = Shop()
    newer = shop.break_discounts()
    found = await suspect(shop, deploy_signal(bad_deploy(newer, shop.first)))
    assert found.reason == "the deploy went back to an older commit"


async def test_a_deploy_long_ago_is_not_suspected():
    """After half an hour a deploy is no longer news."""
    shop = Shop()
    bad = shop.break_discounts()
    old = ONSET - timedelta(minutes=31)
    items = tuple(
        item.model_copy(update={"changed_at": old}) if item.kind == "version" else item
        for item in bad_deploy(shop.first, bad).items
    )
    found = await suspect(shop, deploy_signal(bad_deploy().model_copy(update={"items": items})))
    assert found.change is None


async def test_network_delay_has_no_suspect():
    """Kinds of fault that no commit brings are not looked up at all."""
    shop = Shop()
    diagnosis = diagnose(latency_signal()).model_copy(update={"kind": CauseKind.NETWORK_DELAY})
    found = await suspect_change(diagnosis, latency_spike(), shop.forge, REPO, None)
    assert found.change is None
    assert shop.forge.calls == []


def test_pull_request_is_read_from_the_merge_above_the_commit():
    """A merge commit names the pull request of the commits on its second parent's line."""
    inner = Commit(sha="b" * 40, message="Fix", author="dana", committed_at=ONSET, parents=("a" * 40,))
    merge = Commit(
        sha="c" * 40,
        message="Merge pull request #8 from dana/fix\n\nFix",
        author="dana",
        committed_at=ONSET,
        parents=("a" * 40, inner.sha),
    )
    assert pull_request(inner, [merge, inner]) == 8
    assert pull_request(inner, [inner]) is None


async def test_merge_commits_are_not_suspected_themselves():
    """The commit inside the merge is named: a merge cannot be reverted without choosing a side."""
    shop = Shop()
    base = shop.first
    inner = shop.github.git.commit(
        {"services/quote/discounts.py": "broken"}, message="Break", branch="fix", parents=(base,)
    )
    merge = shop.github.git.commit(
        {"services/quote/discounts.py": "broken"},
        message="Merge pull request #8 from dana/fix",
        parents=(base, inner),
    )
    found = await suspect(shop, deploy_signal(bad_deploy(base, merge)))
    assert found.change is not None
    assert (found.change.sha, found.change.pull_request) == (inner, 8)


async def test_a_reverted_commit_is_no_longer_there():
    """A later commit that says it reverts the suspect ends the matter."""
    shop = Shop()
    bad = shop.break_discounts()
    assert await still_there(bad, shop.forge, REPO, shop.head) is None
    shop.commit(f'Revert "Take"\n\nThis reverts commit {bad}.', {"services/quote/discounts.py": "fixed"})
    problem = await still_there(bad, shop.forge, REPO, shop.head)
    assert problem is not None
    assert "reverted already" in problem


@pytest.mark.parametrize(
    ("path", "frame", "expected"),
    [
        ("services/quote/discounts.py", "services/quote/discounts.py", 1.0),
        ("services/quote/discounts.py", "/srv/app/services/quote/discounts.py", 1.0),
        ("services/quote/discounts.py", "quote/discounts.py", 1.0),
        ("services/quote/discounts.py", "discounts.py", 0.5),
        ("services/quote/app.py", "services/gateway/app.py", 1 / 6),
        ("services/quote/app.py", "services/quote/store.py", 0.0),
    ],
)
def test_paths_match_by_their_common_end(path, frame, expected):
    """Deployments put the same file at different places."""
    assert suffix_match(path, frame) == pytest.approx(expected)


def test_lowered_numbers_are_found_in_a_patch():
    """Only a number that goes down for the same key counts."""
    assert lowers("@@ -1 +1 @@\n-  pool_size: 9\n+  pool_size: 2\n")
    assert not lowers("@@ -1 +1 @@\n-  pool_size: 2\n+  pool_size: 9\n")
    assert not lowers("@@ -1 +1 @@\n-  pool_size: 9\n+  other: 2\n")
