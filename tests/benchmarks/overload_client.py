"""Sends export requests to a receiver from a process of its own, and prints what came of them as JSON.

Usage: python -m tests.benchmarks.overload_client http|grpc HOST PORT SECONDS RATE

With a RATE (requests/s) they are sent at that rate whatever comes back (open loop). With 0 four connections send as
fast as they are answered (closed loop).
"""

import asyncio
import contextlib
import itertools
import json
import struct
import sys
import time
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, cast

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc import aio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

SPANS = 2048
"""In one request."""
BODIES = 80
"""Templates."""
CONNECTIONS = 900
CHANNELS = 20
ANSWER_S = 30.0
CLOSED_LOOP = 4
_ATTRIBUTES = 10
_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_MARK = b"\xf7\xe1\xd3\xc5" * 2
_FRESH = 1 << 48  # beyond the ids of the templates
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass
class Outcome:
    """What came of the requests; times in seconds."""

    sent: int = 0
    held: int = 0
    """Not sent, because every connection was waiting for an answer."""
    unanswered: int = 0
    statuses: dict[int, int] = field(default_factory=dict[int, int])
    retry_after: dict[str, int] = field(default_factory=dict[str, int])
    waits_s: dict[int, list[float]] = field(default_factory=dict[int, list[float]])

    def answered(self, status: int, retry_after: str, wait_s: float) -> None:
        """Count an answer."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.waits_s.setdefault(status, []).append(wait_s)
        if status != 200:
            self.retry_after[retry_after] = self.retry_after.get(retry_after, 0) + 1


def body(number: int) -> bytes:
    """Return an export of server spans whose ids no other number has, gzipped to a tenth of its size or less."""
    return Template(number).packed(1)


class Template:
    """An export of server spans, gzipped once: only the last span's id is new in each request.

    So the requests are no duplicates of each other, and those of all templates have more spans than Scout knows again.
    """

    def __init__(self, number: int) -> None:
        exported = _export(number).SerializeToString()
        self._head, self._tail = exported.split(_MARK)
        packer = zlib.compressobj(6, wbits=-zlib.MAX_WBITS)
        self._packed_head = packer.compress(self._head) + packer.flush(zlib.Z_FULL_FLUSH)
        self._head_crc = zlib.crc32(self._head)

    def packed(self, number: int) -> bytes:
        """Return the export with an id of its own, as a gzip member (RFC 1952) that ends with a stored block."""
        tail = (_FRESH + number).to_bytes(len(_MARK), "big") + self._tail
        block = struct.pack("<BHH", 1, len(tail), len(tail) ^ 0xFFFF) + tail
        size = len(self._head) + len(tail)
        return _GZIP_HEAD + self._packed_head + block + struct.pack("<II", zlib.crc32(tail, self._head_crc), size)


def _export(number: int) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.append(
        KeyValue(key="service.name", value=AnyValue(string_value=f"service-{number % 20}"))
    )
    scope = group.scope_spans.add()
    now_ns = time.time_ns()
    first, last = number * SPANS + 1, (number + 1) * SPANS
    for at in range(first, last + 1):
        span = scope.spans.add(
            trace_id=at.to_bytes(16, "big"),
            span_id=_MARK if at == last else at.to_bytes(8, "big"),
            name=f"GET /{at % 20}",
            kind=2,
            start_time_unix_nano=now_ns - 1_000_000,
            end_time_unix_nano=now_ns,
        )
        for key in range(_ATTRIBUTES):
            span.attributes.add(key=f"attribute.number.{key}").value.string_value = "v" * 20
    return request


def exports() -> Iterator[bytes]:
    """Yield exports without end."""
    templates = [Template(number) for number in range(BODIES)]
    for number in itertools.count(1):
        yield templates[number % BODIES].packed(number)


class Way(Protocol):
    """How exports are sent."""

    async def ask(self, packed: bytes) -> tuple[int, str]:
        """Send one and return the HTTP status of the answer, or that which stands for it, and its Retry-After.

        Raises OSError, EOFError or TimeoutError when there is no answer.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class Http:
    """Connections that are kept, each with at most one request on its way."""

    def __init__(self, host: str, port: int) -> None:
        self._where = (host, port)
        self._idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def ask(self, packed: bytes) -> tuple[int, str]:
        """See Way."""
        reader, writer = await self._connection()
        head = (
            "POST /v1/traces HTTP/1.1\r\nhost: scout\r\ncontent-type: application/x-protobuf\r\n"
            f"content-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n"
        )
        writer.write(head.encode() + packed)
        status, headers = await _answer(reader)
        self._idle.append((reader, writer))
        return status, headers.get("retry-after", "")

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.popleft()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(*self._where)

    async def close(self) -> None:
        """See Way."""
        for _, writer in self._idle:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:]) if name}
    await reader.readexactly(int(headers.get("content-length", "0")))
    return int(head[0].split()[1]), headers


class Grpc:
    """Channels over which requests share connections, as the exporters of many services do."""

    def __init__(self, host: str, port: int) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        self._channels = [aio.insecure_channel(f"{host}:{port}", options) for _ in range(CHANNELS)]
        self._methods = itertools.cycle([channel.unary_unary(_EXPORT) for channel in self._channels])

    async def ask(self, packed: bytes) -> tuple[int, str]:
        """See Way; the receiver knows a gzip message by its first bytes."""
        try:
            await next(self._methods)(packed)
        except grpc.RpcError as error:
            refusal = cast("aio.AioRpcError", error)
            if refusal.code() is grpc.StatusCode.UNAVAILABLE:
                return 503, _retry_after(refusal)
            raise EOFError(refusal.details()) from error
        return 200, ""

    async def close(self) -> None:
        """See Way."""
        await asyncio.gather(*(channel.close() for channel in self._channels))


def _retry_after(refusal: "aio.AioRpcError") -> str:
    status, retry = Status(), RetryInfo()
    for key, value in refusal.trailing_metadata():
        if key == "grpc-status-details-bin":
            status.ParseFromString(value)
    return str(retry.retry_delay.seconds) if any(each.Unpack(retry) for each in status.details) else ""


class Client:
    """Sends one way, with a bound on how many are on their way, and counts what comes of it."""

    def __init__(self, way: Way) -> None:
        self.outcome = Outcome()
        self._way = way
        self._open = 0

    async def send(self, packed: bytes) -> None:
        """Send one export."""
        if self._open >= CONNECTIONS:
            self.outcome.held += 1
            return
        self.outcome.sent += 1
        started = time.monotonic()
        self._open += 1
        try:
            async with asyncio.timeout(ANSWER_S):
                status, retry_after = await self._way.ask(packed)
        except (OSError, EOFError, TimeoutError):
            self.outcome.unanswered += 1
        else:
            self.outcome.answered(status, retry_after, time.monotonic() - started)
        finally:
            self._open -= 1


async def run(way: Way, seconds: float, rate: float) -> Outcome:
    """Return what came of the requests of so many seconds."""
    client, supply = Client(way), exports()
    next(supply)  # makes the templates, before the clock runs
    end = time.monotonic() + seconds

    async def closed_loop() -> None:
        while time.monotonic() < end:
            await client.send(next(supply))

    async def open_loop() -> None:
        started, begun = time.monotonic(), 0
        async with asyncio.TaskGroup() as group:
            while (now := time.monotonic()) < end:
                due = int((now - started) * rate)
                for _ in range(begun, due):
                    group.create_task(client.send(next(supply)))
                begun = due
                await asyncio.sleep(0.005)

    await asyncio.gather(*([open_loop()] if rate else [closed_loop() for _ in range(CLOSED_LOOP)]))
    await way.close()
    return client.outcome


async def run_over(name: str, host: str, port: str, seconds: str, rate: str) -> Outcome:
    """Return what came of the requests over `http` or `grpc`."""
    return await run({"http": Http, "grpc": Grpc}[name](host, int(port)), float(seconds), float(rate))


def main() -> None:
    """Run, and print the outcome."""
    outcome = asyncio.run(run_over(*sys.argv[1:]))
    waits_ms = {
        status: {"median": sorted(waits)[len(waits) // 2] * 1000, "max": max(waits) * 1000}
        for status, waits in outcome.waits_s.items()
    }
    told = {name: getattr(outcome, name) for name in ("sent", "held", "unanswered", "statuses", "retry_after")}
    sys.stdout.write(json.dumps({**told, "waits_ms": waits_ms}) + "\n")


if __name__ == "__main__":
    main()
