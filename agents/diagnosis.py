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


class Spent(Frozen):
    """What asking an LLM has cost. Where the endpoint did not say, tokens are estimated from above."""

    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            usd=self.usd + other.usd,
            seconds=self.seconds + other.seconds,
        )


class Opinion(Frozen):
    """What came of asking an LLM; `used` is False when nothing of its answer counts, and `note` says why.

    `preferred` is the candidate that it would put first. Its text is untrusted: it read telemetry.
    """

    model: str
    prompt: str
    used: bool
    note: str
    summary: str = ""
    claims: tuple[Claim, ...] = ()
    claims_dropped: int = 0
    preferred: str | None = None
    spent: Spent = Spent()


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
    opinion: Opinion | None = None
