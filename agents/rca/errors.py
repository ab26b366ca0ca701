"""Error signatures as findings: of the service's own code, of a pool, or of a callee that does not answer."""

import re
from collections.abc import Iterator
from enum import StrEnum

from agents.diagnosis import CauseKind
from agents.rca import words
from agents.rca.finding import Finding, finding
from agents.rca.parameters import DEFAULTS
from agents.rca.propagation import callee_is_bad, worst_edge
from agents.rca.view import View, total, view_of
from telemetry.model import EdgeEvidence, EvidenceBundle, SignatureEvidence

MIN_HITS = 3
"""Detector D6: fewer hits are no signature."""


class ErrorClass(StrEnum):
    """What a failure says about where its cause lies."""

    POOL = "pool"
    REFUSED = "refused"
    WAITING = "waiting"
    STATUS = "status"
    EXCEPTION = "exception"


# Texts of widespread libraries: SQLAlchemy, psycopg, HikariCP, DBCP, c3p0, Go's database/sql, PostgreSQL, MySQL.
_POOL = re.compile(
    r"queuepool|pool\s?(is\s)?(exhaust|timeout|timed out|limit|full)|pool.{0,40}timed? ?out"
    r"|(timeout|timed out|unable to|cannot).{0,60}\b(from|for|acquire|get)\b.{0,30}(pool|connection from)"
    r"|connection is not available, request timed out|too many (clients|connections)|remaining connection slots"
)
_HTTP_CLIENT = re.compile(r"httpx|httpcore|aiohttp|urllib3|okhttp|requests\.")
_REFUSED = re.compile(
    r"connect(ion)?_?\s?(error|refused|reset|aborted|exception)|econn(refused|reset)|name or service not known"
    r"|no route to host|unreachable|getaddrinfo|enotfound|unknownhost|remoteprotocolerror|disconnected|broken ?pipe"
)
_WAITING = re.compile(r"time(d)?[\s_-]?out|deadline.?exceeded")
_STATUS = re.compile(r"\d{3}|_other|unavailable|internal|unknown|http(status|server)?(error|exception)|rpcerror")


def error_class(error: SignatureEvidence) -> ErrorClass:
    """Return what the failure says about its cause, from its type and message."""
    kind = error.error_type.lower()
    text = f"{kind} {error.message.lower()}"
    if _POOL.search(text) and not _HTTP_CLIENT.search(kind):
        return ErrorClass.POOL
    if not error.frames and _STATUS.fullmatch(kind.rpartition(".")[2]):
        return ErrorClass.STATUS
    if _REFUSED.search(text):
        return ErrorClass.REFUSED
    if _WAITING.search(text):
        return ErrorClass.WAITING
    return ErrorClass.EXCEPTION


def grown(error: SignatureEvidence, view: View) -> bool:
    """Return whether the signature is new, or comes clearly more often than before."""
    expected = error.count_before * view.rate_factor
    more = error.count > expected * view.parameters.grown_factor
    return error.count >= MIN_HITS and (error.is_new or error.count_before == 0 or more)


def find_errors(view: View) -> Iterator[Finding]:
    """Yield what each grown signature says, weighted by its share of the failures of its service."""
    for service, found in view.signatures.items():
        _, failures = total(item.after for item in view.reds.get(service, []))
        errors = [error for error in found if grown(error, view)]
        for group in ErrorClass:
            members = [error for error in errors if error_class(error) is group]
            if members:
                count = sum(error.count for error in members)
                share = min(1.0, count / failures) if failures else 0.5
                yield from _explain(view, service, group, members, share)


def _explain(
    view: View, service: str, group: ErrorClass, errors: list[SignatureEvidence], share: float
) -> Iterator[Finding]:
    weights = view.parameters
    worst = max(errors, key=lambda error: (error.count, error.signature))
    count = sum(error.count for error in errors)
    ids = [error.id for error in errors[:3]]
    name = words.short(f"{worst.error_type}: {worst.message}" if worst.message else worst.error_type)
    seen = "never before" if worst.count_before == 0 else f"{worst.count_before} times before"
    match group:
        case ErrorClass.POOL:
            text = f"{count} times {service} got no connection from its pool in time ({name})"
            kind, weight = CauseKind.DB_POOL_EXHAUSTION, weights.w_pool_timeout
            yield finding(service, worst.operation, kind, weight * share, text, *ids)
        case ErrorClass.EXCEPTION:
            text = f"{service} failed {count} times {_where(worst)}with {name}, {seen}"
            yield finding(service, worst.operation, _own(view, worst), weights.w_signature * share, text, *ids)
        case ErrorClass.STATUS:
            if worst_edge(view, service) is None:
                text = f"{service} answered {name} {count} times, {seen}, while nothing that it calls fails"
                yield finding(service, worst.operation, _own(view, worst), weights.w_status * share, text, *ids)
        case ErrorClass.WAITING | ErrorClass.REFUSED:
            blamed = worst_edge(view, service)
            if blamed is None:
                text = f"{service} raised {name} {count} times, {seen}, while everything that it calls is well"
                yield finding(service, worst.operation, _own(view, worst), weights.w_status * share, text, *ids)
            else:
                yield _blame(view, blamed, group, f"{count} calls", share, ids)


def _where(error: SignatureEvidence) -> str:
    """Return the innermost own frame in words, with a space after it, or nothing."""
    if not error.frames:
        return ""
    frame = error.frames[0]
    return f"in {words.short(f'{frame.function} ({frame.path})')} "


def _blame(view: View, edge: EdgeEvidence, group: ErrorClass, calls: str, share: float, ids: list[str]) -> Finding:
    """Return the finding against the callee of an edge whose caller waited in vain, or was refused."""
    callee, weights = edge.callee, view.parameters
    if group is ErrorClass.WAITING:
        text = f"{calls} from {edge.caller} timed out waiting for {callee}"
        kind, weight = CauseKind.LATENCY_REGRESSION, weights.w_waited_for
    else:
        text = f"{calls} from {edge.caller} could not reach {callee}"
        kind, weight = CauseKind.DEPENDENCY_DOWN, weights.w_down
    return finding(callee, None, kind, weight * share, text, *ids, edge.id)


def _own(view: View, error: SignatureEvidence) -> CauseKind:
    """Return the kind of a failure of the service's own: a deploy is blamed for what came with it only."""
    new = error.is_new or error.count_before == 0
    return CauseKind.BAD_DEPLOY if new and view.recent_change(error.service) else CauseKind.EXCEPTION


def find_leaves(view: View) -> Iterator[Finding]:
    """Yield in which services the exemplar error traces end: an error span without an error below it."""
    traces = [trace for trace in view.traces if trace.why == "error"]
    ending: dict[str, list[str]] = {}
    for trace in traces:
        failed = {span.span_id: span for span in trace.spans if span.error}
        parents = {span.parent_id for span in failed.values()}
        answered = {span.parent_id: span.service for span in trace.spans}
        owners: set[str] = set()
        for span in failed.values():
            if span.span_id in parents:
                continue
            other = answered.get(span.span_id, span.service) if span.span_kind.lower() == "client" else span.service
            owners.add(other if other == span.service or callee_is_bad(view, span.service, other) else span.service)
        for owner in owners:
            ending.setdefault(owner, []).append(trace.id)
    for service, ids in sorted(ending.items()):
        text = f"{len(ids)} of {len(traces)} exemplar error traces end in {service}: nothing below it failed"
        yield finding(service, None, None, view.parameters.w_leaf * len(ids) / len(traces), text, *ids[:3])


def dominant_error(bundle: EvidenceBundle, service: str) -> SignatureEvidence | None:
    """Return the grown signature of `service` that most failures have; exceptions before bare status codes."""
    view = view_of(bundle, DEFAULTS)
    errors = [error for error in view.signatures.get(service, []) if grown(error, view)]

    def weight(error: SignatureEvidence) -> tuple[bool, int, str]:
        return (error_class(error) is not ErrorClass.STATUS, error.count, error.signature)

    return max(errors, key=weight, default=None)
