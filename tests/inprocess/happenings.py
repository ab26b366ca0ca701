"""Each happening of the table of lives, made to happen to a bot's only incident, and what it led to."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from agents.errors import ForgeUnavailableError
from agents.incident import Incident, Stage
from agents.life import Happening
from agents.testing.scenarios import pool_signal
from agents.writes import PostComment, Reply
from bot.testing import Bot, FakeWorld
from bot.topics import SIGNALS, packed

Act = Callable[[Bot, Incident], Awaitable[object]]


@dataclass(frozen=True)
class Seen:
    """The stage that a happening led to, and everything that people were told then."""

    stage: Stage
    told: tuple[str, ...]


def _world(bot: Bot) -> FakeWorld:
    assert isinstance(bot.world, FakeWorld)
    return bot.world


def _says(login: str, body: str) -> Act:
    return lambda bot, incident: bot.world.says(login, incident.issue or 0, body)


def _reviews(state: str) -> Act:
    return lambda bot, incident: bot.world.reviews("maria", _fix(incident), state)


def _fix(incident: Incident) -> int:
    assert incident.pull_request is not None
    return incident.pull_request.number


def _revert(incident: Incident) -> int:
    assert incident.revert_pull_request is not None
    return incident.revert_pull_request.number


async def _dismissed(bot: Bot, incident: Incident) -> None:
    github = _world(bot).github
    review = github.reviews_as("maria", _fix(incident), "approved")
    github.hooks.clear()
    github.dismisses("otto", review)


async def _edited(bot: Bot, incident: Incident) -> None:
    _world(bot).github.edits_issue("wim", incident.issue or 0, body="More words")


async def _labeled(bot: Bot, incident: Incident) -> None:
    _world(bot).github.labels("wim", incident.issue or 0, add=("urgent",))


async def _label_removed(bot: Bot, incident: Incident) -> None:
    github = _world(bot).github
    github.labels("wim", incident.issue or 0, add=("incident",))
    github.hooks.clear()
    github.labels("wim", incident.issue or 0, remove=("incident",))


async def _later_signal(bot: Bot, incident: Incident) -> None:
    del incident
    later = pool_signal().model_copy(update={"sequence": 2})
    await bot.bus.publish(SIGNALS, later.group_id, packed(later))
    await bot.drain()


TOLD_BY_WEBHOOK: Final[Mapping[Happening, Act]] = {
    Happening.APPROVE: _says("maria", "/approve"),
    Happening.APPROVE_WITHOUT_RIGHT: _says("rita", "/approve"),
    Happening.REJECT: _says("maria", "/reject"),
    Happening.STATUS: _says("rita", "/status"),
    Happening.HELP: _says("rita", "/help"),
    Happening.MISSPELT: _says("maria", "/aprove"),
    Happening.WORDS: _says("maria", "It is quote, I think."),
    Happening.REVIEW_APPROVES: _reviews("approved"),
    Happening.REVIEW_REQUESTS_CHANGES: _reviews("changes_requested"),
    Happening.REVIEW_DISMISSED: _dismissed,
    Happening.PUSH: lambda bot, incident: bot.world.pushes("wim", _fix(incident)),
    Happening.MERGED_BY_HAND: lambda bot, incident: bot.world.merges("wim", _fix(incident)),
    Happening.PULL_CLOSED: lambda bot, incident: bot.world.closes("wim", _fix(incident)),
    Happening.PULL_REOPENED: lambda bot, incident: bot.world.reopens("wim", _fix(incident)),
    Happening.REVERT_MERGED: lambda bot, incident: bot.world.merges("wim", _revert(incident)),
    Happening.REVERT_CLOSED: lambda bot, incident: bot.world.closes("wim", _revert(incident)),
    Happening.ISSUE_CLOSED: lambda bot, incident: bot.world.closes("wim", incident.issue or 0),
    Happening.ISSUE_REOPENED: lambda bot, incident: bot.world.reopens("wim", incident.issue or 0),
    Happening.ISSUE_EDITED: _edited,
    Happening.LABELED: _labeled,
    Happening.LABEL_REMOVED: _label_removed,
    Happening.LATER_SIGNAL: _later_signal,
}


async def _back_to_normal(bot: Bot) -> None:
    for group_id, status in bot.telemetry.groups.items():
        bot.telemetry.groups[group_id] = status.model_copy(update={"open": False})


async def _no_data(bot: Bot) -> None:
    bot.telemetry.down = True


async def _github_down(bot: Bot) -> None:
    _world(bot).shop.forge.down = ForgeUnavailableError("502 Bad Gateway")


async def _nothing(bot: Bot) -> None:
    del bot  # the worker was killed as the stage was stored, and another one has taken over


async def _webhook_lost(bot: Bot) -> None:
    await bot.world.says("maria", (await bot.incident()).issue or 0, "/approve")
    await bot.world.requests()


CONDITIONS: Final[Mapping[Happening, Callable[[Bot], Awaitable[None]]]] = {
    Happening.BACK_TO_NORMAL: _back_to_normal,
    Happening.NO_DATA: _no_data,
    Happening.GITHUB_DOWN: _github_down,
    Happening.CRASH: _nothing,
    Happening.WEBHOOK_LOST: _webhook_lost,
}


async def happen(bot: Bot, happening: Happening) -> Seen:
    """Let it happen, and return what was stored as its answer, before anything else follows from that."""
    incident = await bot.incident()
    saved = len(bot.saves())
    await TOLD_BY_WEBHOOK[happening](bot, incident)
    for request in await bot.world.requests():
        (await bot.post(request)).raise_for_status()
    (row,) = await bot.store.inbox.pending()
    await bot.work.lanes.process_delivery(row.id)
    answers = bot.saves()[saved : saved + 1]
    return _seen(incident, answers[0][1] if answers else incident)


def _seen(before: Incident, after: Incident) -> Seen:
    notes = [entry.note for entry in after.timeline[len(before.timeline) :]]
    replies = [write.text for write in after.outgoing if isinstance(write, Reply)]
    comments = [write.note for write in after.outgoing if isinstance(write, PostComment)]
    return Seen(after.stage, (*notes, *replies, *comments))
