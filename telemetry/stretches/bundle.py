"""A bundle from profiles: the evidence of a fault stretch against normal windows, numbered and within its size."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from telemetry.evidence.bundle import fitting
from telemetry.model import Evidence, EvidenceBundle, Stretch, utc
from telemetry.profile import metrics
from telemetry.profile.compared import compared
from telemetry.profile.rows import PointRow
from telemetry.profile.window import Profile

MAX_BYTES = 256 * 1024


@dataclass
class Windows:
    """What was recorded: a profile for each normal window and one of the fault, and the points of both.

    Stretches are in Unix nanoseconds, from inclusive, to exclusive; `pods` are those seen, by service.
    """

    normal_ns: Sequence[tuple[int, int]]
    fault_ns: tuple[int, int]
    normal: list[Profile] = field(default_factory=list[Profile])
    fault: Profile = field(default_factory=Profile)
    normal_points: list[PointRow] = field(default_factory=list[PointRow])
    pods: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    fault_points: list[PointRow] = field(default_factory=list[PointRow])


def profiled(windows: Windows) -> EvidenceBundle:
    """Return the evidence: metrics, calls that take longer, changed flows, own time; at most 256 KiB as JSON."""
    drafts = list(_drafts(windows))
    items = fitting(drafts, MAX_BYTES)
    starts = [start for start, _ in windows.normal_ns] or [windows.fault_ns[0]]
    ends = [end for _, end in windows.normal_ns] or [windows.fault_ns[0]]
    return EvidenceBundle(
        normal=Stretch(start=utc(min(starts)), end=utc(max(ends))),
        fault=Stretch(start=utc(windows.fault_ns[0]), end=utc(windows.fault_ns[1])),
        items=items,
        dropped=len(drafts) - len(items),
    )


def _drafts(windows: Windows) -> Iterable[Evidence]:
    yield from metrics.moved(windows.normal_points, windows.fault_points)
    found = compared(windows.normal, windows.fault)
    yield from (*found.ways, *found.flows, *found.own)
