"""The quote service: product, price with tax, discounts, stored quote."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, HTTPException
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from services.quote.discounts import total_cents
from services.quote.store import Product, QuoteStore
from shop.database import Database
from shop.flags import Flags
from shop.http import DownstreamError, DownstreamTimeoutError, ServiceClient
from shop.middleware import TelemetryMiddleware
from shop.runtime import Runtime
from shop.settings import load_settings
from shop.telemetry import Telemetry


class Quote(BaseModel):
    """What a line costs."""

    number: int
    sku: str
    name: str
    quantity: int
    total_cents: int


def create_app(runtime: Runtime) -> FastAPI:
    """Returns the quote service's web application."""
    settings = load_settings("quote")
    telemetry = Telemetry(runtime)
    database = Database(runtime.data / "quote.db", settings["database"], Flags(runtime.flags), telemetry)
    store = QuoteStore(database)
    pricing = ServiceClient("pricing", runtime.urls["pricing"], settings["pricing"]["timeout_s"], telemetry)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        current_default_thread_limiter().total_tokens = settings["threads"]
        store.prepare()
        async with pricing:
            yield
        database.close()
        telemetry.close()

    app = FastAPI(title="quote", lifespan=lifespan)
    app.add_middleware(TelemetryMiddleware, telemetry=telemetry)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok", "revision": runtime.revision}

    @app.get("/quote/{sku}")
    async def quote(sku: str, quantity: int = 1, coupon: str = "", region: str = "west") -> Quote:
        product = await run_in_threadpool(store.find_product, sku)
        if product is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"no product {sku}")
        unit_price_cents = await unit_price(pricing, product, region)
        total = total_cents(unit_price_cents, quantity, coupon)
        number = await run_in_threadpool(store.save_quote, sku, quantity, total)
        return Quote(number=number, sku=sku, name=product.name, quantity=quantity, total_cents=total)

    return app


async def unit_price(pricing: ServiceClient, product: Product, region: str) -> int:
    """Returns the price of one piece with tax, in cents.

    Raises:
        HTTPException: 504 when pricing is too slow, 502 when it fails.
    """
    params = {"list_price_cents": product.list_price_cents, "region": region}
    try:
        price = await pricing.get_json("/price/{sku}", f"/price/{product.sku}", params)
    except DownstreamTimeoutError as error:
        raise HTTPException(HTTPStatus.GATEWAY_TIMEOUT, "pricing did not answer in time") from error
    except DownstreamError as error:
        raise HTTPException(HTTPStatus.BAD_GATEWAY, "pricing could not name a price") from error
    return price["unit_price_cents"]
