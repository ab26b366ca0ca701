"""How well the files that a commit touches explain a fault."""

import re

from agents.config import ServiceConfig
from agents.diagnosis import CauseKind
from agents.markdown import plain
from agents.ports import Commit
from telemetry.model import Frame, Frozen

FRAME = 1.0
"""Score of a touched file that is the innermost own stack frame."""
FRAME_FADES = 0.85
"""Factor for each frame further out: what raised matters more than what called it."""
IN_FUNCTION = 0.2
"""Added when the patch shows the frame's function."""
SETTINGS = 0.5
"""Score of a settings file of the service, where the fault is a limit or a delay."""
OWN = 0.3
"""Score of any file of the service."""
ANY = 0.05
"""Score of any file that can matter at all."""

_NEVER = re.compile(
    r"(^|/)(docs?|tests?|__tests__|examples?)/|\.(md|rst|adoc|png|svg)$|(^|/)(LICENSE|CODEOWNERS)$", re.IGNORECASE
)
_SETTINGS = re.compile(r"\.(ya?ml|toml|json|env|ini|cfg|conf|properties)$|(^|/)\.env", re.IGNORECASE)
_BY_SETTINGS = frozenset(
    {
        CauseKind.LATENCY_REGRESSION,
        CauseKind.DB_POOL_EXHAUSTION,
        CauseKind.CPU_CONTENTION,
        CauseKind.MEMORY_SATURATION,
    }
)
_NUMBER = re.compile(
    r"^(?P<sign>[-+])(?P<key>[^:=]{1,200})[:=]\s*[\"']?(?P<value>\d{1,15}(\.\d{1,9})?)[\"']?,?\s*(#.*)?$"
)
_SHOWN = 200


class Touch(Frozen):
    """The touched file that explains a fault best; `score` is 0 when none can."""

    score: float
    path: str = ""
    reason: str = ""


def touch(
    commit: Commit, frames: tuple[Frame, ...], kind: CauseKind, service_name: str, service: ServiceConfig | None
) -> Touch:
    """Return how well `commit` explains a fault of this kind whose error has these frames, innermost first."""
    # A limit that is reached is blamed on a change only if it lowered one, or touched the code that failed: our own
    # raise of that limit, deployed minutes ago, touches the same file.
    touches = [
        _file(path, file.patch, frames, kind, service_name, service)
        for file in commit.files
        for path in (file.path, file.previous_path)
        if path and not _NEVER.search(path)
    ]
    return max(touches, key=lambda found: (found.score, found.path), default=Touch(score=0.0))


def _file(
    path: str, patch: str, frames: tuple[Frame, ...], kind: CauseKind, service_name: str, service: ServiceConfig | None
) -> Touch:
    shown = plain(path, _SHOWN)
    owned = service is not None and service.owns(path)
    found = [Touch(score=ANY, path=shown, reason=f"it touches {shown}")]
    full = kind is CauseKind.DB_POOL_EXHAUSTION
    if owned and not full:
        found.append(Touch(score=OWN, path=shown, reason=f"it touches {shown} of {plain(service_name)}"))
    if kind in _BY_SETTINGS and owned and _SETTINGS.search(path) and (lowers(patch) or not full):
        reason = f"it changes the settings of {plain(service_name)} in {shown}"
        found.append(Touch(score=SETTINGS, path=shown, reason=reason))
    for depth, frame in enumerate(frames):
        alike = suffix_match(path, frame.path)
        if alike:
            inside = IN_FUNCTION if frame.function.rpartition(".")[2] in patch else 0.0
            score = FRAME * alike * FRAME_FADES**depth + inside + (OWN if owned else 0.0)
            where = "where the error is raised" if depth == 0 else f"{depth} calls above where the error is raised"
            reason = f"it touches {shown}, {where} ({plain(frame.function, _SHOWN)})"
            found.append(Touch(score=round(score, 6), path=shown, reason=reason))
    return max(found, key=lambda entry: entry.score)


def lowers(patch: str) -> bool:
    """Return whether a unified diff sets a number to a lower one."""
    old: dict[str, float] = {}
    new: dict[str, float] = {}
    for line in patch.splitlines():
        found = _NUMBER.match(line)
        if found:
            (old if found["sign"] == "-" else new)[found["key"].strip()] = float(found["value"])
    return any(key in old and value < old[key] for key, value in new.items())


def suffix_match(path: str, frame_path: str) -> float:
    """Return which share of the shorter of two paths is their longest common suffix, in whole names.

    A bare file name matches weakly only: half of what a path with folders does.
    """
    ours, theirs = path.split("/")[::-1], frame_path.replace("\\", "/").strip("/").split("/")[::-1]
    same = 0
    for one, other in zip(ours, theirs, strict=False):
        if one != other:
            break
        same += 1
    shorter = min(len(ours), len(theirs))
    return same / shorter * (0.5 if same == 1 < len(ours) else 1.0)
