"""`make bench-rca DATA=…`: the root-cause ranking on labelled faults, beside published results.

DATA holds `cases.jsonl`, `truth.jsonl` and `<system>/<case>/`. Truth is read for scoring only.
"""

import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from agents.diagnosis import CauseKind, Verdict
from agents.rca import rank
from agents.rca.parameters import DEFAULTS, Parameters
from bot.recorded_cases import Analysis, Case, analyse, case_of, inner
from telemetry.model import EvidenceBundle, FlowEvidence, MetricEvidence, TimeEvidence
from tests.support_renamed import differences

KINDS = {
    "return": CauseKind.MISSING_WORK,
    "exception": CauseKind.EXCEPTION,
    "cpu_contention": CauseKind.CPU_CONTENTION,
    "cpu_consumed": CauseKind.CPU_CONTENTION,
    "network_delay": CauseKind.NETWORK_DELAY,
}
PUBLISHED = """Published (Nezha, ESEC/FSE 2023, table 3), AC@1 / AC@3 / AC@5 over 45 TrainTicket faults:
  Nezha .867 / .978 / .978 at about 14 s a case, without logs .422 / .444 / .444, MicroRCA .200 / .311 / .444,
  MicroScope .178 / .267 / .356, MicroRank .156 / .244 / .356, PDiagnose .089 / .133 / .222.
  OnlineBoutique is partial here, so the .929 of Nezha over 56 faults is not comparable."""
GRID: dict[str, tuple[float, ...]] = {
    "w_flow": (0.85, 0.6, 0.95),
    "w_network": (0.8, 0.6, 0.9),
    "flow_shift_floor": (0.8, 0.4, 1.2),
    "cpu_rise_floor": (0.2, 0.1, 0.3),
}
"""What leave-one-out chooses from; the defaults come first and win ties."""


@dataclass(frozen=True)
class Known:
    """A case with its evidence and its truth."""

    name: str
    system: str
    fault: str
    service: str
    inner: str
    bundle: EvidenceBundle
    seconds: float


@dataclass(frozen=True)
class Score:
    """How one answer did: place of the true service (0: not named), and whether kind and inner truth are right."""

    place: int
    kind: bool
    inner: bool


def load(data: Path) -> list[Known]:
    """Return every case of a folder with its evidence."""
    systems = {row["case"]: row["system"] for row in _rows(data / "cases.jsonl")}
    found: list[Known] = []
    for row in _rows(data / "truth.jsonl"):
        folder = data / systems[row["case"]] / row["case"]
        analysis = analyse(folder, case_of(folder))
        assert analysis.bundle is not None
        found.append(
            Known(
                row["case"],
                systems[row["case"]],
                row["fault_type"],
                row["service"],
                row["inner"],
                analysis.bundle,
                analysis.seconds,
            )
        )
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def score(known: Known, parameters: Parameters = DEFAULTS, bundle: EvidenceBundle | None = None) -> Score:
    """Return how the ranking does on one case."""
    bundle = bundle or known.bundle
    candidates = rank(bundle, parameters)
    names = [candidate.service for candidate in candidates]
    place = names.index(known.service) + 1 if known.service in names else 0
    if place != 1:
        return Score(place, kind=False, inner=False)
    named = inner(candidates[0], bundle)
    kind = candidates[0].kind is KINDS[known.fault]
    measured = known.inner.endswith(")") and kind
    return Score(place, kind, measured or named == known.inner)


def ac(scores: Sequence[Score], k: int) -> float:
    """Return AC@k in [0, 1]."""
    return sum(0 < found.place <= k for found in scores) / len(scores)


def line(name: str, scores: Sequence[Score]) -> str:
    """Return one row of figures, with the 95 % bootstrap interval of AC@1."""
    average = sum(ac(scores, k) for k in range(1, 6)) / 5
    low, high = interval(scores)
    kind, fine = (sum(getattr(found, what) for found in scores) / len(scores) for what in ("kind", "inner"))
    return (
        f"{name:34} {len(scores):3} {ac(scores, 1):6.3f} [{low:.2f}, {high:.2f}] {ac(scores, 3):6.3f} "
        f"{ac(scores, 5):6.3f} {average:6.3f} {fine:6.3f} {kind:6.3f}"
    )


def interval(scores: Sequence[Score], rounds: int = 2000) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of AC@1 (Efron & Tibshirani 1993), with a fixed seed."""
    chance = random.Random(5)
    means = sorted(ac(chance.choices(scores, k=len(scores)), 1) for _ in range(rounds))
    return means[int(0.025 * rounds)], means[int(0.975 * rounds)]


def without(*kinds: Callable[[object], bool]) -> Callable[[EvidenceBundle], EvidenceBundle]:
    """Return a function that takes evidence of some kinds out of a bundle."""
    return lambda bundle: bundle.model_copy(
        update={"items": tuple(item for item in bundle.items if not any(is_kind(item) for is_kind in kinds))}
    )


def _is_log(item: object) -> bool:
    return isinstance(item, FlowEvidence) and item.source == "logs"


def _is_metric(item: object) -> bool:
    return isinstance(item, MetricEvidence)


def _needs_traces(item: object) -> bool:
    return isinstance(item, FlowEvidence | TimeEvidence)


ABLATIONS = {
    "without logs": without(_is_log),
    "without metrics": without(_is_metric),
    "without traces": without(_needs_traces),
}


def chosen(cases: Sequence[Known]) -> Parameters:
    """Return the parameters of the grid with the best AC@1, then kind accuracy, on some cases."""
    options = [replace(DEFAULTS, **dict(zip(GRID, values, strict=True))) for values in product(*GRID.values())]

    def quality(parameters: Parameters) -> tuple[float, int]:
        scores = [score(known, parameters) for known in cases]
        return ac(scores, 1), sum(found.kind for found in scores)

    return max(options, key=quality)


def left_out(cases: Sequence[Known], group: Callable[[Known], str]) -> Iterable[str]:
    """Yield for each group AC@1 on it with the defaults, and with parameters chosen on all other groups."""
    for name in sorted({group(known) for known in cases}):
        inside = [known for known in cases if group(known) == name]
        parameters = chosen([known for known in cases if group(known) != name])
        other = {key: getattr(parameters, key) for key in GRID if getattr(parameters, key) != getattr(DEFAULTS, key)}
        fixed, free = (ac([score(known, p) for known in inside], 1) for p in (DEFAULTS, parameters))
        yield f"{name:34} {len(inside):3} {fixed:6.3f} {free:6.3f} {free - fixed:+6.3f}  {other or 'the defaults'}"


def normal_verdicts(data: Path) -> Iterable[Analysis]:
    """Yield what is said of the last normal window of each case against the others, or of one half of a lone one."""
    for row in _rows(data / "cases.jsonl"):
        folder = data / row["system"] / row["case"]
        case = case_of(folder)
        *before, last = case.normal
        middle = (last[0] + last[1]) // 2
        windows = (before, last) if before else ([(last[0], middle)], (middle, last[1]))
        yield analyse(folder, Case(case.case, windows[1], windows[0], case.normal_metrics))


def retold(data: Path, cases: Sequence[Known], seed: int = 1) -> Iterable[str]:
    """Yield what differs once a case has other names, ids, times and order, then in how many nothing does."""
    began, same = time.process_time(), 0
    for known in cases:
        with TemporaryDirectory() as into:
            found = differences(known.bundle, data / known.system / known.name, Path(into), seed)
        same += not found
        yield from (f"{known.name}: {old} became {new}" for old, new in found)
    seconds = time.process_time() - began
    yield f"renamed, shifted, shuffled: {same} of {len(cases)} the same ({seconds:.0f} s of CPU)"


def main(data: Path, *options: str) -> None:
    """Print every table; with `--renamed` also whether names, ids, times and order change an answer."""
    cases = load(data)
    say = sys.stdout.write
    head = f"{'':34}   n   AC@1 (95 %)         AC@3   AC@5  Avg@5  AIS@1   kind\n"
    say(head)
    for system in sorted({known.system for known in cases}):
        inside = [known for known in cases if known.system == system]
        say(line(system, [score(known) for known in inside]) + "\n")
        for fault in sorted({known.fault for known in inside}):
            say(line(f"  {fault}", [score(known) for known in inside if known.fault == fault]) + "\n")
        for name, cut in ABLATIONS.items():
            say(line(f"  {name}", [score(known, bundle=cut(known.bundle)) for known in inside]) + "\n")
    seconds = [known.seconds for known in cases]
    say(f"CPU seconds a case: median {statistics.median(seconds):.2f}, max {max(seconds):.2f}\n{PUBLISHED}\n")
    say(f"\nleft out{'':26}   n  fixed chosen  spread  chosen on the others\n")
    say("\n".join((*left_out(cases, lambda known: known.system), *left_out(cases, lambda known: known.fault))))
    say("\n\nnot first, or of another kind:\n")
    for known in cases:
        found, ranking = score(known), rank(known.bundle)
        if found.place != 1 or not found.kind:
            top = ", ".join(f"{c.service} {c.kind} {c.score:.2f}" for c in ranking[:3]) or "nobody"
            say(f"{known.name} {known.fault} of {known.service}, place {found.place or '-'}: {top}\n")
    say("\nnormal against normal, whatever is not inconclusive:\n")
    said = list(normal_verdicts(data))
    for analysis in said:
        if analysis.verdict is not Verdict.INCONCLUSIVE:
            say(f"{analysis.case} {analysis.verdict}: {analysis.candidates[0].service} {analysis.kind}\n")
    say(", ".join(f"{sum(a.verdict is v for a in said)} {v}" for v in Verdict) + "\n")
    if "--renamed" in options:
        say("\n" + "\n".join(retold(data, cases)) + "\n")


if __name__ == "__main__":
    if len(sys.argv) < 2 or set(sys.argv[2:]) - {"--renamed"}:
        sys.exit("usage: make bench-rca DATA=folder with cases.jsonl and truth.jsonl [BENCH_OPTIONS=--renamed]")
    main(Path(sys.argv[1]), *sys.argv[2:])
