"""Every row of the table of lives, played on the whole bot: every stage, and everything that can happen to it."""

import pytest

from agents.incident import Stage
from agents.life import Happening, Row, row
from agents.stages import ways_from
from bot.testing import Bot
from tests.inprocess.happenings import CONDITIONS, TOLD_BY_WEBHOOK, happen
from tests.inprocess.stages import at

PAIRS = [(happening, stage) for happening in TOLD_BY_WEBHOOK for stage in Stage]
UNDER_CONDITIONS = [(condition, stage) for condition in CONDITIONS for stage in Stage]
FOR_S = 15.0
"""Long enough for everything that comes by itself, and shorter than any time limit."""


def test_every_stage_and_every_happening_has_a_row_and_is_played():
    """A row that nobody decided fails here, and so does a happening that no test makes happen."""
    assert [pair for pair in [(h, s) for h in Happening for s in Stage] if not isinstance(row(*pair), Row)] == []
    assert {*TOLD_BY_WEBHOOK, *CONDITIONS} == set(Happening)


@pytest.mark.parametrize(("happening", "stage"), PAIRS)
async def test_what_happens_to_an_incident_leads_where_the_table_says(happening: Happening, stage: Stage):
    """The stage that is stored as the answer, and how what people are told begins; where nothing is told, nothing."""
    decided = row(happening, stage)
    if decided.cannot:
        return
    async with at(stage) as bot:
        seen = await happen(bot, happening)
    assert seen.stage is (decided.to or stage)
    if decided.told:
        assert any(text.startswith(decided.told_in(stage)) for text in seen.told), seen.told
    else:
        assert seen.told == ()


@pytest.mark.parametrize(("condition", "stage"), UNDER_CONDITIONS)
async def test_conditions_of_the_world_lead_where_the_table_says(condition: Happening, stage: Stage):
    """The stage in which the incident stands a quarter of a minute later."""
    decided = row(condition, stage)
    if decided.cannot:
        return
    async with at(stage) as bot:
        await CONDITIONS[condition](bot)
        await bot.wait(FOR_S)
        assert await bot.stage() is (decided.to or stage)


async def goes_on(bot: Bot, stage: Stage) -> Stage:
    """Return where an incident stands once everything that comes by itself has come."""
    await bot.wait(FOR_S)
    return (await bot.incident()).stage or stage


@pytest.mark.parametrize("stage", Stage)
async def test_once_github_answers_again_every_incident_goes_on_by_itself(stage: Stage):
    """As if GitHub had never been away: the same stage, one issue, one pull request, each comment once."""
    async with at(stage) as undisturbed:
        expected = await goes_on(undisturbed, stage)
        comments = await undisturbed.world.comments(1)
    async with at(stage) as bot:
        await CONDITIONS[Happening.GITHUB_DOWN](bot)
        await bot.wait(60)
        bot.world.forge.down = None
        await bot.wait(120)
        assert await bot.stage() is expected
        assert len(await bot.world.comments(1)) == len(comments)


def test_the_table_of_lives_lists_no_way_that_the_table_of_stages_lacks():
    """Conditions play several steps at once; what one happening leads to directly is a way of its own."""
    for happening, stage in PAIRS:
        to = row(happening, stage).to
        assert to is None or to in ways_from(stage), (happening, stage)
