"""`sre-space replay` as a process, against the real receiver over a real socket."""

import asyncio
import socket
import subprocess
import sys
import threading

import pytest
import uvicorn

from telemetry.otlp import create_receiver
from telemetry.state import TelemetryState
from telemetry.testing import Chain
from telemetry.testing.recording import framed, json_line


@pytest.fixture
def receiver():
    """A receiver that is overloaded for its first three requests."""
    state, asked = TelemetryState(), []

    def is_overloaded():
        asked.append(1)
        return len(asked) <= 3

    listener = socket.create_server(("127.0.0.1", 0))
    app = create_receiver(state, tokens={"s3cret": "default"}, is_overloaded=is_overloaded)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", state
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def files(tmp_path):
    """A minute of the shop in both formats, and how many spans it has."""
    requests = []
    chain = Chain(send=requests.append)
    chain.run(60)
    (tmp_path / "traces.zst").write_bytes(framed(request.SerializeToString() for request in requests[::2]))
    (tmp_path / "rest.jsonl").write_bytes(b"".join(map(json_line, requests[1::2])))
    spans = sum(len(r.resource_spans[0].scope_spans[0].spans) for r in requests)
    return [str(tmp_path / "traces.zst"), str(tmp_path / "rest.jsonl")], spans


def replay(*arguments):
    """Run the command to its end."""
    command = [sys.executable, "-m", "bot.replay_cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_recording_arrives_whole_in_spite_of_overload(receiver, files):
    """503 three times, then every span once; the summary says so."""
    (url, state), (paths, spans) = receiver, files
    done = replay(*paths, "--to", url, "--speed", "max", "--token", "s3cret", "--shift-to-now")
    assert done.returncode == 0, done.stderr
    assert state.spans_total == spans
    assert dict(state.dropped) == {}
    assert f"{spans:,}" in done.stdout
    assert "3 retries" in done.stdout


def test_what_is_refused_ends_with_an_error(receiver, files):
    """Without a token nothing is taken: exit code 1, and the reason."""
    (url, state), (paths, _) = receiver, files
    done = replay(*paths, "--to", url, "--speed", "max")
    assert done.returncode == 1
    assert "HTTP 401" in done.stderr
    assert state.spans_total == 0
