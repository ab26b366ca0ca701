"""A GitHub of canned answers behind the real adapter: what is sent is recorded, nothing leaves the process."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from agents.incident import RepoRef
from bot.adapters.github import GitHubForge
from bot.adapters.github.app import AppAccount
from bot.adapters.github.auth import AppIdentity
from bot.adapters.github.client import Client, github
from bot.adapters.github.transport import Transport

REPO = RepoRef(id=1, owner="acme", name="shop", installation_id=7)
ROOT = "/api/v3/repos/acme/shop"
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@cache
def private_key() -> SecretStr:
    """Return a key made for this test run."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return SecretStr(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode())


def reply(body: object, status: int = 200, **headers: str) -> httpx.Response:
    """Return an answer in JSON; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=named)


class Wire:
    """Answers by method and path, in order; the last answer of a path stays. Tokens are always given."""

    def __init__(self, **answers: list[Answer]) -> None:
        self.sent: list[httpx.Request] = []
        self.slept: list[float] = []
        self.answers: dict[str, list[Answer]] = dict(answers)
        self.tokens = 0
        transport = Transport(httpx.MockTransport(self._answer))
        kit = github("https://ghe.example/api/v3", transport, 5)
        client = Client(kit, AppIdentity(12, private_key()), sleep=self._sleep)
        self.forge = GitHubForge(client, transport, AppAccount(client, 12))

    def on(self, method: str, path: str, *answers: Answer) -> "Wire":
        """Answer `method` on `path` (below the repository, or absolute) with these, in order."""
        self.answers[f"{method} {path if path.startswith('/api') else ROOT + path}"] = list(answers)
        return self

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/access_tokens"):
            self.tokens += 1
            expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
            return reply({"token": f"token-{self.tokens}", "expires_at": expires}, 201)
        self.sent.append(request)
        queue = self.answers.get(f"{request.method} {request.url.path}")
        if not queue:
            return reply({"message": "Not Found"}, 404)
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    def paths(self) -> list[str]:
        """Return what was asked for, in order."""
        return [f"{request.method} {request.url.path.removeprefix(ROOT)}" for request in self.sent]

    def body(self, number: int = -1) -> Any:
        """Return the JSON that was sent."""
        return json.loads(self.sent[number].content)


ISSUE = {"number": 4, "title": "t", "body": None, "state": "open", "user": None, "html_url": "https://ghe.example/4"}
COMMENT = {
    "id": 5,
    "body": "b",
    "user": None,
    "created_at": "2026-03-02T09:00:00Z",
    "updated_at": "2026-03-02T09:00:00Z",
}
