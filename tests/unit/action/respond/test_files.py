"""Telemetry files: both formats of the Collector's file exporter, also while it is still writing."""

import json
import struct

import pytest
import zstandard

from action.errors import InputError, TelemetryFileError
from action.respond.files import TelemetryFile, newest_ns
from action.respond.telemetry import Replay, files_of
from telemetry.testing import Chain, Fault, gauges
from telemetry.testing.otlp import Where

SPAN = {
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
    "name": "GET /",
    "kind": 2,
    "startTimeUnixNano": "1700000000000000000",
    "endTimeUnixNano": "1700000001000000000",
}
LINE = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]})


def framed(*messages):
    """Return messages as `format: proto` with `compression: zstd` writes them."""
    frames = [zstandard.compress(message.SerializeToString()) for message in messages]
    return b"".join(struct.pack(">I", len(frame)) + frame for frame in frames)


def test_json_lines_are_read_once_and_an_unfinished_one_later(tmp_path):
    """Only whole lines count; the next look goes on where the last one ended."""
    path = tmp_path / "telemetry.jsonl"
    path.write_text(f"{LINE}\n\n{LINE[:40]}")
    file = TelemetryFile(path)
    first = list(file.new())
    assert [newest_ns(request) for request in first] == [1_700_000_001_000_000_000]
    path.write_text(f"{LINE}\n\n{LINE}\n")
    assert len(list(file.new())) == 1
    assert list(file.new()) == []


def test_zstd_frames_are_read_once_and_an_unfinished_one_later(tmp_path):
    """As above, for the compressed format; the name says what is inside."""
    point = gauges(Where("quote"), 1_700_000_005.0, {"jvm.cpu": 0.5})
    path = tmp_path / "metrics.otlp.zst"
    whole = framed(point, point)
    path.write_bytes(whole[:-3])
    file = TelemetryFile(path)
    assert [newest_ns(request) for request in file.new()] == [1_700_000_005_000_000_000]
    path.write_bytes(whole)
    assert len(list(file.new())) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("telemetry.jsonl", b"nonsense\n"),
        ("telemetry.jsonl", b'{"other": []}\n'),
        ("traces.zst", struct.pack(">I", 4) + b"nope"),
        ("traces.zst", struct.pack(">I", 0xFFFFFFFF)),
        ("unnamed.zst", b""),
        ("traces.txt", b""),
    ],
)
def test_a_file_that_is_something_else_is_named(tmp_path, name, content):
    """It is an error, never silence: no telemetry would look like no fault."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TelemetryFileError, match=name):
        list(TelemetryFile(tmp_path / name).new())


def test_a_frame_that_unpacks_to_too_much_is_refused(tmp_path):
    """A small file cannot fill the memory."""
    frame = zstandard.compress(bytes(65 * 1024 * 1024))
    (tmp_path / "traces.zst").write_bytes(struct.pack(">I", len(frame)) + frame)
    with pytest.raises(TelemetryFileError, match="has a message of"):
        list(TelemetryFile(tmp_path / "traces.zst").new())


async def test_a_replay_sees_the_anomaly_that_scout_saw(tmp_path):
    """Recorded spans, played in order of time, lead to the same signal; what comes later is read later."""
    requests = []
    chain = Chain()

    def send(request):
        requests.append(request)
        chain._take(request)

    chain._send = send
    chain.run(400)
    calm = len(requests)
    chain.run(60, {"quote": Fault(error_ratio=0.5)})
    (live,) = chain.scout.signals("default", "default", "quote")
    path = tmp_path / "traces.zst"
    path.write_bytes(framed(*requests[:calm]))
    replay = Replay([path])
    assert await replay.signals("default", "default", "quote") == ()
    path.write_bytes(framed(*requests))
    (found,) = await replay.signals("default", "default", "quote")
    assert {anomaly.key for anomaly in found.anomalies} == {anomaly.key for anomaly in live.anomalies}
    assert found.onset == live.onset


def test_a_pattern_that_names_no_file_is_an_error(tmp_path):
    """Several patterns may be given."""
    (tmp_path / "a.jsonl").touch()
    (tmp_path / "b.zst").touch()
    assert [path.name for path in files_of("*.jsonl *.zst", tmp_path)] == ["a.jsonl", "b.zst"]
    with pytest.raises(InputError, match="names no file"):
        files_of("*.parquet", tmp_path)
