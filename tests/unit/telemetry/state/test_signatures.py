"""Error signatures: one failure is one signature, counted once a trace."""

from types import SimpleNamespace

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from telemetry.state import Limits, SignatureStats, TelemetryState
from telemetry.state.failure import masked

_TRACE = """Traceback (most recent call last):
  File "/srv/{checkout}/quote/discounts.py", line {line}, in apply
    return table[sku]
KeyError: {sku}
"""


def _key_error(checkout: str = "a", line: int = 12, sku: str = "'x1'") -> tuple[str, str, str]:
    return "KeyError", sku, _TRACE.format(checkout=checkout, line=line, sku=sku)


def _all(state: TelemetryState) -> list[SignatureStats]:
    return list(state.signatures("default", "default", 0))


def _hits(signature: SignatureStats) -> int:
    return sum(hit.n for hit in signature.hits)


def test_the_same_failure_is_one_signature_whatever_its_line_message_and_checkout(
    state: TelemetryState, otlp: SimpleNamespace
) -> None:
    """Type and top frames make the signature."""
    failures = [_key_error(), _key_error("b", 40), _key_error(sku="'z9'")]
    spans = [otlp.span(at_s=otlp.T0 + at, exception=failure) for at, failure in enumerate(failures)]
    state.add_traces("default", otlp.export(spans))
    (signature,) = _all(state)
    assert (signature.error_type, signature.operation, signature.service) == ("KeyError", "GET /quote", "quote")
    assert [(hit.at_s, hit.n) for hit in signature.hits] == [(otlp.T0, 3)]
    assert (signature.first_seen_s, signature.last_seen_s) == (otlp.T0, otlp.T0 + 2)
    assert len(set(signature.trace_ids)) == 3
    assert signature.frames[0].path == "/srv/a/quote/discounts.py"


def test_another_function_type_or_service_is_another_signature(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """What differs in kind is kept apart."""
    kind, message, stack = _key_error()
    state.add_traces("default", otlp.export([otlp.span(exception=(kind, message, stack))]))
    state.add_traces("default", otlp.export([otlp.span(exception=("ValueError", message, stack))]))
    state.add_traces("default", otlp.export([otlp.span(exception=(kind, message, stack.replace("apply", "find")))]))
    state.add_traces("default", otlp.export([otlp.span(exception=(kind, message, stack))], otlp.resource("pricing")))
    assert len({signature.hash for signature in _all(state)}) == 4


def test_an_exception_recorded_on_nested_spans_counts_once_under_the_entry(
    state: TelemetryState, otlp: SimpleNamespace
) -> None:
    """The inner span is exported first; the server span gives the operation that people know."""
    inner = otlp.span("apply discount", "internal", trace=1, exception=_key_error())
    outer = otlp.span("GET /quote", "server", trace=1, exception=_key_error())
    state.add_traces("default", otlp.export([inner]))
    state.add_traces("default", otlp.export([outer]))
    (signature,) = _all(state)
    assert (signature.operation, _hits(signature)) == ("GET /quote", 1)


def test_an_entry_that_fails_for_a_known_reason_adds_no_signature_of_its_own(
    state: TelemetryState, otlp: SimpleNamespace
) -> None:
    """A bare 500 around an exception is the exception's symptom."""
    inner = otlp.span("apply discount", "internal", trace=1, exception=_key_error())
    outer = otlp.span("GET /quote", "server", trace=1, error=True, error__type="500")
    state.add_traces("default", otlp.export([inner, outer]))
    (signature,) = _all(state)
    assert (signature.error_type, signature.operation) == ("KeyError", "GET /quote")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"message": "order 17 for 10.0.0.1 failed"}, {"message": "order 18 for 10.0.0.2 failed"}),
        ({"error__type": "504"}, {"error__type": "504"}),
        ({}, {}),
    ],
)
def test_without_an_exception_the_masked_message_or_the_error_type_is_the_signature(
    state: TelemetryState, otlp: SimpleNamespace, one: dict[str, str], two: dict[str, str]
) -> None:
    """There is always a signature, from the best that the span tells."""
    state.add_traces("default", otlp.export([otlp.span(error=True, **one), otlp.span(error=True, **two)]))
    (signature,) = _all(state)
    assert _hits(signature) == 2


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("QueuePool limit of size 2 reached, timeout 0.50", "QueuePool limit of size <n> reached, timeout <n>"),
        ("no quote 3f786850-e387-550f-dab8-36ed7e6dc881", "no quote <uuid>"),
        ("object at 0x7f91e37bfe80", "object at <hex>"),
        ("trace 4bf92f3577b34da6a3ce929d0e0e4736 lost", "trace <hex> lost"),
        ("connect to 10.1.2.3:5432 refused", "connect to <address> refused"),
        ("since 2026-01-02T03:04:05Z", "since <time>"),
        ("KeyError: 'price'", "KeyError: 'price'"),
        ("bad input 'a b c; 1'", "bad input '<text>'"),
        ("HTTP/2 stream v1beta2 of added beefy", "HTTP/<n> stream v1beta2 of added beefy"),
        ("first line\nsecond line", "first line"),
    ],
)
def test_messages_are_masked_to_templates(message: str, template: str) -> None:
    """What varies from request to request is replaced by its kind; names stay."""
    assert masked(message) == template


def test_a_signature_is_remembered_beyond_the_retention(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """What was seen two days ago is not new; what was not seen for eight days is."""
    day_s = 86_400
    for day in (0, 2, 12):
        state.add_traces("default", otlp.export([otlp.span(at_s=otlp.T0 + day * day_s, exception=_key_error())]))
        state.add_traces("default", otlp.export([otlp.span(at_s=otlp.T0 + day * day_s + 9_000)]))
        first_seen_s = otlp.T0 if day < 12 else otlp.T0 + 12 * day_s
        state.add_traces(
            "default", otlp.export([otlp.span(at_s=otlp.T0 + day * day_s + 9_001, exception=_key_error())])
        )
        (signature,) = _all(state)
        assert signature.first_seen_s == first_seen_s
        state.add_traces("default", otlp.export([otlp.span(at_s=otlp.T0 + day * day_s + 18_000)]))


def test_signatures_are_bounded_and_drops_are_counted(otlp: SimpleNamespace) -> None:
    """Types without end are not kept without end; the one that was not hit for longest goes, and is known later."""
    state = TelemetryState(Limits(max_signatures=3))
    for at, name in enumerate("abacade"):
        state.add_traces("default", otlp.export([otlp.span(exception=(name, "", ""), at_s=otlp.T0 + at)]))
    assert {signature.error_type for signature in _all(state)} == {"a", "d", "e"}
    assert state.dropped == {"signatures": 2}
    state.add_traces("default", otlp.export([otlp.span(exception=("b", "", ""), at_s=otlp.T0 + 60)]))
    (again,) = (signature for signature in _all(state) if signature.error_type == "b")
    assert again.first_seen_s == otlp.T0 + 1


def test_signatures_can_be_asked_for_since_a_time(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """Only what was hit since then is told."""
    state.add_traces("default", otlp.export([otlp.span(exception=_key_error())]))
    assert state.signatures("default", "default", otlp.T0 + 1) == []
    assert state.signatures("default", "prod", 0) == []


def test_log_records_of_errors_become_signatures(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """`exception.*` on a log record and error messages count; lower severities do not."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add(resource=otlp.resource()).scope_logs.add()
    kind, message, stack = _key_error()
    exception = {"exception.type": kind, "exception.message": message, "exception.stacktrace": stack}
    now_ns = otlp.T0 * 1_000_000_000
    scope.log_records.add(time_unix_nano=now_ns, severity_number=17).attributes.extend(otlp.attributes(exception))
    scope.log_records.add(observed_time_unix_nano=now_ns, severity_number=17).body.string_value = "order 7 lost"
    scope.log_records.add(time_unix_nano=now_ns, severity_number=9).body.string_value = "all is well"
    scope.log_records.add(severity_number=17)
    scope.log_records.add(time_unix_nano=now_ns, trace_id=b"short")
    taken = state.add_logs("default", request)
    assert (taken.accepted, taken.rejected) == (3, 2)
    found = {(signature.error_type, signature.message) for signature in _all(state)}
    assert found == {("KeyError", "'x1'"), ("", "order <n> lost")}


def test_a_span_and_a_log_of_one_exception_count_once(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """The trace id tells that both speak of the same failure."""
    state.add_traces("default", otlp.export([otlp.span(trace=5, exception=_key_error())]))
    request = ExportLogsServiceRequest()
    record = (
        request.resource_logs.add(resource=otlp.resource())
        .scope_logs.add()
        .log_records.add(time_unix_nano=otlp.T0 * 1_000_000_000, severity_number=17, trace_id=(5).to_bytes(16, "big"))
    )
    names = ("exception.type", "exception.message", "exception.stacktrace")
    record.attributes.extend(otlp.attributes(dict(zip(names, _key_error(), strict=True))))
    state.add_logs("default", request)
    (signature,) = _all(state)
    assert _hits(signature) == 1


@pytest.mark.parametrize(
    ("named", "frame"),
    [
        (
            {
                "code__file__path": "/srv/quote/tax.py",
                "code__function__name": "quote.tax.rate",
                "code__line__number": 7,
            },
            ("/srv/quote/tax.py", "quote.tax.rate", 7),
        ),
        (
            {"code__filepath": "/srv/quote/tax.py", "code__function": "rate", "code__namespace": "quote.tax"},
            ("/srv/quote/tax.py", "quote.tax.rate", None),
        ),
        ({"code__namespace": "com.acme.Tax", "code__function": "rate"}, ("com.acme.Tax", "com.acme.Tax.rate", None)),
        ({"code__file__path": "/opt/venv/site-packages/uvicorn/server.py", "code__function__name": "serve"}, None),
        ({"code__function__name": "org.springframework.web.Dispatcher.handle"}, None),
        ({"code__line__number": 12}, None),
    ],
)
def test_without_a_stack_trace_the_place_that_a_span_names_is_its_frame(
    state: TelemetryState, otlp: SimpleNamespace, named: dict[str, str | int], frame: tuple[str, str, int | None] | None
) -> None:
    """Stable and older names of `code.*`; places in libraries are no frames, and the place is not in the signature."""
    state.add_traces("default", otlp.export([otlp.span(error=True, message="no rate", **named)]))
    state.add_traces("default", otlp.export([otlp.span(error=True, message="no rate")]))
    (signature,) = _all(state)
    found = [(each.path, each.function, each.line) for each in signature.frames]
    assert found == ([frame] if frame else [])
