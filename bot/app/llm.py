"""The second opinion as the settings ask for it, and a log line for each. Imported by the worker only."""

import contextlib
from collections.abc import AsyncGenerator

import structlog

from agents.diagnosis import Diagnosis
from agents.incident import Incident
from agents.llm import Budget
from agents.opinion import SecondOpinion, second_opinion
from bot.adapters.llm import OpenAiLlm, Prices
from bot.settings import Settings, SettingsError

log = structlog.get_logger()


@contextlib.asynccontextmanager
async def open_second_opinion(settings: Settings) -> AsyncGenerator[SecondOpinion | None]:
    """Yield the function that asks the LLM, or None without a key.

    Raises:
        SettingsError: there is a key, but the model or the prices that the budget needs are missing.
    """
    if settings.llm_api_key is None:
        yield None
        return
    if settings.llm_model is None:
        raise SettingsError("LLM_MODEL", "is not set", "Name the model of LLM_BASE_URL, or unset LLM_API_KEY")
    prices = Prices(tokens_in=settings.llm_price_in, tokens_out=settings.llm_price_out)
    if settings.llm_budget_usd is not None and not (prices.tokens_in and prices.tokens_out):
        remedy = "Set both to the prices for a million tokens, or unset LLM_BUDGET_USD"
        raise SettingsError("LLM_PRICE_IN or LLM_PRICE_OUT", "is not set, but LLM_BUDGET_USD is", remedy)
    llm = OpenAiLlm(
        base_url=settings.llm_base_url, api_key=settings.llm_api_key, model=settings.llm_model, prices=prices
    )
    budget = Budget(tokens=settings.llm_budget_tokens, usd=settings.llm_budget_usd, seconds=settings.llm_budget_s)
    try:
        yield logged(second_opinion(llm, budget))
    finally:
        await llm.aclose()


def logged(ask: SecondOpinion) -> SecondOpinion:
    """Return the same function with a log line of what came of it and what the incident has cost so far."""

    async def asking(incident: Incident, diagnosis: Diagnosis) -> Diagnosis:
        done = await ask(incident, diagnosis)
        opinion = done.opinion
        if opinion is not None:
            log.info(
                "second_opinion_taken" if opinion.used else "second_opinion_failed",
                model=opinion.model,
                prompt=opinion.prompt,
                reason="" if opinion.used else opinion.note,
                claims=len(opinion.claims),
                claims_dropped=opinion.claims_dropped,
                tokens_in=opinion.spent.tokens_in,
                tokens_out=opinion.spent.tokens_out,
                usd=round(opinion.spent.usd, 6),
                seconds=round(opinion.spent.seconds, 3),
            )
        return done

    return asking
