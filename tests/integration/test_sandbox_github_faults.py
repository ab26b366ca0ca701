"""Faults on demand, caching, limits, and a restart."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.sandbox.github.testing import StandIn, WebhookSink, stand_in, webhook_sink


@pytest.fixture(scope="module")
def sink() -> Iterator[WebhookSink]:
    """Where the webhooks go."""
    with webhook_sink() as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, sink: WebhookSink) -> Iterator[StandIn]:
    """One process for all tests of this file."""
    with stand_in(tmp_path_factory.mktemp("gh"), "--webhook-url", sink.url) as running:
        yield running


@pytest.fixture
def site(shared: StandIn, sink: WebhookSink) -> Iterator[StandIn]:
    """The stand-in with no fault left over and nothing caught yet."""
    shared.settle()
    sink.caught.clear()
    yield shared
    shared.control("DELETE", "/faults")


def test_a_500_leaves_nothing_behind(site: StandIn) -> None:
    """The write did not happen; the next one does."""
    site.control("POST", "/faults", {"kind": "500", "method": "POST", "path": "/issues$"})
    with site.user("maria") as maria:
        before = len(maria.get("/issues").json())
        assert maria.post("/issues", json={"title": "x"}).status_code == 500
        assert len(maria.get("/issues").json()) == before
        assert maria.post("/issues", json={"title": "x"}).status_code == 201


def test_a_502_after_the_write_hides_that_it_succeeded(site: StandIn) -> None:
    """This is why a POST must not be repeated blindly."""
    with site.user("maria") as maria:
        number = maria.post("/issues", json={"title": "x"}).json()["number"]
        site.control("POST", "/faults", {"kind": "502-after-write", "path": "/comments$", "method": "POST"})
        assert maria.post(f"/issues/{number}/comments", json={"body": "once"}).status_code == 502
        assert [row["body"] for row in maria.get(f"/issues/{number}/comments").json()] == ["once"]


def test_secondary_limits_and_dead_tokens_are_told_as_on_github(site: StandIn) -> None:
    """403 with Retry-After, then 401 on a token that was good."""
    site.control("POST", "/faults", {"kind": "403-secondary", "seconds": 7})
    site.control("POST", "/faults", {"kind": "401"})
    with site.user("maria") as maria:
        answers = [maria.get("/issues") for _ in range(3)]
    assert {answers[0].status_code, answers[1].status_code} == {401, 403}
    limited = next(answer for answer in answers if answer.status_code == 403)
    assert limited.headers["retry-after"] == "7"
    assert "secondary rate limit" in limited.json()["message"]
    assert answers[2].status_code == 200


def test_mergeability_may_be_unknown_at_first(site: StandIn) -> None:
    """GitHub computes it in the background; the next question gets an answer."""
    with site.user("maria") as maria:
        change = {"message": "x", "content": "eA=="}
        main = maria.get("/git/ref/heads/main").json()["object"]["sha"]
        maria.post("/git/refs", json={"ref": "refs/heads/later", "sha": main}).raise_for_status()
        maria.put("/contents/later.txt", json={**change, "branch": "later"}).raise_for_status()
        order = {"title": "x", "head": "later", "base": "main"}
        at = f"/pulls/{maria.post('/pulls', json=order).json()['number']}"
        site.control("POST", "/faults", {"kind": "mergeable-unknown", "path": f"{at}$"})
        states = [
            (answer["mergeable"], answer["mergeable_state"]) for answer in (maria.get(at).json(), maria.get(at).json())
        ]
    assert states == [(None, "unknown"), (True, "clean")]


def test_slow_answers_come_late_but_whole(site: StandIn) -> None:
    """Late by the ordered time, at least."""
    site.control("POST", "/faults", {"kind": "slow", "seconds": 0.3})
    began = time.monotonic()
    with site.user("maria") as maria:
        assert maria.get("/issues").status_code == 200
    assert time.monotonic() - began >= 0.3


def test_a_dropped_webhook_is_found_in_the_log_as_failed(site: StandIn, sink: WebhookSink) -> None:
    """It never arrives, and can be asked for."""
    site.control("POST", "/faults", {"kind": "drop-webhook", "path": "issues.opened"})
    with site.user("maria") as maria, site.app() as app:
        maria.post("/issues", json={"title": "lost"}).raise_for_status()
        site.settle()
        assert sink.names() == []
        log = f"{site.api_url}/app/hook/deliveries"
        failed = app.get(log, params={"status": "failure"}).json()[0]
        assert (failed["event"], failed["action"], failed["status_code"]) == ("issues", "opened", 502)
        app.post(f"{log}/{failed['id']}/attempts").raise_for_status()
    site.settle()
    assert sink.names() == ["issues.opened"]


def test_duplicates_share_their_guid_and_reordering_swaps_neighbours(site: StandIn, sink: WebhookSink) -> None:
    """Both happen on GitHub."""
    site.control("POST", "/faults", {"kind": "duplicate-webhook", "path": "^issues.opened"})
    site.control("POST", "/faults", {"kind": "reorder-webhook", "path": "^issue_comment.created"})
    with site.user("maria") as maria:
        number = maria.post("/issues", json={"title": "x"}).json()["number"]
        maria.post(f"/issues/{number}/comments", json={"body": "first"}).raise_for_status()
        maria.post(f"/issues/{number}/comments", json={"body": "second"}).raise_for_status()
    site.settle()
    assert sink.names() == ["issues.opened"] * 2 + ["issue_comment.created"] * 2
    guids = [hook.headers["x-github-delivery"] for hook in sink.caught]
    assert guids[0] == guids[1]
    assert [hook.payload["comment"]["body"] for hook in sink.caught[2:]] == ["second", "first"]


def test_an_unchanged_answer_costs_nothing(site: StandIn) -> None:
    """304 to a known ETag, without using up the budget; a change brings 200."""
    with site.user("wim") as wim:
        first = wim.get("/issues")
        again = wim.get("/issues", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["x-ratelimit-used"] == first.headers["x-ratelimit-used"]
        wim.post("/issues", json={"title": "new"}).raise_for_status()
        assert wim.get("/issues", headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_pages_are_linked(site: StandIn) -> None:
    """The Link header leads through all pages, each row once."""
    with site.user("maria") as maria:
        for title in "abc":
            maria.post("/issues", json={"title": title, "labels": ["paged"]}).raise_for_status()
        page = maria.get("/issues", params={"labels": "paged", "per_page": 2})
        titles = [row["title"] for row in page.json()]
        rest = maria.get(page.links["next"]["url"])
    assert titles + [row["title"] for row in rest.json()] == ["c", "b", "a"]
    assert "next" not in rest.links


def test_the_log_counts_calls(site: StandIn) -> None:
    """For tests that promise how often GitHub is asked."""
    start = site.control("GET", "/requests").json()["total"]
    with site.user("maria") as maria:
        maria.get("/issues/99999")
    entry = site.control("GET", f"/requests?since={start}").json()["requests"]
    assert [(row["method"], row["path"], row["status"]) for row in entry] == [
        ("GET", "/repos/acme/shop/issues/99999", 404)
    ]


def test_the_hour_ends_with_403_and_no_remaining_requests(tmp_path: Path) -> None:
    """The primary limit, told in headers."""
    with stand_in(tmp_path / "gh", "--rate-limit", "2") as site, site.user("maria") as maria:
        answers = [maria.get("/issues") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 403]
    assert answers[2].headers["x-ratelimit-remaining"] == "0"
    assert "API rate limit exceeded" in answers[2].json()["message"]


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    """Keys, tokens, issues, commits and numbers survive SIGTERM; the program ends cleanly."""
    seed = tmp_path / "seed"
    (seed / "services").mkdir(parents=True)
    (seed / "services" / "quote.yaml").write_text("pool_size: 2\n")
    with stand_in(tmp_path / "gh", "--seed", str(seed)) as site, site.installation() as bot:
        first = site.credentials
        issue = bot.post("/issues", json={"title": "kept"}).json()["id"]
        head = bot.get("/commits/main").json()
    assert site.process.returncode == 0
    assert head["files"][0]["filename"] == "services/quote.yaml"
    with stand_in(tmp_path / "gh") as site, site.installation() as bot:
        assert bot.get("/issues/1").json()["id"] == issue
        assert bot.post("/issues", json={"title": "next"}).json()["number"] == 2
        assert bot.get("/commits/main").json()["sha"] == head["sha"]
    same = ("app_id", "private_key", "webhook_secret", "installation_id", "users")
    assert {key: site.credentials[key] for key in same} == {key: first[key] for key in same}
    assert (tmp_path / "gh" / "app.json").stat().st_mode & 0o077 == 0
