"""OpenTelemetry JS's exporters deliver to the receiver over real sockets, and nothing is lost or counted twice."""

import subprocess

import pytest

from telemetry.model import SeriesKey
from tests.support_otlp import JS, listening, node

COUNT = 1500
FAR_FUTURE_S = 4_000_000_000


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("protocol", ["http", "proto", "grpc"])
def test_every_span_point_and_record_of_the_js_sdk_is_counted(protocol: str, compression: str) -> None:
    """JSON with numbers as strings and beyond 2^53, flags of 257, and protobuf over both transports."""
    program = node()
    with listening() as at:
        base = f"http://{at.target}" if protocol == "grpc" else at.url
        done = subprocess.run(
            [program, JS / "send.mjs", protocol, base, str(COUNT), compression],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
    state = at.state
    assert (state.spans_total, state.points_total, state.logs_total) == (COUNT, COUNT, COUNT)
    assert (dict(state.dropped), at.receiver.refused) == ({}, {})
    key = SeriesKey(tenant="default", environment="prod", service="node-shop", operation="GET /")
    red = state.red(key, 0, FAR_FUTURE_S)
    assert (red.requests, red.errors) == (COUNT, COUNT // 10)
    gauges = [gauge for gauge in state.gauges("default", "prod", "node-shop") if gauge.name == "queue.depth"]
    assert {gauge.points[-1].value for gauge in gauges} == {float(2**60 + number) for number in range(COUNT)}
    by_type = {found.error_type: sum(hit.n for hit in found.hits) for found in state.signatures("default", "prod", 0)}
    assert by_type["StockError"] == COUNT
