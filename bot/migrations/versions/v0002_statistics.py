"""Indexes from which the dashboard reads statistics and searches, so that no incident's JSON is walked over."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_incidents_statistics": (
        "detected_at",
        "onset_at",
        "owned_at",
        "mitigated_at",
        "resolved_at",
        "stage",
        "from_memory",
        "signature",
        "service",
        "id",
    ),
    "ix_incidents_search": ("created_at", "id", "stage", "service", "repo", "issue", "title"),
}


def upgrade() -> None:
    """Create the indexes."""
    for name, columns in INDEXES.items():
        op.create_index(name, "incidents", list(columns))


def downgrade() -> None:
    """Drop them."""
    for name in INDEXES:
        op.drop_index(name, "incidents")
