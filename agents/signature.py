"""What makes two incidents the same one."""

import hashlib

from agents.diagnosis import Candidate, CauseKind
from agents.rca import rank
from agents.rca.errors import dominant_error
from telemetry.model import Detector, Signal

_BY_ERROR = frozenset({CauseKind.BAD_DEPLOY, CauseKind.EXCEPTION, CauseKind.UNKNOWN})


def incident_signature(signal: Signal) -> str:
    """Return the signature of an incident: the class of its failure and 16 hexadecimal digits.

    Two incidents have the same one when the same tenant's same service fails in the same way. Which detector fired
    first, and which service Scout took for the root, do not matter: the culprit and the kind of fault come from the
    evidence, by the same ranking as the diagnosis. Failures with an exception are told apart by its type and the
    innermost own frame, without line numbers; slowness by its operation; a limit that is reached needs no more.
    Where the evidence shows nothing, the root service and the kind of the earliest anomaly have to do.
    """
    candidates = rank(signal.evidence)
    if not candidates:
        earliest = min(signal.anomalies, key=lambda found: (found.onset, found.id), default=None)
        detector = earliest.detector if earliest else Detector.ERRORS
        return _digest("unexplained", signal.tenant, signal.root_service, detector, signal.root_operation)
    best = candidates[0]
    label, detail = _class(signal, best)
    return _digest(label, signal.tenant, best.service, *detail)


def _class(signal: Signal, best: Candidate) -> tuple[str, tuple[str, ...]]:
    if best.kind in _BY_ERROR:
        error = dominant_error(signal.evidence, best.service)
        if error is None:
            return "error", (best.operation or "",)
        innermost = error.frames[0] if error.frames else None
        where = (innermost.path, innermost.function) if innermost else (error.signature,)
        return "error", (error.error_type, *where)
    if best.kind is CauseKind.LATENCY_REGRESSION:
        return best.kind, (best.operation or "",)
    return best.kind, ()


def _digest(label: str, *parts: str) -> str:
    return f"{label}:{hashlib.sha256(chr(31).join((label, *parts)).encode()).hexdigest()[:16]}"
