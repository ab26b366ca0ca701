"""The Llm port over any OpenAI-compatible endpoint: structured outputs, a hard budget, no retries."""

import asyncio
import time
from typing import Any, cast

import httpx
import openai
from pydantic import SecretStr, ValidationError

from agents.diagnosis import Spent
from agents.llm import Budget, Completion, LlmError, Prompt, tokens_of
from bot.adapters.llm.wire import Reply
from telemetry.model import Frozen

ANSWER_MAX_TOKENS = 4_000
ANSWER_MIN_TOKENS = 300
CONNECT_S = 5.0
REPLY_MAX_BYTES = 1_000_000
SCHEMA_REFUSED = frozenset({400, 404, 415, 422})
"""What endpoints answer that do not know `json_schema` or `max_completion_tokens`."""


class Prices(Frozen):
    """US dollars per million tokens."""

    tokens_in: float = 0.0
    tokens_out: float = 0.0

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """Return what so many tokens cost, in US dollars."""
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1_000_000


class OpenAiLlm:
    """A model behind a chat-completions endpoint.

    It is asked for `json_schema` output; an endpoint that refuses that is asked for `json_object` from then on. There
    are no retries: the deterministic answer is at hand, and people are waiting for it.
    """

    def __init__(self, *, base_url: str, api_key: SecretStr, model: str, prices: Prices) -> None:
        self._model = model
        self._prices = prices
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=CONNECT_S), follow_redirects=False, event_hooks={"response": [_small]}
        )
        # openai 3 wants httpx2 in its types, and takes an httpx client all the same; older versions know only that
        self._client = openai.AsyncOpenAI(
            base_url=base_url, api_key=api_key.get_secret_value(), max_retries=0, http_client=cast("Any", self._http)
        )
        self._plain = False

    @property
    def model(self) -> str:
        """Return the model's name."""
        return self._model

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()
        await self._http.aclose()

    async def complete(self, prompt: Prompt, budget: Budget) -> Completion:
        """Return the model's answer within the budget; raises LlmError otherwise, whatever happened."""
        started = time.monotonic()
        tokens_in = tokens_of(prompt.system) + tokens_of(prompt.user)
        at_most = self._allowed(tokens_in, budget)
        try:
            async with asyncio.timeout(budget.seconds):
                reply = await self._ask(prompt, at_most)
        except TimeoutError as error:
            reason = f"it did not answer within {budget.seconds:.0f} s"
            raise LlmError(reason, self._spent(tokens_in, 0, started)) from error
        except openai.APIStatusError as error:
            reason = f"its endpoint answered {error.status_code}"
            raise LlmError(reason, self._spent(0, 0, started)) from error
        except (openai.OpenAIError, httpx.HTTPError) as error:
            reason = "its endpoint cannot be reached, or broke off"
            raise LlmError(reason, self._spent(tokens_in, 0, started)) from error
        except ValidationError as error:
            reason = "its endpoint sent something that is no chat completion"
            raise LlmError(reason, self._spent(tokens_in, 0, started)) from error
        if reply.usage is None:
            spent = self._spent(tokens_in, tokens_of(reply.text), started)
        else:
            spent = self._spent(reply.usage.prompt_tokens, reply.usage.completion_tokens, started)
        problem = reply.problem
        if problem:
            raise LlmError(problem, spent)
        return Completion(text=reply.text, spent=spent)

    def _allowed(self, tokens_in: int, budget: Budget) -> int:
        """Return how long the answer may be, in tokens.

        Raises:
            LlmError: the budget does not allow a useful answer.
        """
        if budget.seconds <= 0:
            raise LlmError("its budget of time is used up")
        allowed = min(ANSWER_MAX_TOKENS, budget.tokens - tokens_in)
        if allowed < ANSWER_MIN_TOKENS:
            raise LlmError("its budget of tokens is used up")
        price_out = self._prices.tokens_out / 1_000_000
        if budget.usd is not None:
            rest = budget.usd - self._prices.of(tokens_in, 0)
            allowed = min(allowed, int(rest / price_out) if price_out else allowed) if rest > 0 else 0
        if allowed < ANSWER_MIN_TOKENS:
            raise LlmError("its budget of money is used up")
        return allowed

    def _spent(self, tokens_in: int, tokens_out: int, started: float) -> Spent:
        return Spent(
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            usd=self._prices.of(tokens_in, tokens_out),
            seconds=time.monotonic() - started,
        )

    async def _ask(self, prompt: Prompt, at_most: int) -> Reply:
        if not self._plain:
            try:
                return await self._send(prompt, _structured(prompt, at_most))
            except openai.APIStatusError as error:
                if error.status_code not in SCHEMA_REFUSED:
                    raise
        reply = await self._send(prompt, {"response_format": {"type": "json_object"}, "max_tokens": at_most})
        self._plain = True
        return reply

    async def _send(self, prompt: Prompt, options: dict[str, Any]) -> Reply:
        raw = await self._client.chat.completions.with_raw_response.create(
            model=self._model,
            messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            **options,
        )
        return Reply.model_validate_json(raw.content)


def _structured(prompt: Prompt, at_most: int) -> dict[str, Any]:
    schema = {"name": prompt.name, "schema": prompt.answer_schema, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}, "max_completion_tokens": at_most}


async def _small(response: httpx.Response) -> None:
    """Read an answer up to a megabyte; more than that is no answer.

    Raises:
        httpx.DecodingError: it is longer.
    """
    size = 0
    parts: list[bytes] = []
    async for part in response.aiter_bytes():
        size += len(part)
        if size > REPLY_MAX_BYTES:
            raise httpx.DecodingError("the answer is longer than a megabyte", request=response.request)
        parts.append(part)
    response._content = b"".join(parts)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] -- as aread() does
