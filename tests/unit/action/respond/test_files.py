"""Telemetry files of a workflow, played to a Scout of its own."""

import struct

import pytest
import zstandard

from action.errors import InputError
from action.respond.telemetry import Replay, files_of
from telemetry.testing import Chain, Fault


def framed(*messages):
    """Return messages as `format: proto` with `compression: zstd` writes them."""
    frames = [zstandard.compress(message.SerializeToString()) for message in messages]
    return b"".join(struct.pack(">I", len(frame)) + frame for frame in frames)


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
