"""Errors of the database.

SreSpaceError
├── TransientError
│   └── DatabaseUnavailableError   locked for too long, or not reachable
├── MigrationError                 the schema cannot be brought up to date
└── DriverMissingError             the database's driver is not installed
"""

from telemetry.errors import SreSpaceError, TransientError


class DatabaseUnavailableError(TransientError):
    """The database did not answer, refused the connection, or stayed locked for longer than the busy timeout."""


class MigrationError(SreSpaceError):
    """The database at `url` (without its password) cannot be brought to the current schema."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"the database {url} cannot be migrated: {reason}")
        self.url = url
        self.reason = reason


class DriverMissingError(SreSpaceError):
    """DATABASE_URL names a database whose driver is not installed."""

    def __init__(self, driver: str) -> None:
        super().__init__(f"DATABASE_URL needs {driver}. Install it with: pip install 'sre-space[postgres]'")
        self.driver = driver
