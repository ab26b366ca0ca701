"""Trace and span ids that follow from what they are about: every process finds the same ones without being told."""

import contextlib
import hashlib
from collections.abc import Generator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

_TRACE_BYTES = 16
_SPAN_BYTES = 8


@dataclass(frozen=True, slots=True)
class Ids:
    """A trace and one span of it."""

    trace_id: int
    span_id: int


def ids_of(kind: Literal["incident", "delivery"], name: str) -> Ids:
    """Return the ids of the trace of an incident (by its id) or of a delivery (by its guid), with its root span's."""
    digest = hashlib.sha256(f"sre-space\0{kind}\0{name}".encode()).digest()
    trace_id = int.from_bytes(digest[:_TRACE_BYTES])
    span_id = int.from_bytes(digest[_TRACE_BYTES : _TRACE_BYTES + _SPAN_BYTES])
    return Ids(trace_id or 1, span_id or 1)  # zero is no id in W3C Trace Context


class ChosenIds(RandomIdGenerator):
    """Random ids, but for the root spans whose ids are known beforehand."""

    def __init__(self) -> None:
        self._chosen: ContextVar[Ids | None] = ContextVar("chosen_ids", default=None)

    @contextlib.contextmanager
    def chosen(self, ids: Ids) -> Generator[None]:
        """Give these ids to the root span that is started in the block."""
        token = self._chosen.set(ids)
        try:
            yield
        finally:
            self._chosen.reset(token)

    def generate_trace_id(self) -> int:
        """Return the chosen id, else a random one."""
        chosen = self._chosen.get()
        return super().generate_trace_id() if chosen is None else chosen.trace_id

    def generate_span_id(self) -> int:
        """Return the chosen id, else a random one."""
        chosen = self._chosen.get()
        return super().generate_span_id() if chosen is None else chosen.span_id
