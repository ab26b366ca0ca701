"""Webhooks at the door: what is refused, what is known already, and what is of no interest."""

import hashlib
import hmac
import json
import uuid

import pytest

from agents.testing.scenarios import pool_signal
from agents.testing.webhooks import Hook
from bot.queue.port import QueueUnavailableError
from bot.testing import Bot
from bot.testing.world import SECRET, Request, signed

STAR = Hook("star", {"action": "created"})
TOO_LARGE = 26 * 1024 * 1024


def altered(hook: Hook = STAR, body: bytes | None = None, **headers: str | None) -> Request:
    """Return a signed webhook with other headers; None leaves one out. The signature fits `body` where it is given."""
    request = signed(hook) if body is None else resigned(body)
    changed = {**request.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Request({name: value for name, value in changed.items() if value is not None}, request.body)


def resigned(body: bytes) -> Request:
    """Return a body that is no webhook, with a signature that fits it."""
    good = signed(Hook("issues", {"action": "opened"}))
    digest = hmac.digest(SECRET.encode(), body, hashlib.sha256).hex()
    return Request({**good.headers, "x-hub-signature-256": f"sha256={digest}"}, body)


@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        (altered(x_hub_signature_256=None), 401, "The request has no X-Hub-Signature-256 header."),
        (altered(x_hub_signature_256="sha256=" + "0" * 64), 401, "The signature does not fit the body."),
        (altered(x_hub_signature_256="sha1=abc"), 401, "The signature does not fit the body."),
        (altered(body=b"not json"), 400, "The body is not JSON"),
        (altered(body=b"[1]"), 400, "The body is not a webhook of GitHub"),
        (altered(body=b"\xff"), 400, "The body is not UTF-8"),
        (altered(content_type="text/plain"), 400, "The content type is not application/json."),
        (altered(x_github_delivery=None), 400, "X-GitHub-Delivery is missing or no GUID."),
        (altered(x_github_event=None), 400, "X-GitHub-Event is missing or no event's name."),
        (altered(body=b"x" * TOO_LARGE), 413, "The body is larger than"),
        (altered(Hook("ping", {"action": None, "zen": "hi"})), 200, "pong"),
        (altered(), 202, "ignored"),
    ],
    ids=[
        *("unsigned", "wrong signature", "sha1", "text", "list", "no UTF-8", "wrong type", "no guid", "no event"),
        *("too large", "ping", "of no interest"),
    ],
)
async def test_each_webhook_is_answered_in_words(bot: Bot, request_: Request, status: int, said: str):
    """The status is for GitHub, the words are for people; nothing of it reaches the inbox."""
    answer = await bot.post(request_)
    assert answer.status_code == status
    assert said in answer.text
    assert await bot.store.inbox.pending() == ()


async def test_a_webhook_that_comes_twice_is_taken_once(bot: Bot):
    """The same delivery again, and the same content under another guid, are known."""
    await bot.signal(pool_signal())
    bot.world.github.edits_issue("maria", 1, body="More words")
    (request,) = await bot.world.requests()
    again = Request({**request.headers, "x-github-delivery": str(uuid.uuid4())}, request.body)
    answers = [(await bot.post(sent)).json()["status"] for sent in (request, request, again)]
    assert answers == ["stored", "duplicate", "duplicate"]
    assert len(await bot.store.inbox.pending()) == 1


async def test_a_webhook_waits_for_no_queue(bot: Bot, monkeypatch: pytest.MonkeyPatch):
    """Without Redis it is stored all the same, and the sweeper finds it."""
    await bot.signal(pool_signal())

    async def away(*_: object, **__: object) -> bool:
        raise QueueUnavailableError("Redis does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(bot.queue, "enqueue", away)
        await bot.world.says("rita", 1, "/help")
        (request,) = await bot.world.requests()
        assert (await bot.post(request)).json()["status"] == "stored"
    await bot.wait(5)
    assert "| command | what it does |" in await bot.last_comment()


async def test_a_payload_is_kept_as_it_came(bot: Bot):
    """What the worker reads later is what GitHub signed."""
    await bot.signal(pool_signal())
    await bot.world.says("rita", 1, "/help")
    (request,) = await bot.world.requests()
    await bot.post(request)
    (row,) = await bot.store.inbox.pending()
    assert json.loads(row.payload) == json.loads(request.body)
    assert (row.event, row.action, row.number, row.sender) == ("issue_comment", "created", 1, "rita")
