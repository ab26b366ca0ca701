"""The profile of one window: times and steps of work by service and operation, counted and mergeable."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from telemetry.profile.rows import END, ENTRY, LogRow, SpanRow
from telemetry.state.sketch import Sketch

MAX_KEYS = 20_000
"""Distinct operations, calls and steps of a window; what comes after that is not counted."""

_NS_PER_MS = 1e6

Work = tuple[str, str]
"""Service and operation."""
NO_CALL: Work = ("", "")
"""In place of a callee: the span made no call."""
Way = tuple[str, str, str]
"""Caller, callee, and the callee's operation."""
Step = tuple[str, str, str]
"""Service, operation, and a log site or where the span begins."""


class Profile:
    """What whole traces of one window came to; adding is independent of their order.

    `own` holds self times (duration less the union of the children, detection.md), `way` what a call took beyond the
    callee's own span, `next` how often each step followed a step within one span, `work` the spans, `calls` how many
    of them had at least one such child, or none at all;
    `failed` counts spans of status ERROR without a child of that status.
    """

    def __init__(self) -> None:
        self.traces = 0
        self.own: defaultdict[Work, Sketch] = defaultdict(Sketch)
        self.way: defaultdict[Way, Sketch] = defaultdict(Sketch)
        self.next: defaultdict[Step, Counter[str]] = defaultdict(Counter)
        self.severity: dict[str, int] = {}
        self.work: Counter[Work] = Counter()
        self.calls: defaultdict[Work, Counter[Work]] = defaultdict(Counter)
        self.failed: Counter[Work] = Counter()
        self._full = False

    def add(self, spans: Sequence[SpanRow], logs: Mapping[bytes, Iterable[LogRow]]) -> None:
        """Take one trace, with the log records of its spans by span id."""
        self.traces += 1
        by_id = {span.id: span for span in spans}
        children: defaultdict[bytes, list[SpanRow]] = defaultdict(list)
        for span in spans:
            if span.parent in by_id and span.parent != span.id:
                children[span.parent].append(span)
        self._full = self._full or len(self.own) + len(self.way) + len(self.next) >= MAX_KEYS
        for span in spans:
            self._add_span(span, children.get(span.id, ()))
            parent = by_id.get(span.parent)
            if parent is not None and parent.service != span.service:
                self._add_way(parent, span)
            self._add_steps(span, logs.get(span.id, ()))

    def merge(self, other: "Profile") -> None:
        """Add everything that `other` holds."""
        self.traces += other.traces
        for work, sketch in other.own.items():
            self.own[work].merge(sketch)
        for way, sketch in other.way.items():
            self.way[way].merge(sketch)
        for step, following in other.next.items():
            self.next[step].update(following)
        for site, severity in other.severity.items():
            self.severity[site] = max(severity, self.severity.get(site, 0))
        self.work.update(other.work)
        self.failed.update(other.failed)
        for work, found in other.calls.items():
            self.calls[work].update(found)

    @classmethod
    def merged(cls, profiles: Iterable["Profile"]) -> "Profile":
        """Return a new profile that holds everything the given ones hold."""
        result = cls()
        for profile in profiles:
            result.merge(profile)
        return result

    def _add_span(self, span: SpanRow, children: Sequence[SpanRow]) -> None:
        work = (span.service, span.operation)
        if self._full and work not in self.own:
            return
        self.work[work] += 1
        self.own[work].add(self_ms(span, children))
        if span.error and not any(child.error for child in children):
            self.failed[work] += 1
        self.calls[work].update({(child.service, child.operation) for child in children} or {NO_CALL})

    def _add_way(self, parent: SpanRow, span: SpanRow) -> None:
        way = (parent.service, span.service, span.operation)
        if not self._full or way in self.way:
            beyond_ns = parent.end_ns - parent.start_ns - (span.end_ns - span.start_ns)
            self.way[way].add(max(0, beyond_ns) / _NS_PER_MS)

    def _add_steps(self, span: SpanRow, logs: Iterable[LogRow]) -> None:
        before = ENTRY + span.operation
        for record in sorted(logs):
            self._follow(span, before, record.site)
            before = record.site
            if record.severity > self.severity.get(record.site, -1):
                self.severity[record.site] = record.severity
        self._follow(span, before, END)

    def _follow(self, span: SpanRow, before: str, after: str) -> None:
        step = (span.service, span.operation, before)
        if not self._full or step in self.next:
            self.next[step][after] += 1


def self_ms(span: SpanRow, children: Sequence[SpanRow]) -> float:
    """Return the milliseconds of a span in which none of its children ran."""
    busy_ns, reached_ns = 0, span.start_ns
    for start_ns, end_ns in sorted((child.start_ns, child.end_ns) for child in children):
        start_ns, end_ns = max(start_ns, reached_ns), min(end_ns, span.end_ns)  # noqa: PLW2901 - clipped to the span
        if end_ns > start_ns:
            busy_ns += end_ns - start_ns
            reached_ns = end_ns
    return max(0, span.end_ns - span.start_ns - busy_ns) / _NS_PER_MS
