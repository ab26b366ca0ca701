"""Time as GitHub writes it: UTC, whole seconds, ending in Z."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time in UTC, cut to whole seconds."""
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
