"""What each result means, condition by condition: the first try of a merge and those after it, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.incident import Agent, Incident, Stage
from agents.plan import PullRequestRef
from agents.results import MERGE_RETRY, apply
from agents.testing.builders import incident
from agents.testing.scenarios import pool_signal
from agents.writes import CompleteCheck, Done, MergePull, OpenIssue, ProposeChange, Refused, SyncComment

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MERGE = MergePull(key="merge", number=9, head_sha="a" * 40)
MISSING = Refused(reason="1 review is missing.", retry=True)


def at(stage: Stage, **changes: object) -> Incident:
    """Return an incident in one stage, approved once."""
    given = {"login": "will", "user_id": 1, "plan_id": "p", "head_sha": "a" * 40, "at": NOW, "via": "review"}
    return incident(pool_signal(), stage, **{"approvals": [given], **changes})


TABLE = [
    (Done(sha="c" * 40), Stage.VERIFYING, 1, "The fix is merged as ccccccccc."),
    (Done(), Stage.APPROVED, 1, "Approved, but GitHub does not merge yet: GitHub did not name the merge commit."),
    (Done(sha=""), Stage.APPROVED, 1, "Approved, but GitHub does not merge yet: GitHub did not name"),
    (MISSING, Stage.APPROVED, 1, "Approved, but GitHub does not merge yet: 1 review is missing."),
    (Refused(reason="Head was modified."), Stage.AWAITING_APPROVAL, 0, "GitHub refused the merge: Head was modified."),
]


@pytest.mark.parametrize("again", [False, True], ids=["first try", "retry"])
@pytest.mark.parametrize(("result", "stage", "approvals", "note"), TABLE)
def test_the_result_of_a_merge_means_the_same_at_the_first_try_and_the_next_one(result, stage, approvals, note, again):
    """Merged, put off or refused for good; approvals fall only in the last case."""
    before = at(Stage.MERGING)
    if again:
        before = apply(before, MERGE, MISSING, NOW).evolve(stage=Stage.MERGING, wake_at=None)
    after = apply(before, MERGE, result, NOW)
    assert (after.stage, len(after.approvals)) == (stage, approvals)
    assert after.timeline[-1].note.startswith(note)
    wakes = {Stage.VERIFYING: NOW, Stage.APPROVED: NOW + timedelta(seconds=20)}
    assert after.wake_at == wakes.get(stage)
    assert len(after.timeline) - len(before.timeline) == (0 if again and result == MISSING else 1)


def test_a_merge_that_is_put_off_for_another_reason_is_said_again():
    """The same reason is said once, also where the timeline was empty."""
    first = apply(at(Stage.MERGING, timeline=()), MERGE, MISSING, NOW)
    other = apply(first.evolve(stage=Stage.MERGING), MERGE, Refused(reason="Checks run.", retry=True), NOW)
    assert [entry.note for entry in other.timeline] == [
        "Approved, but GitHub does not merge yet: 1 review is missing.",
        "Approved, but GitHub does not merge yet: Checks run.",
    ]
    assert timedelta(seconds=20) == MERGE_RETRY


@pytest.mark.parametrize("result", [result for result, *_ in TABLE])
@pytest.mark.parametrize("stage", sorted(set(Stage) - {Stage.MERGING}))
def test_the_answer_of_a_merge_that_is_known_already_changes_nothing(stage, result):
    """The webhook of the merge came first, or a person rejected the fix meanwhile."""
    before = at(stage)
    assert apply(before, MERGE, result, NOW) == before


def test_an_issue_that_cannot_be_opened_is_handed_over():
    """There is no issue to comment on, so the timeline says it."""
    after = apply(at(Stage.OPENING, issue=None), OpenIssue(), Refused(reason="Issues are disabled."), NOW)
    assert (after.stage, after.issue) == (Stage.ESCALATED, None)
    entry = after.timeline[-1]
    assert (entry.agent, entry.note) == (Agent.SCOUT, "The issue could not be opened: Issues are disabled.")


def test_a_sticky_comment_that_is_refused_acknowledges_nothing():
    """The next one is tried again."""
    before = at(Stage.OBSERVING)
    assert apply(before, SyncComment(), Refused(reason="Locked."), NOW) == before


@pytest.mark.parametrize("revert", [False, True])
def test_a_pull_request_is_kept_with_number_address_and_head(revert):
    """As the forge named them."""
    result = Done(number=9, url="https://x.test/9", sha="a" * 40)
    after = apply(at(Stage.PROPOSING), ProposeChange(key="p", revert=revert), result, NOW)
    pull = PullRequestRef(number=9, url="https://x.test/9", head_sha="a" * 40)
    kept = (after.pull_request, after.revert_pull_request)
    assert kept == ((None, pull) if revert else (pull, None))
    checks = [write.key for write in after.outgoing if isinstance(write, CompleteCheck)]
    assert checks == ([] if revert else [f"check:{'a' * 40}:waiting"])


@pytest.mark.parametrize("missing", ["number", "url", "sha"])
def test_a_pull_request_of_which_the_forge_names_a_part_is_kept_without_the_rest(missing):
    """The gate will not open for it."""
    result = Done(**{"number": 9, "url": "u", "sha": "s", missing: None})
    pull = apply(at(Stage.PROPOSING), ProposeChange(key="p"), result, NOW).pull_request
    whole = {"number": 9, "url": "u", "head_sha": "s"}
    assert pull == PullRequestRef(
        **{**whole, {"sha": "head_sha"}.get(missing, missing): 0 if missing == "number" else ""}
    )
