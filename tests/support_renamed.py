"""A recorded case told anew: other names of services and pods, other ids, clock and order; the same content."""

import re
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from random import Random
from string import ascii_lowercase
from typing import Any

from agents.diagnosis import Candidate
from agents.rca import rank, verdict
from bot.recorded_cases import Case, Stretch, analyse, case_of
from telemetry.files import SignalKind, TelemetryFile
from telemetry.files.recorded import items_of
from telemetry.files.shift import shifted
from telemetry.model import EvidenceBundle
from telemetry.stretches.recorded import files_in
from telemetry.testing.recording import framed

_NAMES = frozenset({"service.name", "k8s.pod.name"})
_SHUFFLED = frozenset(
    {
        *("resource_spans", "resource_logs", "resource_metrics", "scope_spans", "scope_logs", "scope_metrics"),
        *("spans", "log_records", "metrics", "data_points"),
    }
)
_FARTHEST_NS = 10_000_000 * 1_000_000_000
_ID = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{16}(?:[0-9a-f]{16})?(?![0-9A-Za-z])")


class Retelling:
    """How one case is told anew; everything random comes from `seed`.

    `names` leads from each service and pod to its new name: as long as the old one, because caps count bytes and log
    sites look at the first 200 characters, of lower-case letters with hyphens where chance puts them. Ids are those of
    a keyed hash. `later_ns` moves the clock by up to 115 days either way, not by a whole number of seconds.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._files = files_in(folder)
        self._chance = Random(seed)
        self._key = self._chance.randbytes(16)
        self.later_ns = self._chance.randint(-_FARTHEST_NS, _FARTHEST_NS)
        self.names: dict[str, str] = {}
        for name in sorted(self._found_names()):
            self.names[name] = self._fresh(len(name))
        longest_first = sorted(self.names, key=lambda name: (-len(name), name))
        options = "|".join(map(re.escape, longest_first)) or "(?!)"
        self._old_name = re.compile(rf"(?<![0-9A-Za-z])(?:{options})(?![0-9A-Za-z])")

    def case(self, case: Case) -> Case:
        """Return the case with its stretches where the new clock has them."""
        metrics = None if case.normal_metrics is None else [self._later(stretch) for stretch in case.normal_metrics]
        return Case(case.case, self._later(case.fault), [self._later(stretch) for stretch in case.normal], metrics)

    def write(self, into: Path) -> Path:
        """Write the files anew into an existing folder and return it: messages, and what they hold, in other order."""
        for path in self._files:
            payloads = [self._payload(message) for message in TelemetryFile(path).messages()]
            self._chance.shuffle(payloads)
            (into / path.name).write_bytes(framed(payloads))
        return into

    def text(self, old: str) -> str:
        """Return a text with the new names and ids in place of the old ones, wherever they stand as whole words."""
        named = self._old_name.sub(lambda found: self.names[found.group()], old)
        return _ID.sub(lambda found: self._id(bytes.fromhex(found.group())).hex(), named)

    def _found_names(self) -> set[str]:
        return {
            attribute.value.string_value
            for path in self._files
            for message in TelemetryFile(path).messages()
            for group in _groups(message.request)
            for attribute in group.resource.attributes
            if attribute.key in _NAMES
        }

    def _fresh(self, length: int) -> str:
        """Return a name of that length which nothing has, nor had."""
        taken = {*self.names.values(), *self.names}
        while True:
            name = "".join(self._chance.choice(ascii_lowercase + "-" * (0 < n < length - 1)) for n in range(length))
            if name not in taken:
                return name

    def _later(self, stretch: Stretch) -> Stretch:
        return stretch[0] + self.later_ns, stretch[1] + self.later_ns

    def _payload(self, message: Any) -> bytes:
        request = type(message.request).FromString(shifted(message, self.later_ns))
        for group in _groups(request):
            self._retell_attributes(group.resource.attributes)
        for item in items_of(message.kind, request):
            self._retell_attributes(item.attributes)
            if message.kind is SignalKind.TRACES:
                item.name = self.text(item.name)
                item.parent_span_id = self._id(item.parent_span_id)
            elif message.kind is SignalKind.LOGS:
                item.body.string_value = self.text(item.body.string_value)
            if message.kind is not SignalKind.METRICS:
                item.trace_id, item.span_id = self._id(item.trace_id), self._id(item.span_id)
        self._shuffle(request)
        return request.SerializeToString()

    def _retell_attributes(self, attributes: Any) -> None:
        for attribute in attributes:
            if attribute.value.HasField("string_value"):
                attribute.value.string_value = self.text(attribute.value.string_value)

    def _id(self, old: bytes) -> bytes:
        return blake2b(old, digest_size=len(old), key=self._key).digest() if old else b""

    def _shuffle(self, node: Any) -> None:
        """Put resources, scopes, and the spans, records, metrics and points in them into another order."""
        for field, parts in node.ListFields():
            if field.name in _SHUFFLED:
                moved = list(parts)
                for part in moved:
                    self._shuffle(part)
                self._chance.shuffle(moved)
                node.ClearField(field.name)
                getattr(node, field.name).extend(moved)
            elif field.name == "gauge":
                self._shuffle(parts)


def _groups(request: Any) -> Iterator[Any]:
    for _, groups in request.ListFields():
        yield from groups


def differences(bundle: EvidenceBundle, folder: Path, into: Path, seed: int) -> list[tuple[object, object]]:
    """Return in what the answer for a folder told anew differs from that for its `bundle`, as pairs of old and new.

    Compared are the verdict, the length of the ranking, and of each candidate service, kind, operation and score; what
    is old stands there under its new name. `into` is an empty folder for the files.
    """
    retelling = Retelling(folder, seed)
    after = analyse(retelling.write(into), retelling.case(case_of(folder)))
    before = rank(bundle)
    pairs = [(verdict(before, bundle), after.verdict), (len(before), len(after.candidates))]
    pairs += zip((said(c, retelling) for c in before), map(said, after.candidates), strict=False)
    return [(old, new) for old, new in pairs if old != new]


def said(candidate: Candidate, retelling: Retelling | None = None) -> tuple[str, str, str | None, float]:
    """Return service, kind, operation and score of a candidate, with `retelling` under its new names."""
    service, operation = candidate.service, candidate.operation
    if retelling:
        service = retelling.names.get(service, service)
        operation = operation and retelling.text(operation)
    return service, candidate.kind.value, operation, candidate.score
