"""Memory Guard in real processes that really grow: telemetry is refused for a while, webhooks never."""

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
import uuid

import httpx
import psutil
import pytest
from google.rpc import code_pb2, status_pb2
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bot.web.signature import sign
from telemetry.testing.otlp import Call, Where, traces
from tests.support_redis import free_port, running_redis
from tests.support_world import until

pytestmark = pytest.mark.timeout(120)

PROTOBUF = {"content-type": "application/x-protobuf"}
GROWTH = 1.25
SECRET = "webhook-secret"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    """A Redis for the bus."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


def start(process, folder, environment):
    """Start one of our processes with its log in a folder."""
    with (folder / f"{process}.log").open("wb") as log:
        return subprocess.Popen([sys.executable, "-m", f"bot.{process}_process"], env=environment, stderr=log)


@contextlib.asynccontextmanager
async def running(process, port_setting, folder, settings):
    """Run one of our processes and yield its client and its `psutil.Process`."""
    port = free_port()
    ports = {port_setting: str(port), "SRE_SPACE_SCOUT_GRPC_PORT": "0"}
    environment = {**os.environ, **ports, "SRE_SPACE_STATE_DIR": str(folder), **settings}
    started = start(process, folder, environment)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    await client.get("/healthz")
                    break
                assert started.poll() is None, (folder / f"{process}.log").read_text()
                await asyncio.sleep(0.05)
            yield client, psutil.Process(started.pid)
    finally:
        started.terminate()
        started.wait(20)


def failures(count):
    """Return an export of that many failed traces, which Scout keeps for a minute at least."""
    now, calls = time.time(), []
    for _ in range(count):
        number = next(_numbers)
        message = f"failure {number} " + "x" * 300
        kind = Span.SPAN_KIND_SERVER
        calls.append(Call(number, number, 0, f"op {number % 50}", kind, now - 0.1, now, "Boom", message))
    return traces(Where(f"service-{next(_numbers) % 20}"), calls).SerializeToString()


async def test_scout_refuses_telemetry_while_it_is_too_large_and_takes_it_again(redis_url, tmp_path):
    """Real spans fill it; 503 with Retry-After and a protobuf Status until it has shed enough."""
    settings = {"REDIS_URL": redis_url}
    async with running("scout", "SRE_SPACE_SCOUT_PORT", tmp_path, settings) as (_, process):
        limit_mb = int(process.memory_info().rss / 1024 / 1024 * GROWTH)
    settings["MEMORY_LIMIT_MB"] = str(limit_mb)
    async with running("scout", "SRE_SPACE_SCOUT_PORT", tmp_path, settings) as (client, _):
        assert (await client.post("/v1/traces", content=failures(1), headers=PROTOBUF)).status_code == 200
        for _ in range(60):
            refused = await client.post("/v1/traces", content=failures(2000), headers=PROTOBUF)
            if refused.status_code != 200:
                break
        assert refused.status_code == 503
        assert 1 <= int(refused.headers["retry-after"]) <= 5
        assert refused.headers["content-type"] == "application/x-protobuf"
        assert status_pb2.Status.FromString(refused.content).code == code_pb2.UNAVAILABLE
        for path in ("/v1/metrics", "/v1/logs"):
            as_json = await client.post(path, content=b"{}", headers={"content-type": "application/json"})
            assert (as_json.status_code, as_json.json()["code"]) == (503, code_pb2.UNAVAILABLE)
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).json()["facts"]["memory"] == "short"
        assert (await client.get("/scout/v1/status")).status_code == 200

        async def taken():
            answer = await client.post("/v1/traces", content=failures(1), headers=PROTOBUF)
            return answer.status_code == 200

        await until(taken, "telemetry that is taken again")
        metrics = (await client.get("/metrics")).text
    assert 'sre_space_memory_guard_changes_total{state="over"} 1.0' in metrics
    assert 'sre_space_memory_guard_changes_total{state="under"} 1.0' in metrics
    log = (tmp_path / "scout.log").read_text()
    assert log.count("memory_limit_exceeded") == log.count("memory_limit_met") == 1


async def test_a_web_process_above_the_limit_still_takes_webhooks(redis_url, tmp_path):
    """GitHub does not send them again by itself."""
    settings = {"REDIS_URL": redis_url, "GITHUB_WEBHOOK_SECRET": SECRET, "MEMORY_LIMIT_MB": "64"}
    async with running("web", "SRE_SPACE_WEB_PORT", tmp_path, settings) as (client, process):
        assert process.memory_info().rss > 64 * 1024 * 1024
        body = json.dumps({"action": "opened", "issue": {"number": 5}, "repository": {"id": 7}}).encode()
        headers = {
            "x-github-event": "issues",
            "x-github-delivery": str(uuid.uuid4()),
            "x-hub-signature-256": sign(body, SECRET.encode()),
            "content-type": "application/json",
        }
        answer = await client.post("/webhooks/github", content=body, headers=headers)
        metrics = (await client.get("/metrics")).text
    assert (answer.status_code, answer.json()["status"]) == (202, "stored")
    assert "sre_space_inbox_pending 1.0" in metrics
    assert 'sre_space_webhooks_total{event="issues",outcome="stored"} 1.0' in metrics
    assert "sre_space_database_up 1.0" in metrics
