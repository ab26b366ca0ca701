"""Error signatures: the same failure counted once per trace, wherever in a service it is recorded."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from telemetry.state.drops import Drops
from telemetry.state.failure import Failure, failure_of
from telemetry.state.limits import Limits
from telemetry.state.views import TICK_S, SignatureHits, SignatureStats

_TRACES_KEPT = 20
_RECENT_MAX = 20_000
_PARSED_MAX = 1_000
_MEMORY_S = 7 * 86_400  # a signature unseen for longer is new again (detection.md, D6)
_MEMORY_MAX = 20_000

Where = tuple[str, str, str]
"""Tenant, environment and service."""


class SignatureSeen(msgspec.Struct, array_like=True, frozen=True):
    """When a signature of a service was first and last seen, in Unix seconds."""

    tenant: str
    environment: str
    service: str
    hash: str
    first_s: int
    last_s: int


@dataclass(slots=True)
class _Record:
    where: Where
    failure: Failure
    operation: str
    first_seen_s: int
    last_seen_s: int
    hits: dict[int, int] = field(default_factory=dict[int, int])
    traces: list[bytes] = field(default_factory=list[bytes])


class Signatures:
    """Signatures of all tenants within the retention."""

    def __init__(self, limits: Limits, drops: Drops) -> None:
        self._limits = limits
        self._drops = drops
        self._records: OrderedDict[tuple[Where, str], _Record] = OrderedDict()
        """The one hit last is the last: errors that are all different must not keep out those that come again."""
        self._recent: OrderedDict[tuple[Where, bytes], list[_Record]] = OrderedDict()
        self._parsed: OrderedDict[tuple[str, ...], Failure] = OrderedDict()
        self._past: OrderedDict[tuple[Where, str], tuple[int, int]] = OrderedDict()
        """First and last seen of signatures that have no hits within the retention any more."""

    def add(
        self, where: Where, attributes: Mapping[str, str], operation: str, trace_id: bytes, at_s: int, *, entry: bool
    ) -> None:
        """Count a failure that a span or log record of a trace (b'' for none) describes.

        `entry` says that it is a SERVER or CONSUMER span: it gives the operation to what failed inside, and adds
        no signature of its own when that is already known of its trace.
        """
        recorded = self._recent.get((where, trace_id), []) if trace_id else []
        if recorded and not attributes.get("exception.type"):
            if entry:
                recorded[0].operation = operation
            return
        failure = self._failure(where, attributes, operation)
        for record in recorded:
            if record.failure.hash == failure.hash:
                if entry:
                    record.operation = operation
                return
        self._hit(self._record(where, failure, operation, at_s), trace_id, at_s)

    def _failure(self, where: Where, attributes: Mapping[str, str], operation: str) -> Failure:
        stack = attributes.get("exception.stacktrace", "").rstrip()
        frames, _, _ = stack.rpartition("\n")  # the last line of a Python one is the message
        error_type = attributes.get("exception.type", "")
        key = (where[2], error_type, frames) if frames and error_type else None
        if key is not None and (known := self._parsed.get(key)) is not None:
            return known
        failure = failure_of(where[2], attributes, operation)
        if key is not None and failure.frames:
            self._parsed[key] = failure
            if len(self._parsed) > _PARSED_MAX:
                self._parsed.popitem(last=False)
        return failure

    def _record(self, where: Where, failure: Failure, operation: str, at_s: int) -> _Record:
        key = (where, failure.hash)
        record = self._records.get(key)
        if record is not None:
            self._records.move_to_end(key)
        else:
            if len(self._records) >= self._limits.max_signatures:
                self._drops.count("signatures")
                self._retire(*self._records.popitem(last=False))
            first_s, last_s = self._past.pop(key, (at_s, at_s))
            first_s = first_s if at_s - last_s < _MEMORY_S else at_s
            record = self._records[key] = _Record(where, failure, operation, first_s, at_s)
        return record

    def _hit(self, record: _Record, trace_id: bytes, at_s: int) -> None:
        tick_s = at_s - at_s % TICK_S
        record.hits[tick_s] = record.hits.get(tick_s, 0) + 1
        record.first_seen_s = min(record.first_seen_s, at_s)
        record.last_seen_s = max(record.last_seen_s, at_s)
        if trace_id:
            record.traces.append(trace_id)
            del record.traces[:-_TRACES_KEPT]
            self._recent.setdefault((record.where, trace_id), []).append(record)
            if len(self._recent) > _RECENT_MAX:
                self._recent.popitem(last=False)

    def since(self, tenant: str, environment: str, since_s: int) -> list[SignatureStats]:
        """Return the signatures of an environment that were hit at or after `since_s`."""
        return [
            _stats(record)
            for record in self._records.values()
            if record.where[:2] == (tenant, environment) and record.last_seen_s >= since_s
        ]

    def forget_before(self, start_s: int) -> None:
        """Drop older hits, and signatures without newer ones."""
        for key, record in list(self._records.items()):
            for at in [at for at in record.hits if at < start_s]:
                del record.hits[at]
            if not record.hits:
                del self._records[key]
                self._retire(key, record)

    def _retire(self, key: tuple[Where, str], record: _Record) -> None:
        """Remember of a signature only when it was seen."""
        self._past[key] = (record.first_seen_s, record.last_seen_s)
        if len(self._past) > _MEMORY_MAX:
            self._past.popitem(last=False)

    def dump(self) -> list[SignatureSeen]:
        """Return when every signature was seen, those with hits last."""
        live = {key: (record.first_seen_s, record.last_seen_s) for key, record in self._records.items()}
        both = self._past | live
        return [SignatureSeen(*where, name, *seen) for (where, name), seen in both.items()]

    def load(self, seen: Iterable[SignatureSeen]) -> None:
        """Take over what `dump` returned: such signatures are not new when they are hit again."""
        for one in seen:
            where = (one.tenant, one.environment, one.service)
            self._past[where, one.hash] = (one.first_s, one.last_s)
        while len(self._past) > _MEMORY_MAX:
            self._past.popitem(last=False)


def _stats(record: _Record) -> SignatureStats:
    return SignatureStats(
        hash=record.failure.hash,
        service=record.where[2],
        operation=record.operation,
        error_type=record.failure.error_type,
        message=record.failure.message,
        frames=record.failure.frames,
        first_seen_s=record.first_seen_s,
        last_seen_s=record.last_seen_s,
        hits=tuple(SignatureHits(at, record.hits[at]) for at in sorted(record.hits)),
        trace_ids=tuple(trace_id.hex() for trace_id in record.traces),
    )
