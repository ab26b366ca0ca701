"""Scout's HTTP server bounds what a request's head may take."""

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.scout_serving import config_of
from bot.web.protocol import HEAD_BYTES_MAX
from bot.web.server import Server


async def _here(request: Request) -> PlainTextResponse:
    await (
        request.body()
    )  # a server that closes before it has read all resets the connection, and the answer may be lost
    return PlainTextResponse("here")


async def _answer_to(*parts: bytes) -> bytes:
    """Return what the server answers to some parts sent one after the other, until it closes the connection."""
    app = Starlette(routes=[Route("/", _here)])
    server = Server(config_of(app, host="127.0.0.1", port=0))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 — uvicorn has no event for it
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.01)
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()
        server.should_exit = True
        await task


def test_a_head_that_does_not_end_is_cut_off() -> None:
    """One header value that goes on beyond the bound ends the connection, whatever comes after it."""
    endless = [b"GET / HTTP/1.1\r\nhost: x\r\nx: ", *[b"a" * (HEAD_BYTES_MAX // 4)] * 8]
    answer = asyncio.run(_answer_to(*endless))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert b"here" not in answer


def test_a_head_in_pieces_is_read() -> None:
    """A head that comes slowly and stays within the bound is answered; a body does not count."""
    body = b"b" * (2 * HEAD_BYTES_MAX)
    head = [b"GET / HTTP/1.1\r\nhost: x\r\n", b"connection: close\r\n", b"content-length: %d\r\n\r\n" % len(body), body]
    assert b"here" in asyncio.run(_answer_to(*head))
