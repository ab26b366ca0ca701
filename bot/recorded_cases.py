"""Root-cause analysis of recorded telemetry: which folder, which stretches, and what came of it."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from agents.diagnosis import Candidate, CauseKind, Verdict
from agents.errors import SreSpaceError
from agents.rca import rank, verdict
from agents.rca.flows import region
from telemetry.model import EvidenceBundle, FlowEvidence, MetricEvidence, TimeEvidence
from telemetry.stretches.bundle import Windows, profiled
from telemetry.stretches.recorded import files_in, read_windows

_CASES = "cases.jsonl"
_LEVELS = 3

Stretch = tuple[int, int]


class CaseError(SreSpaceError):
    """A folder has no case that says which stretches to compare."""


class Case(msgspec.Struct, frozen=True):
    """What to compare, as a line of `cases.jsonl` says it; times are Unix nanoseconds."""

    case: str
    fault: Stretch
    normal: list[Stretch]
    normal_metrics: list[Stretch] | None = None


@dataclass(frozen=True)
class Analysis:
    """The answer for one folder; `problem` says why there is none."""

    case: str
    candidates: tuple[Candidate, ...]
    verdict: Verdict
    bundle: EvidenceBundle | None
    pods: dict[str, set[str]]
    seconds: float
    problem: str = ""

    @property
    def kind(self) -> CauseKind:
        """The kind of fault of the first candidate."""
        return self.candidates[0].kind if self.candidates else CauseKind.UNKNOWN


def case_of(folder: Path) -> Case:
    """Return the line for a folder in the nearest `cases.jsonl`: in it, beside it, or one level up.

    Raises:
        CaseError: there is no such file, no such line, or the line is damaged.
    """
    folder = folder.resolve()
    for place in [folder, *folder.parents][:_LEVELS]:
        try:
            lines = (place / _CASES).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeError):
            continue
        for line in lines:
            try:
                if json.loads(line).get("case") == folder.name:
                    return msgspec.convert(json.loads(line), Case)
            except (ValueError, AttributeError, msgspec.ValidationError) as error:
                raise CaseError(f"{place / _CASES} holds a damaged line: {error}") from error
    raise CaseError(
        f"no {_CASES} in or above {folder} names {folder.name}; say --normal FROM..TO and --fault FROM..TO instead"
    )


def analyse(folder: Path, case: Case) -> Analysis:
    """Return the ranking for the recorded telemetry of a folder, or of a single file.

    Raises:
        TelemetryFileError: a file cannot be read.
    """
    began = time.process_time()
    files = [folder] if folder.is_file() else files_in(folder)
    windows = read_windows(files, case.normal, case.fault, case.normal_metrics)
    return judged(case.case, windows, began)


def judged(name: str, windows: Windows, began: float) -> Analysis:
    """Return the ranking for windows; `began` is the process time at which reading them began."""
    bundle = profiled(windows)
    candidates = rank(bundle)
    seconds = time.process_time() - began
    return Analysis(name, candidates, verdict(candidates, bundle), bundle, windows.pods, seconds)


def inner(candidate: Candidate, bundle: EvidenceBundle) -> str | None:
    """Return the finer cause: the code region of a changed flow, or what was measured for another kind of fault."""
    items = {item.id: item for item in bundle.items}
    for number in (number for claim in candidate.speaks_for for number in claim.evidence):
        match item := items[number]:
            case FlowEvidence() if candidate.kind in {CauseKind.EXCEPTION, CauseKind.MISSING_WORK}:
                return region(item)
            case TimeEvidence() if candidate.kind is CauseKind.NETWORK_DELAY and item.measure == "way":
                return f"way to {item.service} {item.operation}"
            case MetricEvidence() if candidate.kind in {CauseKind.CPU_CONTENTION, CauseKind.MEMORY_SATURATION}:
                return item.metric
            case _:
                continue
    return None


def pod_of(candidate: Candidate, analysis: Analysis) -> str | None:
    """Return the pod of a candidate's metric evidence, else the only pod of its service."""
    cited = {number for claim in candidate.speaks_for for number in claim.evidence}
    for item in analysis.bundle.items if analysis.bundle else ():
        if isinstance(item, MetricEvidence) and item.id in cited and "k8s.pod.name" in item.attributes:
            return item.attributes["k8s.pod.name"]
    pods = analysis.pods.get(candidate.service, set())
    return next(iter(pods)) if len(pods) == 1 else None


def document(analysis: Analysis) -> dict[str, Any]:
    """Return an analysis as the JSON object that `sre-space rca --json` prints."""
    best = analysis.candidates[0] if analysis.candidates else None
    fields: dict[str, Any] = {
        "case": analysis.case,
        "ranking": [candidate.service for candidate in analysis.candidates],
        "kind": analysis.kind,
        "operation": best.operation if best else None,
        "inner": inner(best, analysis.bundle) if best and analysis.bundle else None,
        "verdict": analysis.verdict,
        "candidates": [_candidate(candidate, analysis) for candidate in analysis.candidates],
        "seconds": round(analysis.seconds, 3),
    }
    return fields | ({"problem": analysis.problem} if analysis.problem else {})


def _candidate(candidate: Candidate, analysis: Analysis) -> dict[str, Any]:
    items = {item.id: item for item in analysis.bundle.items} if analysis.bundle else {}
    claims = (*candidate.speaks_for, *candidate.speaks_against)
    cited: Sequence[str] = list(dict.fromkeys(number for claim in claims for number in claim.evidence))
    return {
        **candidate.model_dump(mode="json"),
        "pod": pod_of(candidate, analysis),
        "inner": inner(candidate, analysis.bundle) if analysis.bundle else None,
        "evidence": [items[number].model_dump(mode="json", exclude={"windows"}) for number in cited if number in items],
    }


def failed(name: str, problem: str) -> Analysis:
    """Return the answer for telemetry that cannot be read: INCONCLUSIVE, and why."""
    return Analysis(name, (), Verdict.INCONCLUSIVE, None, {}, 0.0, problem)
