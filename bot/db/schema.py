"""The tables. `bot/migrations` makes them; a test holds the two together."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from bot.db.types import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only when the key is exactly INTEGER.
_Id = BigInteger().with_variant(Integer(), "sqlite")

inbox = Table(
    "inbox",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("guid", String(200), nullable=False, unique=True),
    Column("semantic_key", String(128), nullable=True, unique=True),
    Column("source", String(20), nullable=False),
    Column("event", String(80), nullable=False),
    Column("action", String(80), nullable=True),
    Column("repo_id", BigInteger, nullable=True),
    Column("installation_id", BigInteger, nullable=True),
    Column("number", Integer, nullable=True),
    Column("sender", String(200), nullable=True),
    Column("payload", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("wakes", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("note", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=True),
    Index(None, "status", "next_at"),
    Index(None, "repo_id", "number"),
    sqlite_autoincrement=True,  # a deleted row's number is never given to another
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("data", Text, nullable=False),
    Column("stage", String(40), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("service", String(200), nullable=True),
    Column("title", Text, nullable=False),
    Column("tenant", String(200), nullable=False),
    Column("environment", String(200), nullable=False),
    Column("group_id", String(200), nullable=True),
    Column("signature", String(200), nullable=False),
    Column("repo_id", BigInteger, nullable=False),
    Column("repo", String(300), nullable=False),
    Column("issue", Integer, nullable=True),
    Column("issue_url", Text, nullable=True),
    Column("pull_request", Integer, nullable=True),
    Column("pull_request_url", Text, nullable=True),
    Column("revert_pull_request", Integer, nullable=True),
    Column("onset_at", UtcDateTime, nullable=False),
    Column("detected_at", UtcDateTime, nullable=False),
    Column("owned_at", UtcDateTime, nullable=True),
    Column("mitigated_at", UtcDateTime, nullable=True),
    Column("resolved_at", UtcDateTime, nullable=True),
    Column("from_memory", Boolean, nullable=False),
    Column("wake_at", UtcDateTime, nullable=True),
    Column("wakes", Integer, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("suspended_at", UtcDateTime, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("repo_id", "issue"),
    Index(None, "repo_id", "pull_request"),
    Index(None, "repo_id", "revert_pull_request"),
    Index(None, "tenant", "group_id"),
    Index(None, "signature"),
    Index(None, "stage"),
    Index(None, "wake_at"),
    Index(None, "created_at"),
    Index(None, "updated_at"),
    # The dashboard reads from these two alone: in the table, each incident's JSON lies between the columns.
    Index(
        "ix_incidents_statistics",
        *("detected_at", "onset_at", "owned_at", "mitigated_at", "resolved_at"),
        *("stage", "from_memory", "signature", "service", "id"),
    ),
    Index("ix_incidents_search", "created_at", "id", "stage", "service", "repo", "issue", "title"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", String(300), nullable=False, unique=True),
    Column("incident_id", String(80), ForeignKey("incidents.id"), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("payload", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("result", Text, nullable=True),
    Column("error", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime, nullable=True),
    Index(None, "incident_id", "status"),
    Index(None, "status", "next_at"),
    sqlite_autoincrement=True,
)

events = Table(
    "events",
    metadata,
    Column("seq", _Id, primary_key=True, autoincrement=False),
    Column("incident_id", String(80), nullable=True),
    Column("kind", String(40), nullable=False),
    Column("data", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "incident_id"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", _Id, primary_key=True, autoincrement=False),
    Column("incident_id", String(80), nullable=True),
    Column("kind", String(40), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("data", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "incident_id"),
)

sequences = Table(
    "sequences",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("lane", String(200), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
