"""From OTLP bytes over HTTP to a signal on Redis Streams."""

import asyncio
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.testclient import TestClient

from telemetry.bus import RedisStreamsBus
from telemetry.model import EvidenceBundle, Signal
from telemetry.otlp.app import create_receiver
from telemetry.testing import Chain, Fault
from tests.support_redis import running_redis


async def test_fault_in_exported_spans_becomes_a_signal_on_the_bus(tmp_path: Path):
    """Spans go through the receiver as protobuf; the signals come back from Redis as they were published."""
    clients: list[TestClient] = []

    def send(request: ExportTraceServiceRequest) -> None:
        headers = {"content-type": "application/x-protobuf"}
        answer = clients[0].post("/v1/traces", content=request.SerializeToString(), headers=headers)
        assert answer.status_code == 200

    chain = Chain(send=send)
    clients.append(TestClient(create_receiver(chain.state)))
    await asyncio.to_thread(chain.run, 25)
    await asyncio.to_thread(chain.run, 60, {"quote": Fault(error_ratio=1.0)})
    assert chain.signals
    with running_redis(tmp_path) as url:
        bus = RedisStreamsBus(url)
        for signal in chain.signals:
            await bus.publish("signals", signal.group_id, signal.model_dump_json().encode())
        messages = bus.subscribe("signals", "worker", "w1")
        read = [Signal.model_validate_json((await anext(messages)).value) for _ in chain.signals]
        await bus.close()
    assert read == chain.signals
    assert read[0].root_service == "quote"
    assert isinstance(read[0].evidence, EvidenceBundle)
    assert read[0].evidence.items
