"""The stand-in as a process: a fix from its branch to its merge, and the webhooks that tell of it."""

import base64
import hashlib
import hmac
from collections.abc import Iterator

import httpx
import pytest

from infra.sandbox.github.testing import StandIn, WebhookSink, stand_in, webhook_sink


@pytest.fixture
def sink() -> Iterator[WebhookSink]:
    """Where the webhooks go."""
    with webhook_sink() as running:
        yield running


@pytest.fixture
def site(tmp_path, sink: WebhookSink) -> Iterator[StandIn]:
    """A fresh stand-in."""
    with stand_in(tmp_path / "gh", "--webhook-url", sink.url) as running:
        yield running


def commit(bot: httpx.Client, branch: str, path: str, text: str) -> str:
    """A commit on a branch (made from main when it is new) through the git data API."""
    main = bot.get("/git/ref/heads/main").json()["object"]["sha"]
    found = bot.get(f"/git/ref/heads/{branch}")
    tip = found.json()["object"]["sha"] if found.is_success else main
    base = bot.get(f"/git/commits/{tip}").json()["tree"]["sha"]
    item = {"path": path, "mode": "100644", "type": "blob", "content": text}
    tree = bot.post("/git/trees", json={"base_tree": base, "tree": [item]}).json()["sha"]
    new = {"message": f"Change {path}", "tree": tree, "parents": [tip]}
    sha = bot.post("/git/commits", json=new).raise_for_status().json()["sha"]
    if found.is_success:
        bot.patch(f"/git/refs/heads/{branch}", json={"sha": sha}).raise_for_status()
    else:
        bot.post("/git/refs", json={"ref": f"refs/heads/{branch}", "sha": sha}).raise_for_status()
    return sha


def open_pull(bot: httpx.Client, branch: str, body: str = "") -> int:
    """A pull request into main."""
    order = {"title": f"Merge {branch}", "head": branch, "base": "main", "body": body}
    return int(bot.post("/pulls", json=order).raise_for_status().json()["number"])


def test_a_fix_is_merged_only_with_the_head_that_was_approved(site: StandIn, sink: WebhookSink) -> None:
    """The whole way of a fix: signed commit, pull request, a push in between, 409, merge, closed issue."""
    with site.installation() as bot, site.user("maria") as maria:
        issue = bot.post("/issues", json={"title": "pool", "labels": ["incident"]}).json()["number"]
        approved = commit(bot, "sre-space/1/a", "conf.yaml", "pool: 4\n")
        verification = bot.get(f"/commits/{approved}").json()["commit"]["verification"]
        assert (verification["verified"], verification["reason"]) == (True, "valid")
        assert bot.get(f"/commits/{approved}").json()["author"]["login"] == "sre-space-sandbox[bot]"
        number = open_pull(bot, "sre-space/1/a", f"Fixes #{issue}")
        pull = bot.get(f"/pulls/{number}").json()
        assert (pull["mergeable"], pull["mergeable_state"], pull["changed_files"]) == (True, "clean", 1)

        text = base64.b64encode(b"pool: 99\n").decode()
        old = maria.get("/contents/conf.yaml", params={"ref": "sre-space/1/a"}).json()["sha"]
        change = {"message": "More", "content": text, "sha": old, "branch": "sre-space/1/a"}
        pushed = maria.put("/contents/conf.yaml", json=change).json()["commit"]
        assert pushed["verification"]["reason"] == "unsigned"

        refused = bot.put(f"/pulls/{number}/merge", json={"sha": approved})
        assert refused.status_code == 409
        assert refused.json()["message"] == "Head branch was modified. Review and try the merge again."
        assert bot.get("/git/ref/heads/main").json()["object"]["sha"] == pull["base"]["sha"]

        merged = bot.put(f"/pulls/{number}/merge", json={"sha": pushed["sha"]}).json()
        assert bot.get("/git/ref/heads/main").json()["object"]["sha"] == merged["sha"]
        assert base64.b64decode(bot.get("/contents/conf.yaml").json()["content"]) == b"pool: 99\n"
        again = bot.put(f"/pulls/{number}/merge", json={})
        assert (again.status_code, again.json()["message"]) == (405, "Pull Request is not mergeable")
        closed = bot.get(f"/issues/{issue}").json()
        assert (closed["state"], closed["state_reason"]) == ("closed", "completed")
        assert [row["number"] for row in bot.get(f"/commits/{approved}/pulls").json()] == [number]
    site.settle()
    expected = ["issues.opened", "issues.labeled", "push", "pull_request.opened", "push"]
    expected += ["pull_request.synchronize", "pull_request.closed", "issues.closed", "push"]
    assert [name for name in sink.names() if name not in {"ping", "installation.created"}] == expected
    synchronized = next(hook.payload for hook in sink.caught if hook.name == "pull_request.synchronize")
    assert (synchronized["before"], synchronized["after"]) == (approved, pushed["sha"])
    assert synchronized["sender"]["login"] == "maria"


def test_a_webhook_is_signed_and_can_be_delivered_again(site: StandIn, sink: WebhookSink) -> None:
    """The signature is over the raw bytes; a failed delivery is logged, and redelivered with its GUID."""
    sink.status = 503
    with site.user("maria") as maria:
        maria.post("/issues", json={"title": "slow"}).raise_for_status()
    site.settle()
    hook = sink.caught[-1]
    secret = site.credentials["webhook_secret"].encode()
    digest = hmac.new(secret, hook.body, hashlib.sha256).hexdigest()
    assert hook.headers["x-hub-signature-256"] == f"sha256={digest}"
    assert hook.payload["installation"]["id"] == site.credentials["installation_id"]
    assert hook.headers["x-github-hook-installation-target-id"] == str(site.credentials["app_id"])
    assert hook.headers["user-agent"].startswith("GitHub-Hookshot/")
    with site.app() as app:
        log = f"{site.api_url}/app/hook/deliveries"
        failed = app.get(log, params={"status": "failure"}).json()[0]
        assert (failed["guid"], failed["status_code"]) == (hook.headers["x-github-delivery"], 503)
        assert app.get(f"{log}/{failed['id']}").json()["request"]["payload"] == hook.payload
        sink.status = 202
        assert app.post(f"{log}/{failed['id']}/attempts").status_code == 202
        site.settle()
        newest = app.get(log).json()[0]
    assert (newest["guid"], newest["redelivery"], newest["status"]) == (failed["guid"], True, "OK")
    assert sink.caught[-1].body == hook.body


def test_protection_refuses_a_merge_until_reviews_and_checks_are_there(site: StandIn) -> None:
    """405 names what is missing; an approval of the pull request's author does not exist."""
    with site.installation() as bot, site.user("wim") as wim, site.user("rita") as rita:
        head = commit(bot, "fix", "a.txt", "a\n")
        number = open_pull(bot, "fix")
        site.control("POST", "/protection", {"branch": "main", "required_approvals": 1, "required_checks": ["ci"]})
        refused = bot.put(f"/pulls/{number}/merge", json={"sha": head})
        assert refused.status_code == 405
        assert "At least 1 approving review is required" in refused.json()["message"]
        assert 'Required status check "ci" is expected.' in refused.json()["message"]
        assert bot.post(f"/pulls/{number}/reviews", json={"event": "APPROVE"}).status_code == 422
        rita.post(f"/pulls/{number}/reviews", json={"event": "APPROVE"}).raise_for_status()
        assert bot.get(f"/pulls/{number}").json()["mergeable_state"] == "blocked"
        wim.post(f"/pulls/{number}/reviews", json={"event": "APPROVE"}).raise_for_status()
        wim.post(f"/statuses/{head}", json={"state": "success", "context": "ci"}).raise_for_status()
        assert bot.put(f"/pulls/{number}/merge", json={"sha": head}).status_code == 200


def test_auto_merge_waits_for_what_is_missing(site: StandIn) -> None:
    """The order is refused while nothing is missing, and carried out by the last review."""
    with site.installation() as bot, site.user("wim") as wim:
        commit(bot, "fix", "a.txt", "a\n")
        number = open_pull(bot, "fix")
        node = bot.get(f"/pulls/{number}").json()["node_id"]
        query = "mutation($p: ID!) { enablePullRequestAutoMerge(input: {pullRequestId: $p}) { clientMutationId } }"
        order = {"query": query, "variables": {"p": node}}
        assert "clean status" in bot.post(f"{site.api_url}/graphql", json=order).json()["errors"][0]["message"]
        site.control("POST", "/protection", {"branch": "main", "required_approvals": 1})
        assert "errors" not in bot.post(f"{site.api_url}/graphql", json=order).json()
        assert bot.get(f"/pulls/{number}").json()["auto_merge"]["merge_method"] == "merge"
        wim.post(f"/pulls/{number}/reviews", json={"event": "APPROVE"}).raise_for_status()
        assert bot.get(f"/pulls/{number}").json()["merged"] is True


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_each_method_leaves_the_history_it_promises(site: StandIn, method: str) -> None:
    """Two parents, one commit, or all commits on top; always with both changes in the tree."""
    with site.installation() as bot, site.user("maria") as maria:
        commit(bot, "fix", "a.txt", "a\n")
        head = commit(bot, "fix", "b.txt", "b\n")
        maria.put("/contents/c.txt", json={"message": "c", "content": "Yw=="}).raise_for_status()
        base = bot.get("/git/ref/heads/main").json()["object"]["sha"]
        number = open_pull(bot, "fix")
        merged = bot.put(f"/pulls/{number}/merge", json={"sha": head, "merge_method": method}).json()["sha"]
        added = bot.get(f"/compare/{base}...main").json()
        parents = [row["sha"] for row in bot.get(f"/commits/{merged}").json()["parents"]]
        names = {row["path"] for row in bot.get(f"/git/trees/{merged}").json()["tree"]}
    assert {"a.txt", "b.txt", "c.txt"} <= names
    assert added["ahead_by"] == {"merge": 3, "squash": 1, "rebase": 2}[method]
    assert parents == {"merge": [base, head], "squash": [base]}.get(method, parents[:1])


def test_conflicting_and_repeated_pull_requests_are_refused_in_githubs_words(site: StandIn) -> None:
    """The texts are what a bot must understand."""
    with site.installation() as bot, site.user("maria") as maria:
        commit(bot, "fix", "a.txt", "mine\n")
        maria.put("/contents/a.txt", json={"message": "a", "content": "dGhlaXJzCg=="}).raise_for_status()
        number = open_pull(bot, "fix")
        pull = bot.get(f"/pulls/{number}").json()
        assert (pull["mergeable"], pull["mergeable_state"]) == (False, "dirty")
        assert bot.put(f"/pulls/{number}/merge", json={}).status_code == 405
        order = {"title": "x", "head": "fix", "base": "main"}
        twice = bot.post("/pulls", json=order)
        bot.post("/git/refs", json={"ref": "refs/heads/same", "sha": pull["base"]["sha"]}).raise_for_status()
        empty = bot.post("/pulls", json={**order, "head": "same"})
    assert twice.json()["errors"][0]["message"] == "A pull request already exists for acme:fix."
    assert empty.json()["errors"][0]["message"] == "No commits between main and same"
    assert (twice.status_code, empty.status_code) == (422, 422)
