"""Every condition of a command, one by one: who is a person, whose comment it is, how long and how near a word is."""

import pytest

from agents import texts
from agents.commands import MAX_LINE, Command, CommandName, UnknownCommand, parse
from agents.human import answer
from agents.incident import Incident, Stage
from agents.testing.events import crew
from agents.testing.flow import invoked, proposed, says
from agents.testing.shop import Shop
from agents.writes import Reply

WAITING = Stage.AWAITING_APPROVAL


@pytest.fixture
def shop() -> Shop:
    """The shop with its people."""
    return crew()


@pytest.fixture
async def waiting(shop: Shop) -> Incident:
    """An incident whose fix waits for approval."""
    return await proposed(shop)


@pytest.mark.parametrize("in_comment", ["User", "Bot", "Organization"])
@pytest.mark.parametrize("in_webhook", ["User", "Bot"])
async def test_only_a_user_on_both_sides_is_a_person(shop, waiting, in_comment, in_webhook):
    """The webhook and the comment both say who wrote."""
    comment = shop.github.says(7, "will", "/approve", author_type=in_comment)
    invocation = invoked(comment, waiting).model_copy(update={"author_type": in_webhook})
    told = await answer(waiting, invocation, shop.forge, shop.github.now)
    person = in_comment == in_webhook == "User"
    assert told.stage is (Stage.APPROVED if person else WAITING)
    assert person or [write.text for write in told.outgoing if isinstance(write, Reply)] == [texts.BY_BOT]


@pytest.mark.parametrize(
    ("changes", "counts"),
    [({}, True), ({"login": "WILL"}, True), ({"login": "mia"}, False), ({"user_id": 5}, False)],
)
async def test_login_and_id_of_the_webhook_must_be_those_of_the_comment(shop, waiting, changes, counts):
    """A login's case is GitHub's business; its owner is not."""
    comment = shop.github.says(7, "will", "/approve")
    invocation = invoked(comment, waiting).model_copy(update=changes)
    told = await answer(waiting, invocation, shop.forge, shop.github.now)
    assert told.stage is (Stage.APPROVED if counts else WAITING)


@pytest.mark.parametrize("by_app", [False, True])
@pytest.mark.parametrize(("command", "text"), [("/status", texts.status), ("/help", lambda _: texts.help_text())])
async def test_what_changes_nothing_is_told_to_apps_and_asks_for_no_permission(shop, waiting, command, text, by_app):
    """Each command has its own answer."""
    comment = shop.github.says(7, "nora", command, by_app=by_app)
    shop.forge.calls.clear()
    told = await answer(waiting, invoked(comment, waiting), shop.forge, shop.github.now)
    assert [write.text for write in told.outgoing if isinstance(write, Reply)] == [text(waiting)]
    assert shop.forge.calls == ["comment"]


@pytest.mark.parametrize("missing_part", ["plan", "pull_request", None])
async def test_reject_needs_a_plan_and_its_pull_request(shop, waiting, missing_part):
    """Without one of them nothing can be closed."""
    found = waiting.evolve(**{missing_part: None}) if missing_part else waiting
    told = await says(shop, found, "will", "/reject")
    assert told.stage is (WAITING if missing_part else Stage.ESCALATED)


@pytest.mark.parametrize(("blanks", "read"), [(MAX_LINE - 8, True), (MAX_LINE - 7, False)])
def test_a_line_is_read_up_to_its_thousandth_character(blanks, read):
    """The last character of the name is the last one that is read, or the first one that is not."""
    assert MAX_LINE == 1000
    assert parse("\u00a0" * blanks + "/approve") == (
        Command(name=CommandName.APPROVE) if read else UnknownCommand(word="approv", suggestion=CommandName.APPROVE)
    )


def test_an_argument_ends_at_the_thousandth_character():
    """What is longer is cut off, not refused."""
    start = "/reject "
    for length in (MAX_LINE - len(start), MAX_LINE - len(start) + 1):
        found = parse(start + "x" * length)
        assert found == Command(name=CommandName.REJECT, argument="x" * (MAX_LINE - len(start)))


# Twice the common characters over all characters of both words.
@pytest.mark.parametrize(
    ("word", "ratio", "near"),
    [
        ("aprove", 12 / 13, "approve"),
        ("approve123456", 14 / 20, "approve"),
        ("approve1234567", 14 / 21, None),
        ("approv1234", 12 / 17, "approve"),
        ("approv12345", 12 / 18, None),
        ("hel", 6 / 7, "help"),
        ("helpxxx", 8 / 11, "help"),
        ("helpxxxx", 8 / 12, None),
        ("reject1234", 12 / 16, "reject"),
        ("reject123456", 12 / 18, None),
    ],
)
def test_a_word_is_a_misspelt_command_from_a_similarity_of_seven_tenths(word, ratio, near):
    """Seven tenths of the characters are in common, at least."""
    assert (ratio >= 0.7) is (near is not None)
    found = parse(f"/{word}")
    assert found == (UnknownCommand(word=word, suggestion=CommandName(near)) if near else None)
