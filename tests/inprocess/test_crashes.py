"""SIGKILL before and after every kind of call to GitHub: another worker goes on, and nothing is lost or doubled."""

import contextlib
from collections import Counter

import pytest

from agents.incident import Stage
from agents.testing.scenarios import pool_signal
from bot.testing import Bot, KilledError

SERVICES = ("quote", "gateway", "pricing")
CALLS = (
    *("resolve", "open_issue", "upsert_comment", "default_branch", "file", "propose_change", "complete_check"),
    *("comment", "permission", "react", "pull", "merge", "label_issue", "close_issue"),
)
"""The methods of the forge that a life without trouble calls; a test holds the list complete."""


async def live(bot: Bot) -> None:
    """Play the whole life; whoever is killed on the way is replaced, and people and telemetry go on."""
    for act in (
        lambda: bot.signal(pool_signal()),
        lambda: bot.comment("/approve"),
        lambda: bot.deploy("quote"),
        lambda: bot.traffic(*SERVICES),
    ):
        with contextlib.suppress(KilledError):
            await act()
        if bot.switch.dead:
            await bot.restart()
            await bot.wait(30)
    await bot.wait(60)


async def what_is_there(bot: Bot) -> dict[str, object]:
    """Return what people find in the end: the stage, issues, pull requests, branches, comments by their first words."""
    github = bot.world.github
    openings = Counter(comment.split("\n")[0].split(" ")[0] for comment in await bot.comments(1))
    return {
        "stage": (await bot.incident()).stage,
        "issues": {number: (issue.open, issue.labels) for number, issue in github.issues.items()},
        "pulls": {number: (pull.open, bool(pull.merge_sha)) for number, pull in github.pulls.items()},
        "branches": len(github.git.branches),
        "commits": len(github.git.history(await bot.world.head())),
        "comments": openings,
        "reactions": sorted(map(tuple, github.reactions.values())),
        "remembered": len(bot.memory.cases),
    }


_undisturbed: list[dict[str, object]] = []


async def undisturbed() -> dict[str, object]:
    """Return what people find after a life without any kill."""
    if not _undisturbed:
        async with Bot() as bot:
            await live(bot)
            _undisturbed.append(await what_is_there(bot))
    return _undisturbed[0]


async def test_the_list_of_calls_is_that_of_an_undisturbed_life(bot: Bot):
    """A call that is new has to be killed, too."""
    await live(bot)
    assert await bot.stage() is Stage.RESOLVED
    assert set(CALLS) == set(bot.calls) - {"compare"}


@pytest.mark.parametrize("moment", [f"{when} {call}" for call in CALLS for when in ("before", "after")])
async def test_a_worker_that_is_killed_at_a_call_leaves_no_trace(bot: Bot, moment: str):
    """What people find in the end is what they would have found without the kill."""
    bot.kill_at(moment)

    await live(bot)

    assert bot.switch.deaths == 1
    assert await what_is_there(bot) == await undisturbed()
