"""Incidents as JSON with a version, and the columns by which they are found."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, insert, or_, select, union, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.errors import StaleIncidentError
from agents.incident import Incident
from agents.stages import ACTS
from bot.db.backoff import backoff
from bot.db.rows import Status
from bot.db.schema import incidents, outbox
from bot.db.types import printable

# In a stage in which an agent acts, nothing else wakes the incident when that work is cut short.
STALLED_AFTER: Final = timedelta(seconds=10)
# Whoever saves an incident goes on with it; the sweeper leaves it alone for this long.
GRACE: Final = timedelta(seconds=2)
# While a worker has taken an incident up, the sweeper leaves it alone for this long.
HOLD: Final = timedelta(seconds=10)


# An index row of Postgres holds 2700 bytes, and the title is in one.
_TITLE_CHARS: Final = 300


def _fitting(name: str, text: str | None) -> str | None:
    """Return a text from outside as its column takes it; the incident's JSON keeps it whole.

    SQLite takes everything; Postgres neither NUL nor more characters than were declared.
    """
    length: int = getattr(incidents.c[name].type, "length", None) or _TITLE_CHARS
    return None if text is None else printable(text)[:length]


def columns(incident: Incident, now: datetime) -> dict[str, Any]:
    """Return the columns derived from an incident."""
    pull, revert, signal = incident.pull_request, incident.revert_pull_request, incident.signal
    wake_at = incident.wake_at
    if wake_at is None and incident.stage in ACTS:
        wake_at = now + STALLED_AFTER
    return {
        "data": incident.evolve(outgoing=()).model_dump_json(),
        "stage": incident.stage,
        "severity": incident.severity,
        "service": _fitting("service", incident.diagnosis.service if incident.diagnosis else incident.service),
        "title": _fitting("title", incident.title),
        "tenant": incident.tenant,
        "environment": _fitting("environment", incident.environment),
        "group_id": None if signal is None else signal.group_id,
        "signature": incident.signature,
        "repo_id": incident.repo.id,
        "repo": incident.repo.full_name,
        "issue": incident.issue,
        "issue_url": incident.issue_url,
        "pull_request": None if pull is None else pull.number,
        "pull_request_url": None if pull is None else pull.url,
        "revert_pull_request": None if revert is None else revert.number,
        "onset_at": incident.clock.onset,
        "detected_at": incident.clock.detected,
        "owned_at": incident.clock.owned,
        "mitigated_at": incident.clock.mitigated,
        "resolved_at": incident.clock.resolved,
        "from_memory": incident.recalled is not None,
        "wake_at": wake_at,
        "wakes": 0,
        "next_try_at": now + GRACE,
        "suspended_at": None,
        "updated_at": now,
    }


def by_id(incident_id: str, *, lock: bool = False) -> Select[Any, Any]:
    """Return the query for an incident's JSON and version; locked until the commit where asked for."""
    statement = select(incidents.c.data, incidents.c.version).where(incidents.c.id == incident_id)
    return statement.with_for_update() if lock else statement


async def fetch(connection: AsyncConnection, incident_id: str, *, lock: bool = False) -> tuple[Incident, int] | None:
    """Return an incident with its version; locked until the commit where asked for."""
    row = (await connection.execute(by_id(incident_id, lock=lock))).one_or_none()
    return None if row is None else (Incident.model_validate_json(row.data), row.version)


async def lock(connection: AsyncConnection, incident_id: str) -> None:
    """Keep others from this incident until the commit. Rows of its outbox are locked after it, never before."""
    await connection.execute(select(incidents.c.id).where(incidents.c.id == incident_id).with_for_update())


async def write(connection: AsyncConnection, incident: Incident, version: int, now: datetime) -> int:
    """Store an incident whose stored version is `version` (0: it is new) and return its new version.

    Raises:
        StaleIncidentError: the stored version is another one, or the issue already has its incident.
    """
    values = {**columns(incident, now), "version": version + 1}
    expected = (incidents.c.id == incident.id) & (incidents.c.version == version)
    try:
        async with connection.begin_nested():
            if version == 0:
                await connection.execute(insert(incidents).values(id=incident.id, created_at=now, **values))
            elif (await connection.execute(update(incidents).where(expected).values(**values))).rowcount != 1:
                raise StaleIncidentError(incident.id, version)
    except IntegrityError as error:
        raise StaleIncidentError(incident.id, version) from error
    return version + 1


def by_number(repo_id: int, number: int) -> ColumnElement[bool]:
    """Return the condition: this number is the incident's issue, its pull request, or the revert of that."""
    numbers = (incidents.c.issue, incidents.c.pull_request, incidents.c.revert_pull_request)
    return or_(*((incidents.c.repo_id == repo_id) & (column == number) for column in numbers))


def _waits(now: datetime) -> ColumnElement[bool]:
    """Return the condition: the incident's time has come, or it has writes to carry out, and nobody is at it."""
    write_waits = select(outbox.c.incident_id).where(outbox.c.status == Status.PENDING, outbox.c.next_at <= now)
    time_has_come = select(incidents.c.id).where(incidents.c.wake_at <= now)
    return (
        incidents.c.id.in_(union(time_has_come, write_waits))  # each by its index: thousands have long ended
        & incidents.c.suspended_at.is_(None)
        & (incidents.c.next_try_at <= now)
    )


def to_wake(now: datetime, *, max_wakes: int, limit: int) -> Select[Any, Any]:
    """Return the query for incidents to wake, the one that waits longest first; what others wake now is left out."""
    return (
        select(incidents.c.id, incidents.c.wakes)
        .where(_waits(now), incidents.c.wakes < max_wakes)
        .order_by(incidents.c.updated_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


async def due(connection: AsyncConnection, now: datetime, *, max_wakes: int, limit: int) -> tuple[tuple[str, int], ...]:
    """Return (id, wake number) of incidents to wake, and put off their next wake-up.

    Due are those whose `wake_at` has come and those with writes to carry out.
    """
    found = await connection.execute(to_wake(now, max_wakes=max_wakes, limit=limit))
    woken = tuple((row.id, row.wakes + 1) for row in found)
    for incident_id, wakes in woken:
        put_off = {"wakes": wakes, "next_try_at": now + backoff(wakes, cap_s=60)}
        await connection.execute(update(incidents).where(incidents.c.id == incident_id).values(**put_off))
    return woken


async def suspend_stalled(connection: AsyncConnection, now: datetime, *, max_wakes: int) -> tuple[str, ...]:
    """Stop waking incidents that were woken `max_wakes` times without any progress, and return their ids."""
    stalled = select(incidents.c.id).where(_waits(now), incidents.c.wakes >= max_wakes).limit(100)
    ids = tuple((await connection.execute(stalled)).scalars())
    if ids:
        await connection.execute(update(incidents).where(incidents.c.id.in_(ids)).values(suspended_at=now))
    return ids


async def progressed(connection: AsyncConnection, incident_id: str, now: datetime) -> None:
    """Note that work on an incident goes on although nothing of it is saved yet."""
    on = {"wakes": 0, "next_try_at": now + GRACE, "suspended_at": None}
    await connection.execute(update(incidents).where(incidents.c.id == incident_id).values(**on))
