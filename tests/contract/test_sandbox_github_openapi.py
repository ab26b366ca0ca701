"""The stand-in against GitHub's published OpenAPI description: requests, responses and webhooks."""

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

from infra.sandbox.github.middleware import API
from infra.sandbox.github.server import ROUTERS
from infra.sandbox.github.testing import stand_in, webhook_sink
from tests.contract.sandbox_github_walk import walk
from tests.requirements import need, path_setting

DESCRIPTION = path_setting("SRE_SPACE_GITHUB_OPENAPI", "node_modules/@octokit/openapi/generated/api.github.com.json")
Json = dict[str, Any]
WEBHOOKS = {
    *("ping", "installation.created", "push", "check_run.created", "check_run.completed"),
    *(f"issues.{action}" for action in ("opened", "edited", "closed", "reopened", "labeled", "unlabeled")),
    *(f"issue_comment.{action}" for action in ("created", "edited", "deleted")),
    *(f"pull_request.{action}" for action in ("opened", "edited", "synchronize", "closed", "reopened")),
    *("pull_request.labeled", "pull_request.unlabeled", "pull_request.review_requested"),
    *("pull_request_review.submitted", "pull_request_review.dismissed"),
}
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
    assert {name for name, _ in recorded[1]} >= WEBHOOKS
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
        if isinstance(route, APIRoute) and API.match(route.path) and route.path != "/graphql"
        for method in route.methods
        if not any(called == method and route.path_regex.match(path) for called, path in calls)
    ]
    assert not missed
