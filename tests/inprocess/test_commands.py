"""Commands in comments: the reply, the reaction and the state, to the letter."""

import pytest

from agents.incident import Stage
from agents.testing.scenarios import pool_signal
from bot.testing import Bot

PLAN = "7bd489a89411"
READ_ONLY = (
    "{login} has read permission on this repository; `/{command}` needs write. "
    "**Next:** ask somebody with write permission."
)
UNKNOWN = (
    "I know no command `/aprove`. **Next:** if you meant `/approve`, write it in a new comment; "
    "`/help` lists all commands."
)
OTHER_PLAN = (
    f"`0000000` is not the plan that is open, which is `{PLAN}`. **Next:** read #2 and write `/approve {PLAN}`."
)
NO_PLAN = (
    "`/approve` takes nothing but the id of a plan, at least 7 of its 12 characters; `looks good` is none. "
    f"**Next:** read #2 and write `/approve {PLAN}`."
)


@pytest.fixture
async def waiting(bot: Bot) -> Bot:
    """A bot whose fix waits for approval."""
    await bot.signal(pool_signal())
    assert await bot.stage() is Stage.AWAITING_APPROVAL
    return bot


@pytest.mark.parametrize("number", [1, 2], ids=["on the issue", "on the pull request"])
@pytest.mark.parametrize(
    ("login", "body", "answer"),
    [
        ("rita", "/approve", READ_ONLY.format(login="rita", command="approve")),
        ("eve", "/approve", READ_ONLY.format(login="eve", command="approve")),
        ("rita", "/reject", READ_ONLY.format(login="rita", command="reject")),
        ("wim", "/aprove", UNKNOWN),
        ("wim", "/approve 0000000", OTHER_PLAN),
        ("wim", "/approve looks good", NO_PLAN),
    ],
)
async def test_a_command_that_does_not_count_says_why(waiting: Bot, login: str, body: str, answer: str, number: int):
    """It gets thumbs down and the reason where it was written; the plan still waits."""
    comment = await waiting.comment(body, by=login, on=number)
    assert await waiting.last_comment(number) == answer
    assert await waiting.world.reactions(comment) == ("eyes", "-1")
    assert await waiting.stage() is Stage.AWAITING_APPROVAL
    assert (await waiting.incident()).approvals == ()


async def test_approve_is_answered_and_leads_to_the_merge(waiting: Bot):
    """The reply says what follows, and it follows."""
    comment = await waiting.comment("/approve", by="wim")
    assert await waiting.last_comment() == (
        f"wim approved plan `{PLAN}` (1 of 1). I check everything once more and merge #2."
    )
    assert await waiting.world.reactions(comment) == ("eyes", "rocket")
    incident = await waiting.incident()
    assert incident.stage is Stage.VERIFYING
    assert incident.merge is not None
    assert incident.merge.sha == await waiting.world.head()
    assert [entry.note for entry in incident.timeline[-3:]] == [
        f"wim approved plan {PLAN} by command (1 of 1).",
        "Approved by wim; everything still holds.",
        f"The fix is merged as {incident.merge.sha[:9]}. It counts once telemetry shows that it works.",
    ]


async def test_reject_closes_the_pull_request_and_hands_over(waiting: Bot):
    """The branch goes, the check fails, and the comment says who has it now."""
    head = (await waiting.incident()).pull_request
    comment = await waiting.comment("/reject we scale the database instead", by="wim")
    said = "wim rejected the fix: we scale the database instead"
    assert f"{said}\n\n#2 is closed, and the incident is in the hands of people." in await waiting.comments()
    assert await waiting.world.reactions(comment) == ("eyes", "rocket")
    assert await waiting.stage() is Stage.ESCALATED
    github = waiting.world.github
    assert not github.pulls[2].open
    assert set(github.git.branches) == {"main"}
    assert head is not None
    assert github.checks[head.head_sha].conclusion == "failure"


@pytest.mark.parametrize("body", ["> /approve", "```\n/approve\n```", "LGTM\n/approve", "    /approve", "/etc/passwd"])
async def test_what_is_no_command_is_left_alone(waiting: Bot, body: str):
    """Quotes, code, later lines and paths are not commands: no reaction, no answer, no approval."""
    before = await waiting.comments()
    comment = await waiting.comment(body, by="wim")
    assert await waiting.world.reactions(comment) == ()
    assert len(await waiting.comments()) == len(before) + 1
    assert await waiting.stage() is Stage.AWAITING_APPROVAL


async def test_a_comment_that_is_edited_into_an_approval_does_not_count(waiting: Bot):
    """Only a new comment counts; an old one with somebody's trust cannot become an order."""
    comment = await waiting.comment("Looks good.", by="wim")
    waiting.world.github.edits(comment, "/approve")
    await waiting.settle()
    assert await waiting.stage() is Stage.AWAITING_APPROVAL
    assert await waiting.world.reactions(comment) == ()


async def test_a_command_that_was_edited_before_it_was_handled_is_refused(waiting: Bot):
    """What counts is the comment as it is when the worker reads it."""
    comment = await waiting.world.says("wim", 1, "/approve")
    waiting.world.github.edits(comment, "/approve ")
    await waiting.settle()
    assert await waiting.last_comment() == (
        "This comment was edited, or is not what it was when I was told about it, so I do not act on it. "
        "**Next:** write the command in a new comment."
    )
    assert await waiting.stage() is Stage.AWAITING_APPROVAL


async def test_an_issue_that_names_no_service_is_asked_about_once_and_goes_on(bot: Bot):
    """The bot lists the services that it knows, once; a comment that names one lets it go on, without evidence."""
    number = await bot.report("It is slow", "Help", by="wim")
    (question,) = [body for body in await bot.comments(number) if "pricing" in body]
    await bot.comment("No idea.", by="wim")
    assert [body for body in await bot.comments(number) if "pricing" in body] == [question]

    await bot.comment("I think it is pricing", by="wim")

    assert await bot.stage() is Stage.ESCALATED
    assert "Telemetry shows no anomaly on pricing now, so there is no evidence to reason from." in (
        await bot.last_comment(number)
    )
