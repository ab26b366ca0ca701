"""The fault proxy on real connections, and its control."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from random import Random

import httpx
import pytest

from infra.sandbox.proxy import Proxy
from infra.sandbox.proxy_control import control_app
from infra.sandbox.serving import LOOPBACK

HELD_S = 0.3


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends back what it gets."""
    with suppress(OSError):
        while data := await reader.read(1024):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture
async def proxy() -> AsyncGenerator[Proxy]:
    """A proxy before an echo server."""
    server = await asyncio.start_server(echo, LOOPBACK, 0)
    made = Proxy("echo", 0, server.sockets[0].getsockname()[1], Random(1))
    await made.start()
    yield made
    await made.stop()
    server.close()
    await asyncio.sleep(0.05)  # connections that were aborted are closed by the loop


@pytest.fixture
async def control(proxy: Proxy) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the control API with the right token."""
    transport = httpx.ASGITransport(control_app({"echo": proxy}, "secret"))
    headers = {"Authorization": "Bearer secret"}
    async with httpx.AsyncClient(transport=transport, base_url="http://control", headers=headers) as client:
        yield client


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Yields a connection through the proxy."""
    reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
    yield reader, writer
    writer.transport.abort()


async def add(control: httpx.AsyncClient, kind: str, ttl_s: float = 60, **attributes: float) -> None:
    """Adds a toxic over the control API."""
    body = {"type": kind, "attributes": attributes, "ttl_s": ttl_s}
    (await control.post("/proxies/echo/toxics", json=body)).raise_for_status()


async def test_bytes_pass_unchanged_without_toxics(proxy: Proxy) -> None:
    """The proxy is no fault by itself."""
    async with connected(proxy) as (reader, writer):
        writer.write(b"quote")
        assert await reader.readexactly(5) == b"quote"


async def test_latency_holds_bytes_back_and_delivers_them_late(proxy: Proxy, control: httpx.AsyncClient) -> None:
    """Nothing is lost, it only takes longer."""
    await add(control, "latency", latency=600)
    async with connected(proxy) as (reader, writer):
        writer.write(b"quote")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(5), HELD_S)
        assert await reader.readexactly(5) == b"quote"


async def test_reset_peer_resets_the_connection(proxy: Proxy, control: httpx.AsyncClient) -> None:
    """The client sees a reset, not an orderly end."""
    await add(control, "reset_peer")
    async with connected(proxy) as (reader, writer):
        writer.write(b"quote")
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def test_timeout_ends_the_connection_without_an_answer(proxy: Proxy, control: httpx.AsyncClient) -> None:
    """The data never arrives."""
    await add(control, "timeout", timeout=10)
    async with connected(proxy) as (reader, writer):
        writer.write(b"quote")
        with suppress(ConnectionResetError):
            assert await reader.read() == b""


async def test_limit_data_cuts_the_answer(proxy: Proxy, control: httpx.AsyncClient) -> None:
    """Three bytes pass, then the connection ends."""
    await add(control, "limit_data", bytes=3)
    async with connected(proxy) as (reader, writer):
        writer.write(b"quote")
        assert await reader.readexactly(3) == b"quo"
        with suppress(ConnectionResetError):
            assert await reader.read() == b""


async def test_a_held_connection_ends_when_its_toxic_does(proxy: Proxy, control: httpx.AsyncClient) -> None:
    """A timeout toxic without timeout holds until its own time to live is over."""
    await add(control, "timeout", ttl_s=HELD_S)
    async with connected(proxy) as (reader, writer):
        writer.write(b"quote")
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
    async with connected(proxy) as (reader, writer):
        writer.write(b"again")
        assert await reader.readexactly(5) == b"again"


async def test_a_proxy_that_is_down_refuses_and_drops_and_comes_back(proxy: Proxy, control: httpx.AsyncClient) -> None:
    """Open connections end, new ones get nowhere, until it is brought up."""
    async with connected(proxy) as (reader, writer):
        writer.write(b"quote")
        await reader.readexactly(5)
        await control.post("/proxies/echo", json={"enabled": False, "ttl_s": 60})
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
    with pytest.raises(ConnectionResetError):
        async with connected(proxy) as (reader, _):
            await reader.readexactly(1)
    await control.post("/proxies/echo", json={"enabled": True})
    async with connected(proxy) as (reader, writer):
        writer.write(b"again")
        assert await reader.readexactly(5) == b"again"


async def test_faults_are_injected_by_bearers_of_the_token_only(control: httpx.AsyncClient) -> None:
    """No token, no fault."""
    body = {"type": "latency", "attributes": {"latency": 1}, "ttl_s": 1}
    for header in ("", "Bearer wrong", "secret"):
        refused = await control.post("/proxies/echo/toxics", json=body, headers={"Authorization": header})
        assert refused.status_code == 401
    assert (await control.get("/proxies/echo")).json()["toxics"] == []


async def test_going_down_for_ever_is_refused(control: httpx.AsyncClient) -> None:
    """A killed experiment could not end it."""
    assert (await control.post("/proxies/echo", json={"enabled": False})).status_code == 422


async def test_unknown_proxies_and_toxics_are_not_found(control: httpx.AsyncClient) -> None:
    """404, as toxiproxy answers."""
    assert (await control.get("/proxies/nothing")).status_code == 404
    assert (await control.delete("/proxies/echo/toxics/nothing")).status_code == 404
