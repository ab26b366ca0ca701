"""The second opinion as settings ask for it, and what is logged of each."""

import pytest
from structlog.testing import capture_logs

from agents.diagnosis import CauseKind, Diagnosis, Opinion, Verdict
from agents.testing.builders import incident
from bot.app.llm import logged, open_second_opinion
from bot.settings import SettingsError, load_settings

DIAGNOSIS = Diagnosis(
    verdict=Verdict.LIKELY, service="quote", operation="", kind=CauseKind.UNKNOWN, summary="", claims=(), candidates=()
)


def settings(**changes):
    """Return settings with a model on loopback."""
    return load_settings(_env_file=None, **{"llm_api_key": "k", "llm_model": "m", **changes})


async def test_without_a_key_there_is_none():
    """The deterministic analysis needs none."""
    async with open_second_opinion(settings(llm_api_key=None, llm_model=None)) as second:
        assert second is None


async def test_with_key_and_model_there_is_one():
    """No call is made before it is asked."""
    async with open_second_opinion(settings(llm_budget_usd=1, llm_price_in=1, llm_price_out=2)) as second:
        assert second is not None


@pytest.mark.parametrize(
    ("changes", "variable"),
    [
        ({"llm_model": None}, "LLM_MODEL"),
        ({"llm_budget_usd": 1, "llm_price_in": 1}, "LLM_PRICE_IN or LLM_PRICE_OUT"),
        ({"llm_budget_usd": 1, "llm_price_out": 1}, "LLM_PRICE_IN or LLM_PRICE_OUT"),
    ],
)
async def test_half_of_the_settings_is_refused(changes, variable):
    """A budget in dollars without prices would hold nothing."""
    with pytest.raises(SettingsError) as caught:
        async with open_second_opinion(settings(**changes)):
            pass
    assert caught.value.variable == variable


@pytest.mark.parametrize(
    ("used", "event", "reason"),
    [(True, "second_opinion_taken", ""), (False, "second_opinion_failed", "it cites no evidence that exists")],
)
async def test_each_is_an_event_with_its_cost_and_why_it_does_not_count(used, event, reason):
    """The diagnosis is passed on as it is."""
    given = DIAGNOSIS.model_copy(
        update={"opinion": Opinion(model="m", prompt="p1", used=used, note="it cites no evidence that exists")}
    )

    async def ask(_incident, _diagnosis):
        return given

    with capture_logs() as logs:
        assert await logged(ask)(incident(None), DIAGNOSIS) is given
    (entry,) = logs
    assert (entry["event"], entry["reason"], entry["model"], entry["tokens_in"]) == (event, reason, "m", 0)


async def test_an_incident_without_an_opinion_is_no_event():
    """It was not asked."""

    async def ask(_incident, diagnosis):
        return diagnosis

    with capture_logs() as logs:
        assert await logged(ask)(incident(None), DIAGNOSIS) is DIAGNOSIS
    assert logs == []
