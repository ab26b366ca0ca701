"""The audit: every stage change, approval and write, chained by hash so that a later change shows."""

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import JsonValue
from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db import sequences
from bot.db.engine import Database
from bot.db.rows import AuditEntry, AuditRow
from bot.db.schema import audit
from telemetry.model import Frozen

GENESIS: Final = "0" * 64
_BATCH: Final = 500


class AuditReport(Frozen):
    """Outcome of a verification. `head` is the last hash: keep it elsewhere to notice a rewritten chain."""

    rows: int
    head: str
    first_bad: int | None = None
    problem: str | None = None

    @property
    def intact(self) -> bool:
        """Return whether every row is what was written, in order, with none missing."""
        return self.problem is None


def chained_hash(previous: str, seq: int, entry: AuditEntry) -> str:
    """Return SHA-256 over the previous hash and the entry as canonical JSON (sorted keys, no spaces, UTC)."""
    content: dict[str, JsonValue] = {
        "seq": seq,
        "incident_id": entry.incident_id,
        "kind": entry.kind,
        "actor": entry.actor,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "data": entry.data,
    }
    return hashlib.sha256(f"{previous}\n{_canonical(content)}".encode()).hexdigest()


def _canonical(content: JsonValue) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


async def append(connection: AsyncConnection, entries: Sequence[AuditEntry]) -> None:
    """Add entries to the chain, within the caller's transaction."""
    if not entries:
        return
    first = await sequences.take(connection, sequences.Sequence.AUDIT, len(entries))
    statement = select(audit.c.hash).where(audit.c.seq == first - 1)
    previous: str = (await connection.execute(statement)).scalar_one_or_none() or GENESIS
    values: list[dict[str, object]] = []
    for seq, entry in enumerate(entries, start=first):
        digest = chained_hash(previous, seq, entry)
        values.append(
            {
                "seq": seq,
                "incident_id": entry.incident_id,
                "kind": entry.kind,
                "actor": entry.actor,
                "data": _canonical(entry.data),
                "at": entry.at,
                "previous_hash": previous,
                "hash": digest,
            }
        )
        previous = digest
    await connection.execute(insert(audit), values)


def _row(row: RowMapping) -> AuditRow:
    return AuditRow.model_validate({**row, "data": json.loads(row["data"])})


def _check(row: AuditRow, expected_seq: int, previous: str) -> str | None:
    if row.seq != expected_seq:
        return f"row {expected_seq} is missing"
    if row.previous_hash != previous:
        return f"row {row.seq} does not follow the row before it"
    if row.hash != chained_hash(previous, row.seq, row):
        return f"row {row.seq} was changed after it was written"
    return None


class Audit:
    """Access to the audit from outside the store's transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, *entries: AuditEntry) -> None:
        """Add entries that belong to no change of an incident.

        Raises:
            DatabaseUnavailableError: nothing was written.
        """
        async with self._database.write() as connection:
            await append(connection, entries)

    async def export(self, *, incident_id: str | None = None) -> AsyncIterator[AuditRow]:
        """Yield all rows, oldest first; only those of one incident where it is given."""
        after = 0
        while True:
            statement = select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(_BATCH)
            if incident_id is not None:
                statement = statement.where(audit.c.incident_id == incident_id)
            async with self._database.read() as connection:
                rows = [_row(row) for row in (await connection.execute(statement)).mappings()]
            for row in rows:
                yield row
            if len(rows) < _BATCH:
                return
            after = rows[-1].seq

    async def verify(self) -> AuditReport:
        """Recompute the whole chain and return what was found; stops at the first row that does not fit."""
        async with self._database.read() as connection:
            written = await sequences.last(connection, sequences.Sequence.AUDIT)
        count, head = 0, GENESIS
        async for row in self.export():
            problem = _check(row, count + 1, head)
            if problem is not None:
                return AuditReport(rows=count, head=head, first_bad=count + 1, problem=problem)
            count, head = count + 1, row.hash
        if count < written:
            problem = f"rows {count + 1} to {written} are missing"
            return AuditReport(rows=count, head=head, first_bad=count + 1, problem=problem)
        return AuditReport(rows=count, head=head)


def entry(kind: str, actor: str, at: datetime, incident_id: str | None, **data: JsonValue) -> AuditEntry:
    """Return an audit entry."""
    return AuditEntry(incident_id=incident_id, kind=kind, actor=actor, at=at, data=data)
