"""Recorded telemetry sent to an OTLP/HTTP receiver, in its own rhythm or faster, until it is taken or lost."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import msgspec
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from telemetry.files import Recorded, SignalKind, TelemetryFile, merged
from telemetry.files.shift import shifted
from telemetry.otlp.codec import Encoding

NS = 1_000_000_000
MAX_TRIES = 10
MAX_WAIT_S = 30.0
TIMEOUT_S = 30.0
RETRYABLE = frozenset({429, 502, 503, 504})
"""Statuses after which a client should send the same again (OTLP specification, "OTLP/HTTP Response")."""

_RESPONSES: dict[SignalKind, tuple[type[Message], str]] = {
    SignalKind.TRACES: (ExportTraceServiceResponse, "rejected_spans"),
    SignalKind.METRICS: (ExportMetricsServiceResponse, "rejected_data_points"),
    SignalKind.LOGS: (ExportLogsServiceResponse, "rejected_log_records"),
}
_JSON_REJECTED = ("rejectedSpans", "rejectedDataPoints", "rejectedLogRecords")


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is to send, and the times of its first and last message in Unix nanoseconds."""

    messages: int
    first_ns: int
    last_ns: int


@dataclass(slots=True)
class Tally:
    """Spans, points or records of one signal: what became of them. `lost` were never taken or refused by count."""

    accepted: int = 0
    rejected: int = 0
    lost: int = 0


@dataclass(slots=True)
class Report:
    """What came of a replay; `problems` are the first reasons for what was rejected or lost."""

    tallies: dict[SignalKind, Tally] = field(default_factory=lambda: {kind: Tally() for kind in SignalKind})
    retries: int = 0
    problems: list[str] = field(default_factory=list[str])

    @property
    def complete(self) -> bool:
        """True when the receiver took everything."""
        return not any(tally.rejected or tally.lost for tally in self.tallies.values())

    def note(self, problem: str) -> None:
        """Keep one of the first problems."""
        if len(self.problems) < 10 and problem not in self.problems:  # noqa: PLR2004 - enough to see what it is
            self.problems.append(problem)


@dataclass(frozen=True, slots=True)
class Pace:
    """When messages leave and how their times are moved; `speed` is 0 for as fast as the receiver takes them."""

    speed: float
    to_now: bool
    extent: Extent
    began_s: float

    def due_s(self, at_ns: int) -> float:
        """Return when a message of the time `at_ns` is to leave, in Unix seconds."""
        return self.began_s + ((at_ns - self.extent.first_ns) / NS / self.speed if self.speed and at_ns else 0.0)

    @property
    def shift_ns(self) -> int:
        """By how much times are moved: the last message has the time at which it leaves, none lies in the future."""
        return round(self.due_s(self.extent.last_ns) * NS) - self.extent.last_ns if self.to_now else 0


def extent_of(paths: Iterable[Path]) -> Extent:
    """Return the extent of some files, read once from start to end. Raises TelemetryFileError."""
    found = Extent(0, 0, 0)
    for at_ns, _ in merged(TelemetryFile(path).messages() for path in paths):
        found = replace(found, messages=found.messages + 1, first_ns=found.first_ns or at_ns, last_ns=at_ns)
    return found


class Replayer:
    """Sends messages one after another. `sleep` waits for some seconds, `clock` tells Unix seconds."""

    def __init__(
        self,
        client: httpx.Client,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._sleep = sleep
        self._clock = clock
        self._gone = False
        self.report = Report()

    def run(self, paths: Iterable[Path], pace: Pace, sent: Callable[[], None]) -> Report:
        """Send all messages at their pace, call `sent` after each, and return the report.

        A receiver that has not answered on any try for one message is not asked again: the rest is lost.

        Raises:
            TelemetryFileError: a file changed for the worse since its extent was taken.
            httpx.UnsupportedProtocol: the receiver's address is none of HTTP.
        """
        for at_ns, message in merged(TelemetryFile(path).messages() for path in paths):
            wait_s = pace.due_s(at_ns) - self._clock()
            if self._gone:
                self.report.tallies[message.kind].lost += message.items
                continue
            if wait_s > 0:
                self._sleep(wait_s)
            self._send(message, shifted(message, pace.shift_ns))
            sent()
        return self.report

    def _send(self, message: Recorded, body: bytes) -> None:
        tally = self.report.tallies[message.kind]
        problem, silent = "no answer", True
        for attempt in range(MAX_TRIES):
            wait_s = min(2**attempt / 4, MAX_WAIT_S)
            try:
                answer = self._client.post(
                    f"v1/{message.kind}", content=body, headers={"Content-Type": message.encoding.value}
                )
            except httpx.UnsupportedProtocol:
                raise
            except httpx.TransportError as error:
                problem = f"no answer: {error}"
            else:
                silent = False
                if answer.is_success:
                    self._taken(tally, message, answer)
                    return
                problem = f"HTTP {answer.status_code}: {_said(answer)}"
                if answer.status_code not in RETRYABLE:
                    break
                wait_s = _asked_s(answer) or wait_s
            if attempt + 1 < MAX_TRIES:
                self.report.retries += 1
                self._sleep(wait_s)
        self._gone = silent
        tally.lost += message.items
        self.report.note(f"{message.place}: {problem}")

    def _taken(self, tally: Tally, message: Recorded, answer: httpx.Response) -> None:
        try:
            rejected, reason = _rejected(message, answer.content)
        except (DecodeError, msgspec.DecodeError, ValueError) as error:
            tally.lost += message.items
            self.report.note(f"{message.place}: the answer is no export response ({error}); is this an OTLP receiver?")
            return
        rejected = min(rejected, message.items)
        tally.accepted += message.items - rejected
        tally.rejected += rejected
        if rejected:
            self.report.note(f"{message.place}: {rejected} rejected: {reason}")


def _rejected(message: Recorded, answer: bytes) -> tuple[int, str]:
    """Return how many items an export response rejects, and why."""
    if message.encoding is Encoding.JSON:
        partial = msgspec.json.decode(answer or b"{}", type=dict[str, dict[str, str | int]]).get("partialSuccess", {})
        counts = (int(partial.get(name, 0)) for name in _JSON_REJECTED)
        return max(counts), str(partial.get("errorMessage", ""))
    kind, name = _RESPONSES[message.kind]
    partial_success = kind.FromString(answer).partial_success  # type: ignore[attr-defined] — every export response has it
    return getattr(partial_success, name), partial_success.error_message


def _asked_s(answer: httpx.Response) -> float | None:
    """Return the seconds of `Retry-After`, None without it or when it is a date (back-off then decides)."""
    try:
        return min(max(float(answer.headers.get("Retry-After", "")), 0.0), MAX_WAIT_S)
    except ValueError:
        return None


def _said(answer: httpx.Response) -> str:
    return " ".join(answer.content[:300].decode(errors="replace").split()) or answer.reason_phrase
