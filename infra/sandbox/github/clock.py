"""Time as GitHub writes it: UTC, whole seconds, ending in Z. Tests may stop it; credentials live by the real time."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass
class _Hands:
    """Where the clock of this process was stopped; None while it runs."""

    stopped_at: datetime | None = None


_hands = _Hands()


def stop_at(moment: datetime | None) -> None:
    """Stops the clock at a moment, and lets it run again at None."""
    _hands.stopped_at = moment


def now() -> datetime:
    """The time in UTC, cut to whole seconds: the real one, unless the clock was stopped."""
    return (_hands.stopped_at or real_now()).astimezone(UTC).replace(microsecond=0)


def real_now() -> datetime:
    """The real time in UTC, cut to whole seconds, by which credentials expire."""
    return datetime.now(UTC).replace(microsecond=0)


def iso(moment: datetime) -> str:
    """The moment as `2026-01-31T12:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now_iso() -> str:
    """The current time as `2026-01-31T12:00:00Z`."""
    return iso(now())


def parse(text: str) -> datetime:
    """The moment written in ISO 8601; without an offset it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
