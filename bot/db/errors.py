"""Errors of the database.

SreSpaceError
├── TransientError
│   └── DatabaseUnavailableError   locked for too long, or not reachable
└── MigrationError                 the schema cannot be brought up to date
"""

from telemetry.errors import SreSpaceError, TransientError


class DatabaseUnavailableError(TransientError):
    """The database did not answer, or stayed locked for longer than the busy timeout."""


class MigrationError(SreSpaceError):
    """The database at `url` (without its password) cannot be brought to the current schema."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"the database {url} cannot be migrated: {reason}")
        self.url = url
        self.reason = reason
