"""Running the stand-in as a process of its own, and catching its webhooks: for tests and demos."""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jwt

from infra.sandbox.github.errors import SandboxError

STOP_S = 10
JWT_LIFE_S = 300


@dataclass(frozen=True)
class StandIn:
    """A running stand-in with its credentials (see `app.json`)."""

    credentials: dict[str, Any]
    process: subprocess.Popen[str]

    @property
    def api_url(self) -> str:
        """Root of the API."""
        return str(self.credentials["api_url"])

    @property
    def repo_url(self) -> str:
        """The repository in the API."""
        return f"{self.api_url}/repos/{self.credentials['owner']}/{self.credentials['repo']}"

    def client(self, authorization: str, **options: Any) -> httpx.Client:
        """A client of the repository's API with this Authorization header."""
        headers = {"Authorization": authorization, "Accept": "application/vnd.github+json"}
        return httpx.Client(base_url=self.repo_url, headers=headers, trust_env=False, timeout=30, **options)

    def user(self, login: str, **options: Any) -> httpx.Client:
        """A client that acts as a seeded user."""
        return self.client(f"token {self.credentials['users'][login]}", **options)

    def app_jwt(self, **claims: Any) -> str:
        """A JWT of the App; claims may be replaced to make a bad one."""
        now = int(time.time())
        base = {"iat": now - 30, "exp": now + JWT_LIFE_S, "iss": str(self.credentials["app_id"])}
        return jwt.encode({**base, **claims}, self.credentials["private_key"], algorithm="RS256")

    def app(self, **options: Any) -> httpx.Client:
        """A client that acts as the App itself."""
        return self.client(f"Bearer {self.app_jwt()}", **options)

    def installation_token(self, **narrowed: Any) -> str:
        """A fresh installation token, narrowed as asked."""
        url = f"{self.api_url}/app/installations/{self.credentials['installation_id']}/access_tokens"
        with self.app() as client:
            answer = client.post(url, json=narrowed).raise_for_status()
        return str(answer.json()["token"])

    def installation(self, **options: Any) -> httpx.Client:
        """A client that acts as the App's installation, so as its bot."""
        return self.client(f"token {self.installation_token()}", **options)

    def control(self, method: str, path: str, body: object | None = None) -> httpx.Response:
        """One call of the control API, for example `control("POST", "/faults", {"kind": "500"})`."""
        with httpx.Client(base_url=f"{self.api_url}/_sandbox", trust_env=False, timeout=30) as client:
            return client.request(method, path, json=body).raise_for_status()

    def settle(self) -> None:
        """Waits until every webhook queued so far was tried."""
        self.control("POST", "/settle")


@contextlib.contextmanager
def stand_in(data: Path, *arguments: str) -> Generator[StandIn]:
    """A stand-in over the folder, on a free port; it is stopped by SIGTERM at the end."""
    command = [sys.executable, "-m", "infra.sandbox.github", "--data", str(data), "--port", "0", *arguments]
    # S603: the command is this interpreter running a module of ours.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.startswith("ready "):
                raise SandboxError(f"the stand-in did not start: {line!r}")
            yield StandIn(json.loads((data / "app.json").read_text()), process)
        finally:
            process.terminate()
            process.wait(STOP_S)


@dataclass(frozen=True)
class Caught:
    """A webhook as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def name(self) -> str:
        """The event and its action: `issues.opened`, `push`."""
        action = self.payload.get("action")
        event = self.headers["x-github-event"]
        return f"{event}.{action}" if action else event

    @property
    def payload(self) -> dict[str, Any]:
        """The decoded body."""
        payload: dict[str, Any] = json.loads(self.body)
        return payload


@dataclass
class WebhookSink:
    """A receiver of webhooks that remembers them; `status` is what it answers."""

    url: str = ""
    status: int = 202
    caught: list[Caught] = field(default_factory=list[Caught])

    def names(self) -> list[str]:
        """What was caught, in order."""
        return [hook.name for hook in self.caught]


@contextlib.contextmanager
def webhook_sink() -> Generator[WebhookSink]:
    """A sink on a free port."""
    sink = WebhookSink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sink.caught.append(Caught({key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(sink.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink.url = f"http://127.0.0.1:{server.server_address[1]}/webhook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
