"""One observation that speaks for a service as the culprit."""

from dataclasses import dataclass

from agents.diagnosis import CauseKind, Claim


@dataclass(frozen=True, slots=True)
class Finding:
    """What was observed on `service`; `kind` is None for a symptom, which fits any kind of fault.

    `weight` in [0, 1] is how much it adds to the score of its service. `effect` says that it was seen in what the code
    did, not at a cause: a cause of the same service may be what made it do so (see `precedence`).
    """

    service: str
    operation: str | None
    kind: CauseKind | None
    weight: float
    claim: Claim
    effect: bool = False


def finding(
    service: str, operation: str | None, kind: CauseKind | None, weight: float, text: str, *evidence: str
) -> Finding:
    """Return a finding whose claim says `text` and cites `evidence`."""
    return Finding(service, operation, kind, weight, Claim(text=text, evidence=evidence))


def effect(service: str, operation: str | None, kind: CauseKind, weight: float, text: str, *evidence: str) -> Finding:
    """Return a finding about what the code did, whose claim says `text` and cites `evidence`."""
    return Finding(service, operation, kind, weight, Claim(text=text, evidence=evidence), effect=True)
