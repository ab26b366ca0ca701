"""The pages for people, and the manifest flow."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from infra.sandbox.github.testing import StandIn, WebhookSink, stand_in, webhook_sink


@pytest.fixture(scope="module")
def sink() -> Iterator[WebhookSink]:
    """Where the webhooks go."""
    with webhook_sink() as running:
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sink: WebhookSink) -> Iterator[StandIn]:
    """One stand-in for all."""
    with stand_in(tmp_path_factory.mktemp("gh"), "--webhook-url", sink.url) as running:
        yield running


@pytest.fixture
def browser(site: StandIn) -> Iterator[httpx.Client]:
    """A client that behaves like a person's browser."""
    headers = {"Accept": "text/html", "Origin": site.api_url}
    with httpx.Client(base_url=site.api_url, headers=headers, trust_env=False) as client:
        yield client


def test_a_comment_typed_on_the_page_is_told_like_one_of_the_api(
    site: StandIn, sink: WebhookSink, browser: httpx.Client
) -> None:
    """The chosen user is the sender; the page then shows the comment, with markup made harmless."""
    with site.installation() as bot:
        number = bot.post("/issues", json={"title": "pool <b>dry</b>", "body": "<!-- hidden -->why"}).json()["number"]
    form = {"login": "maria", "body": "/approve\r\n<script>alert(1)</script>"}
    answer = browser.post(f"/acme/shop/issues/{number}/comments", data=form)
    assert answer.status_code == 303
    site.settle()
    hook = sink.caught[-1]
    assert (hook.name, hook.payload["sender"]["login"]) == ("issue_comment.created", "maria")
    assert hook.payload["comment"]["body"].startswith("/approve\n")
    page = browser.get(f"/acme/shop/issues/{number}").text
    assert "/approve" in page
    assert "<script>alert" not in page
    assert "hidden" not in page.split('<form id="end"')[0]
    assert "pool &lt;b&gt;dry" in page


def test_rights_hold_on_the_page_too(site: StandIn, browser: httpx.Client) -> None:
    """A reader cannot close; a writer can."""
    with site.user("maria") as maria:
        at = f"/acme/shop/issues/{maria.post('/issues', json={'title': 'x'}).json()['number']}/state"
    refused = browser.post(at, data={"login": "eve", "state": "closed"})
    assert refused.status_code == 403
    assert "Must have admin rights" in refused.text
    assert browser.post(at, data={"login": "wim", "state": "closed"}).status_code == 303
    assert browser.post(at, data={"login": "sre-space-sandbox[bot]", "state": "open"}).status_code == 422


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}],
)
def test_forms_of_other_sites_are_refused(site: StandIn, browser: httpx.Client, headers: dict[str, str]) -> None:
    """CSRF and DNS rebinding stop at 403."""
    form = {"login": "otto", "title": "forged"}
    assert browser.post("/acme/shop/issues", data=form, headers=headers).status_code == 403
    with site.user("maria") as maria:
        assert "forged" not in [row["title"] for row in maria.get("/issues").json()]


def test_the_control_api_is_closed_to_pages(site: StandIn) -> None:
    """A script of another site cannot order faults."""
    answer = httpx.post(
        f"{site.api_url}/_sandbox/faults",
        json={"kind": "500"},
        headers={"Origin": "http://evil.example"},
        trust_env=False,
    )
    assert answer.status_code == 403


def test_a_pull_requests_page_shows_its_difference_and_merges_it(site: StandIn, browser: httpx.Client) -> None:
    """Diff, check and merge state are there; the button merges the head that was shown."""
    with site.installation() as bot:
        main = bot.get("/git/ref/heads/main").json()["object"]["sha"]
        bot.post("/git/refs", json={"ref": "refs/heads/fix", "sha": main})
        change = {"message": "Raise", "content": "cG9vbDogNAo=", "branch": "fix"}
        head = bot.put("/contents/conf.yaml", json=change).json()["commit"]["sha"]
        number = bot.post("/pulls", json={"title": "Raise", "head": "fix", "base": "main"}).json()["number"]
        run = {"name": "sre-space", "head_sha": head, "conclusion": "success"}
        bot.post("/check-runs", json=run).raise_for_status()
        page = browser.get(f"/acme/shop/pull/{number}").text
        for part in ("+pool: 4", "sre-space</a>: success", "Merge state: <strong>clean", f'value="{head}"'):
            assert part in page
        review = {"login": "wim", "event": "APPROVE", "body": ""}
        assert browser.post(f"/acme/shop/pull/{number}/reviews", data=review).status_code == 303
        stale = browser.post(f"/acme/shop/pull/{number}/merge", data={"login": "wim", "sha": main})
        assert stale.status_code == 409
        merged = browser.post(f"/acme/shop/pull/{number}/merge", data={"login": "wim", "sha": head})
        assert merged.status_code == 303
        assert bot.get(f"/pulls/{number}").json()["merged_by"]["login"] == "wim"
    assert "Merged as" in browser.get(f"/acme/shop/pull/{number}").text


def test_every_address_that_the_api_gives_out_leads_to_a_page(site: StandIn, browser: httpx.Client) -> None:
    """`html_url` of issues, pull requests, commits, files and check runs."""
    with site.installation() as bot:
        main = bot.get("/commits/main").json()
        issue = bot.post("/issues", json={"title": "x"}).json()
        run = bot.post("/check-runs", json={"name": "a", "head_sha": main["sha"]}).json()
        links = [site.credentials["html_url"] + "/acme/shop", main["html_url"], issue["html_url"], run["html_url"]]
        links += [row["html_url"] for row in bot.get("/contents").json()]
        links += [bot.get(f"/compare/{main['sha']}...main").json()["html_url"]]
    assert {link: browser.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_an_app_is_made_from_a_manifest_once_and_works(site: StandIn, browser: httpx.Client) -> None:
    """Confirm, exchange the code, install, and act with the new key."""
    manifest = {
        "name": "My SRE",
        "url": "http://127.0.0.1:1/",
        "redirect_url": "http://127.0.0.1:1/back?x=1",
        "hook_attributes": {"url": "http://127.0.0.1:1/hook"},
        "default_permissions": {"issues": "write"},
        "default_events": ["issues"],
    }
    form = {"manifest": json.dumps(manifest)}
    foreign = {"Origin": "http://127.0.0.1:1"}
    page = browser.post("/organizations/acme/settings/apps/new?state=s1", data=form, headers=foreign)
    assert "Create a GitHub App" in page.text
    assert browser.post("/settings/apps", data=form, headers={"Origin": "http://evil"}).status_code == 403
    back = browser.post("/settings/apps", data={**form, "state": "s1"}).headers["location"]
    query = parse_qs(urlsplit(back).query)
    assert (query["x"], query["state"]) == (["1"], ["s1"])
    url = f"{site.api_url}/app-manifests/{query['code'][0]}/conversions"
    app = httpx.post(url, trust_env=False).json()
    assert httpx.post(url, trust_env=False).status_code == 404
    assert app["permissions"] == {"metadata": "read", "issues": "write"}
    assert browser.post("/apps/my-sre/installations/new", data={"login": "wim"}).status_code == 403
    assert browser.post("/apps/my-sre/installations/new", data={"login": "otto"}).status_code == 303
    claims = jwt.decode(site.app_jwt(), options={"verify_signature": False})
    token = jwt.encode({**claims, "iss": app["client_id"]}, app["pem"], algorithm="RS256")
    with site.client(f"Bearer {token}") as client:
        found = client.get(f"{site.repo_url}/installation").json()
    assert found["app_slug"] == "my-sre"
