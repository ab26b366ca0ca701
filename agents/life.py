"""What becomes of an incident: one row for every stage and everything that can happen to it from outside.

The table is what was decided; tests play each row on the whole bot, so it is also what is so. A pair that no row
names, or that two rows name, is a defect. `docs/life.md` is made from it.
"""

from collections.abc import Mapping
from enum import StrEnum

from agents.stages import TERMINAL, Stage
from telemetry.model import Frozen


class Happening(StrEnum):
    """What can happen to an incident, in words for the documentation."""

    APPROVE = "somebody who may writes `/approve`"
    APPROVE_WITHOUT_RIGHT = "somebody with read permission writes `/approve`"
    REJECT = "somebody with write permission writes `/reject`"
    STATUS = "somebody writes `/status`"
    HELP = "somebody writes `/help`"
    MISSPELT = "somebody writes `/aprove`"
    WORDS = "somebody comments in plain words"
    REVIEW_APPROVES = "somebody who may approves the pull request in a review"
    REVIEW_REQUESTS_CHANGES = "somebody requests changes in a review"
    REVIEW_DISMISSED = "an approving review is dismissed"
    PUSH = "somebody pushes to the pull request of the fix"
    MERGED_BY_HAND = "somebody merges the pull request of the fix"
    PULL_CLOSED = "somebody closes the pull request of the fix"
    PULL_REOPENED = "somebody opens the pull request of the fix again"
    REVERT_MERGED = "somebody merges the pull request that takes the fix back"
    REVERT_CLOSED = "somebody closes the pull request that takes the fix back"
    ISSUE_CLOSED = "somebody closes the issue"
    ISSUE_REOPENED = "somebody opens the issue again"
    ISSUE_EDITED = "somebody edits the issue"
    LABELED = "somebody adds a label to the issue"
    LABEL_REMOVED = "somebody removes the incident label"
    LATER_SIGNAL = "Scout tells more about the same fault"
    BACK_TO_NORMAL = "every series is back to normal"
    NO_DATA = "Scout does not answer"
    GITHUB_DOWN = "GitHub does not answer"
    CRASH = "the worker is killed, and another one takes over"
    WEBHOOK_LOST = "the webhook of an `/approve` is lost"


class Row(Frozen):
    """What was decided for some stages. `to` is the stage that it leads to, None: it stays.

    `told` begins what people are told, in a reply, a comment, or on the timeline, with the stage's name for `{stage}`;
    empty: nothing. `cannot` says why it cannot happen in these stages; then nothing else is decided.
    """

    stages: frozenset[Stage]
    to: Stage | None = None
    told: str = ""
    cannot: str = ""

    def told_in(self, stage: Stage) -> str:
        """Return how what people are told begins in this stage."""
        return self.told.format(stage=stage.replace("_", " ").capitalize())


OPENING = frozenset({Stage.OPENING})
BEFORE_PULL = frozenset(
    {Stage.OBSERVING, Stage.RECALLING, Stage.ORIENTING, Stage.DECIDING, Stage.ACTING, Stage.PROPOSING}
)
ASKING = frozenset({Stage.AWAITING_INFO})
AWAITING = frozenset({Stage.AWAITING_APPROVAL})
APPROVED = frozenset({Stage.APPROVED})
MERGING = frozenset({Stage.MERGING})
VERIFYING = frozenset({Stage.VERIFYING})
REVERTING = frozenset({Stage.REVERTING})
ENDING = frozenset({Stage.LEARNING, Stage.EVOLVING})
ESCALATED = frozenset({Stage.ESCALATED})
RESOLVED = frozenset({Stage.RESOLVED})
DISMISSED = frozenset({Stage.DISMISSED})

WITHOUT_PULL = OPENING | BEFORE_PULL | ASKING
WITH_PULL = AWAITING | APPROVED | MERGING
MERGED = VERIFYING | REVERTING | ENDING | RESOLVED | ESCALATED
"""Escalated stands here for a fix that did not help; an incident may also be handed to people without any fix."""
WITH_ISSUE = frozenset(Stage) - OPENING

NO_ISSUE = "there is no issue yet"
NO_PULL = "there is no pull request yet"
NO_REVERT = "there is no such pull request"
MERGED_ALREADY = "it is merged already"
CLOSED_ALREADY = "it is closed, and its branch is gone"


def _rows(*rows: Row) -> tuple[Row, ...]:
    return rows


def _answered(text: str) -> tuple[Row, ...]:
    """Return the rows of a command that is answered in the same way wherever there is an issue to write it on."""
    return _rows(Row(stages=OPENING, cannot=NO_ISSUE), Row(stages=WITH_ISSUE, told=text))


def _goes_on(*special: Row) -> tuple[Row, ...]:
    """Return the rows of what keeps no incident from going on, but for the `special` stages."""
    known = frozenset[Stage]().union(*(row.stages for row in special))
    usual = (
        Row(stages=OPENING | BEFORE_PULL, to=Stage.AWAITING_APPROVAL),
        Row(stages=APPROVED | MERGING, to=Stage.VERIFYING),
        Row(stages=REVERTING, to=Stage.ESCALATED),
        Row(stages=ENDING, to=Stage.RESOLVED),
        Row(stages=ASKING | AWAITING | VERIFYING | TERMINAL),
    )
    left = (row.model_copy(update={"stages": row.stages - known}) for row in usual)
    return (*special, *(row for row in left if row.stages))


_MAY_NOT = "rita has read permission on this repository; `/approve` needs write."
_NOTHING_TO_REJECT = "There is nothing to reject now."
_REVIEW_CANNOT = (Row(stages=WITHOUT_PULL, cannot=NO_PULL),)
_PULL_CANNOT = (
    Row(stages=WITHOUT_PULL, cannot=NO_PULL),
    Row(stages=MERGED, cannot=MERGED_ALREADY),
    Row(stages=DISMISSED, cannot=CLOSED_ALREADY),
)
_NO_REVERT = Row(stages=frozenset(Stage) - ESCALATED, cannot=NO_REVERT)
_UNHEARD = _rows(Row(stages=OPENING, cannot=NO_ISSUE), Row(stages=WITH_ISSUE))

LIFE: Mapping[Happening, tuple[Row, ...]] = {
    Happening.APPROVE: _rows(
        Row(stages=OPENING, cannot=NO_ISSUE),
        Row(stages=AWAITING, to=Stage.APPROVED, told="maria approved plan"),
        Row(stages=WITH_ISSUE - AWAITING, told="There is nothing to approve now."),
    ),
    Happening.APPROVE_WITHOUT_RIGHT: _answered(_MAY_NOT),
    Happening.REJECT: _rows(
        Row(stages=OPENING, cannot=NO_ISSUE),
        Row(stages=AWAITING | APPROVED, to=Stage.ESCALATED, told="maria rejected the fix."),
        Row(stages=WITH_ISSUE - AWAITING - APPROVED, told=_NOTHING_TO_REJECT),
    ),
    Happening.STATUS: _answered("**{stage}.**"),
    Happening.HELP: _answered("| command | what it does |"),
    Happening.MISSPELT: _answered("I know no command `/aprove`. **Next:** if you meant `/approve`"),
    Happening.WORDS: _rows(
        Row(stages=OPENING, cannot=NO_ISSUE),
        Row(stages=ASKING, to=Stage.OBSERVING, told="maria reported a problem with quote."),
        Row(stages=WITH_ISSUE - ASKING),
    ),
    Happening.REVIEW_APPROVES: _rows(
        *_REVIEW_CANNOT,
        Row(stages=AWAITING, to=Stage.APPROVED, told="maria approved plan"),
        Row(stages=APPROVED | MERGING | MERGED | DISMISSED),
    ),
    Happening.REVIEW_REQUESTS_CHANGES: _rows(*_REVIEW_CANNOT, Row(stages=WITH_PULL | MERGED | DISMISSED)),
    Happening.REVIEW_DISMISSED: _rows(*_REVIEW_CANNOT, Row(stages=WITH_PULL | MERGED | DISMISSED)),
    Happening.PUSH: _rows(
        *_PULL_CANNOT,
        Row(stages=AWAITING, told="wim pushed"),
        Row(stages=APPROVED, to=Stage.AWAITING_APPROVAL, told="wim pushed"),
        Row(stages=MERGING),
    ),
    Happening.MERGED_BY_HAND: _rows(*_PULL_CANNOT, Row(stages=WITH_PULL, to=Stage.VERIFYING, told="wim merged #2")),
    Happening.PULL_CLOSED: _rows(
        *_PULL_CANNOT,
        Row(stages=WITH_PULL, to=Stage.ESCALATED, told="wim closed #2 without merging it, so the fix is rejected."),
    ),
    Happening.PULL_REOPENED: _rows(*_PULL_CANNOT, Row(stages=WITH_PULL)),
    Happening.REVERT_MERGED: _rows(_NO_REVERT, Row(stages=ESCALATED, told="wim merged #3, which takes the fix back.")),
    Happening.REVERT_CLOSED: _rows(
        _NO_REVERT, Row(stages=ESCALATED, told="wim closed #3 without merging it, so the fix stays in.")
    ),
    Happening.ISSUE_CLOSED: _rows(
        Row(stages=OPENING, cannot=f"{NO_ISSUE}; one whose number is not stored yet is dismissed, too"),
        Row(
            stages=BEFORE_PULL | ASKING | WITH_PULL | VERIFYING | REVERTING,
            to=Stage.DISMISSED,
            told="wim closed the issue.",
        ),
        Row(stages=ENDING | ESCALATED),
        Row(stages=RESOLVED | DISMISSED, cannot="it is closed already"),
    ),
    Happening.ISSUE_REOPENED: _rows(
        Row(stages=OPENING, cannot=NO_ISSUE),
        Row(stages=WITH_ISSUE - TERMINAL),
        Row(stages=TERMINAL, told="I do not take up an incident again that has ended"),
    ),
    Happening.ISSUE_EDITED: _UNHEARD,
    Happening.LABELED: _UNHEARD,
    Happening.LABEL_REMOVED: _UNHEARD,
    Happening.LATER_SIGNAL: _rows(
        Row(stages=ASKING, cannot="Scout does not know of it yet; its signal opens an incident of its own"),
        Row(stages=frozenset(Stage) - ASKING),
    ),
    Happening.BACK_TO_NORMAL: _goes_on(Row(stages=OPENING | frozenset({Stage.OBSERVING}), to=Stage.DISMISSED)),
    Happening.NO_DATA: _goes_on(
        Row(stages=OPENING, to=Stage.OBSERVING),
        Row(stages=frozenset({Stage.OBSERVING})),
    ),
    Happening.GITHUB_DOWN: _rows(Row(stages=frozenset(Stage))),
    Happening.CRASH: _goes_on(),
    Happening.WEBHOOK_LOST: _goes_on(Row(stages=OPENING, cannot=NO_ISSUE)),
}


def row(happening: Happening, stage: Stage) -> Row:
    """Return what was decided for an incident in `stage` to which this happens.

    Raises:
        KeyError: nobody decided, or it was decided twice.
    """
    found = [one for one in LIFE.get(happening, ()) if stage in one.stages]
    if len(found) != 1:
        raise KeyError(f"{happening} in stage {stage} has {len(found)} rows")
    return found[0]


def document() -> str:
    """Return the table as Markdown, for `docs/life.md`."""
    lines: list[str] = []
    for happening, rows in LIFE.items():
        lines += [f"## When {happening}", "", "| stage | what follows | what is said |", "|---|---|---|"]
        largest = max(rows, key=lambda one: len(one.stages))
        for one in sorted(rows, key=lambda one: one is largest):
            stages = ", ".join(f"`{stage}`" for stage in Stage if stage in one.stages)
            stages = stages if one is not largest or len(rows) == 1 else "every other stage"
            stages = "every stage" if len(one.stages) == len(Stage) else stages
            follows = f"cannot happen: {one.cannot}" if one.cannot else f"`{one.to}`" if one.to else "stays"
            told = f"{one.told.format(stage='The stage')} …" if one.told else ""
            lines.append(f"| {stages} | {follows} | {_cell(told)} |")
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
