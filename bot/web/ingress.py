"""POST /webhooks/github: size, signature, headers, body, then one transaction into the inbox and a wake-up."""

import asyncio
import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from bot.db.errors import DatabaseUnavailableError
from bot.db.rows import Delivery
from bot.observability.observer import Observer
from bot.queue.port import Queue, QueueUnavailableError
from bot.web import payload, signature
from bot.web.problems import RefusedError
from telemetry.errors import DecodeError

log = structlog.get_logger()

PATH: Final = "/webhooks/github"
EVENTS: Final = frozenset({"issues", "issue_comment", "pull_request", "pull_request_review"})
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_EVENT: Final = re.compile(r"[a-z_]{1,64}")
# Above this size, hashing and parsing would keep the event loop from other requests for milliseconds.
_LARGE_BYTES: Final = 256 * 1024


class InboxWriter(Protocol):
    """Where deliveries go."""

    async def put(self, delivery: Delivery) -> int | None:
        """Store a delivery and return its id, None when it is known."""
        ...


@dataclass(frozen=True, slots=True)
class Ingress:
    """What the endpoint needs. `events` are those that are stored; others are answered and dropped."""

    inbox: InboxWriter
    queue: Queue
    secrets: tuple[bytes, ...]
    limit_bytes: int
    events: AbstractSet[str] = EVENTS
    observer: Observer = field(default_factory=Observer)

    def router(self) -> APIRouter:
        """Return the route."""
        router = APIRouter()
        router.add_api_route(PATH, self.receive, methods=["POST"], status_code=202)
        return router

    async def receive(self, request: Request) -> JSONResponse:
        """Take one webhook in.

        Answers 202 once it is stored, or known, or of no interest; 200 to a ping. Whatever happens later is
        the worker's business, so that GitHub, which waits for ten seconds, is never kept waiting.
        """
        with self.observer.webhook() as receipt:
            body = await _read(request, self.limit_bytes)
            await self._check_signature(request, body)
            receipt.event, receipt.guid = event, guid = _headers(request)
            delivery = await _parse(body, event, guid)
            with self.observer.about_delivery(guid):
                receipt.outcome = await self._take(delivery)
        if event == "ping":
            return JSONResponse({"status": "pong", "delivery": guid})
        return _accepted(receipt.outcome, guid)

    async def _take(self, delivery: Delivery) -> str:
        """Return what became of a delivery: pong, ignored, duplicate, or stored."""
        event, guid = delivery.event, delivery.guid
        if event == "ping":
            return "pong"
        if event not in self.events:
            log.info("delivery_ignored", delivery_id=guid, github_event=event)
            return "ignored"
        row_id = await self._store(delivery)
        log.info("delivery_received", delivery_id=guid, github_event=event, duplicate=row_id is None)
        if row_id is None:
            return "duplicate"
        await self._wake(row_id, guid)
        return "stored"

    async def _check_signature(self, request: Request, body: bytes) -> None:
        remedy = "Set the webhook secret of the GitHub App and GITHUB_WEBHOOK_SECRET to the same value."
        given = request.headers.get("x-hub-signature-256")
        if given is None:
            raise RefusedError(401, "The request has no X-Hub-Signature-256 header.", remedy)
        if len(body) > _LARGE_BYTES:
            signed = await asyncio.to_thread(signature.is_signed, body, given, self.secrets)
        else:
            signed = signature.is_signed(body, given, self.secrets)
        if not signed:
            raise RefusedError(401, "The signature does not fit the body.", remedy)

    async def _store(self, delivery: Delivery) -> int | None:
        try:
            return await self.inbox.put(delivery)
        except DatabaseUnavailableError as error:
            log.warning("delivery_not_stored", delivery_id=delivery.guid, reason=str(error))
            remedy = "Send it again later: it was not stored."
            raise RefusedError(503, "The database does not answer.", remedy, retry_after_s=5) from error

    async def _wake(self, row_id: int, guid: str) -> None:
        """Wake the worker. Without a queue the sweeper finds the row a little later: that is no failure."""
        try:
            await self.queue.enqueue("process_delivery", row_id, job_id=f"process_delivery:{row_id}:0")
        except QueueUnavailableError as error:
            log.warning("wake_up_lost", delivery_id=guid, reason=str(error))


def _accepted(status: str, guid: str) -> JSONResponse:
    return JSONResponse({"status": status, "delivery": guid}, status_code=202)


async def _read(request: Request, limit_bytes: int) -> bytes:
    """Return the body, and stop reading as soon as it is too long, whatever its length was said to be."""
    too_large = RefusedError(413, f"The body is larger than {limit_bytes} bytes.", "GitHub does not send larger ones.")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit_bytes:
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit_bytes:
                raise too_large
    except ClientDisconnect as error:
        raise RefusedError(400, "The request ended before its body did.", "Send it again.") from error
    return bytes(body)


def _headers(request: Request) -> tuple[str, str]:
    """Return event and guid."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        remedy = "Choose application/json as content type in the webhook's settings."
        raise RefusedError(400, "The content type is not application/json.", remedy)
    event = request.headers.get("x-github-event", "")
    if not _EVENT.fullmatch(event):
        raise RefusedError(400, "X-GitHub-Event is missing or no event's name.", "GitHub always sends it.")
    guid = request.headers.get("x-github-delivery", "")
    if not _GUID.fullmatch(guid):
        raise RefusedError(400, "X-GitHub-Delivery is missing or no GUID.", "GitHub always sends it.")
    return event, guid.lower()


async def _parse(body: bytes, event: str, guid: str) -> Delivery:
    try:
        if len(body) > _LARGE_BYTES:
            return await asyncio.to_thread(payload.delivery, body, event=event, guid=guid)
        return payload.delivery(body, event=event, guid=guid)
    except DecodeError as error:
        problem = f"{str(error)[:1].upper()}{str(error)[1:]}."
        raise RefusedError(400, problem, "Send it as GitHub does.") from error
