"""What goes wrong on the way to GitHub becomes the port's errors; GETs may be repeated, nothing else."""

import time

import httpx
import pytest

from agents.errors import ForgeRefusedError, ForgeUnavailableError
from bot.adapters.github import counting
from tests.unit.bot.adapters.github.wire import COMMENT, ISSUE, REPO, Wire, reply


async def test_the_base_url_and_headers_are_ours():
    """GitHub Enterprise Server is reached below its path, with a version and a token."""
    wire = Wire().on("GET", "/issues/4", reply(ISSUE))

    await wire.forge.issue(REPO, 4)

    request = wire.sent[0]
    assert str(request.url) == "https://ghe.example/api/v3/repos/acme/shop/issues/4"
    assert request.headers["authorization"] == "Bearer token-1"
    assert request.headers["x-github-api-version"] == "2022-11-28"


async def test_a_read_is_tried_three_times():
    """With growing waits between; a fourth try is never made."""
    wire = Wire().on("GET", "/issues/4", reply({}, 500), httpx.ConnectError("no"), reply(ISSUE))
    assert await wire.forge.issue(REPO, 4) is not None
    assert wire.slept == [0.2, 1.0]

    wire = Wire().on("GET", "/issues/4", reply({}, 503))
    with pytest.raises(ForgeUnavailableError, match="GitHub answered 503"):
        await wire.forge.issue(REPO, 4)
    assert len(wire.sent) == 3


@pytest.mark.parametrize("answer", [reply({}, 500), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut")])
async def test_a_post_is_sent_once(answer: httpx.Response | Exception):
    """Whether it was carried out is not known: only who looks for the mark may repeat it."""
    wire = Wire().on("GET", "/issues/4/comments", reply([])).on("POST", "/issues/4/comments", answer)

    with pytest.raises(ForgeUnavailableError):
        await wire.forge.upsert_comment(REPO, 4, body="b", marker="<!-- m -->", comment_id=None)

    assert wire.paths().count("POST /issues/4/comments") == 1


@pytest.mark.parametrize(
    ("answer", "wait_s"),
    [
        (reply({"message": "secondary"}, 403, retry_after="37"), 37),
        (reply({"message": "slow down"}, 429, retry_after="5"), 5),
        (reply({"message": "slow down"}, 429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), 60),
        (reply({"message": "You have exceeded a secondary rate limit"}, 403), 60),
        (reply({}, 403, x_ratelimit_remaining="0", x_ratelimit_reset="1"), 1),
    ],
)
async def test_a_rate_limit_says_how_long_to_wait(answer: httpx.Response, wait_s: float):
    """Primary or secondary, by header or by words; it is not waited for here."""
    wire = Wire().on("GET", "/issues/4", answer)

    with pytest.raises(ForgeUnavailableError) as limited:
        await wire.forge.issue(REPO, 4)

    assert limited.value.retry_after_s == wait_s
    assert len(wire.sent) == 1
    assert wire.slept == []


async def test_the_primary_limit_is_waited_for_until_it_resets():
    """GitHub names the moment, the port hands on the length."""
    reset = str(int(time.time()) + 3000)
    wire = Wire().on("GET", "/issues/4", reply({}, 403, x_ratelimit_remaining="0", x_ratelimit_reset=reset))

    with pytest.raises(ForgeUnavailableError) as limited:
        await wire.forge.issue(REPO, 4)

    assert limited.value.retry_after_s is not None
    assert 1000 < limited.value.retry_after_s <= 3000


async def test_a_refusal_carries_githubs_words():
    """Message and field errors, in one line."""
    errors = [{"resource": "Issue", "field": "title", "code": "missing_field"}, {"message": "and more"}, "plain"]
    wire = Wire().on("PATCH", "/issues/4", reply({"message": "Validation Failed", "errors": errors}, 422))

    with pytest.raises(ForgeRefusedError) as refused:
        await wire.forge.close_issue(REPO, 4, completed=True)

    assert refused.value.status == 422
    assert refused.value.reason == "Validation Failed: Issue title missing_field; and more; plain"


async def test_a_plain_403_is_a_refusal():
    """Missing permissions are no rate limit."""
    denied = reply({"message": "Resource not accessible by integration"}, 403, x_ratelimit_remaining="4999")
    wire = Wire().on("GET", "/issues/4", denied)

    with pytest.raises(ForgeRefusedError, match="not accessible"):
        await wire.forge.issue(REPO, 4)


async def test_what_is_not_there_is_none():
    """404 and 410 on reads."""
    wire = Wire().on("GET", "/issues/4", reply({"message": "This issue was deleted"}, 410))

    assert await wire.forge.issue(REPO, 4) is None
    assert await wire.forge.issue(REPO, 5) is None


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>proxy</html>"), reply({"number": "four"})])
async def test_an_answer_that_is_not_githubs_is_transient(answer: httpx.Response):
    """A proxy's page with status 200 is no issue."""
    wire = Wire().on("GET", "/issues/4", answer)

    with pytest.raises(ForgeUnavailableError, match="could not be read"):
        await wire.forge.issue(REPO, 4)


async def test_an_unchanged_answer_is_asked_for_and_remembered():
    """The second read sends the ETag, and a 304 gives what is known."""
    wire = Wire().on("GET", "/issues/4", reply(ISSUE, etag='"abc"'), httpx.Response(304))

    first = await wire.forge.issue(REPO, 4)
    second = await wire.forge.issue(REPO, 4)

    assert first == second
    assert "if-none-match" not in wire.sent[0].headers
    assert wire.sent[1].headers["if-none-match"] == '"abc"'


async def test_pages_are_followed():
    """A mark on the second page is found."""
    link = '<https://ghe.example/api/v3/repos/acme/shop/issues/4/comments?page=2>; rel="next"'
    bot = {"login": "sre[bot]", "id": 3, "type": "Bot"}
    ours = {**COMMENT, "id": 9, "body": "x\n\n<!-- m -->", "user": bot, "performed_via_github_app": {"id": 12}}
    theirs = {**ours, "id": 8, "performed_via_github_app": {"id": 13}}
    wire = Wire().on("GET", "/issues/4/comments", reply([COMMENT, theirs], link=link), reply([ours]))
    wire.on("PATCH", "/issues/comments/9", reply(ours))

    done = await wire.forge.upsert_comment(REPO, 4, body="new", marker="<!-- m -->", comment_id=None)

    assert done.ok
    assert done.number == 9
    assert wire.sent[1].url.query == b"page=2"


async def test_our_comment_is_known_by_the_apps_name_where_github_names_no_app():
    """Older answers leave the App out; its bot's login is asked for once."""
    bot = {"login": "sre[bot]", "id": 3, "type": "Bot"}
    ours = {**COMMENT, "id": 9, "body": "<!-- m -->", "user": bot}
    wire = Wire().on("GET", "/issues/4/comments", reply([ours])).on("PATCH", "/issues/comments/9", reply(ours))
    wire.on("GET", "/api/v3/app", reply({"id": 12, "slug": "sre", "html_url": "https://ghe.example/apps/sre"}))

    for _ in range(2):
        done = await wire.forge.upsert_comment(REPO, 4, body="new", marker="<!-- m -->", comment_id=None)
        assert done.ok
        assert done.number == 9

    assert wire.paths().count("GET /api/v3/app") == 1


async def test_a_deleted_comment_is_posted_anew():
    """Somebody deleted the sticky comment: its id is gone, its mark is nowhere."""
    wire = Wire().on("GET", "/issues/4/comments", reply([])).on("POST", "/issues/4/comments", reply(COMMENT, 201))

    done = await wire.forge.upsert_comment(REPO, 4, body="new", marker="<!-- m -->", comment_id=9)

    assert done.ok
    assert done.number == 5
    assert wire.body() == {"body": "new\n\n<!-- m -->"}


async def test_calls_are_counted_in_every_context_around_them():
    """Token requests count too; what happens outside does not."""
    wire = Wire().on("GET", "/issues/4", reply(ISSUE))

    with counting() as outer:
        await wire.forge.issue(REPO, 4)
        with counting() as inner:
            await wire.forge.issue(REPO, 4)
    await wire.forge.issue(REPO, 4)

    assert (outer.count, inner.count) == (3, 1)
