"""A pooled database engine whose statements are spans and whose pool is measured."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import SpanKind
from sqlalchemy import CursorResult, Executable, event
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from shop.flags import Flags
from shop.telemetry import Telemetry, record_failure

AUDIT_FLAG = "database-audit"


class Database:
    """One SQLite file behind a connection pool of fixed size."""

    def __init__(self, path: Path, settings: dict, flags: Flags, telemetry: Telemetry) -> None:
        self._name = path.stem
        self._flags = flags
        self._tracer = telemetry.tracer
        self._round_trip_s = settings["round_trip_ms"] / 1000
        self._audit_s = settings["audit_ms"] / 1000
        self._size = settings["pool_size"] + settings["max_overflow"]
        self._waiting = 0
        self.engine = create_async_engine(
            f"sqlite+aiosqlite:///{path}",
            poolclass=AsyncAdaptedQueuePool,
            pool_size=settings["pool_size"],
            max_overflow=settings["max_overflow"],
            pool_timeout=settings["pool_timeout_s"],
        )
        event.listen(self.engine.sync_engine, "connect", _use_write_ahead_log)
        self._measure_pool(telemetry)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """Yields a connection in a transaction that commits at the end.

        Raises:
            sqlalchemy.exc.TimeoutError: No connection became free within `pool_timeout_s`.
        """
        connection = self.engine.connect()
        self._waiting += 1
        try:
            await connection.start()
        finally:
            self._waiting -= 1
        try:
            async with connection.begin():
                await self._round_trip()
                yield connection
                if self._flags.is_on(AUDIT_FLAG):
                    await asyncio.sleep(self._audit_s)
        finally:
            await connection.close()

    async def execute(
        self, connection: AsyncConnection, statement: Executable, operation: str, table: str
    ) -> CursorResult:
        """Runs one statement as a span."""
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
            await self._round_trip()
            try:
                return await connection.execute(statement)
            except Exception as error:
                record_failure(span, error)
                raise

    async def close(self) -> None:
        """Closes every connection of the pool."""
        await self.engine.dispose()

    async def _round_trip(self) -> None:
        # SQLite answers from the same process; this is the way to a database server and back.
        await asyncio.sleep(self._round_trip_s)

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
            return [Observation(max(0, self._waiting), label)]

        for name, callback, unit in (
            ("db.client.connection.count", observe_count, "{connection}"),
            ("db.client.connection.max", observe_max, "{connection}"),
            ("db.client.connection.pending_requests", observe_pending, "{request}"),
        ):
            telemetry.meter.create_observable_up_down_counter(name, [callback], unit=unit)


def _use_write_ahead_log(connection, _record) -> None:  # noqa: ANN001 - SQLAlchemy's event signature
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
