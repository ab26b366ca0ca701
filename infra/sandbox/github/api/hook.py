"""The App's webhook: its configuration, its delivery log, redelivery."""

import json
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from infra.sandbox.github.api.deps import ActorDep, SiteDep, reply, window
from infra.sandbox.github.auth import require_app
from infra.sandbox.github.errors import ApiError, not_found
from infra.sandbox.github.records.accounts import App
from infra.sandbox.github.records.delivery import Delivery
from infra.sandbox.github.site import Site

router = APIRouter(prefix="/app/hook")

FIRST_FAILURE = 400


class HookChange(BaseModel):
    """A change of the webhook's configuration."""

    model_config = ConfigDict(extra="ignore")

    url: str | None = None
    content_type: Literal["json", "form"] | None = None
    secret: str | None = None
    insecure_ssl: str | int | None = None


def _config(app: App) -> dict[str, Any]:
    return {
        "content_type": app.hook.content_type,
        "secret": "********",
        "url": app.hook.url or "",
        "insecure_ssl": app.hook.insecure_ssl,
    }


@router.get("/config")
async def get_config(actor: ActorDep) -> Response:
    """The webhook's configuration, its secret hidden."""
    return reply(_config(require_app(actor)))


@router.patch("/config")
async def change_config(body: HookChange, site: SiteDep, actor: ActorDep) -> Response:
    """The configuration after the change."""
    app = require_app(actor)
    changes: dict[str, Any] = body.model_dump(exclude_none=True)
    if "insecure_ssl" in changes:
        changes["insecure_ssl"] = str(changes["insecure_ssl"])
    return reply(_config(site.store.apps.put(app.evolve(hook=app.hook.model_copy(update=changes)))))


def delivery_item(row: Delivery) -> dict[str, Any]:
    """A `hook-delivery-item`."""
    return {
        "id": row.id,
        "guid": row.guid,
        "delivered_at": row.delivered_at,
        "redelivery": row.redelivery,
        "duration": row.duration_s,
        "status": row.status,
        "status_code": row.status_code,
        "event": row.event,
        "action": row.action,
        "installation_id": row.installation_id,
        "repository_id": row.repository_id,
        "throttled_at": None,
    }


@router.get("/deliveries")
async def list_deliveries(
    request: Request, site: SiteDep, actor: ActorDep, status: Literal["success", "failure"] | None = None
) -> Response:
    """The delivery log, newest first, paged by a cursor."""
    app = require_app(actor)
    rows = [row for row in site.store.deliveries if row.app_id == app.id]
    if status:
        failure = status == "failure"
        rows = [row for row in rows if (row.status_code >= FIRST_FAILURE) is failure]
    rows.reverse()
    _, per_page = window(request)
    cursor = request.query_params.get("cursor", "")
    if cursor:
        if not cursor.isdecimal():
            raise ApiError(400, "Invalid cursor")
        rows = [row for row in rows if row.id <= int(cursor)]
    headers: dict[str, str] = {}
    if len(rows) > per_page:
        address = f"{site.base_url}/app/hook/deliveries?per_page={per_page}&cursor={rows[per_page].id}"
        headers["Link"] = f'<{address}>; rel="next"'
    return reply([delivery_item(row) for row in rows[:per_page]], headers=headers)


def _own(site: Site, app: App, delivery_id: int) -> Delivery:
    row = site.store.deliveries.find(delivery_id)
    if row is None or row.app_id != app.id:
        raise not_found()
    return row


@router.get("/deliveries/{delivery_id}")
async def get_delivery(delivery_id: int, site: SiteDep, actor: ActorDep) -> Response:
    """One delivery with what was sent and answered."""
    row = _own(site, require_app(actor), delivery_id)
    request = {"headers": row.request_headers, "payload": json.loads(row.request_body)}
    response = {"headers": row.response_headers, "payload": row.response_body}
    return reply({**delivery_item(row), "url": row.url, "request": request, "response": response})


@router.post("/deliveries/{delivery_id}/attempts")
async def redeliver(delivery_id: int, site: SiteDep, actor: ActorDep) -> Response:
    """Takes the order to send the delivery again."""
    site.dispatcher.redeliver(_own(site, require_app(actor), delivery_id))
    return reply({}, 202)
