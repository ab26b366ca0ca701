"""Bad input from webhooks and people, against real processes: each gets its answer, and nothing is lost."""

import asyncio
import hashlib
import hmac
import json
import uuid

import httpx
import pytest
import pytest_asyncio

from tests.support_world import running_site, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory):
    """Return the site, with one incident that waits for approval."""
    async with running_site(tmp_path_factory.mktemp("bad-input")) as site:
        await site.signal()
        await site.until_stage("awaiting_approval")
        yield site


def signed(site, body, **headers):
    """Return the headers of a webhook as GitHub would send it, changed by `headers`."""
    digest = hmac.new(site.app["webhook_secret"].encode(), body, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json",
        "x-github-event": "issues",
        "x-github-delivery": str(uuid.uuid4()),
        "x-hub-signature-256": f"sha256={digest}",
        **headers,
    }


async def send(site, body, **headers):
    """Send a webhook and return the response."""
    async with httpx.AsyncClient(base_url=site.web_url, timeout=30) as client:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in {**signed(site, body), **headers}.items() if value is not None}
        return await client.post("/webhooks/github", content=body, headers=sent)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {"x_hub_signature_256": None}, 401),
        (b"{}", {"x_hub_signature_256": "sha256=" + "0" * 64}, 401),
        (b"{}", {"x_hub_signature_256": "sha1=abc"}, 401),
        (b"not json", {}, 400),
        (b"[1]", {}, 400),
        (b"{}", {"x_github_delivery": None}, 400),
        (b"{}", {"x_github_event": None}, 400),
        (b"x" * (26 * 1024 * 1024), {}, 413),
        (json.dumps({"zen": "hi"}).encode(), {"x_github_event": "ping"}, 200),
        (json.dumps({"action": "created"}).encode(), {"x_github_event": "star"}, 202),
    ],
    ids=["unsigned", "wrong", "sha1", "text", "list", "no guid", "no event", "too large", "ping", "unknown event"],
)
async def test_a_bad_webhook_is_answered_in_words(site, body, headers, status):
    """The status is GitHub's to understand, the message is for people, and there is no traceback."""
    response = await send(site, body, **headers)
    assert response.status_code == status, response.text
    assert "Traceback" not in response.text
    assert response.json()


async def test_a_webhook_that_comes_twice_is_taken_once(site):
    """The same delivery again, and the same content under another guid, are known."""
    incident = (await site.incidents())[0]
    issue = await site.get(f"/issues/{incident['issue']}")
    body = json.dumps(
        {
            "action": "edited",
            "issue": issue,
            "repository": await site.get(""),
            "sender": {"login": "maria", "id": 2, "type": "User"},
            "installation": {"id": site.app["installation_id"]},
        }
    ).encode()
    guid = str(uuid.uuid4())
    first = await send(site, body, x_github_delivery=guid)
    again = await send(site, body, x_github_delivery=guid)
    replayed = await send(site, body)
    assert [answer.status_code for answer in (first, again, replayed)] == [202, 202, 202]
    assert [answer.json()["status"] for answer in (again, replayed)] == ["duplicate", "duplicate"]


async def said(site, issue, comment_id, text):
    """Return once the bot has answered a comment with `text`."""

    async def answered():
        bodies = [c["body"] for c in await site.comments(issue) if c["user"]["type"] == "Bot" and c["id"] > comment_id]
        return any(text in body for body in bodies)

    await until(answered, f"an answer with {text!r}")


@pytest.mark.parametrize(
    ("login", "body", "answer"),
    [
        ("rita", "/approve", "write"),
        ("eve", "/approve", "write"),
        ("wim", "/aprove", "/approve"),
        ("wim", "/approve 0000000", "plan"),
        ("rita", "/reject", "write"),
        ("rita", "/help", "/approve"),
        ("eve", "/status", "approval"),
    ],
)
async def test_a_command_that_does_not_count_is_answered(site, login, body, answer):
    """Who may not, what is misspelt and what names another plan gets a reaction and a reason; the plan still waits."""
    incident = (await site.incidents())[0]
    comment = await site.post(f"/issues/{incident['pull_request']}/comments", {"body": body}, login)
    await said(site, incident["pull_request"], comment["id"], answer)
    refused = body not in {"/help", "/status"}
    assert ("-1" if refused else "rocket") in await site.reactions(comment["id"])
    assert (await site.incidents())[0]["stage"] == "awaiting_approval"


@pytest.mark.parametrize("body", ["> /approve", "```\n/approve\n```", "LGTM\n/approve", "    /approve", "/etc/passwd"])
async def test_what_is_no_command_is_left_alone(site, body):
    """Quotes, code, later lines and paths are not commands: no reaction, no answer, no approval."""
    incident = (await site.incidents())[0]
    before = len(await site.comments(incident["issue"]))
    comment = await site.post(f"/issues/{incident['issue']}/comments", {"body": body}, "wim")
    await asyncio.sleep(1.5)
    assert await site.reactions(comment["id"]) == set()
    assert len(await site.comments(incident["issue"])) == before + 1
    assert (await site.incidents())[0]["stage"] == "awaiting_approval"


async def test_a_comment_edited_into_an_approval_does_not_count(site):
    """Only a new comment counts; an old one with somebody's trust cannot become an order."""
    incident = (await site.incidents())[0]
    comment = await site.post(f"/issues/{incident['issue']}/comments", {"body": "Looks good."}, "wim")
    await site.patch(f"/issues/comments/{comment['id']}", {"body": "/approve"}, "wim")
    await asyncio.sleep(1.5)
    assert (await site.incidents())[0]["stage"] == "awaiting_approval"


async def test_an_issue_that_names_no_service_is_asked_about_once_and_goes_on(site):
    """The bot lists the services it knows, once; a comment that names one lets it go on, honestly without evidence."""
    issue = await site.post("/issues", {"title": "It is slow", "body": "Help", "labels": ["incident"]}, "wim")
    number = issue["number"]

    async def asked():
        return [c for c in await site.comments(number) if c["user"]["type"] == "Bot" and "pricing" in c["body"]]

    await until(asked, "the question")
    await site.post(f"/issues/{number}/comments", {"body": "No idea."}, "wim")
    await asyncio.sleep(1.5)
    assert len(await asked()) == 1
    await site.post(f"/issues/{number}/comments", {"body": "I think it is pricing"}, "wim")

    async def handed_over():
        return [c for c in await site.comments(number) if "no anomaly on pricing" in c["body"]]

    await until(handed_over, "the hand-over")
