"""`make bench-ingest`: spans per second and core, memory over many spans, and what detection costs.

Prints tables and asserts nothing about time. The receiver runs in a process of its own and is sent real requests over
loopback; its rate is spans by CPU second of that process, so that the sender does not count. What upb alone takes to
parse the same requests is measured before and after each row, which tells a slow machine from a slow receiver.
"""

import argparse
import gzip
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection

import psutil
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from telemetry.otlp.span_columns import decode_columns
from telemetry.state import TelemetryState
from tests.benchmarks.ingest_server import Serving, serving
from tests.benchmarks.otlp_load import BATCH, DEPTH, Load, again, block, moved
from tests.benchmarks.ticks import OPERATIONS, SERVICES, measure_ticks
from tests.benchmarks.wide import measure_wide
from tests.support_otlp_messages import as_json

TEMPLATES = 60
SENDERS = 3
WARM_PASSES = 2
EVENT_TIME_S = 7_200  # that the memory run covers: nearly twice the retention
ROWS = 20

Send = Callable[[int, bytes], None]
"""Sends a request to a port of loopback; raises AssertionError when it was not taken whole."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way in. `encode` is done once for each template, `wrap` for each request."""

    name: str
    encode: Callable[[ExportTraceServiceRequest], bytes]
    send: Send
    text: bool = False
    wrap: Callable[[bytes], bytes] = bytes


def _post(content_type: str, **more: str) -> Send:
    headers = {"Content-Type": content_type, **{key.replace("_", "-"): value for key, value in more.items()}}
    open_connections: dict[int, HTTPConnection] = {}

    def send(port: int, body: bytes) -> None:
        connection = open_connections.setdefault(port, HTTPConnection("127.0.0.1", port))
        connection.request("POST", "/v1/traces", body, headers)
        response = connection.getresponse()
        content = response.read()
        taken = ExportTraceServiceResponse().SerializeToString() if content_type == PROTOBUF else b"{}"
        assert (response.status, content) == (200, taken), content

    return send


PROTOBUF, JSON = "application/x-protobuf", "application/json"


def _ways() -> tuple[Way, ...]:
    """Return the ways that are measured; each sender has its own, with its own connection."""
    return (
        Way("HTTP protobuf", _protobuf, _post(PROTOBUF)),
        Way("HTTP protobuf gzip", _protobuf, _post(PROTOBUF, Content_Encoding="gzip"), wrap=_gzip),
        Way("HTTP JSON", _json, _post(JSON), text=True),
    )


def _protobuf(request: ExportTraceServiceRequest) -> bytes:
    return request.SerializeToString()


def _json(request: ExportTraceServiceRequest) -> bytes:
    return json.dumps(as_json(request), separators=(",", ":")).encode()


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, 1)


def parse_rate(bodies: Sequence[bytes]) -> float:
    """Return the spans per CPU second of parsing alone."""
    started = time.process_time()
    for body in bodies:
        ExportTraceServiceRequest.FromString(body)
    return BATCH * len(bodies) / (time.process_time() - started)


def ingest_rate(server: Serving, at: int, templates: Sequence[bytes], passes: range) -> tuple[float, float]:
    """Return spans per CPU second of the receiver, and per second of the clock; every request has ids of its own."""
    ways = [_ways()[at] for _ in range(SENDERS)]

    def send(sender: int) -> int:
        way, sent = ways[sender], 0
        for number in passes:
            for body in templates[sender::SENDERS]:
                way.send(server.port, way.wrap(again(body, number, text=way.text)))
                sent += BATCH
        return sent

    cpu_s, clock_s = server.cpu_s(), time.monotonic()
    with ThreadPoolExecutor(SENDERS) as pool:
        sent = sum(pool.map(send, range(SENDERS)))
    return sent / (server.cpu_s() - cpu_s), sent / (time.monotonic() - clock_s)


def measure_ingest(passes: int) -> None:
    """Print how many spans of each way in a core takes."""
    requests = [load.batch(time.time()) for load in (Load(DEPTH * 5, OPERATIONS),) for _ in range(TEMPLATES)]
    parsed = [request.SerializeToString() for request in requests]
    _print(f"\n{'way in':20}{'B/span':>8}{'spans/s·core':>14}{'by the clock':>14}{'parse only':>12}{'ratio':>8}")
    for at, way in enumerate(_ways()):
        templates = [way.encode(request) for request in requests]
        with serving() as server:
            ingest_rate(server, at, templates, range(WARM_PASSES))
            before = parse_rate(parsed)
            by_core, by_clock = ingest_rate(server, at, templates, range(WARM_PASSES, WARM_PASSES + passes))
            limit = (before + parse_rate(parsed)) / 2
        size = sum(map(len, templates)) / len(templates) / BATCH
        _print(
            f"{way.name:20}{size:8.0f}{by_core:14,.0f}{by_clock:14,.0f}{limit:12,.0f}{by_core / limit:8.1%}",
        )


def measure_memory(spans: int) -> None:
    """Print the resident memory of a state over many spans of 1,000 services × 20 operations, in two hours of time."""
    started_s = 1_700_000_000.0
    state = TelemetryState(clock=lambda: now_s)
    now_s = started_s
    load = Load(DEPTH, OPERATIONS)
    templates = [load.batch(started_s).SerializeToString() for _ in range(DEPTH)]
    batches = spans // BATCH
    base = _rss_mb()
    _print(f"\n{'spans':>12}{'event time':>12}{'RSS, MB':>10}{'grown':>8}{'series':>8}{'dropped':>10}")
    for number in range(batches):
        now_s = started_s + EVENT_TIME_S * number / batches
        at = number % DEPTH
        body = moved(templates[at], (at, number % SERVICES), (block(started_s), block(now_s)))
        state.add_spans("default", decode_columns(again(body, number // DEPTH)))
        if (number + 1) % (batches // ROWS) == 0:
            rss = _rss_mb()
            _print(
                f"{state.spans_total:12,}{now_s - started_s:10.0f} s{rss:10.0f}{rss - base:8.0f}{len(state.keys()):8,}"
                f"{sum(state.dropped.values()):10,}"
            )
    _print(f"dropped: {dict(state.dropped)}")


def _apart(measure: Callable[[int], None], argument: int) -> None:
    """Run a measurement in a process of its own, whose memory holds nothing else."""
    process = multiprocessing.get_context("spawn").Process(target=measure, args=(argument,))
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(process.exitcode)


def _rss_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Run what is asked for, all of it by default."""
    options = argparse.ArgumentParser(prog="make bench-ingest BENCH_OPTIONS=…", description=__doc__)
    options.add_argument("--only", choices=("ingest", "memory", "ticks", "wide"), help="one of the four measurements")
    options.add_argument("--passes", type=int, default=10, help="over 60 batches, for each way in")
    options.add_argument("--spans", type=int, default=10_000_000, help="of the memory measurement")
    options.add_argument("--ticks", type=int, default=30, help="of the measurement of detection")
    options.add_argument("--services", type=int, default=SERVICES, help="of the measurement of a wide incident")
    chosen = options.parse_args()
    for name, measure, argument in (
        ("ingest", measure_ingest, chosen.passes),
        ("memory", measure_memory, chosen.spans),
        ("ticks", measure_ticks, chosen.ticks),
        ("wide", measure_wide, chosen.services),
    ):
        if chosen.only in (None, name):
            _apart(measure, argument)


if __name__ == "__main__":
    main()
