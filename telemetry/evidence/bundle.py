"""The bundle: all evidence of one group in a fixed order, numbered, and within its size."""

from collections.abc import Iterable
from itertools import islice

from telemetry.detect import DetectConfig
from telemetry.evidence import changes, profiles, requests, resources, traces
from telemetry.evidence.scope import Scope, scope_of
from telemetry.group import Group
from telemetry.model import Evidence, EvidenceBundle, RedEvidence, SeriesKey
from telemetry.state import TelemetryState
from telemetry.steps import Steps

_REDS = 80
_EDGES = 60
_SIGNATURES = 20
_METRICS = 30
_ERROR_TRACES = 6
_SLOW_TRACES = 4
_FLOWS = 30
_WAYS = 50
_OWN = 20
_ENVELOPE_BYTES = 1024


def build(
    state: TelemetryState,
    group: Group,
    root: SeriesKey,
    now_s: int,
    quiet_since_s: int,
    config: DetectConfig,
) -> Steps[EvidenceBundle]:
    """Return the evidence of a group at `now_s`, in steps; `quiet_since_s` is when the incident before it had ended.

    The order is by importance and the same for the same telemetry: versions, broken series, signatures, pools
    and gauges, edges, failing traces, changed flows, slower ways, the other series, slow traces, own times. What
    does not fit into 256 KiB as JSON is dropped from the end and counted in `dropped`.
    """
    scope = scope_of(state, group, root, now_s, quiet_since_s, config)
    drafts = yield from _drafts(state, scope, config)
    items = fitting(drafts, config.evidence_bytes_max)
    return EvidenceBundle(
        tenant=scope.tenant,
        environment=scope.environment,
        normal=scope.normal,
        fault=scope.fault,
        items=items,
        dropped=len(drafts) - len(items),
    )


def _drafts(state: TelemetryState, scope: Scope, config: DetectConfig) -> Steps[list[Evidence]]:
    """Return in steps all evidence in its order, without numbers."""
    drafts: list[Evidence] = [*changes.versions(state, scope, config)]
    yield
    broken, healthy = _apart(islice(requests.reds(state, scope), _REDS), scope)
    drafts += broken
    yield
    drafts += changes.signatures(state, scope, config.tick_s)[:_SIGNATURES]
    drafts += [*resources.pools(state, scope), *resources.gauges(state, scope)][:_METRICS]
    yield
    drafts += islice(requests.edges(state, scope), _EDGES)
    drafts += yield from traces.exemplars(state, scope, "error", _ERROR_TRACES)
    yield
    work = yield from profiles.work(state, scope)
    drafts += [*work.flows[:_FLOWS], *work.ways[:_WAYS], *healthy]
    yield
    drafts += yield from traces.exemplars(state, scope, "slow", _SLOW_TRACES)
    drafts += work.own[:_OWN]
    yield
    return drafts


def _apart(reds: Iterable[RedEvidence], scope: Scope) -> tuple[list[RedEvidence], list[RedEvidence]]:
    """Return the series with a finding, and the others."""
    where = {(key.service, key.operation) for key in scope.broken}
    found: tuple[list[RedEvidence], list[RedEvidence]] = ([], [])
    for item in reds:
        found[(item.service, item.operation) not in where].append(item)
    return found


def fitting(drafts: Iterable[Evidence], bytes_max: int) -> tuple[Evidence, ...]:
    """Return the first drafts that fit, numbered E1, E2 …; the size of the bundle around them is allowed for."""
    items: list[Evidence] = []
    size = _ENVELOPE_BYTES
    for number, draft in enumerate(drafts, start=1):
        item = draft.model_copy(update={"id": f"E{number}"})
        size += len(item.model_dump_json().encode()) + 1
        if size > bytes_max:
            break
        items.append(item)
    return tuple(items)
