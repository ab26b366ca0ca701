"""Faults on lease: each heals when its time is up, whatever became of whoever asked for it."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from infra.sandbox.errors import SandboxError
from infra.sandbox.scenarios.model import Sandbox, Scenario

RETRY_S = 3.0
LOOK_S = 0.25

log = structlog.get_logger()


def utc_now() -> datetime:
    """Returns the time."""
    return datetime.now(UTC)


class Lease(BaseModel):
    """A fault in force until `expires_at`; `onset` is None while it is still being put in place."""

    model_config = ConfigDict(frozen=True)

    name: str
    expires_at: AwareDatetime
    onset: AwareDatetime | None = None
    service: str | None = None
    description: str = ""


_LEASES = TypeAdapter(dict[str, Lease])


class Leases:
    """Injects and heals scenarios, one at a time. What is in force is on disk before it is in force."""

    def __init__(
        self, sandbox: Sandbox, scenarios: Mapping[str, Scenario], file: Path, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._sandbox = sandbox
        self._scenarios = scenarios
        self._file = file
        self._now = now
        self._lock = asyncio.Lock()
        self._held: dict[str, Lease] = _LEASES.validate_json(file.read_bytes()) if file.exists() else {}

    @property
    def held(self) -> tuple[Lease, ...]:
        """Returns the faults that are in force, or not yet healed."""
        return tuple(self._held.values())

    async def start(self, name: str, ttl_s: float) -> Lease:
        """Puts a fault in place, or prolongs the one that is, and returns its lease.

        Raises:
            SandboxError: The fault could not be put in place; what there is of it is healed.
        """
        async with self._lock:
            expires_at = self._now() + timedelta(seconds=ttl_s)
            known = self._held.get(name)
            if known is not None and known.onset is not None:
                return self._keep(known.model_copy(update={"expires_at": expires_at}))
            lease = self._keep(Lease(name=name, expires_at=expires_at))
            try:
                made = await self._scenarios[name].inject(self._sandbox)
            except SandboxError:
                await self._heal(name)
                raise
            log.info("fault_started", fault=name, ttl_s=ttl_s)
            found = {"onset": made.onset, "service": made.service, "description": made.description}
            return self._keep(lease.model_copy(update=found))

    async def stop(self, name: str) -> None:
        """Heals a fault; one that is not in force is healed already.

        Raises:
            SandboxError: It could not be healed, and is tried again.
        """
        async with self._lock:
            if name in self._held:
                await self._heal(name)

    async def run(self, stopped: asyncio.Event) -> None:
        """Heals what has expired until the event is set; what cannot be healed is tried again."""
        while not stopped.is_set():
            wait_s = LOOK_S
            for lease in self.held:
                if lease.expires_at > self._now():
                    continue
                log.warning("fault_expired", fault=lease.name)
                try:
                    await self.stop(lease.name)
                except SandboxError as error:
                    log.warning("fault_not_healed", fault=lease.name, reason=str(error))
                    wait_s = RETRY_S
            await asyncio.sleep(wait_s)

    async def _heal(self, name: str) -> None:
        await self._scenarios[name].heal(self._sandbox)
        self._held.pop(name, None)
        self._write()
        log.info("fault_healed", fault=name)

    def _keep(self, lease: Lease) -> Lease:
        self._held[lease.name] = lease
        self._write()
        return lease

    def _write(self) -> None:
        draft = self._file.with_suffix(".tmp")
        draft.write_bytes(_LEASES.dump_json(self._held))
        draft.replace(self._file)
