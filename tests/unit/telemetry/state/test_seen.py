"""Spans are taken once, however they come again."""

from itertools import count

from telemetry.state.columns import SpanColumns
from telemetry.state.seen import SeenSpans


def _spans(*ids: tuple[int, int]) -> SpanColumns:
    """Return spans by trace and span number."""
    nothing = [0] * len(ids)
    return SpanColumns(
        [trace.to_bytes(16, "big") for trace, _ in ids],
        [span.to_bytes(8, "big") for _, span in ids],
        [b""] * len(ids),
        [""] * len(ids),
        nothing,
        nothing,
        nothing,
        [False] * len(ids),
        lambda _: None,  # type: ignore[arg-type, return-value] — nobody asks for attributes here
    )


def _new(seen: SeenSpans, *ids: tuple[int, int]) -> list[tuple[int, int]]:
    found = seen.new(_spans(*ids))
    return [(int.from_bytes(one), int.from_bytes(other)) for one, other in zip(found.trace_ids, found.span_ids)]  # noqa: B905


def test_a_span_counts_once_however_it_is_batched() -> None:
    """Within one batch, in the next one among others, and between them."""
    seen = SeenSpans(100, 10)
    assert _new(seen, (1, 1), (1, 2), (1, 1)) == [(1, 1), (1, 2)]
    assert _new(seen, (1, 3), (1, 2), (2, 4)) == [(1, 3), (2, 4)]
    assert _new(seen, (2, 4)) == []


def test_a_span_id_of_another_trace_is_another_span() -> None:
    """Senders that number the spans of each trace lose none, and duplicates of theirs are known."""
    seen = SeenSpans(1_000, 10)
    for trace in range(1, 20):
        assert _new(seen, (trace, 1), (trace, 2), (trace, 3)) == [(trace, 1), (trace, 2), (trace, 3)]
    for trace in (1, 7, 19):
        assert _new(seen, (trace, 2), (trace, 4)) == [(trace, 4)]


def test_a_request_that_is_sent_again_is_known_for_longer_than_its_spans() -> None:
    """Who gets no answer sends the same request again, when its ids may be forgotten."""
    seen, number = SeenSpans(100, 1_000), count(1)
    request = [(1, next(number)) for _ in range(20)]
    assert _new(seen, *request) == request
    for _ in range(50):
        more = [(2, next(number)) for _ in range(20)]
        assert _new(seen, *more) == more
    assert _new(seen, *request) == []
    assert _new(seen, *request[:5]) == request[:5]  # not the same request, and too late to know its spans


def test_what_is_remembered_is_bounded() -> None:
    """Neither ids that collide nor batches pile up."""
    seen = SeenSpans(100, 10)
    for trace in range(1, 500):
        _new(seen, (trace, 1))
        _new(seen, (1, trace))
    held = [len(value) for value in vars(seen).values() if isinstance(value, dict | set)]
    assert sum(held) <= 100 + 10 + 2
