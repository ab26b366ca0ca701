"""A pooled database engine whose statements are spans and whose pool is measured."""

import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import SpanKind
from sqlalchemy import Connection, CursorResult, Executable, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from shop.flags import Flags
from shop.telemetry import Telemetry, record_failure

AUDIT_FLAG = "database-audit"


class Database:
    """One SQLite file behind a connection pool of fixed size; used from worker threads."""

    def __init__(self, path: Path, settings: dict[str, Any], flags: Flags, telemetry: Telemetry) -> None:
        self._name = path.stem
        self._flags = flags
        self._tracer = telemetry.tracer
        self._round_trip_s = settings["round_trip_ms"] / 1000
        self._audit_s = settings["audit_ms"] / 1000
        self._size = settings["pool_size"] + settings["max_overflow"]
        self._waiting = 0
        self._waiting_lock = threading.Lock()
        self.engine = create_engine(
            f"sqlite:///{path}",
            poolclass=QueuePool,
            pool_size=settings["pool_size"],
            max_overflow=settings["max_overflow"],
            pool_timeout=settings["pool_timeout_s"],
            connect_args={"check_same_thread": False},
        )
        event.listen(self.engine, "connect", _use_write_ahead_log)
        self._measure_pool(telemetry)

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """Yields a connection in a transaction that commits at the end.

        Raises:
            sqlalchemy.exc.TimeoutError: No connection became free within `pool_timeout_s`.
        """
        with self._checked_out() as connection, connection.begin():
            if self._flags.is_on(AUDIT_FLAG):
                time.sleep(self._audit_s)
            yield connection

    def execute(
        self, connection: Connection, statement: Executable, operation: str, table: str
    ) -> CursorResult[Any]:
        """Runs one statement as a span and returns its result."""
        with self._tracer.start_as_current_span(
            f"{operation} {table}",
            kind=SpanKind.CLIENT,
            attributes={
                "db.system.name": "sqlite",
                "db.namespace": self._name,
                "db.operation.name": operation,
                "db.collection.name": table,
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            # SQLite answers from the same process; this is the way to a database server and back.
            time.sleep(self._round_trip_s)
            try:
                return connection.execute(statement)
            except SQLAlchemyError as error:
                record_failure(span, error)
                raise

    def close(self) -> None:
        """Closes every connection of the pool."""
        self.engine.dispose()

    @contextmanager
    def _checked_out(self) -> Generator[Connection]:
        self._count_waiting(1)
        try:
            connection = self.engine.connect()
        finally:
            self._count_waiting(-1)
        with connection:
            yield connection

    def _count_waiting(self, change: int) -> None:
        with self._waiting_lock:
            self._waiting += change

    def _measure_pool(self, telemetry: Telemetry) -> None:
        pool = self.engine.pool
        label = {"db.client.connection.pool.name": self._name}

        def observe_count(_options: CallbackOptions) -> list[Observation]:
            used = pool.checkedout()
            return [
                Observation(used, {**label, "db.client.connection.state": "used"}),
                Observation(self._size - used, {**label, "db.client.connection.state": "idle"}),
            ]

        def observe_max(_options: CallbackOptions) -> list[Observation]:
            return [Observation(self._size, label)]

        def observe_pending(_options: CallbackOptions) -> list[Observation]:
            return [Observation(self._waiting, label)]

        for name, callback, unit in (
            ("db.client.connection.count", observe_count, "{connection}"),
            ("db.client.connection.max", observe_max, "{connection}"),
            ("db.client.connection.pending_requests", observe_pending, "{request}"),
        ):
            telemetry.meter.create_observable_up_down_counter(name, [callback], unit=unit)


def _use_write_ahead_log(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    # What a power cut takes can be made again: no write waits for the disk.
    connection.execute("PRAGMA synchronous=OFF")
