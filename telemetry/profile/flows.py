"""Flow evidence: what follows what in the code, by log records within a span and by the calls that a span makes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from telemetry.model import FlowEvidence, Followed
from telemetry.profile.rows import END
from telemetry.profile.window import NO_CALL, Profile, Step, Work

MIN_COUNT = 3
"""Fewer passes through a step say nothing about what follows it."""
MAX_FLOWS = 120
_SHIFT_MIN = 0.1
ERROR = 17
"""OTLP severity number of ERROR."""
_DRAFT = "E0"
_REPLACED = 0.5
ABSENT = ""
"""In place of a step: the call is not made."""
ANY_CALL = "any call"


def flows(normal: Sequence[Profile], before: Profile, fault: Profile) -> list[FlowEvidence]:
    """Return the steps after which something else follows than before, by how far that shifted."""
    found = [*_steps(normal, before, fault), *_calls(normal, before, fault), *_failures(normal, before, fault)]
    return sorted(found, key=_shift)[:MAX_FLOWS]


def _steps(normal: Sequence[Profile], before: Profile, fault: Profile) -> Iterator[FlowEvidence]:
    logging = _logging(before) & _logging(fault)
    for step, after in fault.next.items():
        if step[0] not in logging:
            continue
        was = before.next.get(step)
        if was is None or min(was.total(), after.total()) < MIN_COUNT:
            continue
        lost, gained = _moved(was, after)
        if not _far(was, after, lost, gained):
            continue
        severities = [max(p.severity.get(site, 0) for p in (before, fault)) for site in (lost, gained)]
        yield _item(step, lost, gained, (was, after), [p.next[step] for p in normal if step in p.next], severities)


def _logging(profile: Profile) -> set[str]:
    """Return the services that have log records in their spans: without any, nothing is known of what they wrote."""
    return {step[0] for step, following in profile.next.items() if any(site != END for site in following)}


def _moved(was: Mapping[str, int], after: Mapping[str, int]) -> tuple[str, str]:
    """Return what lost and what gained the largest share; on a tie the one that sorts first."""
    n, m = sum(was.values()), sum(after.values())
    shifts = {other: after.get(other, 0) / m - was.get(other, 0) / n for other in sorted({*was, *after})}
    return min(shifts, key=lambda other: shifts[other]), max(shifts, key=lambda other: shifts[other])


def _far(was: Counter[str], after: Counter[str], lost: str, gained: str) -> bool:
    n, m = was.total(), after.total()
    return max(was[lost] / n - after[lost] / m, after[gained] / m - was[gained] / n) >= _SHIFT_MIN


def _item(
    step: Step,
    lost: str,
    gained: str,
    counts: tuple[Counter[str], Counter[str]],
    windows: Sequence[Counter[str]],
    severities: Sequence[int],
) -> FlowEvidence:
    return FlowEvidence(
        id=_DRAFT,
        source="logs",
        service=step[0],
        operation=step[1],
        step=step[2],
        usual=lost,
        instead=gained,
        severity=severities[1],
        usual_severity=severities[0],
        before=_followed(counts[0], lost, gained),
        after=_followed(counts[1], lost, gained),
        windows=tuple(_followed(window, lost, gained) for window in windows),
    )


def _followed(counts: Mapping[str, int], lost: str, gained: str) -> Followed:
    return Followed(
        usual=counts.get(lost, 0),
        instead=counts.get(gained, 0),
        last=counts.get(END, 0),
        total=sum(counts.values()),
    )


def _calls(normal: Sequence[Profile], before: Profile, fault: Profile) -> Iterator[FlowEvidence]:
    for work, m in fault.work.items():
        n = before.work.get(work, 0)
        if min(m, n) < MIN_COUNT:
            continue
        calls = sorted({*before.calls.get(work, ()), *fault.calls.get(work, ())} - {NO_CALL})
        shifts = {call: _made(fault, work, call) / m - _made(before, work, call) / n for call in calls}
        lost = min(shifts, key=lambda call: shifts[call], default=None)
        gained = max(shifts, key=lambda call: shifts[call], default=None)
        if lost is not None and shifts[lost] <= -_SHIFT_MIN:
            replaced = gained is not None and shifts[gained] >= -_REPLACED * shifts[lost]
            yield _call(work, lost, gained if replaced else None, (before, fault, normal))
        elif gained is not None and shifts[gained] >= _SHIFT_MIN:
            yield _call(work, None, gained, (before, fault, normal))
        if _made(fault, work, NO_CALL) / m - _made(before, work, NO_CALL) / n >= _SHIFT_MIN:
            yield _call(work, NO_CALL, None, (before, fault, normal))


def _made(profile: Profile, work: Work, call: Work) -> int:
    """Return in how many spans of `work` the call was made."""
    found = profile.calls.get(work)
    return 0 if found is None else found[call]


def _call(
    work: Work, lost: Work | None, gained: Work | None, profiles: tuple[Profile, Profile, Sequence[Profile]]
) -> FlowEvidence:
    """Return the item of a call that is lost (`NO_CALL`: all of them), one that is gained, or one for another."""
    before, fault, normal = profiles

    def followed(profile: Profile) -> Followed:
        total = profile.work[work]
        usual = 0 if lost is None else _made(profile, work, lost)
        usual = total - usual if lost == NO_CALL else usual
        instead = _made(profile, work, gained) if gained else total - usual
        return Followed(usual=usual if lost else total - instead, instead=instead, total=total)

    named = lost or gained
    callee = named[0] if named and named != NO_CALL and named[0] != work[0] else None
    return FlowEvidence(
        id=_DRAFT,
        source="spans",
        service=work[0],
        operation=work[1],
        step=work[1],
        usual=(ANY_CALL if lost == NO_CALL else lost[1]) if lost else ABSENT,
        instead=gained[1] if gained else ABSENT,
        callee=callee,
        before=followed(before),
        after=followed(fault),
        windows=tuple(followed(profile) for profile in normal if profile.work[work]),
    )


def _failures(normal: Sequence[Profile], before: Profile, fault: Profile) -> Iterator[FlowEvidence]:
    for work, failed in fault.failed.items():
        counts = [(p.failed[work], p.work[work]) for p in (before, fault)]
        if failed < MIN_COUNT or counts[0][1] < MIN_COUNT or counts[0][0] / counts[0][1] >= failed / counts[1][1]:
            continue
        was, now = (Followed(usual=total - n, instead=n, total=total) for n, total in counts)
        windows = [(p.failed[work], p.work[work]) for p in normal if p.work[work]]
        yield FlowEvidence(
            id=_DRAFT,
            source="status",
            service=work[0],
            operation=work[1],
            step=work[1],
            usual="OK",
            instead="ERROR",
            severity=ERROR,
            before=was,
            after=now,
            windows=tuple(Followed(usual=total - n, instead=n, total=total) for n, total in windows),
        )


def _shift(item: FlowEvidence) -> tuple[float, float, str, str, str, str]:
    moved = item.after.instead / item.after.total - item.before.instead / item.before.total
    lost = item.before.usual / item.before.total - item.after.usual / item.after.total
    return (-max(moved, lost), -item.after.total, item.operation, item.step, item.usual + item.instead, item.service)
