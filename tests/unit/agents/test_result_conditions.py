"""What each result means, condition by condition: the first try of a merge and those after it, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.incident import Agent, Incident, Stage
from agents.plan import Plan, PullRequestRef, Risk
from agents.results import MERGE_RETRY, apply
from agents.testing.builders import incident
from agents.testing.flow import POOL_FIX
from agents.testing.scenarios import pool_signal
from agents.writes import (
    CloseIssue,
    ClosePull,
    CompleteCheck,
    Done,
    LabelIssue,
    MergePull,
    OpenIssue,
    OpenProposal,
    PostComment,
    ProposeChange,
    React,
    Reaction,
    Refused,
    Reply,
    SyncComment,
    Topic,
)

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MERGE = MergePull(key="merge", number=9, head_sha="a" * 40)
MISSING = Refused(reason="1 review is missing.", retry=True)
OPENED = Done(number=3, url="https://x.test/3")
PROPOSED = Done(number=9, url="https://x.test/9", sha="a" * 40)
PULL = PullRequestRef(number=9, url="https://x.test/9", head_sha="a" * 40)
PLAN = Plan(
    id="0123456789ab",
    remedy=POOL_FIX,
    risk=Risk.LOW,
    base_ref="main",
    base_sha="b" * 40,
    branch="sre-space/inc-1/0123456789ab",
    edits=(),
    diff="",
    title="Raise it",
    config_sha="c1",
    policy_version="1",
    expires_at=NOW,
)


def at(stage: Stage, **changes: object) -> Incident:
    """Return an incident in one stage, approved once, with an entry of Human in its timeline."""
    given = {"login": "will", "user_id": 1, "plan_id": "p", "head_sha": "a" * 40, "at": NOW, "via": "review"}
    entry = {"at": NOW, "agent": Agent.HUMAN, "stage": Stage.MERGING, "note": "Approved by will."}
    return incident(pool_signal(), stage, **{"approvals": [given], "timeline": [entry], **changes})


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
def test_the_answer_of_a_merge_that_is_known_already_changes_nothing(result):
    """The webhook of the merge came first, or a person rejected the fix meanwhile."""
    elsewhere = [at(stage) for stage in Stage if stage is not Stage.MERGING]
    assert [apply(before, MERGE, result, NOW) for before in elsewhere] == elsewhere


def test_an_issue_that_opens_starts_the_loop_and_is_told():
    """Scout is next."""
    after = apply(at(Stage.OPENING, issue=None), OpenIssue(), OPENED, NOW)
    assert (after.stage, after.issue, after.issue_url) == (Stage.OBSERVING, 3, "https://x.test/3")
    entry = after.timeline[-1]
    assert (entry.agent, entry.note, entry.at) == (Agent.SCOUT, "Issue #3 is open.", NOW)


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.OPENING])
def test_an_issue_that_opens_after_the_incident_went_on_is_kept_and_changes_nothing_else(stage):
    """It was handed to people meanwhile, who find it by its issue; the sticky comment brings them up to date."""
    before = at(stage, issue=None)
    after = apply(before, OpenIssue(), OPENED, NOW)
    assert after == before.evolve(issue=3, issue_url="https://x.test/3", outgoing=(SyncComment(),))


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


@pytest.mark.parametrize(("plan", "named"), [(PLAN, PLAN.id), (None, "a" * 40)])
def test_a_pull_request_is_kept_and_waits_for_approval(plan, named):
    """Its number, address and head are as the forge named them; its check says what people can do."""
    before = at(Stage.PROPOSING, plan=plan)
    after = apply(before, ProposeChange(key="p"), PROPOSED, NOW)
    assert (after.stage, after.pull_request, after.revert_pull_request) == (Stage.AWAITING_APPROVAL, PULL, None)
    entry = after.timeline[-1]
    assert (entry.agent, entry.note) == (Agent.FIXER, "Pull request #9 is open and waits for approval.")
    waiting = CompleteCheck(
        key=f"check:{named}:waiting",
        head_sha="a" * 40,
        conclusion="action_required",
        title="Waiting for approval",
        summary="A maintainer can comment `/approve` on this pull request or on the incident's issue.",
    )
    assert after.outgoing == (SyncComment(), waiting)


@pytest.mark.parametrize("stage", [Stage.PROPOSING, Stage.REVERTING, Stage.ESCALATED])
def test_a_pull_request_that_takes_the_fix_back_is_kept_beside_the_fix(stage):
    """Nobody approves it by command; the sticky comment tells of it."""
    before = at(stage, plan=PLAN)
    after = apply(before, ProposeChange(key="p", revert=True), PROPOSED, NOW)
    assert after == before.evolve(revert_pull_request=PULL, outgoing=(SyncComment(),))


@pytest.mark.parametrize(("plan", "branch"), [(PLAN, PLAN.branch), (None, "")])
@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.PROPOSING])
def test_a_pull_request_that_comes_too_late_is_closed_again(stage, plan, branch):
    """The incident stays where it is, and its timeline says so."""
    before = at(stage, plan=plan)
    after = apply(before, ProposeChange(key="p"), PROPOSED, NOW)
    assert (after.stage, after.pull_request, len(after.timeline)) == (stage, PULL, len(before.timeline) + 1)
    entry = after.timeline[-1]
    said = "Pull request #9 came after the incident had ended, so it is closed again."
    assert (entry.agent, entry.note, entry.at) == (Agent.FIXER, said, NOW)
    assert after.outgoing == (SyncComment(), ClosePull(key="close_pull:9", number=9, branch=branch))


@pytest.mark.parametrize("revert", [False, True])
def test_a_pull_request_that_cannot_be_made_is_told_with_the_reason(revert):
    """On the timeline of Fixer, and in a comment for the people who take over."""
    before = at(Stage.PROPOSING, plan=PLAN)
    after = apply(before, ProposeChange(key="p", revert=revert), Refused(reason="No commits."), NOW)
    note = "The pull request could not be made: No commits."
    entry = after.timeline[-1]
    assert (after.stage, after.pull_request) == (Stage.ESCALATED, None)
    assert (entry.agent, entry.note, entry.at) == (Agent.FIXER, note, NOW)
    assert after.outgoing == (SyncComment(), PostComment(key="escalation", topic=Topic.ESCALATION, note=note))


def test_writes_that_tell_something_change_nothing_when_they_are_done():
    """Nor when they are refused."""
    before = at(Stage.AWAITING_APPROVAL, plan=PLAN)
    told = (
        PostComment(key="c", topic=Topic.ESCALATION),
        React(key="r", comment_id=1, reaction=Reaction.SEEN),
        Reply(key="a", issue=1, comment_id=1, text="x"),
        CompleteCheck(key="k", head_sha="a", conclusion="neutral", title="x", summary="x"),
        ClosePull(key="p", number=9, branch="b"),
        LabelIssue(key="l", add=("x",)),
        CloseIssue(),
        OpenProposal(key="o", title="x", body="x"),
    )
    assert [apply(before, write, result, NOW) for write in told for result in (Done(), MISSING)] == [before] * 16


@pytest.mark.parametrize("missing", ["number", "url", "sha"])
def test_a_pull_request_of_which_the_forge_names_a_part_is_kept_without_the_rest(missing):
    """The gate will not open for it."""
    result = Done(**{"number": 9, "url": "u", "sha": "s", missing: None})
    pull = apply(at(Stage.PROPOSING), ProposeChange(key="p"), result, NOW).pull_request
    whole = {"number": 9, "url": "u", "head_sha": "s"}
    assert pull == PullRequestRef(
        **{**whole, {"sha": "head_sha"}.get(missing, missing): 0 if missing == "number" else ""}
    )
