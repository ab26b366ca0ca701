"""The Scout process over real sockets: both transports, ports that are taken, an end in order."""

import socket
from pathlib import Path

import grpc
import httpx
import pytest

from telemetry.testing.otlp import Call, Where, traces
from tests.support_redis import running_redis
from tests.support_scout import running_scout, start_scout

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    """A Redis for the bus."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


def span(number: int) -> bytes:
    """Return an export of one server span."""
    return traces(
        Where("quote"), [Call(number, number, 0, "GET /", 2, 1_700_000_000, 1_700_000_001)]
    ).SerializeToString()


def test_http_and_grpc_fill_one_state_and_end_in_order(redis_url, tmp_path):
    """A span by each, one of them twice; refusals are in the metrics; SIGTERM ends it with 0."""
    tokens = {"OTLP_TOKENS": "acme=s3cret", "SRE_SPACE_METRICS_TOKEN": "only-for-this-test"}
    with running_scout(tmp_path, redis_url, **tokens) as scout, grpc.insecure_channel(scout.target) as channel:
        export = channel.unary_unary(EXPORT)
        headers = {"authorization": "Bearer s3cret", "content-type": "application/x-protobuf"}
        for number in (1, 2):
            assert export(span(number), metadata=(("authorization", "Bearer s3cret"),), timeout=10) == b""
        assert httpx.post(f"{scout.url}/v1/traces", content=span(2), headers=headers).content == b""
        assert httpx.post(f"{scout.url}/v1/other", content=b"", headers=headers).status_code == 404
        with pytest.raises(grpc.RpcError, match="UNAUTHENTICATED"):
            export(span(3), timeout=10)
        told = {"authorization": "Bearer only-for-this-test"}
        wanted = {
            "sre_space_scout_spans_total 3.0",
            'sre_space_scout_dropped_total{reason="duplicates"} 1.0',
            'sre_space_scout_refused_total{code="not_found"} 1.0',
            'sre_space_scout_refused_total{code="unauthenticated"} 1.0',
        }
        while not wanted <= set(httpx.get(f"{scout.url}/metrics", headers=told).text.splitlines()):
            pass  # the figures are those of the last tick
    assert scout.process.returncode == 0


@pytest.mark.parametrize("variable", ["SRE_SPACE_SCOUT_PORT", "SRE_SPACE_SCOUT_GRPC_PORT"])
def test_a_port_that_is_taken_ends_the_start_with_the_remedy(redis_url, tmp_path: Path, variable):
    """Never a Scout that listens on one of its two ports only."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        assert start_scout(tmp_path, redis_url, **{variable: port}).wait(30) == 2
    said = (tmp_path / "scout.log").read_text()
    assert f"{variable} asks for 127.0.0.1:{port}, which cannot be listened on" in said
    assert "0 picks a free one" in said
    assert "Traceback" not in said


def test_grpc_can_be_switched_off(redis_url, tmp_path):
    """Only HTTP then."""
    with running_scout(tmp_path, redis_url, SRE_SPACE_SCOUT_GRPC_PORT="off") as scout:
        assert '"grpc_port": "off"' in scout.log.read_text()
        assert httpx.get(f"{scout.url}/healthz").status_code == 200
