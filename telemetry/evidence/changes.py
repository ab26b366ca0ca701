"""Signature and version evidence: which errors came up, and what was deployed around the onset."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from telemetry.detect import DetectConfig
from telemetry.detect.finding import at
from telemetry.evidence.scope import Scope
from telemetry.model import RevisionSeen, SignatureEvidence, VersionEvidence
from telemetry.state import SignatureStats, TelemetryState

_DRAFT = "E0"


def signatures(state: TelemetryState, scope: Scope, tick_s: int) -> list[SignatureEvidence]:
    """Return the error signatures hit during the fault: new ones first, then by closeness and count."""
    stats = state.signatures(scope.tenant, scope.environment, scope.fault_s[0])
    items = [_signature(s, scope, tick_s) for s in stats if s.service in scope.near]
    items = [item for item in items if item.count]
    items.sort(key=lambda i: (not i.is_new, scope.closeness(i.service), -i.count, i.service, i.signature))
    return items


def _signature(stats: SignatureStats, scope: Scope, tick_s: int) -> SignatureEvidence:
    count = _hits(stats, scope.fault_s)
    return SignatureEvidence(
        id=_DRAFT,
        service=stats.service,
        operation=stats.operation,
        signature=stats.hash,
        error_type=stats.error_type,
        message=stats.message,
        frames=stats.frames,
        count=count,
        count_before=_hits(stats, scope.normal_s),
        traces=min(count, len(stats.trace_ids)),
        first_seen=at(stats.first_seen_s),
        is_new=stats.first_seen_s >= scope.fault_s[0] - tick_s,
    )


def _hits(stats: SignatureStats, span_s: tuple[int, int]) -> int:
    return sum(hit.n for hit in stats.hits if span_s[0] <= hit.at_s < span_s[1])


def versions(state: TelemetryState, scope: Scope, config: DetectConfig) -> list[VersionEvidence]:
    """Return the version changes near the fault from half an hour before the onset on, newest first."""
    earliest = at(scope.fault_s[0] - config.version_near_s)
    items = [
        item
        for service in scope.near
        for item in changes_of(state.versions(scope.tenant, scope.environment, service))
        if earliest <= item.changed_at <= scope.fault.end
    ]
    items.sort(key=lambda i: (scope.closeness(i.service), i.service))
    return sorted(items, key=lambda i: i.changed_at, reverse=True)


def changes_of(seen: Sequence[RevisionSeen]) -> list[VersionEvidence]:
    """Return the changes between versions of one service, also the return to one that was there before."""
    ordered = sorted(seen, key=lambda r: r.first_seen)
    changes = [_change(before, after, after.first_seen) for before, after in pairwise(ordered)]
    current = max(ordered, key=lambda r: (r.last_seen, r.first_seen), default=None)
    if current is not None and current is not ordered[-1]:
        changes.append(_change(ordered[-1], current, ordered[-1].last_seen))
    return changes


def _change(before: RevisionSeen, after: RevisionSeen, changed_at: datetime) -> VersionEvidence:
    return VersionEvidence(
        id=_DRAFT,
        service=after.service,
        version_before=before.version,
        version_after=after.version,
        revision_before=before.revision,
        revision_after=after.revision,
        changed_at=changed_at,
    )
