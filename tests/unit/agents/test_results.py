"""What results of writes mean."""

from datetime import UTC, datetime

from agents.incident import Stage
from agents.results import apply
from agents.testing.builders import incident
from agents.testing.scenarios import pool_signal
from agents.writes import CompleteCheck, Done, MergePull, OpenIssue, PostComment, ProposeChange, Refused, SyncComment

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MERGE = MergePull(key="merge", number=9, head_sha="a" * 40)


def at(stage, **changes):
    """Return an incident in one stage."""
    return incident(pool_signal(), stage, **changes)


def test_an_opened_issue_starts_the_loop():
    """The number and address are kept, and Scout is next."""
    after = apply(at(Stage.OPENING, issue=None), OpenIssue(), Done(number=3, url="https://x.test/3"), NOW)
    assert (after.stage, after.issue, after.issue_url) == (Stage.OBSERVING, 3, "https://x.test/3")


def test_the_first_sticky_comment_is_the_acknowledgement():
    """The time of the first comment is kept, later ones do not move it."""
    first = apply(at(Stage.OBSERVING), SyncComment(), Done(number=5), NOW)
    second = apply(first, SyncComment(), Done(number=5), NOW.replace(year=2027))
    assert (second.comment_id, second.clock.owned) == (5, NOW)


def test_a_pull_request_waits_for_approval_and_says_so_in_a_check():
    """The PR is kept and its check asks for action."""
    result = Done(number=9, url="https://x.test/9", sha="a" * 40)
    after = apply(at(Stage.PROPOSING), ProposeChange(key="p"), result, NOW)
    assert after.stage is Stage.AWAITING_APPROVAL
    assert any(isinstance(write, CompleteCheck) and write.conclusion == "action_required" for write in after.outgoing)


def test_a_revert_pull_request_does_not_reopen_the_incident():
    """The revert's PR is noted beside the fix's; the stage stays."""
    result = Done(number=11, url="https://x.test/11", sha="b" * 40)
    after = apply(at(Stage.ESCALATED), ProposeChange(key="r", revert=True), result, NOW)
    assert after.stage is Stage.ESCALATED
    assert after.revert_pull_request.number == 11


def test_a_pull_request_that_cannot_be_made_is_handed_over():
    """A refusal escalates with GitHub's reason, in a comment."""
    after = apply(at(Stage.PROPOSING), ProposeChange(key="p"), Refused(reason="No commits between"), NOW)
    assert after.stage is Stage.ESCALATED
    assert any(isinstance(write, PostComment) and "No commits between" in write.note for write in after.outgoing)


def test_a_merge_is_followed_by_verification_at_once():
    """The merge commit is kept, and the incident wakes by itself even if this worker dies now."""
    after = apply(at(Stage.MERGING), MERGE, Done(sha="c" * 40), NOW)
    assert (after.stage, after.merge.sha, after.wake_at) == (Stage.VERIFYING, "c" * 40, NOW)


def test_a_merge_that_misses_something_is_tried_again_after_a_new_check():
    """Human looks again later, and the same reason is said once."""
    first = apply(at(Stage.MERGING), MERGE, Refused(reason="1 review is missing", retry=True), NOW)
    again = apply(first.evolve(stage=Stage.MERGING), MERGE, Refused(reason="1 review is missing", retry=True), NOW)
    assert first.stage is again.stage is Stage.APPROVED
    assert again.wake_at > NOW
    assert len(again.timeline) == len(first.timeline)


def test_a_merge_refused_for_good_drops_the_approvals():
    """A moved head needs a new yes."""
    after = apply(at(Stage.MERGING), MERGE, Refused(reason="Head branch was modified."), NOW)
    assert (after.stage, after.approvals) == (Stage.AWAITING_APPROVAL, ())
