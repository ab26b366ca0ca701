"""The client asks for what it should, within its budget, and turns whatever comes back into an answer or a reason."""

import json

import httpx
import pytest
import respx
from pydantic import SecretStr

from agents.llm import Budget, LlmError, Prompt
from bot.adapters.llm import OpenAiLlm, Prices

URL = "https://llm.example/v1"
KEY = "sk-secret"
PROMPT = Prompt(name="root_cause", version="1", system="s" * 300, user="u" * 2700, answer_schema={"type": "object"})
BUDGET = Budget(tokens=10_000, usd=None, seconds=5)


@pytest.fixture
async def llm():
    """A client of a model that costs one dollar in and ten dollars out for a million tokens."""
    made = OpenAiLlm(base_url=URL, api_key=SecretStr(KEY), model="m-1", prices=Prices(tokens_in=1, tokens_out=10))
    yield made
    await made.aclose()


@pytest.fixture
def endpoint():
    """The endpoint's only route."""
    with respx.mock(base_url=URL, assert_all_called=False) as router:
        yield router.post("/chat/completions")


def said(content="{}", *, finish="stop", usage=(1000, 50), **message):
    """Return a chat completion."""
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m-1",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
        ],
    }
    if usage:
        body["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    return httpx.Response(200, json=body)


async def test_the_question_asks_for_structured_output_and_a_bounded_answer(llm, endpoint):
    """Schema, both messages, the key, and room for the answer within the token budget."""
    endpoint.mock(return_value=said('{"a": 1}'))
    completion = await llm.complete(PROMPT, Budget(tokens=3_000, usd=None, seconds=5))
    assert completion.text == '{"a": 1}'
    (request,) = [call.request for call in endpoint.calls]
    body = json.loads(request.content)
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert body["model"] == "m-1"
    assert [(m["role"], m["content"][0]) for m in body["messages"]] == [("system", "s"), ("user", "u")]
    assert body["response_format"]["type"] == "json_schema"
    assert body["response_format"]["json_schema"]["strict"] is True
    assert body["max_completion_tokens"] == 3_000 - 1_000


async def test_cost_is_what_the_endpoint_counted(llm, endpoint):
    """Tokens times prices."""
    endpoint.mock(return_value=said(usage=(2_000, 300)))
    spent = (await llm.complete(PROMPT, BUDGET)).spent
    assert (spent.tokens_in, spent.tokens_out, spent.usd) == (2_000, 300, pytest.approx(0.005))


async def test_cost_is_estimated_from_above_where_the_endpoint_does_not_count(llm, endpoint):
    """A silent endpoint is not a free one."""
    endpoint.mock(return_value=said("x" * 300, usage=None))
    spent = (await llm.complete(PROMPT, BUDGET)).spent
    assert (spent.tokens_in, spent.tokens_out) == (1_000, 100)


@pytest.mark.parametrize(
    ("budget", "reason"),
    [
        (Budget(tokens=1_100, usd=None, seconds=5), "budget of tokens is used up"),
        (Budget(tokens=10_000, usd=0.0005, seconds=5), "budget of money is used up"),
        (Budget(tokens=10_000, usd=0.003, seconds=5), "budget of money is used up"),
        (Budget(tokens=10_000, usd=None, seconds=0), "budget of time is used up"),
    ],
)
async def test_without_budget_nothing_is_sent(llm, endpoint, budget, reason):
    """The prompt alone would cost too much, or leave no room for an answer."""
    with pytest.raises(LlmError, match=reason) as caught:
        await llm.complete(PROMPT, budget)
    assert not endpoint.called
    assert caught.value.spent.tokens_in == 0


async def test_money_bounds_the_answer(llm, endpoint):
    """A tenth of a cent is gone for the prompt; a cent more buys a thousand tokens."""
    endpoint.mock(return_value=said())
    await llm.complete(PROMPT, Budget(tokens=10_000, usd=0.0111, seconds=5))
    assert json.loads(endpoint.calls[0].request.content)["max_completion_tokens"] == 1_010


async def test_an_endpoint_without_schemas_is_asked_for_plain_json_from_then_on(llm, endpoint):
    """Refused once, never tried again."""
    endpoint.side_effect = [httpx.Response(400, json={"error": "response_format"}), said('{"b": 1}'), said('{"c": 1}')]
    assert (await llm.complete(PROMPT, BUDGET)).text == '{"b": 1}'
    assert (await llm.complete(PROMPT, BUDGET)).text == '{"c": 1}'
    formats = [json.loads(call.request.content)["response_format"]["type"] for call in endpoint.calls]
    assert formats == ["json_schema", "json_object", "json_object"]
    assert json.loads(endpoint.calls[1].request.content)["max_tokens"] == 4_000


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (httpx.Response(401, json={"error": {"message": "bad key sk-secret"}}), "its endpoint answered 401"),
        (httpx.Response(429, headers={"retry-after": "60"}), "its endpoint answered 429"),
        (httpx.Response(500, text="boom"), "its endpoint answered 500"),
        (httpx.Response(307, headers={"location": "https://elsewhere.example/"}), "its endpoint answered 307"),
        (httpx.Response(200, text="<html>login</html>"), "no chat completion"),
        (httpx.Response(200, json={"choices": []}), "no chat completion"),
        (httpx.Response(200, json={"choices": [{"message": None}]}), "no chat completion"),
        (httpx.Response(200, json=["?"]), "no chat completion"),
        (httpx.Response(200, text="x" * 1_100_000), "cannot be reached, or broke off"),
        (said(usage=(-5, 1)), "no chat completion"),
        (said(None, refusal="I will not"), "refused"),
        (said("half", finish="content_filter"), "refused"),
        (said('{"summary": "ha', finish="length"), "cut off"),
        (said(None), "empty"),
        (said("  "), "empty"),
    ],
)
async def test_everything_but_an_answer_is_a_reason_without_secrets(llm, endpoint, response, reason):
    """One clause for the timeline; what the endpoint wrote is not repeated."""
    endpoint.mock(return_value=response)
    with pytest.raises(LlmError, match=reason) as caught:
        await llm.complete(PROMPT, BUDGET)
    assert KEY not in str(caught.value)
    assert endpoint.call_count == 1


async def test_an_endpoint_that_is_away_is_a_reason(llm, endpoint):
    """No retries: the deterministic answer is at hand."""
    endpoint.mock(side_effect=httpx.ConnectError("refused"))
    with pytest.raises(LlmError, match="cannot be reached"):
        await llm.complete(PROMPT, BUDGET)
    assert endpoint.call_count == 1
