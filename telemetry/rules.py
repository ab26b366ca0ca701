"""What the operator tells Scout: objectives of services, and when maintenance is expected."""

from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from telemetry.model import Frozen

_WEEK = timedelta(weeks=1)


class _Scoped(Frozen):
    """Base of rules that hold in one tenant or environment only, in all when not said."""

    tenant: str | None = Field(None, min_length=1)
    environment: str | None = Field(None, min_length=1)

    def holds_in(self, tenant: str, environment: str) -> bool:
        """Return whether the rule is meant for this place."""
        return self.tenant in {None, tenant} and self.environment in {None, environment}


class Slo(_Scoped):
    """The share of requests that shall be good. With `latency_ms` a slower request is bad, else a failed one."""

    service: str = Field(min_length=1)
    operation: str | None = Field(None, min_length=1)
    objective: float = Field(gt=0.0, lt=1.0)
    latency_ms: float | None = Field(None, gt=0.0)

    @property
    def name(self) -> str:
        """Return what tells objectives of one service apart."""
        what = "availability" if self.latency_ms is None else f"{self.latency_ms:g} ms"
        return f"SLO {what}" if self.operation is None else f"SLO {what} of {self.operation}"


class Maintenance(_Scoped):
    """A stretch of time, end exclusive, in which nothing about `services` opens an incident."""

    model_config = ConfigDict(validate_by_name=True)

    services: tuple[str, ...] = Field(min_length=1)
    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="until")
    repeat: Literal["weekly"] | None = None

    @model_validator(mode="after")
    def _is_a_stretch(self) -> Self:
        if self.end <= self.start:
            raise ValueError("`until` must be later than `from`")
        if self.repeat and self.end - self.start > _WEEK:
            raise ValueError("a window that repeats weekly may last a week at most")
        return self

    def covers(self, service: str, now: datetime) -> bool:
        """Return whether `now` lies in the window of a service (`*` names all), or in a weekly repetition of it."""
        if service not in self.services and "*" not in self.services:
            return False
        since = now - self.start
        if self.repeat and since >= timedelta():
            since %= _WEEK
        return timedelta() <= since < self.end - self.start


class ScoutConfig(Frozen):
    """Rules of the operator for Scout; without any, D3 is off and no maintenance is expected."""

    slos: tuple[Slo, ...] = Field(default=(), max_length=1000)
    maintenance: tuple[Maintenance, ...] = Field(default=(), max_length=1000)

    @model_validator(mode="after")
    def _no_slo_twice(self) -> Self:
        named = [(slo.tenant, slo.environment, slo.service, slo.name) for slo in self.slos]
        if len(set(named)) < len(named):
            raise ValueError("an objective is declared twice")
        return self

    def slos_in(self, tenant: str, environment: str) -> tuple[Slo, ...]:
        """Return the objectives that hold in one environment."""
        return tuple(slo for slo in self.slos if slo.holds_in(tenant, environment))

    def in_maintenance(self, tenant: str, environment: str, service: str, now: datetime) -> bool:
        """Return whether maintenance of a service is expected now."""
        mine = (window for window in self.maintenance if window.holds_in(tenant, environment))
        return any(window.covers(service, now) for window in mine)
