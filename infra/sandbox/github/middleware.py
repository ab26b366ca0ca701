"""What surrounds each API request: faults, the rate limit, ETags, GitHub's headers, the log."""

import asyncio
import hashlib
import json
import re
import secrets
import time
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.sandbox.github import clock
from infra.sandbox.github.errors import ApiError
from infra.sandbox.github.faults import Fault
from infra.sandbox.github.limits import RateLimits, RateState, subject_of
from infra.sandbox.github.requestlog import RequestLog
from infra.sandbox.github.site import Site

API = re.compile(
    r"^/(app|apps(?!/[^/]+/installations/)|app-manifests|repos|user|users|orgs|installation|search|rate_limit|graphql|meta)(/|$)"
)
BEFORE = ("500", "401", "403-secondary", "403-primary")
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    "If you reach out to GitHub Support for help, please include the request ID."
)
HTML_502 = b"<html><head><title>502 Bad Gateway</title></head><body>Server Error</body></html>"


@dataclass
class Answer:
    """A whole response, held back so that headers can depend on its body."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    async def collect(self, message: Message) -> None:
        """Takes the place of ASGI's send."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in message["headers"]}
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    @classmethod
    def of(cls, error: ApiError) -> "Answer":
        """The answer that an error is."""
        headers = {"content-type": "application/json; charset=utf-8", **error.headers}
        return cls(error.status, headers, json.dumps(error.body()).encode())


class ApiShell:
    """ASGI middleware around the whole application; only API paths are touched."""

    def __init__(self, app: ASGIApp, site: Site, limits: RateLimits, log: RequestLog, write_lock: asyncio.Lock) -> None:
        self._app = app
        self._site = site
        self._limits = limits
        self._log = log
        self._lock = write_lock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http" or not API.match(scope["path"]):
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        asked = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        subject = subject_of(self._site, asked.get("authorization"))
        state = self._limits.state(subject)
        answer, fault = await self._answer(scope, receive, state, subject)
        _finish(answer, asked, scope, state)
        self._log.add(
            time=clock.now_iso(),
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            status=answer.status,
            subject=subject,
            duration_ms=round((time.monotonic() - began) * 1000, 1),
            fault=fault,
        )
        headers = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(
        self, scope: Scope, receive: Receive, state: RateState, subject: str
    ) -> tuple[Answer, str | None]:
        faults, path, method = self._site.faults, scope["path"], scope["method"]
        slow = faults.take("slow", path, method)
        if slow:
            await asyncio.sleep(slow.seconds)
        for kind in BEFORE:
            fault = faults.take(kind, path, method)
            if fault:
                return _refusal(fault, state, subject), kind
        if state.remaining == 0 and path != "/rate_limit":
            return _exhausted(subject), None
        answer = Answer()
        if method in {"GET", "HEAD"}:
            await self._app(scope, receive, answer.collect)
        else:
            async with self._lock:
                await self._app(scope, receive, answer.collect)
        if faults.take("502-after-write", path, method):
            return Answer(502, {"content-type": "text/html"}, HTML_502), "502-after-write"
        return answer, "slow" if slow else None


def _refusal(fault: Fault, state: RateState, subject: str) -> Answer:
    if fault.kind == "500":
        return Answer.of(ApiError(500, "Server Error"))
    if fault.kind == "401":
        return Answer.of(ApiError(401, "Bad credentials"))
    if fault.kind == "403-primary":
        state.used = state.limit
        return _exhausted(subject)
    return Answer.of(ApiError(403, SECONDARY, headers={"Retry-After": str(int(fault.seconds))}))


def _exhausted(subject: str) -> Answer:
    who = subject.replace("installation", "installation ID").replace("user", "user ID")
    return Answer.of(ApiError(403, f"API rate limit exceeded for {who}."))


def _finish(answer: Answer, asked: dict[str, str], scope: Scope, state: RateState) -> None:
    """Adds GitHub's headers, and answers 304 to a client that has the body already."""
    headers = answer.headers
    headers["X-GitHub-Request-Id"] = ":".join(secrets.token_hex(2).upper() for _ in range(5))
    headers["X-GitHub-Media-Type"] = "github.v3; format=json"
    unchanged = False
    if scope["method"] == "GET" and answer.status == 200:  # noqa: PLR2004 - HTTP's OK
        vary = asked.get("authorization", "") + asked.get("accept", "")
        digest = hashlib.sha256(vary.encode() + answer.body).hexdigest()
        headers["ETag"] = f'W/"{digest}"'
        headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
        headers["Vary"] = "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With"
        known = {tag.strip().removeprefix("W/") for tag in asked.get("if-none-match", "").split(",")}
        unchanged = f'"{digest}"' in known
    if unchanged:
        answer.status, answer.body = 304, b""
        headers.pop("content-type", None)
    elif scope["path"] != "/rate_limit":
        state.used = min(state.limit, state.used + 1)
    headers.update(state.headers())
    if not unchanged and answer.status != 204:  # noqa: PLR2004 - HTTP's No Content
        headers["content-length"] = str(len(answer.body))
    else:
        headers.pop("content-length", None)
