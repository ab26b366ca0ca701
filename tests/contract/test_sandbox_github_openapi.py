"""The stand-in against GitHub's published OpenAPI description: requests, responses and webhooks."""

import base64
import functools
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from infra.sandbox.github.server import ROUTERS
from infra.sandbox.github.testing import StandIn, stand_in, webhook_sink
from tests.requirements import need, path_setting

DESCRIPTION = path_setting("SRE_SPACE_GITHUB_OPENAPI", "node_modules/@octokit/openapi/generated/api.github.com.json")
Json = dict[str, Any]
FORMATS = FormatChecker(())
FORMATS.checks("date-time", ValueError)(
    lambda text: bool(datetime.fromisoformat(text)) if isinstance(text, str) else True
)


def json_schema(node: Any) -> Any:
    """The node with OpenAPI 3.0's `nullable` said in JSON Schema's words.

    `oneOf` becomes `anyOf`, since GitHub's alternatives overlap; and so does the one `allOf` that asks an
    account to be a user and an enterprise at once (installations in a list).
    """
    if isinstance(node, list):
        return [json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: json_schema(value) for key, value in node.items() if key not in {"nullable", "example"}}
    titles = {item.get("title") for item in node.get("allOf", []) if isinstance(item, dict)}
    either = {"oneOf", "allOf"} if titles == {"Simple User", "Enterprise"} else {"oneOf"}
    changed = {("anyOf" if key in either else key): value for key, value in kept.items()}
    return {"anyOf": [changed, {"type": "null"}]} if node.get("nullable") is True else changed


class Description:
    """GitHub's description with a validator for each schema."""

    def __init__(self, path: Path) -> None:
        raw = json.loads(path.read_text())
        self.paths: Json = raw["paths"]
        self.webhooks: Json = raw["x-webhooks"]
        self.raw = raw
        schemas = {"components": {"schemas": json_schema(raw["components"]["schemas"])}}
        resource = Resource.from_contents(schemas, default_specification=DRAFT202012)
        self.registry = Registry().with_resource("urn:github", resource)
        patterns = {self._pattern(template): template for template in self.paths}
        self.patterns = dict(sorted(patterns.items(), key=lambda pair: (pair[1].count("{"), -len(pair[1]))))

    @staticmethod
    def _pattern(template: str) -> re.Pattern[str]:
        wide = {"path", "ref", "basehead", "branch", "tree_sha"}
        return re.compile(
            re.sub(r"\\{(\w+)\\}", lambda hit: ".*" if hit[1] in wide else "[^/]+", re.escape(template)) + "$"
        )

    def operation(self, method: str, path: str) -> Json | None:
        """The operation that serves a path."""
        for pattern, template in self.patterns.items():
            if pattern.match(path) and method.lower() in self.paths[template]:
                found: Json = self.paths[template][method.lower()]
                return found
        return None

    def resolve(self, node: Json) -> Json:
        """The node itself, or what it refers to."""
        if "$ref" not in node:
            return node
        steps = node["$ref"].removeprefix("#/").split("/")
        found: Json = functools.reduce(lambda place, step: place[step], steps, self.raw)
        return found

    def problems(self, schema: Json, value: object) -> list[str]:
        """What is wrong with a value, one sentence each."""
        text = json.dumps(json_schema(schema)).replace('"#/components', '"urn:github#/components')
        validator = Draft202012Validator(json.loads(text), registry=self.registry, format_checker=FORMATS)
        return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


@pytest.fixture(scope="module")
def description() -> Description:
    """GitHub's description, if it is on this machine."""
    need("openapi", DESCRIPTION.exists(), "npm install --no-save @octokit/openapi")
    return Description(DESCRIPTION)


@pytest.fixture(scope="module")
def recorded(
    description: Description, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[list[httpx.Response], list[tuple[str, Json]]]]:
    """Every exchange of a walk through the whole API, and the webhooks that it set off."""
    responses: list[httpx.Response] = []

    def keep(response: httpx.Response) -> None:
        response.read()
        responses.append(response)

    with webhook_sink() as sink, stand_in(tmp_path_factory.mktemp("gh"), "--webhook-url", sink.url) as site:
        walk(site, {"event_hooks": {"response": [keep]}})
        site.settle()
        yield responses, [(hook.name, hook.payload) for hook in sink.caught]


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


def exchange_problems(description: Description, response: httpx.Response) -> list[str]:
    """What is wrong with one exchange."""
    request = response.request
    path = re.sub("/contents$", "/contents/", request.url.path)
    operation = description.operation(request.method, path)
    if operation is None:
        return ["no such operation"]
    problems: list[str] = []
    body = description.resolve(operation.get("requestBody", {})).get("content", {}).get("application/json")
    if body and request.content and response.is_success:
        problems += [f"request {text}" for text in description.problems(body["schema"], json.loads(request.content))]
    declared = operation["responses"].get(str(response.status_code))
    if declared is None:
        if response.is_success:
            return [*problems, "status not described"]
        return problems + description.problems({"$ref": "#/components/schemas/basic-error"}, response.json())
    contents = description.resolve(declared).get("content", {})
    schema = contents.get("application/json") or contents.get("application/vnd.github.object")
    if schema and response.content:
        problems += description.problems(schema["schema"], response.json())
    return problems


def test_every_exchange_is_as_github_describes_it(
    description: Description, recorded: tuple[list[httpx.Response], list[tuple[str, Json]]]
) -> None:
    """Bodies and statuses of all answers, and the bodies that were accepted, fit the description."""
    wrong = {
        f"{response.request.method} {response.request.url.path} {response.status_code}": problems
        for response in recorded[0]
        if (problems := exchange_problems(description, response))
    }
    assert not wrong, json.dumps(wrong, indent=1)[:6000]


def test_every_webhook_is_as_github_describes_it(
    description: Description, recorded: tuple[list[httpx.Response], list[tuple[str, Json]]]
) -> None:
    """The payload of each kind of webhook fits its description."""
    wrong: dict[str, list[str]] = {}
    for name, payload in recorded[1]:
        webhook = description.webhooks[re.sub(r"[._]", "-", name)]["post"]
        schema = webhook["requestBody"]["content"]["application/json"]["schema"]
        problems = description.problems(schema, payload)
        if problems:
            wrong[name] = problems
    assert not wrong, json.dumps(wrong, indent=1)[:6000]


def test_every_route_was_walked(recorded: tuple[list[httpx.Response], list[tuple[str, Json]]]) -> None:
    """No route of the API is left unchecked."""
    calls = {(response.request.method, response.request.url.path) for response in recorded[0]}
    missed = [
        f"{method} {route.path}"
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and not route.path.startswith(("/_sandbox", "/{owner}/{name}.git"))
        for method in route.methods
        if not any(called == method and route.path_regex.match(path) for called, path in calls)
    ]
    assert not missed
