"""What the tables hold, as frozen models."""

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, JsonValue

from agents.writes import AnyWrite
from telemetry.model import Frozen


class Status(StrEnum):
    """Where a row of the inbox or outbox stands. `refused` is an outbox row that GitHub said no to."""

    PENDING = "pending"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class Delivery(Frozen):
    """Something that arrived: a webhook of GitHub, or a signal of Scout.

    `guid` is the sender's own id. `semantic_key`, where given, is the same for the same content under another
    guid. `payload` is the JSON text exactly as it came.
    """

    guid: str
    semantic_key: str | None = None
    source: Literal["github", "scout"]
    event: str
    action: str | None = None
    repo_id: int | None = None
    installation_id: int | None = None
    number: int | None = None
    sender: str | None = None
    payload: str


class InboxRow(Delivery):
    """A stored delivery. `attempts` counts how often a worker took it up."""

    id: int
    status: Status
    attempts: int
    note: str
    received_at: AwareDatetime


class OutboxRow(Frozen):
    """A write to GitHub that is still to be carried out, or was. `attempts` counts failed tries."""

    id: int
    key: str
    incident_id: str
    write: AnyWrite
    status: Status
    attempts: int
    next_at: AwareDatetime


class Event(Frozen):
    """One entry of the global sequence that the dashboard streams; `seq` has no gaps and never goes back."""

    seq: int
    incident_id: str | None
    kind: str
    at: AwareDatetime
    data: dict[str, JsonValue]


class AuditEntry(Frozen):
    """One fact for the audit: who did what to which incident."""

    incident_id: str | None
    kind: str
    actor: str
    at: AwareDatetime
    data: dict[str, JsonValue]


class AuditRow(AuditEntry):
    """A stored audit entry; `hash` covers the entry and `previous_hash`."""

    seq: int
    previous_hash: str
    hash: str
