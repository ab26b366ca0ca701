"""Faults on demand: what goes wrong next, how often, and where."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

FaultKind = Literal[
    "500",
    "502-after-write",
    "403-secondary",
    "403-primary",
    "401",
    "slow",
    "mergeable-unknown",
    "drop-webhook",
    "duplicate-webhook",
    "reorder-webhook",
]


class Fault(BaseModel):
    """One kind of fault for the next `count` requests (or webhooks) that match."""

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    count: int = Field(default=1, ge=1)
    path: str = ""
    """Regular expression searched in the request's path, or in `event.action` of a webhook."""
    method: str | None = None
    seconds: float = Field(default=1.0, ge=0, le=600)
    """How long `slow` takes, or what `403-secondary` says in Retry-After."""

    @field_validator("path")
    @classmethod
    def _compiles(cls, path: str) -> str:
        try:
            re.compile(path)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return path


class FaultBox:
    """The faults still to come."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Orders a fault."""
        self._faults.append(fault.model_copy())

    def clear(self) -> None:
        """Takes all orders back."""
        self._faults.clear()

    def waiting(self) -> list[Fault]:
        """What is still to come."""
        return [fault.model_copy() for fault in self._faults]

    def take(self, kind: FaultKind, path: str, method: str = "") -> Fault | None:
        """The fault to commit now, counted down, or None."""
        for fault in self._faults:
            if fault.kind != kind or not re.search(fault.path, path):
                continue
            if fault.method and fault.method.upper() != method.upper():
                continue
            fault.count -= 1
            if fault.count == 0:
                self._faults.remove(fault)
            return fault
        return None
