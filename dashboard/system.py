"""Health of Scout and the workers, as they say themselves; what does not answer is unknown, never healthy."""

import time
from datetime import UTC, datetime

from dashboard.cache import Shared
from dashboard.model import System
from dashboard.ports import ReadModel, ScoutRead
from telemetry.errors import TransientError
from telemetry.model import ScoutStatus


class SystemHealth:
    """Asks everybody; however many pages ask, Scout is asked once a second."""

    def __init__(self, read: ReadModel, scout: ScoutRead | None) -> None:
        self._read = read
        self._scout = scout
        self._started = datetime.now(UTC)
        self._statuses: Shared[tuple[ScoutStatus | None, str | None]] = Shared()

    async def now(self, *, clients: int) -> System:
        """Return the state of everything now; `clients` pages listen to events.

        Raises:
            TransientError: the database does not answer.
        """
        status, problem = await self._statuses.get(int(time.monotonic()), self._ask)
        inbox, outbox = await self._read.backlogs()
        return System(
            at=datetime.now(UTC),
            scout=status,
            scout_error=problem,
            workers=await self._read.workers(),
            inbox=inbox,
            outbox=outbox,
            web_started=self._started,
            clients=clients,
        )

    async def _ask(self) -> tuple[ScoutStatus | None, str | None]:
        if self._scout is None:
            return None, "This web process was not told where Scout is."
        try:
            return await self._scout.status(), None
        except TransientError as error:
            return None, str(error)
