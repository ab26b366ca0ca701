"""Brings a database to the current schema."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from bot.db.engine import Database
from bot.db.errors import MigrationError

_SCRIPTS: Final = Path(__file__).parent.parent / "migrations"
_POSTGRES_LOCK: Final = 7_206_173_201  # any number that no other program locks on this database


def alembic_config(connection: Connection) -> Config:
    """Return Alembic's configuration for an open connection."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _POSTGRES_LOCK})
    command.upgrade(alembic_config(connection), "head")


async def upgrade(url: str) -> None:
    """Bring the database at `url` to the current schema; several processes may try at once.

    Raises:
        DatabaseUnavailableError: the database cannot be reached, or stays locked.
        MigrationError: the database holds a schema that this version does not know.
    """
    async with Database(url) as database:
        try:
            await migrate(database)
        except CommandError as error:
            raise MigrationError(make_url(url).render_as_string(hide_password=True), str(error)) from error


async def migrate(database: Database) -> None:
    """Bring an open database to the current schema.

    Raises:
        DatabaseUnavailableError: it does not answer.
        CommandError: it holds a schema that this version does not know.
    """
    async with database.write() as connection:
        await connection.run_sync(_upgrade)
