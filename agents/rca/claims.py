"""Claims must cite evidence that exists: whatever cannot be checked is dropped, whoever made it."""

from collections.abc import Iterable

from agents.diagnosis import Candidate, Claim
from telemetry.model import EvidenceBundle


def supported(claims: Iterable[Claim], bundle: EvidenceBundle) -> tuple[Claim, ...]:
    """Return the claims of which every evidence id is in the bundle; those that cite nothing are dropped too.

    A claim that also cites an unknown id is dropped whole: which part of its text the unknown id was to show cannot
    be told. The same text twice is kept once.
    """
    known = {item.id for item in bundle.items}
    kept: dict[str, Claim] = {}
    for claim in claims:
        if claim.evidence and known.issuperset(claim.evidence):
            kept.setdefault(claim.text, claim)
    return tuple(kept.values())


def supported_candidate(candidate: Candidate, bundle: EvidenceBundle) -> Candidate:
    """Return the candidate with only the claims that the bundle supports."""
    return candidate.model_copy(
        update={
            "speaks_for": supported(candidate.speaks_for, bundle),
            "speaks_against": supported(candidate.speaks_against, bundle),
        }
    )
