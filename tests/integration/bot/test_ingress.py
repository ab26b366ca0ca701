"""The webhook endpoint over a real store: what is good is stored once, what is bad is answered in one shape."""

import json
import uuid

import httpx
import pytest

from bot.db.errors import DatabaseUnavailableError
from bot.queue.memory import MemoryQueue
from bot.queue.port import QueueUnavailableError
from bot.web.app import WebDeps, create_web
from bot.web.ingress import Ingress
from bot.web.signature import sign

SECRET = b"secret"
LIMIT = 512 * 1024
BODY = json.dumps({"action": "opened", "issue": {"number": 5}, "repository": {"id": 7}}).encode()


class SilentQueue(MemoryQueue):
    """A queue whose Redis is gone."""

    async def enqueue(self, name, *args, delay_s=0.0, job_id=None):
        """Fail as Redis does."""
        raise QueueUnavailableError("connection refused")


class SilentInbox:
    """An inbox whose database is gone."""

    async def put(self, delivery):
        """Fail as the database does."""
        raise DatabaseUnavailableError("locked")


@pytest.fixture
def queue(clock):
    """A queue in memory."""
    return MemoryQueue(clock)


def client_of(inbox, queue, **deps):
    """Return an HTTP client of a web application."""
    ingress = Ingress(inbox=inbox, queue=queue, secrets=(SECRET, b"previous"), limit_bytes=LIMIT)
    transport = httpx.ASGITransport(create_web(WebDeps(ingress=ingress, **deps)), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.fixture
async def client(store, queue):
    """A client of an application over the real store."""
    async with client_of(store.inbox, queue) as opened:
        yield opened


def headers(body: bytes = BODY, **changes: str | None) -> dict[str, str]:
    """Return the headers that GitHub sends with a body; a change to None leaves one out."""
    usual = {
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": sign(body, SECRET),
        "Content-Type": "application/json",
    }
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in {**usual, **named}.items() if value is not None}


async def post(client, body: bytes = BODY, **changes: str | None) -> httpx.Response:
    """Send a webhook."""
    return await client.post("/webhooks/github", content=body, headers=headers(body, **changes))


async def test_a_good_delivery_is_stored_and_wakes_the_worker(client, store, queue):
    """202, one row with what was sent, one job with its id."""
    guid = "72D3162E-CC78-11E3-81AB-4C9367DC0958"
    response = await post(client, X_GitHub_Delivery=guid)
    assert (response.status_code, response.json()) == (202, {"status": "stored", "delivery": guid.lower()})
    [row] = await store.inbox.pending()
    assert (row.guid, row.event, row.repo_id, row.number, row.payload) == (
        guid.lower(),
        "issues",
        7,
        5,
        BODY.decode(),
    )
    assert [(job.name, job.args) for job in queue.waiting] == [("process_delivery", (row.id,))]


async def test_the_previous_secret_is_still_accepted(client):
    """While the secret is being changed."""
    assert (await post(client, X_Hub_Signature_256=sign(BODY, b"previous"))).status_code == 202


async def test_a_redelivery_is_answered_and_not_stored_again(client, store, queue):
    """The same guid."""
    guid = str(uuid.uuid4())
    assert (await post(client, X_GitHub_Delivery=guid)).json()["status"] == "stored"
    again = await post(client, X_GitHub_Delivery=guid)
    assert (again.status_code, again.json()["status"]) == (202, "duplicate")
    assert len(await store.inbox.pending()) == 1
    assert len(queue.waiting) == 1


async def test_a_replay_under_a_new_guid_or_another_event_is_a_duplicate(client, store):
    """Neither header is signed, so a recorded body could come with any."""
    await post(client)
    assert (await post(client)).json()["status"] == "duplicate"
    assert (await post(client, X_GitHub_Event="issue_comment")).json()["status"] == "duplicate"
    assert len(await store.inbox.pending()) == 1


async def test_an_event_of_no_interest_is_answered_and_dropped(client, store):
    """GitHub sees a success, the inbox stays empty."""
    response = await post(client, X_GitHub_Event="star")
    assert (response.status_code, response.json()["status"]) == (202, "ignored")
    assert await store.inbox.pending() == ()


async def test_a_ping_is_answered(client, store):
    """GitHub sends one when the webhook is set up."""
    body = b'{"zen": "Keep it logically awesome.", "hook_id": 1}'
    response = await post(client, body, X_GitHub_Event="ping")
    assert (response.status_code, response.json()["status"]) == (200, "pong")
    assert await store.inbox.pending() == ()


@pytest.mark.parametrize(
    ("body", "changes", "status", "says"),
    [
        (BODY, {"X_Hub_Signature_256": None}, 401, "no X-Hub-Signature-256"),
        (BODY, {"X_Hub_Signature_256": sign(BODY, b"wrong")}, 401, "does not fit"),
        (BODY, {"X_Hub_Signature_256": "sha1=abc"}, 401, "does not fit"),
        (BODY, {"X_Hub_Signature_256": ""}, 401, "does not fit"),
        (BODY, {"X_GitHub_Event": None}, 400, "X-GitHub-Event"),
        (BODY, {"X_GitHub_Event": "issues; DROP"}, 400, "X-GitHub-Event"),
        (BODY, {"X_GitHub_Delivery": None}, 400, "X-GitHub-Delivery"),
        (BODY, {"X_GitHub_Delivery": "42"}, 400, "X-GitHub-Delivery"),
        (BODY, {"Content_Type": None}, 400, "application/json"),
        (b"payload=%7B%7D", {"Content_Type": "application/x-www-form-urlencoded"}, 400, "application/json"),
        (b"not json", {}, 400, "not JSON"),
        (b"[1]", {}, 400, "not a webhook"),
        (b"", {}, 400, "not JSON"),
        (b'{"a": "\xff"}', {}, 400, "not UTF-8"),
        (b'{"a":' * 50_000, {}, 400, "nested too deeply"),
        (b'{"a": "' + b"x" * (300 * 1024), {}, 400, "not JSON"),
        (b"x" * (LIMIT + 1), {}, 413, "larger than"),
    ],
)
async def test_a_bad_delivery_is_refused_with_problem_and_remedy(client, store, queue, body, changes, status, says):
    """One JSON shape, no traceback, nothing stored, nobody woken."""
    response = await post(client, body, **changes)
    assert response.status_code == status
    assert response.json().keys() == {"message"}
    assert says in response.json()["message"]
    assert "Traceback" not in response.text
    assert await store.inbox.pending() == ()
    assert queue.waiting == ()


async def test_a_body_that_lies_about_its_length_is_cut_off(client, store):
    """Without a length, reading stops at the cap: the sender is not read to its end."""
    sent = 0

    async def endless():
        nonlocal sent
        while sent < LIMIT * 50:
            sent += 65536
            yield b"x" * 65536

    response = await client.post("/webhooks/github", content=endless(), headers=headers())
    assert response.status_code == 413
    assert sent <= LIMIT + 2 * 65536
    assert await store.inbox.pending() == ()


async def test_a_large_body_within_the_cap_is_taken(client, store):
    """Also beyond the size at which hashing and parsing leave the event loop."""
    body = json.dumps({"action": "opened", "issue": {"number": 5, "body": "x" * 300_000}}).encode()
    assert (await post(client, body)).status_code == 202
    assert (await store.inbox.pending())[0].payload == body.decode()


async def test_a_silent_queue_does_not_lose_the_delivery(store, clock):
    """202 all the same: the row is stored, and the sweeper finds it."""
    async with client_of(store.inbox, SilentQueue(clock)) as client:
        assert (await post(client)).status_code == 202
    clock.move(2)
    assert len(await store.inbox.due(clock(), max_attempts=3)) == 1


async def test_a_silent_database_is_said_so_that_the_delivery_can_be_sent_again(queue):
    """503 and when to come back; GitHub keeps it as failed, to be redelivered."""
    async with client_of(SilentInbox(), queue) as client:
        response = await post(client)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "not stored" in response.json()["message"]


async def test_a_failure_of_ours_shows_no_traceback(queue):
    """500 in the same shape."""

    class Broken:
        async def put(self, delivery):
            raise ZeroDivisionError

    async with client_of(Broken(), queue) as client:
        response = await post(client)
    assert response.status_code == 500
    assert response.json().keys() == {"message"}
    assert "ZeroDivisionError" not in response.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/webhooks/github", 405), ("GET", "/nope", 404)])
async def test_wrong_addresses_are_answered_in_the_same_shape(client, method, path, status):
    """Also what FastAPI answers by itself."""
    response = await client.request(method, path)
    assert (response.status_code, response.json().keys()) == (status, {"message"})


async def test_readiness_is_about_what_is_required(store, queue):
    """Without the database not ready; without Redis ready, and it says so."""

    async def well():
        """Pass."""

    async def ill():
        raise QueueUnavailableError("connection refused")

    async with client_of(store.inbox, queue, required={"database": well}, wanted={"redis": ill}) as client:
        response = await client.get("/readyz")
        assert response.status_code == 200
        assert response.json()["checks"] == {"database": "ok", "redis": "connection refused"}
    async with client_of(store.inbox, queue, required={"database": ill}) as client:
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200
