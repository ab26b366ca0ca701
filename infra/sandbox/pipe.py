"""One proxied connection: two pipes, each with the toxics of its direction."""

import asyncio
import contextlib
import random
import socket
import struct
import time

from infra.sandbox.toxics import Stream, Toxic, ToxicBox, ToxicType

CHUNK_BYTES = 64 * 1024
_NO_LINGER = struct.pack("ii", 1, 0)  # close() sends RST instead of FIN


class ConnectionEndedError(Exception):
    """A toxic ends the connection; with `reset`, by RST."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset


class Pipe:
    """Carries bytes in one direction of one connection."""

    def __init__(self, box: ToxicBox, stream: Stream, rng: random.Random) -> None:
        self._box = box
        self._stream: Stream = stream
        self._rng = rng
        self._affected: dict[str, bool] = {}
        self._passed_bytes = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Copies until the reader ends.

        Raises:
            ConnectionEndedError: A toxic ends the connection.
        """
        while data := await reader.read(CHUNK_BYTES):
            for toxic in self._toxics():
                data = await self._apply(toxic, data)
            writer.write(data)
            await writer.drain()
            self._passed_bytes += len(data)
            if self._limit_reached():
                raise ConnectionEndedError
        for toxic in self._toxics():
            if toxic.type is ToxicType.SLOW_CLOSE:
                await asyncio.sleep(toxic.attribute("delay") / 1000)
        with contextlib.suppress(OSError):
            writer.write_eof()

    async def _apply(self, toxic: Toxic, data: bytes) -> bytes:
        match toxic.type:
            case ToxicType.LATENCY:
                jitter_ms = toxic.attribute("jitter") * self._rng.uniform(-1, 1)
                await asyncio.sleep(max(0.0, toxic.attribute("latency") + jitter_ms) / 1000)
            case ToxicType.BANDWIDTH:
                await self._slow_down(toxic, len(data))
            case ToxicType.TIMEOUT:
                await self._hold(toxic)
                raise ConnectionEndedError
            case ToxicType.RESET_PEER:
                await asyncio.sleep(toxic.attribute("timeout") / 1000)
                raise ConnectionEndedError(reset=True)
            case ToxicType.LIMIT_DATA:
                return data[: max(0, int(toxic.attribute("bytes")) - self._passed_bytes)]
            case ToxicType.SLOW_CLOSE:
                pass
        return data

    async def _slow_down(self, toxic: Toxic, size_bytes: int) -> None:
        """Waits as long as the bytes take at `rate`; at rate 0, until the toxic is gone."""
        rate = toxic.attribute("rate")
        if rate:
            await asyncio.sleep(size_bytes / (rate * 1024))
        else:
            await self._until_gone(toxic)

    async def _hold(self, toxic: Toxic) -> None:
        """Passes nothing for `timeout`; at timeout 0, until the toxic is gone."""
        timeout_ms = toxic.attribute("timeout")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_ms / 1000 if timeout_ms else None):
                await self._until_gone(toxic)

    async def _until_gone(self, toxic: Toxic) -> None:
        while remaining_s := self._box.remaining_s(toxic, time.monotonic()):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._box.changed.wait(), remaining_s)

    def _limit_reached(self) -> bool:
        return any(
            toxic.type is ToxicType.LIMIT_DATA and self._passed_bytes >= toxic.attribute("bytes")
            for toxic in self._toxics()
        )

    def _toxics(self) -> list[Toxic]:
        return [toxic for toxic in self._box.active(time.monotonic(), self._stream) if self._affects(toxic)]

    def _affects(self, toxic: Toxic) -> bool:
        # Drawn once a connection, as toxiproxy does.
        return self._affected.setdefault(toxic.key, self._rng.random() < toxic.toxicity)


def abort(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    """Ends a connection at once; with `reset`, so that the peer sees a connection reset."""
    if reset:
        endpoint = writer.get_extra_info("socket")
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()
