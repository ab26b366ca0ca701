"""The gateway: checks a customer's request and asks `quote`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any

import httpx
from fastapi import FastAPI, HTTPException, Query

from shop.http import ServiceClient
from shop.middleware import TelemetryMiddleware
from shop.runtime import Runtime
from shop.settings import load_settings
from shop.telemetry import Telemetry


def create_app(runtime: Runtime) -> FastAPI:
    """Returns the gateway's web application."""
    settings = load_settings("gateway")
    max_quantity = settings["limits"]["max_quantity"]
    telemetry = Telemetry(runtime)
    quotes = ServiceClient("quote", runtime.urls["quote"], settings["quote"]["timeout_s"], telemetry)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        yield
        await quotes.close()
        telemetry.close()

    app = FastAPI(title="gateway", lifespan=lifespan)
    app.add_middleware(TelemetryMiddleware, telemetry=telemetry)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok", "revision": runtime.revision}

    @app.get("/quote/{sku}")
    async def quote(
        sku: str,
        quantity: Annotated[int, Query(ge=1)] = 1,
        coupon: str = "",
        region: str = "west",
    ) -> dict[str, Any]:
        if quantity > max_quantity:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "please ask our sales team")
        params = {"quantity": quantity, "coupon": coupon, "region": region}
        try:
            response = await quotes.get("/quote/{sku}", f"/quote/{sku}", params)
        except httpx.TimeoutException as error:
            raise HTTPException(HTTPStatus.GATEWAY_TIMEOUT, "quote did not answer in time") from error
        except httpx.TransportError as error:
            raise HTTPException(HTTPStatus.BAD_GATEWAY, "quote cannot be reached") from error
        if response.is_error:
            raise HTTPException(response.status_code, "no quote could be made")
        return response.json()

    return app
