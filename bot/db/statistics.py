"""Means over many incidents, read from one index: how fast they were detected, owned, mitigated and resolved."""

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, Select, case, func, literal, select

from agents.incident import TERMINAL, Stage
from bot.db.engine import Database
from bot.db.schema import incidents
from bot.db.time_sql import SecondsBetween, WholeParts
from bot.db.types import UtcDateTime
from telemetry.model import Frozen

_c = incidents.c
_TTR = SecondsBetween(_c.onset_at, _c.resolved_at)


class MeansRow(Frozen):
    """How many incidents there were and their mean times in seconds, None where none has come so far."""

    incidents: int
    resolved: int
    escalated: int
    mttd_s: float | None
    mtta_s: float | None
    mttm_s: float | None
    mttr_s: float | None


class BucketRow(MeansRow):
    """The means of one bucket; the first is 0."""

    bucket: int


class SignatureRow(MeansRow):
    """The means of the incidents with one signature; `last_id` is the newest of them."""

    signature: str
    service: str | None
    dismissed: int
    from_memory: int
    ended: int
    best_ttr_s: float | None
    worst_ttr_s: float | None
    last: AwareDatetime
    last_id: str


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _means() -> tuple[ColumnElement[Any], ...]:
    return (
        func.count().label("incidents"),
        _count(_c.stage == Stage.RESOLVED).label("resolved"),
        _count(_c.stage == Stage.ESCALATED).label("escalated"),
        func.avg(SecondsBetween(_c.onset_at, _c.detected_at)).label("mttd_s"),
        func.avg(SecondsBetween(_c.detected_at, _c.owned_at)).label("mtta_s"),
        func.avg(SecondsBetween(_c.onset_at, _c.mitigated_at)).label("mttm_s"),
        func.avg(_TTR).label("mttr_s"),
    )


class Statistics:
    """Reads of means. An incident belongs to the moment at which it was detected."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def means(self, since: datetime, until: datetime) -> MeansRow:
        """Return the means of the incidents that were detected from `since` to before `until`."""
        [row] = await self._rows(select(*_means()).where(_c.detected_at >= since, _c.detected_at < until))
        return MeansRow.model_validate(row)

    async def buckets(self, since: datetime, until: datetime, bucket_s: int) -> tuple[BucketRow, ...]:
        """Return the means by bucket of `bucket_s` seconds from `since` on; buckets without incidents are left out."""
        start = literal(since, UtcDateTime())
        bucket = WholeParts(SecondsBetween(start, _c.detected_at), literal(bucket_s)).label("bucket")
        statement = (
            select(bucket, *_means())
            .where(_c.detected_at >= since, _c.detected_at < until)
            .group_by(bucket)
            .order_by(bucket)
        )
        return tuple(BucketRow.model_validate(row) for row in await self._rows(statement))

    async def by_signature(self, since: datetime, limit: int) -> tuple[int, tuple[SignatureRow, ...]]:
        """Return how many signatures were seen since then, and the most frequent of them."""
        group = (_c.signature, _c.service)
        ended = [stage.value for stage in TERMINAL]
        newest = func.max(_c.detected_at)
        statement = (
            select(
                *group,
                *_means(),
                _count(_c.stage == Stage.DISMISSED).label("dismissed"),
                _count(_c.from_memory.is_(True)).label("from_memory"),
                _count(_c.stage.in_(ended)).label("ended"),
                func.min(_TTR).label("best_ttr_s"),
                func.max(_TTR).label("worst_ttr_s"),
                newest.label("last"),
            )
            .where(_c.detected_at >= since)
            .group_by(*group)
            .order_by(func.count().desc(), newest.desc())
            .limit(limit)
        )
        groups = select(*group).where(_c.detected_at >= since).distinct().subquery()
        [total] = await self._rows(select(func.count().label("number")).select_from(groups))
        rows = [await self._with_newest(row, since) for row in await self._rows(statement)]
        return int(total["number"]), tuple(rows)

    async def _with_newest(self, row: dict[str, Any], since: datetime) -> SignatureRow:
        """Ids are random, so the newest one of a group is looked up."""
        same = (_c.signature == row["signature"]) & _c.service.is_not_distinct_from(row["service"])
        statement = select(_c.id).where(same, _c.detected_at >= since).order_by(_c.detected_at.desc()).limit(1)
        [newest] = await self._rows(statement)
        return SignatureRow.model_validate({**row, "last_id": newest["id"]})

    async def _rows(self, statement: Select[Any]) -> list[dict[str, Any]]:
        async with self._database.read() as connection:
            return [dict(row) for row in (await connection.execute(statement)).mappings()]
