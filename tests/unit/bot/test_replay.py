"""Replay: pace, retries, what is rejected and what is lost."""

import gzip

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from typer.testing import CliRunner

from bot.replay import MAX_TRIES, Pace, Replayer, extent_of
from bot.replay_cli import replay_app
from telemetry.errors import TelemetryFileError
from telemetry.files import SignalKind
from telemetry.testing.otlp import Call, Where, traces
from telemetry.testing.recording import framed, json_line

AT_S = 1_700_000_000


def spans(end_s, count=2):
    """Return an export request of SERVER spans."""
    return traces(Where("quote"), [Call(end_s * 10 + n, n + 1, 0, "GET /", 2, end_s - 1, end_s) for n in range(count)])


@pytest.fixture
def files(tmp_path):
    """Two files whose messages alternate: seconds 0, 20 as protobuf, 10, 30 as JSON."""
    (tmp_path / "a.zst").write_bytes(framed(spans(AT_S + at).SerializeToString() for at in (0, 20)))
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(b"".join(json_line(spans(AT_S + at)) for at in (10, 30))))
    return [tmp_path / "a.zst", tmp_path / "b.json.gz"]


class World:
    """A clock that only sleeping moves, and a receiver that answers as it is told; then it takes everything."""

    def __init__(self, *answers):
        self.now_s = 2_000_000_000.0
        self.slept = []
        self.got = []
        self._answers = list(answers)

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now_s += seconds

    def answer(self, request):
        if self._answers:
            answer = self._answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        self.got.append((self.now_s, request))
        json = request.headers["content-type"] == "application/json"
        return httpx.Response(200, content=b"{}" if json else b"")

    def run(self, files, speed=0.0, *, to_now=False):
        client = httpx.Client(base_url="http://receiver/", transport=httpx.MockTransport(self.answer))
        pace = Pace(speed, to_now, extent_of(files), self.now_s)
        return Replayer(client, sleep=self.sleep, clock=lambda: self.now_s).run(files, pace, lambda: None)


def test_messages_leave_in_their_own_rhythm_in_the_order_of_time(files):
    """At speed 10 the thirty seconds last three; each encoding goes as what it is, untouched."""
    world = World()
    report = world.run(files, speed=10.0)
    assert [at - 2_000_000_000 for at, _ in world.got] == pytest.approx([0, 1, 2, 3])
    assert [r.headers["content-type"].rpartition("/")[2] for _, r in world.got] == ["x-protobuf", "json"] * 2
    assert world.got[0][1].content == spans(AT_S).SerializeToString()
    assert (report.tallies[SignalKind.TRACES].accepted, report.complete, report.retries) == (8, True, 0)


def test_as_fast_as_possible_sleeps_never(files):
    """Speed 0 is what `max` becomes."""
    world = World()
    world.run(files)
    assert world.slept == []


@pytest.mark.parametrize(("speed", "first_s"), [(1.0, 0), (10.0, -27), (0.0, -30)])
def test_shifted_times_end_now_and_none_lies_in_the_future(files, speed, first_s):
    """The last span ends when it leaves; the spacing is kept, so at ten times the speed the first is older."""
    world = World()
    world.run(files, speed=speed, to_now=True)
    sent_s, request = world.got[0]
    span = ExportTraceServiceRequest.FromString(request.content).resource_spans[0].scope_spans[0].spans[0]
    assert span.end_time_unix_nano / 1e9 - sent_s == pytest.approx(first_s, abs=1e-3)
    assert span.end_time_unix_nano - span.start_time_unix_nano == 10**9


def test_an_overloaded_receiver_is_asked_again_when_it_says(files):
    """503 with `Retry-After` and a broken connection cost time, nothing else."""
    world = World(httpx.Response(503, headers={"Retry-After": "4"}), httpx.ConnectError("refused"))
    report = world.run(files)
    assert (world.slept, report.retries, report.complete) == ([4.0, 0.5], 2, True)


def test_a_refused_message_is_lost_and_the_rest_goes_on(files):
    """400 is not retried; the reason and the place in the file are told."""
    report = World(httpx.Response(400, content=b"not OTLP")).run(files)
    tally = report.tallies[SignalKind.TRACES]
    assert (tally.accepted, tally.lost, report.complete) == (6, 2, False)
    assert report.problems == [f"{files[0]}, message 1 at byte 0: HTTP 400: not OTLP"]


def test_rejected_spans_are_counted_in_both_encodings(files):
    """`partial_success` as protobuf and as JSON, where 64-bit numbers are text."""
    partial = ExportTraceServiceResponse()
    partial.partial_success.rejected_spans = 1
    json = b'{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "bad ids"}}'
    answers = (httpx.Response(200, content=partial.SerializeToString()), httpx.Response(200, content=json))
    tally = World(*answers).run(files).tallies[SignalKind.TRACES]
    assert (tally.accepted, tally.rejected, tally.lost) == (5, 3, 0)


def test_an_answer_that_is_no_export_response_counts_as_lost(files):
    """Something else listens there."""
    report = World(httpx.Response(200, content=b"<html>"), httpx.Response(200, content=b"<html>")).run(files)
    assert report.tallies[SignalKind.TRACES].lost == 4
    assert "is this an OTLP receiver?" in report.problems[0]


def test_a_receiver_that_is_gone_is_not_asked_for_every_message(files):
    """After all tries for one message the rest is lost without waiting."""
    world = World(*[httpx.ConnectError("refused") for _ in range(MAX_TRIES)])
    report = world.run(files)
    assert (world.got, report.tallies[SignalKind.TRACES].lost, len(world.slept)) == ([], 8, MAX_TRIES - 1)


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "inf", "nan"])
def test_a_speed_that_is_none_is_refused(files, speed):
    """A positive number, or max."""
    result = CliRunner().invoke(replay_app, [str(files[0]), "--speed", speed])
    assert (result.exit_code, "neither a positive number nor max" in result.output) == (2, True)


def test_a_file_without_messages_is_an_error(tmp_path):
    """Nothing sent must not look like everything sent."""
    (tmp_path / "empty").touch()
    result = CliRunner().invoke(replay_app, [str(tmp_path / "empty")])
    assert isinstance(result.exception, TelemetryFileError)
