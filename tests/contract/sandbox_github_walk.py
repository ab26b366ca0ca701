"""A walk through the whole API of the GitHub stand-in, whose exchanges are then checked."""

import base64
import json
from typing import Any

import httpx

from infra.sandbox.github.testing import StandIn

Json = dict[str, Any]


def walk(site: StandIn, options: Json) -> None:
    """One call at least of every operation. Length: one list of calls, without decisions."""
    bot, app = site.installation(**options), site.app(**options)
    maria, wim, eve = (site.user(login, **options) for login in ("maria", "wim", "eve"))
    root, installation = site.api_url, site.credentials["installation_id"]
    for path in ("/app", "/app/installations", f"/app/installations/{installation}", "/app/hook/config"):
        app.get(root + path)
    for path in ("/repos/acme/shop/installation", "/orgs/acme/installation", "/users/acme/installation"):
        app.get(root + path)
    narrowed = {"permissions": {"issues": "write"}, "repositories": ["shop"]}
    app.post(f"{root}/app/installations/{installation}/access_tokens", json=narrowed)
    app.post(f"{root}/app/installations/{installation}/access_tokens", json={})
    app.patch(f"{root}/app/hook/config", json={"content_type": "json"})
    for path in ("/apps/sre-space-sandbox", "/users/wim", "/rate_limit", "/installation/repositories", "/meta"):
        bot.get(root + path)
    maria.get(f"{root}/user")
    bot.get(site.repo_url)
    for path in ("/contents", "/collaborators", "/collaborators/wim", "/collaborators/wim/permission", "/assignees"):
        bot.get(path)
    bot.get("/collaborators/eve/permission")
    walk_people(bot, site)
    for call in (walk_issues, walk_git, walk_pulls, walk_checks):
        call(bot, maria, site)
    wim.put("/contents/x.txt", json={"message": "x", "content": "eA=="})
    eve.put("/contents/y.txt", json={"message": "y", "content": "eA=="})
    bot.get(f"{root}/search/issues", params={"q": "repo:acme/shop is:issue state:open latency in:title"})
    bot.get("/issues/9999")
    site.settle()
    deliveries = app.get(f"{root}/app/hook/deliveries", params={"per_page": 3}).json()
    app.get(f"{root}/app/hook/deliveries/{deliveries[0]['id']}")
    app.post(f"{root}/app/hook/deliveries/{deliveries[0]['id']}/attempts")
    bot.delete(f"{root}/installation/token")
    for client in (bot, app, maria, wim, eve):
        client.close()


def walk_people(bot: httpx.Client, site: StandIn) -> None:
    """Members, teams, and an App from a manifest."""
    members = f"{site.api_url}/orgs/acme/members"
    team = f"{site.api_url}/orgs/acme/teams/sre"
    for url in (members, f"{members}/maria", f"{members}/eve", f"{team}/members", f"{team}/memberships/maria"):
        bot.get(url)
    manifest = {"name": "Other", "url": site.api_url, "redirect_url": site.api_url}
    back = httpx.post(f"{site.api_url}/settings/apps", data={"manifest": json.dumps(manifest)}, trust_env=False)
    code = httpx.URL(back.headers["location"]).params["code"]
    bot.post(f"{site.api_url}/app-manifests/{code}/conversions")


def walk_issues(bot: httpx.Client, maria: httpx.Client, _: StandIn) -> None:
    """Issues, labels, comments, reactions."""
    bot.post("/labels", json={"name": "incident", "color": "d73a4a", "description": "Something is broken"})
    bot.get("/labels"), bot.get("/labels/incident")
    issue = {"title": "latency of quote", "body": "**why**", "labels": ["incident"], "assignees": ["wim"]}
    number = bot.post("/issues", json=issue).json()["number"]
    at = f"/issues/{number}"
    bot.post(f"{at}/labels", json={"labels": ["sev2", "gone"]})
    bot.put(f"{at}/labels", json={"labels": ["sev2", "gone", "incident"]})
    bot.delete(f"{at}/labels/gone")
    bot.get(f"{at}/labels")
    comment = maria.post(f"{at}/comments", json={"body": "/status"}).json()["id"]
    bot.post(f"{at}/reactions", json={"content": "rocket"})
    reaction = bot.post(f"/issues/comments/{comment}/reactions", json={"content": "eyes"}).json()["id"]
    bot.post(f"/issues/comments/{comment}/reactions", json={"content": "eyes"})
    bot.get(f"{at}/reactions"), bot.get(f"/issues/comments/{comment}/reactions")
    bot.delete(f"/issues/comments/{comment}/reactions/{reaction}")
    on_issue = maria.post(f"{at}/reactions", json={"content": "+1"}).json()["id"]
    maria.delete(f"{at}/reactions/{on_issue}")
    maria.patch(f"/issues/comments/{comment}", json={"body": "/help"})
    maria.get(f"/issues/comments/{comment}")
    maria.delete(f"/issues/comments/{comment}")
    bot.post(f"{at}/comments", json={"body": "seen"})
    bot.get(f"{at}/comments"), bot.get("/issues/comments")
    bot.post(f"{at}/assignees", json={"assignees": ["maria"]})
    bot.request("DELETE", f"{at}/assignees", json={"assignees": ["maria"]})
    bot.patch(at, json={"title": "latency of pricing", "body": "because"})
    bot.patch(at, json={"state": "closed", "state_reason": "completed"})
    bot.patch(at, json={"state": "open"})
    bot.get(at), bot.get(f"{at}/timeline"), bot.get(f"{at}/events")
    bot.get("/issues", params={"state": "all", "labels": "incident", "per_page": 1})


def walk_git(bot: httpx.Client, maria: httpx.Client, _: StandIn) -> None:
    """Objects, refs, contents, history."""
    main = bot.get("/git/ref/heads/main").json()["object"]["sha"]
    text = base64.b64encode(b"pool_size: 2\n").decode()
    created = maria.put("/contents/conf/app.yaml", json={"message": "Add settings", "content": text}).json()
    old = created["content"]["sha"]
    maria.put("/contents/conf/app.yaml", json={"message": "Again", "content": "Mg==", "sha": old})
    maria.put("/contents/conf/old.txt", json={"message": "Old", "content": "Mg=="})
    gone = maria.get("/contents/conf/old.txt").json()["sha"]
    maria.request("DELETE", "/contents/conf/old.txt", json={"message": "Remove", "sha": gone})
    maria.put("/contents/conf/app.yaml", json={"message": "Stale", "content": "Mg==", "sha": old})
    for path in ("/readme", "/contents/conf/app.yaml", "/contents/conf", "/branches", "/branches/main"):
        bot.get(path)
    tip = bot.get("/git/ref/heads/main").json()["object"]["sha"]
    blob = bot.post("/git/blobs", json={"content": "pool_size: 4\n", "encoding": "utf-8"}).json()["sha"]
    bot.get(f"/git/blobs/{blob}")
    base = bot.get(f"/git/commits/{tip}").json()["tree"]["sha"]
    item = {"path": "conf/app.yaml", "mode": "100644", "type": "blob", "sha": blob}
    tree = bot.post("/git/trees", json={"base_tree": base, "tree": [item]}).json()["sha"]
    bot.get(f"/git/trees/{tree}", params={"recursive": "1"})
    made = bot.post("/git/commits", json={"message": "Raise pool", "tree": tree, "parents": [tip]}).json()
    bot.post("/git/refs", json={"ref": "refs/heads/sre-space/1/a", "sha": tip})
    bot.post("/git/refs", json={"ref": "refs/heads/sre-space/1/a", "sha": tip})
    bot.patch("/git/refs/heads/sre-space/1/a", json={"sha": made["sha"], "force": False})
    bot.patch("/git/refs/heads/sre-space/1/a", json={"sha": main})
    bot.post("/git/refs", json={"ref": "refs/heads/short", "sha": tip})
    bot.delete("/git/refs/heads/short")
    bot.get("/git/matching-refs/heads/sre-space")
    bot.get("/commits", params={"path": "conf/app.yaml", "per_page": 1}), bot.get(f"/commits/{made['sha']}")
    bot.get("/compare/main...sre-space/1/a"), bot.get("/commits/nowhere"), bot.get("/git/ref/heads/nowhere")


def walk_pulls(bot: httpx.Client, maria: httpx.Client, site: StandIn) -> None:
    """Pull requests from opening to merging."""
    order = {"title": "Raise the pool", "head": "sre-space/1/a", "base": "main", "body": "Fixes #1"}
    opened = bot.post("/pulls", json=order).json()
    bot.post("/pulls", json=order), bot.post("/pulls", json={**order, "head": "main"})
    at = f"/pulls/{opened['number']}"
    for path in ("", "/files", "/commits", "/merge", "/reviews", "/requested_reviewers"):
        bot.get(at + path)
    bot.patch(at, json={"title": "Raise the pool to 4"})
    bot.patch(at, json={"state": "closed"}), bot.patch(at, json={"state": "open"})
    bot.post(f"{at}/requested_reviewers", json={"reviewers": ["maria"]})
    bot.post(f"/issues/{opened['number']}/labels", json={"labels": ["fix"]})
    bot.delete(f"/issues/{opened['number']}/labels/fix")
    first = maria.post(f"{at}/reviews", json={"event": "APPROVE"}).json()["id"]
    maria.get(f"{at}/reviews/{first}")
    maria.put(f"{at}/reviews/{first}/dismissals", json={"message": "on second thought"})
    bot.post(f"{at}/reviews", json={"event": "APPROVE"})
    sha = bot.get("/contents/conf/app.yaml", params={"ref": "sre-space/1/a"}).json()["sha"]
    change = {"message": "More", "content": "Mw==", "sha": sha, "branch": "sre-space/1/a"}
    maria.put("/contents/conf/app.yaml", json=change)
    site.control("POST", "/protection", {"branch": "main", "required_approvals": 1, "required_checks": ["ci"]})
    with site.user("otto", event_hooks=bot.event_hooks) as otto:
        otto.get("/branches/main/protection"), otto.get("/branches/main")
    bot.put(f"{at}/merge", json={"sha": opened["head"]["sha"]}), bot.put(f"{at}/merge", json={})
    site.control("DELETE", "/protection/main")
    head = bot.get(at).json()["head"]["sha"]
    bot.put(f"{at}/merge", json={"sha": head, "merge_method": "squash"})
    bot.get(f"/commits/{head}/pulls"), bot.get("/pulls", params={"state": "all", "head": "acme:sre-space/1/a"})
    bot.get(f"/issues/{opened['number']}/timeline"), bot.get(at), bot.get(f"{at}/merge"), bot.get(f"{at}/reviews")


def walk_checks(bot: httpx.Client, maria: httpx.Client, _: StandIn) -> None:
    """Check runs and statuses."""
    main = bot.get("/git/ref/heads/main").json()["object"]["sha"]
    new = {"name": "sre-space", "head_sha": main, "status": "in_progress"}
    run = bot.post("/check-runs", json=new).json()["id"]
    notes = [{"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "unknown"}]
    output = {"title": "Config", "summary": "bad", "annotations": notes}
    bot.patch(f"/check-runs/{run}", json={"status": "completed", "conclusion": "failure", "output": output})
    bot.get(f"/check-runs/{run}"), bot.get(f"/check-runs/{run}/annotations")
    bot.get("/commits/main/check-runs")
    maria.post(f"/statuses/{main}", json={"state": "success", "context": "ci", "description": "fine"})
    bot.get("/commits/main/status"), bot.get("/commits/main/statuses")
    maria.post("/check-runs", json=new)
