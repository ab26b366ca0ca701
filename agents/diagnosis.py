"""What Brain concludes: claims that cite evidence, ranked candidates, and a suspect change."""

from enum import StrEnum

from telemetry.model import Frozen


class Verdict(StrEnum):
    """How sure the diagnosis is."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    INCONCLUSIVE = "inconclusive"


class CauseKind(StrEnum):
    """Kinds of fault that Brain can name."""

    DB_POOL_EXHAUSTION = "db_pool_exhaustion"
    BAD_DEPLOY = "bad_deploy"
    EXCEPTION = "exception"
    LATENCY_REGRESSION = "latency_regression"
    DEPENDENCY_DOWN = "dependency_down"
    NETWORK_DELAY = "network_delay"
    CPU_CONTENTION = "cpu_contention"
    MEMORY_SATURATION = "memory_saturation"
    MISSING_WORK = "missing_work"
    UNKNOWN = "unknown"


class Claim(Frozen):
    """One sentence of the root-cause analysis and the ids of the evidence that shows it."""

    text: str
    evidence: tuple[str, ...]


class Candidate(Frozen):
    """A possible culprit. `score` is comparable within one ranking only."""

    service: str
    operation: str | None
    kind: CauseKind
    score: float
    speaks_for: tuple[Claim, ...] = ()
    speaks_against: tuple[Claim, ...] = ()


class SuspectChange(Frozen):
    """The commit that best explains a fault, with the reason it was picked."""

    sha: str
    title: str
    author: str
    path: str
    reason: str
    pull_request: int | None = None


class Diagnosis(Frozen):
    """The root-cause analysis. `service` and `kind` are those of the first candidate."""

    verdict: Verdict
    service: str
    operation: str | None
    kind: CauseKind
    summary: str
    claims: tuple[Claim, ...]
    candidates: tuple[Candidate, ...]
    suspect: SuspectChange | None = None
