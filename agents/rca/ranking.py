"""The ranking: findings of each service, less what its callees account for, combined to one score."""

from agents.diagnosis import Candidate, CauseKind, Claim, Verdict
from agents.rca.claims import supported_candidate
from agents.rca.errors import find_errors, find_leaves
from agents.rca.finding import Finding
from agents.rca.flows import find_changed_flows
from agents.rca.gauges import find_busy_cpus, find_moved_gauges
from agents.rca.parameters import DEFAULTS, Parameters
from agents.rca.precedence import by_precedence
from agents.rca.propagation import explained
from agents.rca.resources import find_full_machines, find_full_pools
from agents.rca.symptoms import find_network_gaps, find_own_slowness, find_silent_callees, find_symptoms
from agents.rca.times import find_own_time, find_slow_ways
from agents.rca.view import View, id_order, view_of
from telemetry.model import Evidence, EvidenceBundle, MetricEvidence

FINDERS = (
    find_symptoms,
    find_errors,
    find_leaves,
    find_full_pools,
    find_full_machines,
    find_own_slowness,
    find_network_gaps,
    find_silent_callees,
    find_changed_flows,
    find_slow_ways,
    find_own_time,
    find_busy_cpus,
    find_moved_gauges,
)
"""Each looks at one kind of evidence; what it does not see it does not judge."""

_CHANGE_FITS = frozenset(CauseKind) - {CauseKind.NETWORK_DELAY, CauseKind.DEPENDENCY_DOWN}
_KINDS = tuple(CauseKind)


def rank(bundle: EvidenceBundle, parameters: Parameters = DEFAULTS) -> tuple[Candidate, ...]:
    """Return the possible culprits, best first; empty when nothing stands out.

    Pure and deterministic: it looks at no names, and at no order of items. The score of a candidate is the noisy-or of
    the weights that speak for it, `1 - prod(1 - w)`, and comparable within one ranking only. Ties go to the candidate
    whose strongest claim cites the lowest id, then by the next claims; a bundle numbers what moved most first.
    """
    view = view_of(bundle, parameters)
    findings = [found for finder in FINDERS for found in finder(view)]
    services = {found.service for found in findings}
    candidates = [_candidate(view, service, [f for f in findings if f.service == service]) for service in services]
    shown = [candidate for candidate in candidates if candidate.score >= parameters.min_score]
    ordered = sorted(shown, key=lambda candidate: (-candidate.score, _ids(candidate), candidate.service))
    return tuple(supported_candidate(candidate, bundle) for candidate in ordered[: parameters.max_candidates])


def verdict(candidates: tuple[Candidate, ...], bundle: EvidenceBundle, parameters: Parameters = DEFAULTS) -> Verdict:
    """Return how sure the first candidate is: by its score, its lead, and how many kinds of evidence show it."""
    if not candidates or candidates[0].kind is CauseKind.UNKNOWN:
        return Verdict.INCONCLUSIVE
    best = candidates[0]
    lead = best.score - (candidates[1].score if len(candidates) > 1 else 0.0)
    kinds = {item.id: item.kind for item in bundle.items if not _only_moved(item, best.kind)}
    shown_by = {kinds[cited] for claim in best.speaks_for for cited in claim.evidence if cited in kinds}
    if best.score < parameters.likely_score or lead < parameters.likely_margin:
        return Verdict.INCONCLUSIVE
    sure = best.score >= parameters.confirmed_score and lead >= parameters.confirmed_margin and len(shown_by) > 1
    return Verdict.CONFIRMED if sure else Verdict.LIKELY


def _only_moved(item: Evidence, kind: CauseKind) -> bool:
    """Return whether a gauge says nothing about a cause of this kind but that something changed."""
    if not isinstance(item, MetricEvidence) or item.score is None:
        return False
    return kind not in {CauseKind.CPU_CONTENTION, CauseKind.MEMORY_SATURATION, CauseKind.DB_POOL_EXHAUSTION}


def _candidate(view: View, service: str, findings: list[Finding]) -> Candidate:
    findings = by_precedence(findings, view.parameters)
    share, against = explained(view, service, findings)
    kind = _kind(findings)
    relevant = [found for found in findings if found.kind in {None, kind}]
    weights = [_discounted(view.parameters, found, share) for found in relevant]
    claims = [found.claim for found in sorted(relevant, key=_by_weight)]
    change = view.recent_change(service)
    if change is not None and kind in _CHANGE_FITS:
        was, now = _revisions(
            change.revision_before, change.revision_after, change.version_before, change.version_after
        )
        seconds = (view.bundle.fault.start - change.changed_at).total_seconds()
        when = f"{seconds:.0f} s before the fault began" if seconds > 0 else "as the fault began"
        fresh = view.parameters.w_change * (1 - max(0.0, seconds) / view.parameters.recent_change_s)
        weights.append(_shrunk(fresh, view.parameters.victim_symptom, share))
        claims.append(Claim(text=f"{service} went from {was} to {now} {when}", evidence=(change.id,)))
    missing = 1.0
    for weight in weights:
        missing *= 1 - weight
    return Candidate(
        service=service,
        operation=next((found.operation for found in sorted(relevant, key=_by_weight) if found.operation), None),
        kind=kind,
        score=round(1 - missing, 6),
        speaks_for=_distinct(claims),
        speaks_against=(against,) if against else (),
    )


def _distinct(claims: list[Claim]) -> tuple[Claim, ...]:
    """Return the claims without those that another one says in more words."""
    texts = [claim.text for claim in claims]
    return tuple(
        claim for claim in claims if not any(text != claim.text and text.startswith(claim.text) for text in texts)
    )


def _kind(findings: list[Finding]) -> CauseKind:
    """Return the kind that the strongest findings speak for; on a tie the one that the enumeration names first."""
    scores: dict[CauseKind, float] = {}
    for found in findings:
        if found.kind is not None:
            scores[found.kind] = 1 - (1 - scores.get(found.kind, 0.0)) * (1 - found.weight)
    return max(scores, key=lambda kind: (round(scores[kind], 6), -_KINDS.index(kind)), default=CauseKind.UNKNOWN)


def _discounted(parameters: Parameters, found: Finding, share: float) -> float:
    left = parameters.victim_symptom if found.kind is None else parameters.victim_cause
    return _shrunk(found.weight, left, share)


def _shrunk(weight: float, left: float, share: float) -> float:
    return weight * (1 - (1 - left) * share)


def _by_weight(found: Finding) -> tuple[bool, float, tuple[int, str]]:
    """Return a sort key: causes before symptoms, stronger before weaker."""
    return (found.kind is None, -found.weight, id_order(found.claim.evidence[0]))


def _ids(candidate: Candidate) -> list[tuple[int, str]]:
    return [id_order(cited) for claim in candidate.speaks_for for cited in claim.evidence]


def _revisions(
    before: str | None, after: str | None, version_before: str | None, version_after: str | None
) -> tuple[str, str]:
    if before and after and before != after:
        return before[:9], after[:9]
    return version_before or "an unknown version", version_after or "an unknown version"
