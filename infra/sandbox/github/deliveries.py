"""Sending webhooks and keeping their log, as the Apps' delivery pages show it."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import structlog

from infra.sandbox.github import clock
from infra.sandbox.github.faults import FaultBox
from infra.sandbox.github.records.accounts import App
from infra.sandbox.github.records.delivery import Delivery
from infra.sandbox.github.store import Store

log = structlog.get_logger(__name__)

TIMEOUT_S = 10.0
KEPT = timedelta(days=3)
KEPT_BODY_CHARS = 10_000


@dataclass(frozen=True)
class Outgoing:
    """A webhook on its way."""

    guid: str
    app_id: int
    event: str
    action: str | None
    body: str
    installation_id: int | None
    repository_id: int | None
    redelivery: bool = False


def signatures(secret: str, body: bytes) -> dict[str, str]:
    """Both signature headers over the raw body."""
    return {
        "X-Hub-Signature": "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest(),
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


def headers(app: App, hook: Outgoing, body: bytes) -> dict[str, str]:
    """The headers of a delivery, in GitHub's spelling."""
    form = app.hook.content_type == "form"
    return {
        "Accept": "*/*",
        "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
        "User-Agent": f"GitHub-Hookshot/{hook.guid[:7]}",
        "X-GitHub-Delivery": hook.guid,
        "X-GitHub-Event": hook.event,
        "X-GitHub-Hook-ID": str(app.hook.id),
        "X-GitHub-Hook-Installation-Target-ID": str(app.id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
        **(signatures(app.hook.secret, body) if app.hook.secret else {}),
    }


class Dispatcher:
    """Sends webhooks one after the other, in the order of the events, apart from the requests that caused them."""

    def __init__(self, store: Store, faults: FaultBox) -> None:
        self._store = store
        self._faults = faults
        self._queue: asyncio.Queue[Outgoing] = asyncio.Queue()
        self._held: list[Outgoing] = []
        self._task: asyncio.Task[None] | None = None
        self._client: httpx.AsyncClient | None = None

    async def start(self) -> None:
        """Begins to send."""
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stops sending; what still waits is lost, as a crash of the sender would lose it."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._client is not None:
            await self._client.aclose()

    async def settle(self) -> None:
        """Waits until everything queued has been tried."""
        await self._queue.join()

    def post(self, hook: Outgoing) -> None:
        """Queues a webhook."""
        self._queue.put_nowait(hook)

    def redeliver(self, delivery: Delivery) -> None:
        """Queues the same body again under the same GUID."""
        self.post(
            Outgoing(
                guid=delivery.guid,
                app_id=delivery.app_id,
                event=delivery.event,
                action=delivery.action,
                body=delivery.request_body,
                installation_id=delivery.installation_id,
                repository_id=delivery.repository_id,
                redelivery=True,
            )
        )

    async def _run(self) -> None:
        while True:
            hook = await self._queue.get()
            try:
                await self._dispatch(hook)
            finally:
                self._queue.task_done()

    async def _dispatch(self, hook: Outgoing) -> None:
        name = f"{hook.event}.{hook.action}" if hook.action else hook.event
        if self._faults.take("reorder-webhook", name):
            self._held.append(hook)
            return
        if self._faults.take("drop-webhook", name):
            self._record(hook, {}, 0.0, 502, "failed to connect to host", {}, "")
        else:
            await self._send(hook)
            if self._faults.take("duplicate-webhook", name):
                await self._send(hook)
        held, self._held = self._held, []
        for late in held:
            await self._send(late)

    async def _send(self, hook: Outgoing) -> None:
        app = self._store.apps.find(hook.app_id)
        if app is None or not app.hook.url or self._client is None:
            return
        body = hook.body.encode()
        if app.hook.content_type == "form":
            body = urlencode({"payload": hook.body}).encode()
        sent = headers(app, hook, body)
        began = time.monotonic()
        code, status, answer = 502, "failed to connect to host", None
        try:
            answer = await self._client.post(app.hook.url, content=body, headers=sent)
        except httpx.TimeoutException:
            code, status = 504, "timed out"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.info("webhook_delivery_failed", event_name=hook.event, reason=str(error))
        duration_s = round(time.monotonic() - began, 2)
        if answer is None:
            self._record(hook, sent, duration_s, code, status, {}, "")
            return
        status = "OK" if answer.is_success else f"Invalid HTTP Response: {answer.status_code}"
        text = answer.text[:KEPT_BODY_CHARS]
        self._record(hook, sent, duration_s, answer.status_code, status, dict(answer.headers), text)

    def _record(
        self,
        hook: Outgoing,
        sent: dict[str, str],
        duration_s: float,
        code: int,
        status: str,
        answer_headers: dict[str, str],
        answer: str,
    ) -> None:
        app = self._store.apps.find(hook.app_id)
        if app is None:
            return
        oldest = clock.iso(clock.now() - KEPT)
        for old in self._store.deliveries.where(lambda row: row.delivered_at < oldest):
            self._store.deliveries.delete(old.id)
        delivery = Delivery(
            id=self._store.next_id(),
            guid=hook.guid,
            app_id=hook.app_id,
            delivered_at=clock.now_iso(),
            redelivery=hook.redelivery,
            duration_s=duration_s,
            status=status,
            status_code=code,
            event=hook.event,
            action=hook.action,
            installation_id=hook.installation_id,
            repository_id=hook.repository_id,
            url=app.hook.url or "",
            request_headers=sent or headers(app, hook, hook.body.encode()),
            request_body=hook.body,
            response_headers=answer_headers,
            response_body=answer,
        )
        self._store.deliveries.put(delivery)


def outgoing(
    app: App, event: str, payload: dict[str, Any], installation_id: int | None, repository_id: int | None
) -> Outgoing:
    """A new webhook with a GUID of its own; the payload is fixed at this moment."""
    return Outgoing(
        guid=str(uuid.uuid4()),
        app_id=app.id,
        event=event,
        action=payload.get("action"),
        body=json.dumps(payload),
        installation_id=installation_id,
        repository_id=repository_id,
    )
