"""How services did their work in recent minutes: whole traces, joined with their log records, as they grow old."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from telemetry.profile.rows import LogRow, SpanRow
from telemetry.profile.sites import site_of
from telemetry.profile.window import Profile, began_ns
from telemetry.scrub import scrub_name
from telemetry.state.attributes import text_of
from telemetry.state.drops import Drops
from telemetry.state.limits import Limits
from telemetry.state.resource import Resource
from telemetry.state.share import FULL, Share
from telemetry.state.span_logs import SpanLogs
from telemetry.state.traces import Trace, TraceStore

_NS = 1_000_000_000
_MINUTE_S = 60
_SITES_MAX = 10_000
_GENERATION_S = 300
_NEAR_BUDGET = 0.8

Place = tuple[str, str]
"""Tenant and environment."""


class _Minutes:
    """The minutes of one place, by Unix minute, and how much of its traces goes into them."""

    def __init__(self) -> None:
        self.share = Share()
        self.by_minute: dict[int, Profile] = {}
        self._minute = 0
        self._offered = 0

    def offer(self, spans: int, now_s: int, most: int) -> bool:
        """Return whether spans of a whole trace still fit into this minute's budget; the next one's share follows."""
        minute = now_s // _MINUTE_S
        if minute != self._minute:
            part = self.share.now
            if self._offered > most:
                part = max(1, int(part * _NEAR_BUDGET * most / self._offered))
            elif self._offered < most // 2:
                part = min(FULL, part * 2 + 1)
            self.share.set(part, now_s)
            self._minute, self._offered = minute, 0
        self._offered += spans
        return self._offered <= most


class Profiles:
    """Profiles of all tenants, by environment and minute in which a trace began; times are event time.

    A trace is taken once it has left the buffer of recent spans. Spans of a trace, and records of a trace, that come
    after that are too late. Not more of an environment is taken than `limits` say: then of whole traces a part.
    """

    def __init__(self, limits: Limits, drops: Drops) -> None:
        self._limits = limits
        self._drops = drops
        self._places: dict[Place, _Minutes] = {}
        self._logs = SpanLogs(limits.max_span_logs, limits.max_span_logs_per_trace)
        self._sites: dict[str, str] = {}
        self._taken: set[tuple[str, bytes]] = set()
        self._taken_before: set[tuple[str, bytes]] = set()
        self._generation = 0
        self._keys = 0

    @property
    def keys(self) -> int:
        """Times, steps and calls in all minutes."""
        return self._keys

    def take_log(self, record: LogRecord, resource: Resource, at_ns: int) -> None:
        """Hold a record of any severity for the span that it names."""
        trace_id, share = record.trace_id, self._minutes((resource.tenant, resource.environment)).share
        if not share.holds(trace_id):
            return
        key = (resource.tenant, trace_id)
        if key in self._taken or key in self._taken_before:
            self._drops.count("profile_late")
            return
        row = LogRow(at_ns, self._site(record), record.severity_number)
        gone = self._logs.add(key, record.span_id, row, share)
        if gone:
            self._drops.count("profile_logs", gone)

    def _site(self, record: LogRecord) -> str:
        """Return where a record was written; sites repeat themselves, and scrubbing is what they cost."""
        found = site_of(text_of(record.body)) or record.event_name
        site = self._sites.get(found)
        if site is None:
            if len(self._sites) >= _SITES_MAX:
                self._sites.clear()
            site = self._sites[found] = scrub_name(found)
        return site

    def take_left(self, tenant: str, store: TraceStore, now_s: int) -> None:
        """Take the traces that left the buffer, and let go of what no trace came for."""
        left, store.left = store.left, []
        for trace in left:
            if store.is_whole(trace, now_s):
                self._take(tenant, trace, now_s)
            self._logs.forget((tenant, trace.id))
        self._logs.expire(now_s)
        if now_s // _GENERATION_S != self._generation:
            self._generation = now_s // _GENERATION_S
            self._taken_before, self._taken = self._taken, set()

    def _take(self, tenant: str, trace: Trace, now_s: int) -> None:
        key = (tenant, trace.id)
        if key in self._taken or key in self._taken_before:
            self._drops.count("profile_late", len(trace.rows))
            return
        logs = self._logs.of(key)
        for environment, spans in _by_environment(trace):
            minutes = self._minutes((tenant, environment))
            held = logs is not None and minutes.share.held(trace.id)
            if logs is None or not held or not minutes.offer(len(spans), now_s, self._limits.max_profiled_spans):
                self._drops.count("profile_spans", len(spans))
            else:
                self._taken.add(key)
                self._add(minutes, spans, logs)
        if self._keys > self._limits.max_profile_keys_kept:
            self._forget_oldest()

    def _add(self, minutes: _Minutes, spans: Sequence[SpanRow], logs: Mapping[bytes, Iterable[LogRow]]) -> None:
        minute = began_ns(spans) // _NS // _MINUTE_S
        profile = minutes.by_minute.get(minute)
        if profile is None:
            profile = minutes.by_minute[minute] = Profile(self._limits.max_profile_keys)
        keys, dropped = profile.keys, profile.dropped
        profile.add(spans, logs)
        self._keys += profile.keys - keys
        if profile.dropped > dropped:
            self._drops.count("profile_keys", profile.dropped - dropped)

    def _forget_oldest(self) -> None:
        """Forget the oldest minutes until there is room; the newest of a place always stays."""
        while self._keys > self._limits.max_profile_keys_kept:
            places = [place for place in self._places.values() if len(place.by_minute) > 1]
            if not places:
                return
            oldest = min(places, key=lambda place: min(place.by_minute))
            self._keys -= oldest.by_minute.pop(min(oldest.by_minute)).keys
            self._drops.count("profile_minutes")

    def between(self, place: Place, store: TraceStore, now_s: int, start_s: int, end_s: int) -> list[Profile]:
        """Return a profile for each minute of the whole traces that began in [start_s, end_s), oldest first.

        A minute that is past counts if all of it is within; traces still in the buffer count one by one.
        """
        start_ns, end_ns = start_s * _NS, end_s * _NS
        found = {
            minute: [profile]
            for minute, profile in self._minutes(place).by_minute.items()
            if start_ns <= profile.first_ns and profile.last_ns < end_ns
        }
        recent: defaultdict[int, Profile] = defaultdict(lambda: Profile(self._limits.max_profile_keys))
        for trace_id, spans in self._recent(place, store, now_s, (start_ns, end_ns)):
            recent[began_ns(spans) // _NS // _MINUTE_S].add(spans, self._logs.of((place[0], trace_id)) or {})
        for minute, profile in recent.items():
            found.setdefault(minute, []).append(profile)
        return [Profile.merged(parts) if len(parts) > 1 else parts[0] for _, parts in sorted(found.items())]

    def _recent(
        self, place: Place, store: TraceStore, now_s: int, within_ns: tuple[int, int]
    ) -> list[tuple[bytes, list[SpanRow]]]:
        """Return the whole traces in the buffer that began within a stretch, sampled to what a minute may cost."""
        tenant, environment = place
        settled = self._minutes(place).share.settled
        found: list[tuple[bytes, list[SpanRow]]] = []
        spans_in_all = 0
        for trace in store.recent.values():
            key = (tenant, trace.id)
            if trace.id[15] >= settled or key in self._taken or key in self._taken_before:
                continue
            if not store.is_whole(trace, now_s) or self._logs.of(key) is None:
                continue
            for where, spans in _by_environment(trace):
                if where == environment and within_ns[0] <= began_ns(spans) < within_ns[1]:
                    found.append((trace.id, spans))
                    spans_in_all += len(spans)
        most = self._limits.max_profiled_spans
        if spans_in_all <= most:
            return found
        part = settled * most // spans_in_all
        return [(trace_id, spans) for trace_id, spans in found if trace_id[15] < part]

    def _minutes(self, place: Place) -> _Minutes:
        return self._places.setdefault(place, _Minutes())

    def forget_before(self, oldest_s: int) -> None:
        """Forget older minutes."""
        for where, place in list(self._places.items()):
            for minute in [minute for minute in place.by_minute if minute < oldest_s // _MINUTE_S]:
                self._keys -= place.by_minute.pop(minute).keys
            if not place.by_minute:
                del self._places[where]

    def clear(self) -> None:
        """Forget every profile and every record."""
        self._places.clear()
        self._logs.clear()
        self._keys = 0


def _by_environment(trace: Trace) -> list[tuple[str, list[SpanRow]]]:
    """Return the spans of a trace by environment: hardly ever more than one."""
    found: dict[str, list[SpanRow]] = {}
    for span_id, parent_id, start_ns, end_ns, _, error, name, resource, _ in trace.rows:
        row = SpanRow(trace.id, span_id, parent_id, resource.service, name, start_ns, end_ns, error)
        found.setdefault(resource.environment, []).append(row)
    return list(found.items())
