"""The dashboard's `ReadModel` over the store."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from agents.incident import TERMINAL, Clock, Stage
from agents.ports import Now
from bot.dashboard_detail import detail, times
from bot.db.read_model import Cursor, IncidentRow
from bot.db.read_model import ReadModel as Rows
from bot.db.schema import inbox, outbox
from bot.db.statistics import BucketRow, MeansRow, SignatureRow
from bot.sweeper import LANE as SWEEPER
from dashboard.cache import Shared
from dashboard.model import (
    Backlog,
    EventRecord,
    IncidentCard,
    IncidentDetail,
    IncidentPage,
    Means,
    Overview,
    Scorecard,
    ScoreRow,
    Trend,
    TrendBucket,
    Workers,
)
from dashboard.ports import Filter

WAITING_MAX: Final = 20
ROWS_MAX: Final = 50
BUCKET_S: Final[Mapping[int, int]] = {1: 3600, 7: 6 * 3600, 30: 24 * 3600}
"""Length of a bucket of the trend by the number of days that it shows."""
STAGES: Final[Mapping[Filter, tuple[Stage, ...]]] = {
    Filter.ALL: (),
    Filter.OPEN: tuple(stage for stage in Stage if stage not in TERMINAL),
    Filter.WAITING: (Stage.AWAITING_APPROVAL, Stage.AWAITING_INFO),
    Filter.RESOLVED: (Stage.RESOLVED,),
    Filter.ESCALATED: (Stage.ESCALATED,),
}


class DashboardRead:
    """Reads incidents, events and statistics for the dashboard; answers that do not change are computed once."""

    def __init__(self, rows: Rows, now: Now) -> None:
        self._rows = rows
        self._now = now
        self._overviews: Shared[Overview] = Shared()
        self._trends: Shared[Trend] = Shared()
        self._scorecards: Shared[Scorecard] = Shared()

    async def overview(self, limit: int) -> Overview:
        """Return the newest incidents and the counts over all of them."""
        return await self._overviews.get((limit, await self.last_sequence()), lambda: self._overview(limit))

    async def _overview(self, limit: int) -> Overview:
        found = await self._rows.overview(limit)
        waiting = await self._rows.page(WAITING_MAX, stages=(Stage.AWAITING_APPROVAL,), oldest_first=True)
        ended = {stage.value for stage in TERMINAL}
        return Overview(
            incidents=tuple(_card(row) for row in found.incidents),
            waiting=tuple(_card(row) for row in waiting),
            by_stage=found.by_stage,
            open=sum(count for stage, count in found.by_stage.items() if stage not in ended),
            resolved=found.by_stage.get(Stage.RESOLVED, 0),
            total=found.total,
            sequence=found.seq,
        )

    async def incidents(self, limit: int, *, which: Filter, words: str, before: str | None) -> IncidentPage:
        """Return a page of the list."""
        start = None if before is None else _cursor(before)
        rows = await self._rows.page(limit + 1, stages=STAGES[which], words=words, before=start)
        last = rows[limit - 1] if len(rows) > limit else None
        return IncidentPage(
            incidents=tuple(_card(row) for row in rows[:limit]),
            next=None if last is None else f"{last.created_at.isoformat()}~{last.id}",
        )

    async def incident(self, incident_id: str) -> IncidentDetail | None:
        """Return one incident."""
        page = await self._rows.incident(incident_id)
        return None if page is None else detail(page.incident)

    async def trend(self, days: int) -> Trend:
        """Return mean times over the last days, in buckets that begin at full hours of UTC."""
        bucket_s = BUCKET_S[days]
        number = int(self._now().timestamp()) // bucket_s
        until = datetime.fromtimestamp((number + 1) * bucket_s, tz=self._now().tzinfo)
        return await self._trends.get((until, days, await self.last_sequence()), lambda: self._trend(until, days))

    async def _trend(self, until: datetime, days: int) -> Trend:
        bucket_s, span, statistics = BUCKET_S[days], timedelta(days=days), self._rows.statistics
        since = until - span
        found = {row.bucket: row for row in await statistics.buckets(since, until, bucket_s)}
        count = int(span.total_seconds()) // bucket_s
        return Trend(
            since=since,
            until=until,
            bucket_s=bucket_s,
            buckets=tuple(
                _bucket(since + timedelta(seconds=number * bucket_s), found.get(number)) for number in range(count)
            ),
            now=_means(await statistics.means(since, until)),
            before=_means(await statistics.means(since - span, since)),
        )

    async def scorecard(self, days: int) -> Scorecard:
        """Return how incidents went, by signature."""
        hour = self._now().replace(minute=0, second=0, microsecond=0)
        since = hour - timedelta(days=days)
        return await self._scorecards.get((since, days, await self.last_sequence()), lambda: self._score(since, days))

    async def _score(self, since: datetime, days: int) -> Scorecard:
        total, rows = await self._rows.statistics.by_signature(since, ROWS_MAX)
        return Scorecard(days=days, signatures=total, rows=tuple(_score(row) for row in rows))

    async def workers(self) -> Workers:
        """Return who holds leases; a worker that sweeps nothing and works on nothing is not seen."""
        alive = await self._rows.leases(self._now())
        sweeper = next((lease for lease in alive if lease.lane == SWEEPER), None)
        return Workers(
            sweeper=sweeper.owner if sweeper else None,
            sweeper_until=sweeper.expires_at if sweeper else None,
            owners=tuple(sorted({lease.owner for lease in alive})),
            busy_lanes=sum(lease.lane != SWEEPER for lease in alive),
        )

    async def backlogs(self) -> tuple[Backlog, Backlog]:
        """Return what waits in the inbox and in the outbox."""
        waiting = [await self._rows.waiting(table) for table in (inbox, outbox)]
        first, second = (Backlog.model_validate(rows.model_dump()) for rows in waiting)
        return first, second

    async def events_after(self, sequence: int, limit: int) -> tuple[EventRecord, ...]:
        """Return stage changes and other visible changes, oldest first."""
        return tuple(
            EventRecord(
                sequence=event.seq,
                incident_id=event.incident_id or "",
                at=event.at,
                agent=str(event.data.get("agent") or ""),
                stage=str(event.data.get("stage") or ""),
                note=str(event.data.get("note") or ""),
            )
            for event in await self._rows.events_after(sequence, limit)
        )

    async def last_sequence(self) -> int:
        """Return the newest event's sequence number."""
        return await self._rows.last_sequence()


def _cursor(text: str) -> Cursor:
    moment, _, incident_id = text.partition("~")
    try:
        return Cursor.model_validate({"created_at": moment, "id": incident_id})
    except ValidationError as error:
        raise ValueError("this is not the `next` of a page") from error


def _card(row: IncidentRow) -> IncidentCard:
    shown = row.model_dump(include=IncidentCard.model_fields.keys() & IncidentRow.model_fields.keys())
    clock = Clock(
        onset=row.onset_at,
        detected=row.detected_at,
        owned=row.owned_at,
        mitigated=row.mitigated_at,
        resolved=row.resolved_at,
    )
    return IncidentCard(**shown, **times(clock), repository=row.repo, updated=row.updated_at)


def _means(row: MeansRow) -> Means:
    return Means.model_validate(row.model_dump(include=set(Means.model_fields)))


def _bucket(at: datetime, row: BucketRow | None) -> TrendBucket:
    nothing = MeansRow(incidents=0, resolved=0, escalated=0, mttd_s=None, mtta_s=None, mttm_s=None, mttr_s=None)
    return TrendBucket(at=at, **_means(row or nothing).model_dump())


def _score(row: SignatureRow) -> ScoreRow:
    shown = row.model_dump(exclude={"ended"})
    failure = row.signature.rpartition(":")[0]
    return ScoreRow(**shown, failure=failure, open=row.incidents - row.ended)
