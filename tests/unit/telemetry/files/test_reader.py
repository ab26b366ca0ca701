"""Telemetry files: every format of the Collector's file exporter, whole, growing, damaged."""

import gzip
import io
import struct

import pytest
import zstandard
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from telemetry.errors import TelemetryFileError
from telemetry.files import SignalKind, TelemetryFile, merged
from telemetry.files.shift import shifted
from telemetry.otlp.codec import Encoding
from telemetry.testing import gauges
from telemetry.testing.otlp import Call, Where, traces
from telemetry.testing.recording import framed, json_line

AT_S = 1_700_000_000


def spans(*ends_s):
    """Return an export request of SERVER spans that end at some times."""
    return traces(Where("quote"), [Call(n + 1, n + 1, 0, "GET /", 2, at - 0.01, at) for n, at in enumerate(ends_s)])


def points(at_s):
    """Return an export request of one point."""
    return gauges(Where("quote"), at_s, {"jvm.cpu": 0.5})


def records(at_s):
    """Return an export request of one log record."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=int(at_s * 1e9), severity_number=17)
    return request


MIXED = [spans(AT_S + 1, AT_S + 2), points(AT_S + 3), records(AT_S + 4)]
LINES = b"".join(json_line(message) for message in MIXED)
PAYLOADS = [message.SerializeToString() for message in MIXED]
FORMATS = {
    "json lines": LINES,
    "json lines without the last line break": LINES.rstrip(b"\n"),
    "json lines in gzip": gzip.compress(LINES),
    "json lines in zstd": zstandard.compress(LINES),
    "protobuf": framed(PAYLOADS, packed=False),
    "protobuf in zstd frames": framed(PAYLOADS),
    "json in zstd frames": framed(LINES.splitlines()),
    "protobuf in gzip": gzip.compress(framed(PAYLOADS)),
}


@pytest.mark.parametrize("content", FORMATS.values(), ids=FORMATS)
def test_every_format_of_the_file_exporter_is_read_and_its_signals_recognised(tmp_path, content):
    """The name says nothing: what is inside decides, message by message."""
    path = tmp_path / "telemetry"
    path.write_bytes(content)
    found = list(TelemetryFile(path).messages())
    assert [message.kind for message in found] == [SignalKind.TRACES, SignalKind.METRICS, SignalKind.LOGS]
    assert [message.newest_ns for message in found] == [(AT_S + n) * 10**9 for n in (2, 3, 4)]
    assert [message.items for message in found] == [2, 1, 1]


@pytest.mark.parametrize("content", FORMATS.values(), ids=FORMATS)
def test_every_file_that_was_cut_off_is_an_error_or_read_as_far_as_it_is_whole(tmp_path, content):
    """At whatever byte: never a traceback of another kind, never a message that was not there."""
    path = tmp_path / "cut"
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        found = []
        try:
            found += TelemetryFile(path).messages()
        except TelemetryFileError as error:
            assert str(path) in str(error)  # noqa: PT017 - either is right, a wrong kind is not
        assert [message.kind for message in found] == list(SignalKind)[: len(found)]


def test_a_growing_file_is_read_once_and_its_unfinished_message_later(tmp_path):
    """Only whole messages count; the next look goes on where the last one ended."""
    path = tmp_path / "telemetry"
    for content in (LINES, framed(PAYLOADS)):
        path.write_bytes(content[:-3])
        file = TelemetryFile(path)
        assert len(list(file.messages(growing=True))) == 2
        path.write_bytes(content)
        assert len(list(file.messages(growing=True))) == 1
        assert list(file.messages(growing=True)) == []


def test_a_file_without_a_message_has_none(tmp_path):
    """Recorders make such files when nothing came."""
    (tmp_path / "traces.zst").touch()
    assert list(TelemetryFile(tmp_path / "traces.zst").messages()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"nonsense of people\n", "message 1 at byte 0 claims a length of .* no telemetry file"),
        (b'{"other": []}\n', "message 1 at byte 0 is JSON without one of the keys resourceSpans"),
        (LINES + b'{"resourceSpans": 7}\n', f"message 4 at byte {len(LINES)} is not OTLP as JSON"),
        (LINES[:-9], "message 3 at byte .* is cut off"),
        (framed(PAYLOADS)[:-1], "message 3 at byte .* is cut off: .* of .* bytes"),
        (framed(PAYLOADS) + b"\0", "message 4 at byte .* is cut off: not even its length"),
        (struct.pack(">I", 4) + b"nope", "message 1 at byte 0 is neither spans, metrics nor logs"),
        (framed([b"\x08\x01"]), "message 1 at byte 0 is neither spans, metrics nor logs"),
        (struct.pack(">I", 9) + zstandard.compress(b"whole")[:9], "message 1 at byte 0 is a damaged zstd frame"),
        (framed([bytes(65 * 1024 * 1024)]), "message 1 at byte 0 unpacks to over 64 MiB"),
        (gzip.compress(LINES)[:-20], "the packing of the file is damaged or cut off"),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 40, "the packing of the file is damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_a_file_that_is_something_else_is_named_with_place_and_reason(tmp_path, content, said):
    """It is an error, never silence: no telemetry would look like no fault."""
    path = tmp_path / "telemetry"
    path.write_bytes(content)
    with pytest.raises(TelemetryFileError, match=said) as caught:
        list(TelemetryFile(path).messages())
    assert caught.value.path == str(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    """As everything else that cannot be read."""
    with pytest.raises(TelemetryFileError, match="no_such cannot be read: No such file"):
        list(TelemetryFile(tmp_path / "no_such").messages())


def test_spans_without_valid_ids_are_still_spans_when_the_file_says_so(tmp_path):
    """The receiver's business is to reject them by count, not the reader's to refuse the file."""
    request = spans(AT_S)
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = b"short"
    (tmp_path / "traces.zst").write_bytes(framed([request.SerializeToString()]))
    (found,) = TelemetryFile(tmp_path / "traces.zst").messages()
    assert (found.kind, found.items) == (SignalKind.TRACES, 1)


def test_several_files_are_one_stream_in_the_order_of_time(tmp_path):
    """Within a file the order stays as it is, and time never goes back."""
    (tmp_path / "traces").write_bytes(b"".join(json_line(spans(AT_S + at)) for at in (1, 5, 4, 9)))
    (tmp_path / "metrics").write_bytes(b"".join(json_line(points(AT_S + at)) for at in (2, 6)))
    stream = list(merged(TelemetryFile(tmp_path / name).messages() for name in ("traces", "metrics")))
    assert [at // 10**9 - AT_S for at, _ in stream] == [1, 2, 5, 5, 6, 9]
    assert [message.kind for _, message in stream].count(SignalKind.METRICS) == 2


@pytest.mark.parametrize("ahead_s", [8 * 3_600, 10**10], ids=["the zone is wrong", "the year is"])
@pytest.mark.parametrize("place", range(4))
def test_a_clock_that_runs_ahead_does_not_hold_its_file_back(tmp_path, place, ahead_s):
    """Everything after it in the file would come last, after all other files, and be too late for Scout."""
    times = [1, 2, 3, 4, 5]
    times[place] += ahead_s
    (tmp_path / "traces").write_bytes(b"".join(json_line(spans(AT_S + at)) for at in times))
    (tmp_path / "metrics").write_bytes(b"".join(json_line(points(AT_S + at)) for at in (2, 4)))
    stream = list(merged(TelemetryFile(tmp_path / name).messages() for name in ("traces", "metrics")))
    assert [(at // 10**9 - AT_S, message.kind) for at, message in stream[-2:]] == [
        (4, SignalKind.METRICS),
        (5, SignalKind.TRACES),
    ]


def test_a_pause_in_a_file_is_no_clock_that_runs_ahead(tmp_path):
    """What follows is as late."""
    (tmp_path / "traces").write_bytes(b"".join(json_line(spans(AT_S + at)) for at in (1, 2, 9_000, 9_001)))
    stream = list(merged([TelemetryFile(tmp_path / "traces").messages()]))
    assert [at // 10**9 - AT_S for at, _ in stream] == [1, 2, 9_000, 9_001]


def test_times_of_a_clock_that_runs_ahead_are_not_those_of_the_message(tmp_path):
    """One service of several in a message is eight hours ahead."""
    request = spans(AT_S)
    for ahead_s in (1, 2, 8 * 3_600):
        request.MergeFrom(spans(AT_S + ahead_s))
    request.MergeFrom(spans(*[0.01] * 9))
    for span in request.resource_spans[-1].scope_spans[0].spans:
        span.end_time_unix_nano = 0  # has none
    (tmp_path / "traces").write_bytes(json_line(request))
    (message,) = TelemetryFile(tmp_path / "traces").messages()
    assert message.newest_ns // 10**9 == AT_S + 2


@pytest.mark.parametrize("encoding", list(Encoding))
def test_times_are_moved_and_durations_stay(tmp_path, encoding):
    """Every time of a message by the same amount, in both encodings; an unset time stays unset."""
    written = LINES if encoding is Encoding.JSON else framed(PAYLOADS)
    (tmp_path / "before").write_bytes(written)
    before = list(TelemetryFile(tmp_path / "before").messages())
    moved = [shifted(message, 3_600_000_000_000) for message in before]
    after_bytes = b"\n".join(moved) + b"\n" if encoding is Encoding.JSON else framed(moved)
    (tmp_path / "after").write_bytes(after_bytes)
    after = list(TelemetryFile(tmp_path / "after").messages())
    assert [new.newest_ns - old.newest_ns for old, new in zip(before, after, strict=True)] == [3_600_000_000_000] * 3
    old, new = (m[0].request.resource_spans[0].scope_spans[0].spans[0] for m in (before, after))
    assert new.end_time_unix_nano - new.start_time_unix_nano == old.end_time_unix_nano - old.start_time_unix_nano
    assert after[2].request.resource_logs[0].scope_logs[0].log_records[0].observed_time_unix_nano == 0
    assert shifted(before[0], 0) == before[0].payload


def test_a_large_file_is_read_in_bounded_memory(tmp_path):
    """Messages come one by one: the reader has taken little of the file when the first one is there."""
    path = tmp_path / "traces.json"
    line = json_line(spans(*(AT_S + n / 100 for n in range(200))))
    path.write_bytes(line * 100)
    stream = TelemetryFile(path).messages()
    next(stream)
    with path.open("r+b") as file:
        file.seek(len(line) * 50)
        file.write(b"#")
    with pytest.raises(TelemetryFileError, match="message 51"):
        list(stream)
    assert len(line) > io.DEFAULT_BUFFER_SIZE
