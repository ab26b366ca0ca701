"""How a deploy is told that came before the fault, and for which kinds of fault."""

from datetime import timedelta

import pytest

from agents.diagnosis import CauseKind
from agents.rca import rank
from agents.testing.builders import ONSET, bundle, version
from agents.testing.observe import signature
from agents.testing.observe_flows import took


@pytest.mark.parametrize(
    ("seconds", "when"),
    [
        (3, "3 s before the fault began"),
        (1, "1 s before the fault began"),
        (0, "as the fault began"),
        (-3, "as the fault began"),
    ],
)
def test_a_deploy_is_a_claim_with_its_time_and_its_revisions(seconds, when):
    """For a kind that a deploy can cause."""
    changed = version("s", "a" * 40, "b" * 40, changed_at=ONSET - timedelta(seconds=seconds))
    (best,) = rank(bundle(signature(500), changed))
    assert best.speaks_for[-1].text == f"s went from {'a' * 9} to {'b' * 9} {when}"


@pytest.mark.parametrize(
    ("before", "after", "was", "now"),
    [("a", None, "1.0", "1.1"), (None, "b", "1.0", "1.1"), ("a", "a", "1.0", "1.1"), ("a", "b", "a", "b")],
)
def test_a_deploy_is_told_by_its_versions_where_revisions_do_not_tell_it(before, after, was, now):
    """What neither tells is unknown."""
    told = {"revision_before": before, "revision_after": after, "version_before": "1.0", "version_after": "1.1"}
    changed = version("s", "a", "b").model_copy(update=told)
    (best,) = rank(bundle(signature(500), changed))
    assert f"s went from {was} to {now} 3 s" in best.speaks_for[-1].text
    unknown = changed.model_copy(update={"revision_after": None, "version_after": None})
    assert "to an unknown version 3 s" in rank(bundle(signature(500), unknown))[0].speaks_for[-1].text


def test_a_deploy_of_which_only_the_old_revision_is_known_is_told_without_versions():
    """A revision is told only beside another one."""
    only = {"revision_before": "a", "revision_after": None, "version_before": None, "version_after": None}
    (best,) = rank(bundle(signature(500), version("s", "a", "b").model_copy(update=only)))
    assert "s went from an unknown version to an unknown version 3 s" in best.speaks_for[-1].text


def test_a_deploy_does_not_slow_down_the_way_to_a_service():
    """It is no claim for a kind that no deploy causes."""
    ways = [took(100, 10, caller="c"), version("s", "a" * 40, "b" * 40)]
    (best,) = rank(bundle(*ways))
    assert (best.kind, len(best.speaks_for)) == (CauseKind.NETWORK_DELAY, 1)
