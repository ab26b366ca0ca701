"""The control API of the fault proxy; its paths are those of toxiproxy."""

import time
from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from infra.sandbox.proxy import Proxy
from infra.sandbox.serving import LOOPBACK, require_token
from infra.sandbox.toxics import MAX_TTL_S, Toxic

router = APIRouter()
log = structlog.get_logger()


class ProxyChange(BaseModel):
    """The body of `POST /proxies/{name}`: a proxy is taken down for a limited time only."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool
    ttl_s: float | None = Field(default=None, gt=0, le=MAX_TTL_S)

    @model_validator(mode="after")
    def _ends(self) -> "ProxyChange":
        if not self.enabled and self.ttl_s is None:
            raise ValueError("a proxy that is taken down needs ttl_s")
        return self


class ProxyState(BaseModel):
    """A proxy and the toxics in force."""

    name: str
    listen: str
    upstream: str
    enabled: bool
    toxics: list[Toxic]


def state_of(proxy: Proxy) -> ProxyState:
    """Returns the state of a proxy now."""
    now_s = time.monotonic()
    return ProxyState(
        name=proxy.name,
        listen=f"{LOOPBACK}:{proxy.port}",
        upstream=f"{LOOPBACK}:{proxy.upstream_port}",
        enabled=not proxy.box.is_down(now_s),
        toxics=proxy.box.active(now_s),
    )


def all_proxies(request: Request) -> dict[str, Proxy]:
    """Returns the proxies of the application, by name."""
    return request.app.state.proxies


All = Annotated[dict[str, Proxy], Depends(all_proxies)]


def find_proxy(proxies: All, name: str) -> Proxy:
    """Returns one proxy; answers 404 where there is none."""
    if name not in proxies:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no proxy {name}")
    return proxies[name]


@router.get("/proxies")
async def list_proxies(proxies: All) -> dict[str, ProxyState]:
    """Answers with every proxy."""
    return {name: state_of(proxy) for name, proxy in proxies.items()}


@router.get("/proxies/{name}")
async def get_proxy(proxy: Annotated[Proxy, Depends(find_proxy)]) -> ProxyState:
    """Answers with one proxy."""
    return state_of(proxy)


@router.post("/proxies/{name}")
async def change_proxy(proxy: Annotated[Proxy, Depends(find_proxy)], change: ProxyChange) -> ProxyState:
    """Takes a proxy down for a while, or brings it up."""
    if change.enabled:
        proxy.box.bring_up()
    elif change.ttl_s is not None:
        proxy.box.take_down(change.ttl_s, time.monotonic())
        proxy.drop_connections()
    log.info("proxy_changed", proxy=proxy.name, enabled=change.enabled, ttl_s=change.ttl_s)
    return state_of(proxy)


@router.post("/proxies/{name}/toxics")
async def add_toxic(proxy: Annotated[Proxy, Depends(find_proxy)], toxic: Toxic) -> Toxic:
    """Adds a toxic."""
    proxy.box.add(toxic, time.monotonic())
    log.info("toxic_added", proxy=proxy.name, toxic=toxic.model_dump(mode="json"))
    return toxic


@router.delete("/proxies/{name}/toxics/{toxic_name}", status_code=HTTPStatus.NO_CONTENT)
async def remove_toxic(proxy: Annotated[Proxy, Depends(find_proxy)], toxic_name: str) -> None:
    """Removes a toxic."""
    if not proxy.box.remove(toxic_name, time.monotonic()):
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no toxic {toxic_name}")
    log.info("toxic_removed", proxy=proxy.name, toxic=toxic_name)


@router.post("/reset", status_code=HTTPStatus.NO_CONTENT)
async def reset(proxies: All) -> None:
    """Removes every toxic and brings every proxy up."""
    for proxy in proxies.values():
        proxy.box.clear()
    log.info("proxies_reset")


def control_app(proxies: dict[str, Proxy], token: str) -> FastAPI:
    """Returns the control API for the proxies, for bearers of the token."""
    app = FastAPI(title="fault proxy", dependencies=[Depends(require_token(token))])
    app.state.proxies = proxies
    app.include_router(router)
    return app
