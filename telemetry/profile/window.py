"""The profile of one window: times and steps of work by service and operation, counted and mergeable."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence

from telemetry.profile.rows import END, ENTRY, LogRow, SpanRow
from telemetry.sketch import Sketch

MAX_KEYS = 60_000
"""Distinct times, steps and calls of a window; what comes after that is not counted."""

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
    """What whole traces of one window came to; adding is independent of their order while there is room for `max_keys`.

    `own` holds self times (duration less the union of the children, detection.md), `way` what a call took beyond the
    callee's own span, `next` how often each step followed a step within one span, `work` the spans, `calls` how many
    of them had at least one such child, or none at all;
    `failed` counts spans of status ERROR without a child of that status. `keys` is how many distinct ones of all these
    are held, `dropped` how often one was left out. `first_ns` and `last_ns` are when the first and last trace began.
    """

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        self.traces = self.keys = self.dropped = 0
        self.first_ns = self.last_ns = 0
        self.own: defaultdict[Work, Sketch] = defaultdict(Sketch)
        self.way: defaultdict[Way, Sketch] = defaultdict(Sketch)
        self.next: defaultdict[Step, Counter[str]] = defaultdict(Counter)
        self.severity: dict[str, int] = {}
        self.work: Counter[Work] = Counter()
        self.calls: defaultdict[Work, Counter[Work]] = defaultdict(Counter)
        self.failed: Counter[Work] = Counter()
        self._max_keys = max_keys

    def add(self, spans: Sequence[SpanRow], logs: Mapping[bytes, Iterable[LogRow]]) -> None:
        """Take one trace, with the log records of its spans by span id."""
        self._saw(1, began_ns(spans), began_ns(spans))
        by_id = {span.id: span for span in spans}
        children: defaultdict[bytes, list[SpanRow]] = defaultdict(list)
        for span in spans:
            if span.parent in by_id and span.parent != span.id:
                children[span.parent].append(span)
        for span in spans:
            if not self._add_span(span, children.get(span.id, ())):
                continue
            parent = by_id.get(span.parent)
            if parent is not None and parent.service != span.service:
                self._add_way(parent, span)
            self._add_steps(span, logs.get(span.id, ()))

    def merge(self, other: "Profile", services: Container[str] | None = None) -> None:
        """Add everything that `other` holds, or what concerns some services: of a way one end is enough."""
        self._saw(other.traces, other.first_ns, other.last_ns)
        self.keys += other.keys  # an upper bound: what both hold counts twice
        for work, sketch in other.own.items():
            if services is None or work[0] in services:
                self.own[work].merge(sketch)
                self.work[work] += other.work[work]
                self.calls[work].update(other.calls[work])
        for way, sketch in other.way.items():
            if services is None or way[0] in services or way[1] in services:
                self.way[way].merge(sketch)
        for step, following in other.next.items():
            if services is None or step[0] in services:
                self.next[step].update(following)
        for work, failed in other.failed.items():
            if services is None or work[0] in services:
                self.failed[work] += failed
        for site, severity in other.severity.items():
            self.severity[site] = max(severity, self.severity.get(site, 0))

    @classmethod
    def merged(cls, profiles: Iterable["Profile"], services: Container[str] | None = None) -> "Profile":
        """Return a new profile that holds everything the given ones hold, or what concerns some services."""
        result = cls()
        for profile in profiles:
            result.merge(profile, services)
        return result

    def _saw(self, traces: int, first_ns: int, last_ns: int) -> None:
        if traces:
            self.first_ns = min(self.first_ns, first_ns) if self.traces else first_ns
            self.last_ns = max(self.last_ns, last_ns)
            self.traces += traces

    def _has_room(self) -> bool:
        """Return whether there is room for one more key, which is then taken or counted as dropped."""
        if self.keys < self._max_keys:
            self.keys += 1
            return True
        self.dropped += 1
        return False

    def _add_span(self, span: SpanRow, children: Sequence[SpanRow]) -> bool:
        """Count a span and its calls, and return whether there was room for its operation."""
        work = (span.service, span.operation)
        if work not in self.own and not self._has_room():
            return False
        self.work[work] += 1
        self.own[work].add(self_ms(span, children))
        if span.error and not any(child.error for child in children):
            self.failed[work] += 1
        made = self.calls[work]
        for call in {(child.service, child.operation) for child in children} or {NO_CALL}:
            if call in made or self._has_room():
                made[call] += 1
        return True

    def _add_way(self, parent: SpanRow, span: SpanRow) -> None:
        way = (parent.service, span.service, span.operation)
        if way in self.way or self._has_room():
            beyond_ns = parent.end_ns - parent.start_ns - (span.end_ns - span.start_ns)
            self.way[way].add(max(0, beyond_ns) / _NS_PER_MS)

    def _add_steps(self, span: SpanRow, logs: Iterable[LogRow]) -> None:
        before = ENTRY + span.operation
        for record in sorted(logs):
            followed = self._follow(span, before, record.site)
            before = record.site
            if followed and record.severity > self.severity.get(record.site, -1):
                self.severity[record.site] = record.severity
        self._follow(span, before, END)

    def _follow(self, span: SpanRow, before: str, after: str) -> bool:
        following = self.next.get((span.service, span.operation, before))
        if following is not None and after in following:
            following[after] += 1
            return True
        if not self._has_room():
            return False
        self.next[span.service, span.operation, before][after] += 1
        return True


def began_ns(spans: Iterable[SpanRow]) -> int:
    """Return when the first of some spans began, in Unix nanoseconds."""
    return min(span.start_ns for span in spans)


def self_ms(span: SpanRow, children: Sequence[SpanRow]) -> float:
    """Return the milliseconds of a span in which none of its children ran."""
    busy_ns, reached_ns = 0, span.start_ns
    for start_ns, end_ns in sorted((child.start_ns, child.end_ns) for child in children):
        start_ns, end_ns = max(start_ns, reached_ns), min(end_ns, span.end_ns)  # noqa: PLW2901 - clipped to the span
        if end_ns > start_ns:
            busy_ns += end_ns - start_ns
            reached_ns = end_ns
    return max(0, span.end_ns - span.start_ns - busy_ns) / _NS_PER_MS
