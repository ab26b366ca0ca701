"""Scout's engine: turns the state of telemetry into signals, and answers how a series has been."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil

from telemetry.detect import DetectConfig, Finding
from telemetry.detect.finding import at
from telemetry.detect.series import SeriesMonitor
from telemetry.detect.series_watch import SLICE
from telemetry.environment import EnvironmentScout
from telemetry.memory.model import Incidents, Normal
from telemetry.model import (
    AnomalyState,
    GroupStatus,
    RedSummary,
    RevisionSeen,
    ScoutStatus,
    SeriesKey,
    Signal,
    SliReport,
    SliWindow,
)
from telemetry.rate import Rate
from telemetry.rules import ScoutConfig
from telemetry.state import TICK_S, Cell, Place, TelemetryState
from telemetry.state.cells import summary
from telemetry.steps import Steps, whole

_CATCH_UP_S = 3600
_STATUS_OVER_S = 60
_WINDOWS_MAX = 720
_WINDOWS_DUMPED = 2_000_000
_WINDOWS_LEAST = 200


class Scout:
    """Detection and grouping over one `TelemetryState`, in event time; runs in the thread that fills the state."""

    def __init__(
        self, state: TelemetryState, *, config: DetectConfig | None = None, rules: ScoutConfig | None = None
    ) -> None:
        self._state = state
        self._config = config or DetectConfig()
        self._rules = rules or ScoutConfig()
        self._places: dict[Place, EnvironmentScout] = {}
        self._next_s: int | None = None
        self._resumed_s = 0
        self._spans = Rate()
        self._minute: tuple[int, dict[str, RedSummary]] | None = None
        self._started = datetime.now(UTC)

    def tick(self, now_s: float) -> list[Signal]:
        """Process every tick that telemetry has completed by `now_s` (Unix seconds) and return what is to be told.

        Detection runs in event time up to the state's watermark, so calling it more often changes nothing. `now_s`
        bounds clocks that run ahead, and becomes `detected` of new groups; a replay passes its own event time.
        """
        return whole(self.steps(now_s))

    def steps(self, now_s: float) -> Steps[list[Signal]]:
        """Do what `tick` does in steps of some milliseconds, over any number of series.

        Telemetry may be taken in and questions asked in the pauses. The tick that is judged lies before the watermark:
        spans that come meanwhile belong to later ticks, but for late ones, which a series that was judged already
        misses, as it would had they come after the tick. No other call that changes Scout may be made before the end.
        """
        self._spans.look(now_s, self._state.spans_total)
        watermark_s = self._state.watermark_s
        if watermark_s is None:
            return []
        tick_s = self._config.tick_s
        end_s = min(watermark_s, int(now_s)) // tick_s * tick_s
        start_s = self._start_s(end_s)
        signals: list[Signal] = []
        while start_s + tick_s <= end_s:
            for place in dict.fromkeys((*self._places, *self._state.series.places)):
                signals += yield from self._scout(place).advance(start_s, now_s)
            start_s += tick_s
            self._next_s = start_s
        self._next_s = start_s
        return signals

    @property
    def has_ticked(self) -> bool:
        """True once telemetry has come."""
        return self._next_s is not None

    def _start_s(self, end_s: int) -> int:
        """Return the tick to go on with: at first that of the oldest request; a gap of over an hour is skipped."""
        oldest_s = end_s - _CATCH_UP_S
        if self._next_s is not None:
            return max(self._next_s, oldest_s)
        cells = (self._state.cells(key, oldest_s, end_s) for key in self._state.keys())  # noqa: SIM118 # not a dict
        return max(self._resumed_s, min((found[0].start_s for found in cells if found), default=end_s))

    def _scout(self, place: Place) -> EnvironmentScout:
        found = self._places.get(place)
        if found is None:
            found = self._places[place] = EnvironmentScout(*place, self._state, self._config, self._rules)
        return found

    def group(self, group_id: str) -> GroupStatus | None:
        """Return where a group stands now, None when it is not known (closed ones are known for a day)."""
        found = (scout.group(group_id) for scout in self._places.values())
        return next((status for status in found if status is not None), None)

    def signals(self, tenant: str, environment: str | None, service: str) -> tuple[Signal, ...]:
        """Return the latest signal of every open group that has an anomaly on `service`, by environment, oldest first.

        Without an environment all of the tenant's are looked at.
        """
        places = [place for place in sorted(self._places) if place[0] == tenant and environment in {place[1], None}]
        return tuple(signal for place in places for signal in self._places[place].signals(service))

    def versions(self, tenant: str, environment: str, service: str) -> tuple[RevisionSeen, ...]:
        """Return the versions of a service that telemetry has shown, oldest first."""
        return tuple(self._state.versions(tenant, environment, service))

    def sli(
        self, key: SeriesKey, *, since: datetime, window_s: int, min_requests: int, revision: str | None = None
    ) -> SliReport:
        """Return how a series has been since then, in whole windows up to the watermark, oldest first.

        Windows begin at the first tick after `since` and are `window_s` long, rounded up to ticks; at most the
        newest 720 are told. A window with fewer than `min_requests` requests is `NO_DATA`. With `revision` only
        requests that this revision (or version) served count. Verdicts are against the baseline from before the
        incident, because disturbed cells are never learned.
        """
        tick_s = self._config.tick_s
        length_s = ceil(max(window_s, tick_s) / tick_s) * tick_s
        first_s = ceil(since.timestamp() / tick_s) * tick_s
        end_s = self._state.watermark_s or first_s
        count = max(0, (end_s - first_s) // length_s)
        starts = [first_s + n * length_s for n in range(max(0, count - _WINDOWS_MAX), count)]
        place = self._places.get((key.tenant, key.environment))
        monitor = (place.watch.peek(key) if place else None) or SeriesMonitor(key, self._config)
        cells = {start: self._state.cells(key, start, start + length_s, revision=revision) for start in starts}
        limits = monitor.baseline.limits
        return SliReport(
            key=key,
            revision=revision,
            baseline_error_ratio=monitor.baseline.errors.p0,
            baseline_p99_ms=limits.p99_ms if limits else None,
            windows=tuple(_window(monitor, s, s + length_s, cells[s], min_requests) for s in starts),
            saturated=place is not None and place.watch.saturated(key.service),
        )

    def dump(self) -> Normal:
        """Return what is normal, for after a restart; the more series there are, the less history of each."""
        return whole(self.dump_steps())

    def dump_steps(self) -> Steps[Normal]:
        """Do what `dump` does in steps; it is of one moment as long as no tick is begun before the end."""
        windows_max = min(
            self._config.ratio_windows_kept, max(_WINDOWS_LEAST, _WINDOWS_DUMPED // max(1, self.baselines))
        )
        _, signatures = self._state.memory
        normal = Normal()
        for scout in list(self._places.values()):
            normal.places.append((yield from scout.dump(windows_max)))
        normal.signatures = signatures.dump()
        return normal

    def dump_incidents(self, untold: Sequence[Signal] = ()) -> Incidents:
        """Return what is open, with the signals that nobody has been told yet, for after a restart."""
        versions, _ = self._state.memory
        places = [scout.dump_incidents() for scout in self._places.values()]
        return Incidents(places, versions.dump(), self._next_s, list(untold))

    def load(self, normal: Normal, incidents: Incidents) -> None:
        """Take over what was dumped before a restart; before the first tick. Raises ValueError when it is damaged.

        Ticks go on where they were: older telemetry that comes again is not judged twice, and a time in which no Scout
        was there is not a time without traffic.
        """
        versions, signatures = self._state.memory
        for place in normal.places:
            self._scout((place.tenant, place.environment)).load(place)
        signatures.load(normal.signatures)
        versions.load(incidents.versions)
        for memory in incidents.places:
            self._scout((memory.tenant, memory.environment)).load_incidents(memory)
        self._resumed_s = incidents.next_s or 0

    @property
    def baselines(self) -> int:
        """How many series have a baseline, silent ones included."""
        return sum(scout.watch.series for scout in self._places.values())

    @property
    def spans_per_s(self) -> float:
        """Spans taken in a second, over the last minute."""
        return round(self._spans.per_s, 1)

    def findings(self) -> list[Finding]:
        """Return all that is suspect, confirmed, or closed and may flap, by place."""
        return [finding for scout in self._places.values() for finding in scout.watch.findings()]

    def status(self) -> Steps[ScoutStatus]:
        """Return in steps Scout's own health, its suspicions, and the last minute of every service."""
        watermark_s = self._state.watermark_s
        services = yield from self._services(watermark_s or 0)
        return ScoutStatus(
            started=self._started,
            spans_total=self._state.spans_total,
            spans_per_s=self.spans_per_s,
            points_total=self._state.points_total,
            logs_total=self._state.logs_total,
            dropped_total=dict(self._state.dropped),
            series=len(self._state.keys()),
            baselines=self.baselines,
            suspects=tuple(f.anomaly() for f in self.findings() if f.state is AnomalyState.SUSPECT),
            watermark=None if watermark_s is None else at(watermark_s),
            services=services,
            edges=self._edges(),
        )

    def _services(self, end_s: int) -> Steps[dict[str, RedSummary]]:
        """Return the last minute of every service; somebody may ask every second, so it is gathered once a tick."""
        tick = end_s // TICK_S
        if self._minute is None or self._minute[0] != tick:
            cells: dict[str, list[Cell]] = {}
            for number, key in enumerate(tuple(self._state.keys()), 1):
                cells.setdefault(key.service, []).extend(self._state.cells(key, end_s - _STATUS_OVER_S, end_s))
                if number % SLICE == 0:
                    yield
            found: dict[str, RedSummary] = {}
            for number, service in enumerate(sorted(cells), 1):
                found[service] = summary(cells[service])
                if number % SLICE == 0:
                    yield
            self._minute = (tick, found)
        return self._minute[1]

    def _edges(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted({(e.caller, e.callee) for place in self._places for e in self._state.edges(*place)}))


def _window(monitor: SeriesMonitor, start_s: int, end_s: int, cells: list[Cell], min_requests: int) -> SliWindow:
    red = summary(cells)
    health = monitor.health(cells, min_requests)
    return SliWindow(**red.model_dump(), start=at(start_s), end=at(end_s), health=health)
