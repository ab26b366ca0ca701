"""Results of writes that come late: whatever has happened meanwhile, they break no rule of the table of stages."""

from datetime import UTC, datetime

import pytest

from agents.incident import TERMINAL, Stage
from agents.plan import PullRequestRef
from agents.results import apply
from agents.testing.builders import incident
from agents.writes import (
    AnyWrite,
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
SHA = "a" * 40
WRITES: tuple[AnyWrite, ...] = (
    OpenIssue(),
    SyncComment(),
    PostComment(key="p", topic=Topic.ESCALATION),
    React(key="r", comment_id=1, reaction=Reaction.DONE),
    Reply(key="a", issue=7, comment_id=1, text="Yes."),
    ProposeChange(key="propose"),
    ProposeChange(key="revert", revert=True),
    CompleteCheck(key="c", head_sha=SHA, conclusion="success", title="t", summary="s"),
    MergePull(key="m", number=2, head_sha=SHA),
    ClosePull(key="x", number=2, branch="b"),
    LabelIssue(key="l", add=("resolved",)),
    CloseIssue(),
    OpenProposal(key="o", title="t", body="b"),
)
RESULTS = (
    Done(number=2, url="https://github.test/2", sha=SHA),
    Refused(reason="Validation Failed"),
    Refused(reason="A review is missing", retry=True),
)


def test_every_kind_of_write_is_tried():
    """A kind that is new has to be tried, too."""
    assert {type(write) for write in WRITES} == set(AnyWrite.__origin__.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize("stage", Stage)
def test_no_result_takes_an_incident_a_way_that_does_not_exist(stage: Stage):
    """An incident that has ended stays as it ended. A revert is asked for only as an incident is handed to people."""
    asked_for = [write for write in WRITES if write != ProposeChange(key="revert", revert=True)]
    for write in WRITES if stage is Stage.ESCALATED else asked_for:
        for result in RESULTS:
            before = incident(None, stage, pull_request=PullRequestRef(number=2, url="", head_sha=SHA))
            after = apply(before, write, result, NOW)
            if stage in TERMINAL:
                assert after.stage is stage, (write.kind, result)


@pytest.mark.parametrize("stage", sorted(TERMINAL))
@pytest.mark.parametrize("write", [OpenIssue(), ProposeChange(key="propose")], ids=["issue", "pull request"])
def test_a_late_refusal_of_what_nobody_wants_any_more_changes_nothing(stage: Stage, write: AnyWrite):
    """There is nothing to hand over: the incident has ended."""
    ended = incident(None, stage)
    assert apply(ended, write, Refused(reason="Validation Failed"), NOW) == ended
