"""Bounds of evidence and what counts as moved."""

from datetime import UTC, datetime, timedelta

from telemetry.detect import DetectConfig
from telemetry.evidence.bundle import fitting
from telemetry.evidence.changes import changes_of
from telemetry.evidence.resources import moved_score
from telemetry.evidence.traces import trimmed
from telemetry.model import EdgeEvidence, RedSummary, RevisionSeen, TraceSpan
from telemetry.testing import Chain, Fault

NONE = RedSummary(requests=0, errors=0)
START = datetime(2026, 1, 1, tzinfo=UTC)


def test_bundle_is_cut_from_the_end_and_ids_stay_in_order():
    """What fits is a beginning of the list."""
    drafts = [EdgeEvidence(id="E0", caller="a" * 500, callee=str(n), before=NONE, after=NONE) for n in range(100)]
    items = fitting(drafts, 20_000)
    assert 10 < len(items) < 40
    assert [item.id for item in items] == [f"E{n}" for n in range(1, len(items) + 1)]
    assert sum(len(item.model_dump_json()) for item in items) < 20_000


def test_dropped_items_are_counted_and_the_bundle_stays_within_its_size():
    """With room for 8 KiB the least important evidence goes."""
    chain = Chain(config=DetectConfig(evidence_bytes_max=8 * 1024))
    chain.run(25)
    signal = chain.run(60, {"quote": Fault(error_ratio=1.0)})[0]
    assert signal.evidence.dropped > 0
    assert len(signal.evidence.model_dump_json()) <= 8 * 1024
    assert signal.evidence.items[0].id == "E1"


def _span(number: int, parent: int | None, *, error: bool = False, self_ms: float = 1.0) -> TraceSpan:
    return TraceSpan(
        span_id=str(number),
        parent_id=None if parent is None else str(parent),
        service="quote",
        operation="x",
        span_kind="internal",
        offset_ms=number,
        duration_ms=self_ms,
        self_ms=self_ms,
        error=error,
    )


def test_trimmed_trace_keeps_the_failure_with_its_ancestors():
    """A hundred quick spans give way to the one that failed at the end of a chain."""
    spans = [_span(0, None), *(_span(n, 0) for n in range(1, 100))]
    spans += [_span(100, 99), _span(101, 100, error=True), _span(102, 0, self_ms=900)]
    kept = [span.span_id for span in trimmed(tuple(spans), 10)]
    assert {"0", "99", "100", "101", "102"} <= set(kept)
    assert len(kept) == 10
    assert kept == sorted(kept, key=int)


def test_gauge_that_jitters_has_not_moved():
    """Six robust deviations, with a floor of 5 % for constant gauges."""
    assert moved_score([10, 11, 9, 10, 12], 11) < 6
    assert moved_score([10, 10, 10], 10.5) < 6
    assert moved_score([10, 10, 10], 20) > 6
    assert moved_score([0, 0, 0], 1) > 6
    assert moved_score([], 5) == 0


def _seen(revision: str, first: int, last: int) -> RevisionSeen:
    times = (START + timedelta(minutes=first), START + timedelta(minutes=last))
    return RevisionSeen(service="quote", version=None, revision=revision, first_seen=times[0], last_seen=times[1])


def test_version_changes_are_told_with_what_ran_before():
    """Three versions are two changes; the first version is none."""
    changes = changes_of([_seen("a", 0, 10), _seen("b", 10, 20), _seen("c", 20, 30)])
    assert [(c.revision_before, c.revision_after) for c in changes] == [("a", "b"), ("b", "c")]
    assert changes[1].changed_at == START + timedelta(minutes=20)
    assert changes_of([_seen("a", 0, 10)]) == []


def test_roll_back_is_a_change_too():
    """A version that comes back after another one was seen."""
    changes = changes_of([_seen("a", 0, 30), _seen("b", 10, 20)])
    assert [(c.revision_before, c.revision_after) for c in changes] == [("a", "b"), ("b", "a")]
