"""The diagnosis: the ranking in a few plain sentences, for people."""

from agents.diagnosis import Candidate, CauseKind, Claim, Diagnosis, SuspectChange, Verdict
from agents.rca.claims import supported
from agents.rca.ranking import rank, verdict
from telemetry.model import Signal

CAUSES = {
    CauseKind.DB_POOL_EXHAUSTION: "{service} runs out of database connections",
    CauseKind.BAD_DEPLOY: "a deploy broke {service}",
    CauseKind.EXCEPTION: "{service} fails in its own code",
    CauseKind.LATENCY_REGRESSION: "{service} has become slow",
    CauseKind.DEPENDENCY_DOWN: "{service} does not answer",
    CauseKind.NETWORK_DELAY: "the way to {service} has become slow",
    CauseKind.CPU_CONTENTION: "{service} has no CPU to spare",
    CauseKind.MEMORY_SATURATION: "{service} is at its memory limit",
    CauseKind.MISSING_WORK: "{service} no longer does a part of its work",
    CauseKind.UNKNOWN: "{service} is unwell",
}
"""Each kind of fault as a clause."""

_SHOWN_CLAIMS = 2


def diagnose(signal: Signal) -> Diagnosis:
    """Return the root-cause analysis of a signal's evidence; INCONCLUSIVE when nothing stands out.

    All text in it quotes telemetry: it must be escaped wherever it is shown.
    """
    bundle = signal.evidence
    candidates = rank(bundle)
    if not candidates:
        return Diagnosis(
            verdict=Verdict.INCONCLUSIVE,
            service=signal.root_service,
            operation=signal.root_operation,
            kind=CauseKind.UNKNOWN,
            summary=f"Nothing in the evidence stands out against the time before, so no cause is named. The alarm "
            f"came from {signal.root_service}.",
            claims=(),
            candidates=(),
        )
    best = candidates[0]
    sure = verdict(candidates, bundle)
    return Diagnosis(
        verdict=sure,
        service=best.service,
        operation=best.operation,
        kind=best.kind,
        summary=_summary(candidates, sure),
        claims=best.speaks_for,
        candidates=candidates,
    )


def _summary(candidates: tuple[Candidate, ...], sure: Verdict) -> str:
    best = candidates[0]
    cause = CAUSES[best.kind].format(service=best.service)
    facts = ". ".join(_sentence(claim.text) for claim in best.speaks_for[:_SHOWN_CLAIMS])
    if sure is Verdict.INCONCLUSIVE:
        others = " or ".join(CAUSES[other.kind].format(service=other.service) for other in candidates[1:2])
        choice = (
            f"It may be that {cause}{f', or that {others}' if others else ''}, but the evidence does not decide it."
        )
        return f"{choice} What was seen: {facts}."
    opening = f"{cause[0].upper()}{cause[1:]}" if not cause.startswith(best.service) else cause
    victims = [other.service for other in candidates[1:] if other.speaks_against]
    passed_on = f" {_listed(victims)} only {'pass' if len(victims) > 1 else 'passes'} it on." if victims else ""
    return f"{opening}. {facts}.{passed_on}"


def _sentence(text: str) -> str:
    """Return a claim as the beginning of a sentence; names of services keep their case."""
    return f"The {text.removeprefix('the ')}" if text.startswith("the ") else text


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def with_suspect(diagnosis: Diagnosis, suspect: SuspectChange, signal: Signal, version_id: str) -> Diagnosis:
    """Return the diagnosis with the suspect change, and a claim for it that cites the version evidence."""
    claim = Claim(text=f"the suspect change is {suspect.sha[:9]}: {suspect.reason}", evidence=(version_id,))
    claims = supported((*diagnosis.claims, claim), signal.evidence)
    return diagnosis.model_copy(update={"suspect": suspect, "claims": claims})
