"""The sample services for real: traces, pool metrics, and the faults of the scenarios."""

import asyncio
import json
import random
import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.sandbox import tax
from infra.sandbox.deployer.process import Launch, ServiceProcess
from infra.sandbox.scenarios import bad_deploy, db_pool_exhaustion, latency_spike
from infra.sandbox.scenarios.repository import Edit, replace_once, set_number
from infra.sandbox.serving import listen, port_of, serve_until

SEED = Path(tax.__file__).parent / "seed"
PATIENT = replace_once("  timeout_s: 0.8", "  timeout_s: 8.0")  # a busy machine is not what is tested
REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Sink:
    """An OTLP/HTTP receiver that keeps what it gets."""

    spans: list[tuple[dict[str, str], Span]] = field(default_factory=list)
    points: list[tuple[str, dict[str, str], float]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Takes one export."""
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if scope["path"] == "/v1/traces":
            self._add_spans(ExportTraceServiceRequest.FromString(body))
        else:
            self._add_points(ExportMetricsServiceRequest.FromString(body))
        headers = [(b"content-type", b"application/x-protobuf"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _add_spans(self, export: ExportTraceServiceRequest) -> None:
        for resource in export.resource_spans:
            attributes = texts(resource.resource.attributes)
            self.spans += [(attributes, span) for scope in resource.scope_spans for span in scope.spans]

    def _add_points(self, export: ExportMetricsServiceRequest) -> None:
        for resource in export.resource_metrics:
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                for point in metric.sum.data_points:
                    self.points.append((metric.name, texts(point.attributes), point.as_int))

    def server_spans(self, service: str) -> list[Span]:
        """Returns the SERVER spans of a service."""
        return self.of(service, Span.SPAN_KIND_SERVER)

    def of(self, service: str, kind: int) -> list[Span]:
        """Returns the spans of a service and kind."""
        return [span for at, span in self.spans if at["service.name"] == service and span.kind == kind]


def texts(attributes: Any) -> dict[str, str]:
    """Returns attributes as text."""
    return {item.key: str(getattr(item.value, item.value.WhichOneof("value"))) for item in attributes}


def exceptions(span: Span) -> list[dict[str, str]]:
    """Returns the exceptions recorded on a span."""
    return [texts(event.attributes) for event in span.events if event.name == "exception"]


@dataclass
class Shop:
    """Running services; `stop` drains them, so that all telemetry has arrived."""

    urls: dict[str, str]
    sink: Sink
    flags: Path
    processes: list[ServiceProcess]

    async def ask(self, service: str, quantities: list[int], region: str = "east") -> list[int]:
        """Sends a request for each quantity, all at once, and returns the statuses."""
        async with httpx.AsyncClient(base_url=self.urls[service], timeout=20, trust_env=False) as client:
            paths = [f"/quote/MUG-001?quantity={number}&region={region}" for number in quantities]
            answers = await asyncio.gather(*(client.get(path) for path in paths))
        return [answer.status_code for answer in answers]

    async def stop(self) -> None:
        """Ends the services, callers first."""
        for process in reversed(self.processes):
            await process.stop()


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncGenerator[str]:
    """Yields the URL of an app served in this process."""
    stopped, listener = asyncio.Event(), listen(0)
    task = asyncio.create_task(serve_until(app, listener, stopped))
    yield f"http://127.0.0.1:{port_of(listener)}"
    stopped.set()
    await task


StartShop = Callable[..., Any]


@pytest.fixture
async def start_shop(tmp_path: Path) -> AsyncGenerator[StartShop]:
    """Starts the three services from a copy of the seed, with edited files if wanted."""
    async with AsyncExitStack() as stack:

        async def start(edits: dict[str, Edit] | None = None, tax_latency_s: float = 0.02) -> Shop:
            folder = tmp_path / "shop"
            shutil.copytree(SEED, folder, ignore=shutil.ignore_patterns("__pycache__"))
            for path, edit in (edits or {}).items():
                file = folder / path
                file.write_text(edit(file.read_text(encoding="utf-8")), encoding="utf-8")
            sink = Sink()
            otlp = await stack.enter_async_context(serving(sink))
            upstream = tax.tax_service(tax_latency_s, random.Random(1))
            urls = {"tax": await stack.enter_async_context(serving(upstream))}
            shop = Shop(urls, sink, folder / "flags.json", [])
            stack.push_async_callback(shop.stop)
            callees = {"pricing": "tax", "quote": "pricing", "gateway": "quote"}
            listeners = {name: stack.enter_context(listen(0)) for name in callees}
            urls |= {name: f"http://127.0.0.1:{port_of(listener)}" for name, listener in listeners.items()}
            arguments = ("--otlp-endpoint", otlp, "--version", "v1", "--revision", REVISION,
                         "--data", str(tmp_path), "--flags", str(shop.flags))  # fmt: skip
            launches = [
                Launch(
                    name, REVISION, "v1", folder, tmp_path / f"{name}.log",
                    (*arguments, "--url", f"{callee}={urls[callee]}"),
                )
                for name, callee in callees.items()
            ]  # fmt: skip
            shop.processes += await asyncio.gather(
                *(ServiceProcess.start(launch, listeners[launch.service]) for launch in launches)
            )
            return shop

        yield start


async def test_a_request_is_one_trace_through_all_services(start_shop: StartShop) -> None:
    """Each SERVER span hangs below the CLIENT span of its caller, with the deployed revision on it."""
    shop: Shop = await start_shop()
    assert await shop.ask("gateway", [12]) == [200]
    await shop.stop()
    spans = {span.span_id: span for _, span in shop.sink.spans}
    assert len({span.trace_id for span in spans.values()}) == 1
    for caller, callee in (("gateway", "quote"), ("quote", "pricing")):
        (server,) = shop.sink.server_spans(callee)
        parent = spans[server.parent_span_id]
        assert parent.kind == Span.SPAN_KIND_CLIENT
        assert parent in shop.sink.of(caller, Span.SPAN_KIND_CLIENT)
    (entry,) = shop.sink.server_spans("gateway")
    assert texts(entry.attributes)["http.route"] == "/quote/{sku}"
    assert texts(entry.attributes)["http.response.status_code"] == "200"
    tables = {texts(span.attributes).get("db.collection.name") for span in spans.values()}
    assert {"products", "quotes"} <= tables
    lookups = [span for span in spans.values() if "/rates/" in span.name]
    assert len(lookups) == len(("state", "county", "city", "transit"))
    for resource, _ in shop.sink.spans:
        assert resource["vcs.ref.head.revision"] == REVISION
        assert resource["service.version"] == "v1"


async def test_a_burst_beyond_the_pool_of_two_fails_with_pool_timeouts(start_shop: StartShop) -> None:
    """The errors are SQLAlchemy's own, and the pool says that it was full and waited for."""
    shop: Shop = await start_shop({db_pool_exhaustion.SETTINGS: PATIENT})
    statuses = await shop.ask("gateway", [1] * 40)
    assert set(statuses) == {200, 500}
    await shop.stop()
    failed = [span for span in shop.sink.server_spans("quote") if span.status.code == span.status.STATUS_CODE_ERROR]
    assert len(failed) == statuses.count(500)
    for span in failed:
        (error,) = exceptions(span)
        assert error["exception.type"] == "sqlalchemy.exc.TimeoutError"
        assert error["exception.message"].startswith("QueuePool limit of size 2 overflow 0 reached")
        assert 'File "services/quote/store.py"' in error["exception.stacktrace"]
    label = {"db.client.connection.pool.name": "quote"}
    names = {name for name, _, _ in shop.sink.points}
    assert ("db.client.connection.max", label, 2) in shop.sink.points
    assert {"db.client.connection.pending_requests", "process.memory.usage"} <= names
    states = {at["db.client.connection.state"] for name, at, _ in shop.sink.points if name.endswith(".count")}
    assert states == {"used", "idle"}


async def test_the_same_burst_is_served_by_a_larger_pool_until_audits_hold_it(start_shop: StartShop) -> None:
    """Raising the pool is the remedy; while every transaction is audited, the largest pool allowed is not."""
    raise_pool = set_number("pool_size", lambda _: 20)
    shop: Shop = await start_shop({db_pool_exhaustion.SETTINGS: lambda text: raise_pool(PATIENT(text))})
    assert set(await shop.ask("quote", [1] * 40)) == {200}
    flags = json.loads(shop.flags.read_text(encoding="utf-8"))
    flags["flags"][db_pool_exhaustion.AUDIT_FLAG]["defaultVariant"] = "on"
    shop.flags.write_text(json.dumps(flags), encoding="utf-8")
    assert 500 in await shop.ask("quote", [1] * 40)
    await shop.stop()
    messages = [error["exception.message"] for span in shop.sink.server_spans("quote") for error in exceptions(span)]
    assert messages
    assert all(message.startswith("QueuePool limit of size 20") for message in messages)


async def test_the_bad_commit_fails_in_the_discounts_of_quote(start_shop: StartShop) -> None:
    """The stack names the file that the commit changed, relative to the repository."""
    shop: Shop = await start_shop({bad_deploy.DISCOUNTS: bad_deploy.break_discounts})
    assert await shop.ask("gateway", [1, 12]) == [200, 500]
    await shop.stop()
    (error,) = [error for span in shop.sink.server_spans("quote") for error in exceptions(span)]
    assert error["exception.type"] == "TypeError"
    assert 'File "services/quote/discounts.py"' in error["exception.stacktrace"]
    assert str(shop.flags.parent) not in error["exception.stacktrace"]


async def test_serial_lookups_make_callers_give_up_while_pricing_has_no_error(start_shop: StartShop) -> None:
    """Pricing is slow and healthy by its own account; quote and gateway answer 504."""
    edit = set_number(latency_spike.KEY, lambda _: 1)
    shop: Shop = await start_shop({latency_spike.SETTINGS: edit}, tax_latency_s=0.3)
    assert await shop.ask("gateway", [1]) == [504]
    await shop.stop()
    for service in ("gateway", "quote"):
        (span,) = shop.sink.server_spans(service)
        assert span.status.code == span.status.STATUS_CODE_ERROR
    (slow,) = shop.sink.server_spans("pricing")
    assert slow.status.code == slow.status.STATUS_CODE_UNSET
    (call,) = [span for span in shop.sink.of("quote", Span.SPAN_KIND_CLIENT) if span.name == "GET /price/{sku}"]
    assert [error["exception.type"] for error in exceptions(call)] == ["shop.http.DownstreamTimeoutError"]
