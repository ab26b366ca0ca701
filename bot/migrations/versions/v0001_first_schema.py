"""The first schema."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text() if length is None else sa.String(length), nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _big(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        _text("guid", 200),
        _text("semantic_key", 128, nullable=True),
        _text("source", 20),
        _text("event", 80),
        _text("action", 80, nullable=True),
        _big("repo_id", nullable=True),
        _big("installation_id", nullable=True),
        _number("number", nullable=True),
        _text("sender", 200, nullable=True),
        _text("payload"),
        _text("status", 20),
        _number("attempts"),
        _number("wakes"),
        _moment("next_at"),
        _text("note"),
        _moment("received_at"),
        _moment("finished_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint("guid", name="uq_inbox_guid"),
        sa.UniqueConstraint("semantic_key", name="uq_inbox_semantic_key"),
        sqlite_autoincrement=True,
    )
    _index("inbox", "status", "next_at")
    _index("inbox", "repo_id", "number")


def _create_incidents() -> None:
    """Create the incidents and their indexes. Length: one line per column."""
    op.create_table(
        "incidents",
        _text("id", 80),
        _number("version"),
        _text("data"),
        _text("stage", 40),
        _text("severity", 20),
        _text("service", 200, nullable=True),
        _text("title"),
        _text("tenant", 200),
        _text("environment", 200),
        _text("group_id", 200, nullable=True),
        _text("signature", 200),
        _big("repo_id"),
        _text("repo", 300),
        _number("issue", nullable=True),
        _text("issue_url", nullable=True),
        _number("pull_request", nullable=True),
        _text("pull_request_url", nullable=True),
        _number("revert_pull_request", nullable=True),
        _moment("onset_at"),
        _moment("detected_at"),
        _moment("owned_at", nullable=True),
        _moment("mitigated_at", nullable=True),
        _moment("resolved_at", nullable=True),
        sa.Column("from_memory", sa.Boolean(), nullable=False),
        _moment("wake_at", nullable=True),
        _number("wakes"),
        _moment("next_try_at"),
        _moment("suspended_at", nullable=True),
        _moment("created_at"),
        _moment("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("repo_id", "issue", name="uq_incidents_repo_id_issue"),
    )
    _index("incidents", "repo_id", "pull_request")
    _index("incidents", "repo_id", "revert_pull_request")
    _index("incidents", "tenant", "group_id")
    for column in ("signature", "stage", "wake_at", "created_at", "updated_at"):
        _index("incidents", column)


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        _text("key", 300),
        _text("incident_id", 80),
        _text("kind", 40),
        _text("payload"),
        _text("status", 20),
        _number("attempts"),
        _moment("next_at"),
        _text("result", nullable=True),
        _text("error"),
        _moment("created_at"),
        _moment("done_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("key", name="uq_outbox_key"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_outbox_incident_id"),
        sqlite_autoincrement=True,
    )
    _index("outbox", "incident_id", "status")
    _index("outbox", "status", "next_at")


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", _BIG_ID, autoincrement=False, nullable=False),
        _text("incident_id", 80, nullable=True),
        _text("kind", 40),
        _text("data"),
        _moment("at"),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
    )
    _index("events", "incident_id")


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", _BIG_ID, autoincrement=False, nullable=False),
        _text("incident_id", 80, nullable=True),
        _text("kind", 40),
        _text("actor", 200),
        _text("data"),
        _moment("at"),
        _text("previous_hash", 64),
        _text("hash", 64),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    _index("audit", "incident_id")


def _create_sequences() -> None:
    sequences = op.create_table(
        "sequences", _text("name", 40), _big("value"), sa.PrimaryKeyConstraint("name", name="pk_sequences")
    )
    op.bulk_insert(sequences, [{"name": "events", "value": 0}, {"name": "audit", "value": 0}])


def _create_leases() -> None:
    op.create_table(
        "leases",
        _text("lane", 200),
        _text("owner", 200),
        _moment("expires_at"),
        sa.PrimaryKeyConstraint("lane", name="pk_leases"),
    )


def upgrade() -> None:
    """Create every table."""
    _create_inbox()
    _create_incidents()
    _create_outbox()
    _create_events()
    _create_audit()
    _create_sequences()
    _create_leases()


def downgrade() -> None:
    """Drop every table."""
    for table in ("leases", "sequences", "audit", "events", "outbox", "incidents", "inbox"):
        op.drop_table(table)
