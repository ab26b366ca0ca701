"""The gateway: checks a customer's request and asks `quote`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query

from shop.http import DownstreamError, DownstreamStatusError, DownstreamTimeoutError, ServiceClient
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
        async with quotes:
            yield
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
            return await quotes.get_json("/quote/{sku}", f"/quote/{sku}", params)
        except DownstreamStatusError as error:
            raise HTTPException(error.status, "no quote could be made") from error
        except DownstreamTimeoutError as error:
            raise HTTPException(HTTPStatus.GATEWAY_TIMEOUT, "quote did not answer in time") from error
        except DownstreamError as error:
            raise HTTPException(HTTPStatus.BAD_GATEWAY, "quote cannot be reached") from error

    return app
