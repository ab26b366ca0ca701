"""What people are told, word by word."""

from datetime import timedelta

import pytest

from agents import texts
from agents.commands import COMMANDS, CommandName, UnknownCommand, parse
from agents.gate import Problem
from agents.incident import Incident, Merge, Stage
from agents.plan import Plan, PullRequestRef
from agents.testing.builders import ONSET
from agents.testing.flow import proposed
from agents.testing.shop import Shop


@pytest.fixture
async def waiting() -> Incident:
    """An incident whose fix waits for approval."""
    shop = Shop()
    shop.github.clock = ONSET
    return await proposed(shop)


@pytest.fixture
def plan(waiting) -> Plan:
    """Its plan, under an id that can be read."""
    return waiting.plan.model_copy(update={"id": "3f9a2c81d07e"})


def test_every_stage_has_a_sentence():
    """An answer must never fail for a stage that was forgotten."""
    assert set(texts.STATES) == set(Stage)
    assert all(sentence.endswith(".") for sentence in texts.STATES.values())


def test_a_problem_says_why_and_what_next():
    """Without a next step it is one sentence."""
    assert texts.problem(Problem("It is closed.", "reopen it.")) == "It is closed. **Next:** reopen it."
    assert texts.problem(Problem("It is merged already.")) == "It is merged already."


def test_an_unknown_word_is_repeated_as_code():
    """Whatever is in it."""
    word = UnknownCommand(word="appro`ve", suggestion=CommandName.APPROVE)
    assert texts.unknown(word) == (
        "I know no command ``/appro`ve``. **Next:** if you meant `/approve`, write it in a new comment; "
        "`/help` lists all commands."
    )


def test_help_lists_every_command():
    """The table, and where commands count."""
    text = texts.help_text()
    assert all(f"| `{row.usage}` |" in text for row in COMMANDS)
    assert text.endswith(
        "A command is the first line of a new comment on the incident's issue or its pull request. "
        "Commands in quotes, code or edited comments do not count."
    )


@pytest.mark.parametrize(
    ("have", "need", "rest"),
    [
        (1, 1, "I check everything once more and merge #5."),
        (1, 2, "**Next:** 1 person more must approve #5."),
        (1, 3, "**Next:** 2 people more must approve #5."),
    ],
)
def test_an_approval_is_counted_aloud(plan, have, need, rest):
    """How many of how many, and what happens next; the login is untrusted."""
    assert (
        texts.approved("a_b", plan, 5, have, need) == f"a\\_b approved plan `3f9a2c81d07e` ({have} of {need}). {rest}"
    )


def test_a_replaced_plan_is_said_with_the_reason(plan):
    """The people who approve must read the new one."""
    assert texts.replaced(plan, "it expired.") == (
        "Plan `3f9a2c81d07e` no longer holds: it expired. I close its pull request and make a new plan. "
        "**Next:** read the new pull request and approve that."
    )


def test_after_an_escalation_the_revert_is_pointed_to(waiting):
    """Approving does not merge it: people do."""
    pull = PullRequestRef(number=9, url="u", head_sha="f" * 40)
    ended = waiting.evolve(stage=Stage.ESCALATED, revert_pull_request=pull)
    assert texts.nothing_to_approve(ended) == (
        "There is nothing to approve now. The incident is in the hands of people; I change nothing any more. "
        "**Next:** review and merge #9 on GitHub yourself."
    )


@pytest.fixture
def dry_run(waiting) -> Incident:
    """The incident in a repository where it was a dry run."""
    return waiting.evolve(stage=Stage.ESCALATED, plan=None, dry_run_plan=waiting.plan, pull_request=None)


def test_after_a_dry_run_there_is_nothing_to_approve_or_reject(dry_run):
    """Why, and what can be done instead."""
    why = "this was a dry run, and no pull request was opened."
    then = (
        " **Next:** make the change yourself if it helps. For pull requests from the next incident on, set "
        "`autonomy: propose` or `autonomy: approve` in `.github/sre-space.yml`."
    )
    assert texts.nothing_to_approve(dry_run) == f"There is nothing to approve: {why}{then}"
    assert texts.nothing_to_reject(dry_run) == f"There is nothing to reject: {why}{then}"


def test_status_of_a_dry_run(dry_run):
    """No number of approvals: nobody is asked for any."""
    assert texts.status(dry_run).split("\n")[3:-1] == [
        "- Dry run: Raise database pool of quote from 2 to 4. Nothing was changed."
    ]


def test_status_of_an_incident_that_waits(waiting):
    """Stage, service, cause, fix, and what happened last, with untrusted text escaped."""
    hostile = waiting.diagnosis.model_copy(update={"summary": "pool of @dba is **empty**\n# now"})
    assert texts.status(waiting.evolve(diagnosis=hostile)) == (
        "**Awaiting approval.** The fix waits for approval.\n"
        "- Service: `quote`\n"
        "- Root cause (likely): pool of @\u200bdba is \\*\\*empty\\*\\* \\#\u200b now\n"
        f"- Fix: #1, plan `{waiting.plan.id}`, 0 of 1 approvals\n"
        "- Last: 2026-03-02 09:30:00 UTC, Fixer: Pull request \\#\u200b1 is open and waits for approval."
    )


def test_status_after_the_merge_names_commit_and_revert(waiting):
    """What is deployed, and what takes it back."""
    pull = PullRequestRef(number=9, url="u", head_sha="f" * 40)
    merge = Merge(sha="0123456789abcdef", at=ONSET + timedelta(seconds=5))
    lines = texts.status(waiting.evolve(merge=merge, revert_pull_request=pull)).split("\n")
    assert lines[-3:-1] == ["- Merged as `012345678` at 2026-03-02 09:30:05 UTC", "- Taking the fix back: #9"]


def test_status_of_an_incident_that_has_just_begun(waiting):
    """Nothing is known yet, and nothing is made up."""
    bare = Incident.model_validate(
        waiting.model_dump(include={"id", "repo", "title", "severity", "clock"}) | {"stage": Stage.OPENING}
    )
    assert texts.status(bare) == "**Opening.** The incident is being opened."


def test_no_text_of_ours_is_a_command_itself(waiting, plan):
    """Otherwise the bot could start a conversation with itself."""
    problem = Problem("`/approve` takes nothing but the id of a plan.", "write `/approve`.")
    said = [
        texts.EDITED,
        texts.BY_APP,
        texts.BY_BOT,
        texts.problem(problem),
        texts.help_text(),
        texts.unknown(UnknownCommand(word="aprove", suggestion=CommandName.APPROVE)),
        texts.approved("will", plan, 1, 1, 1),
        texts.rejected("will", 1, "\n/approve"),
        texts.replaced(plan, "why."),
        texts.review_does_not_count(problem),
        texts.nothing_to_approve(waiting),
        texts.status(waiting),
    ]
    assert [text for text in said if parse(text) is not None] == []
