"""What handlers need, and how incidents are named."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agents.incident import RepoRef
from agents.ports import ForgeReader, Now
from bot.markers import Markers
from telemetry.model import Signal

ID_CHARS = 10


@dataclass(frozen=True)
class Deps:
    """Reads of GitHub, time, our marks, the label that makes an issue an incident, and where signals belong."""

    forge: ForgeReader
    now: Now
    markers: Markers
    label: str
    repo_of: Callable[[Signal], Awaitable[RepoRef]]


def id_of_signal(signal: Signal) -> str:
    """Return the id of the incident of a signal's group: the same for every signal of it."""
    return _id(f"{signal.tenant}\0{signal.environment}\0{signal.group_id}")


def id_of_issue(repo_id: int, number: int) -> str:
    """Return the id of the incident that a person opened as this issue."""
    return _id(f"{repo_id}#{number}")


def _id(text: str) -> str:
    return f"inc-{hashlib.sha256(text.encode()).hexdigest()[:ID_CHARS]}"
