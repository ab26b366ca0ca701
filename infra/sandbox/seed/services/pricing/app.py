"""The pricing service: list price plus the tax of a region."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from services.pricing.tax import TaxRates
from shop.http import ServiceClient
from shop.middleware import TelemetryMiddleware
from shop.runtime import Runtime
from shop.settings import load_settings
from shop.telemetry import Telemetry

BASIS_POINTS = 10_000


class Price(BaseModel):
    """The price of one piece."""

    sku: str
    unit_price_cents: int


def create_app(runtime: Runtime) -> FastAPI:
    """Returns the pricing service's web application."""
    settings = load_settings("pricing")["tax"]
    telemetry = Telemetry(runtime)
    tax = ServiceClient("tax", runtime.urls["tax"], settings["timeout_s"], telemetry)
    rates = TaxRates(tax, settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with tax:
            yield
        telemetry.close()

    app = FastAPI(title="pricing", lifespan=lifespan)
    app.add_middleware(TelemetryMiddleware, telemetry=telemetry)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok", "revision": runtime.revision}

    @app.get("/price/{sku}")
    async def price(sku: str, list_price_cents: int, region: str) -> Price:
        if not rates.knows(region):
            raise HTTPException(HTTPStatus.NOT_FOUND, f"we do not sell to {region}")
        rate = await rates.rate_basis_points(region)
        unit_price_cents = list_price_cents * (BASIS_POINTS + rate) // BASIS_POINTS
        return Price(sku=sku, unit_price_cents=unit_price_cents)

    return app
