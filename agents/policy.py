"""The rules of Guardrail, each a pure function from facts to a Decision with its reason in words."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from agents.config import Autonomy, RepoConfig, ServiceConfig
from agents.diagnosis import Verdict
from agents.incident import Incident
from agents.markdown import plain
from agents.paths import matches
from agents.plan import Decision, Outcome, RaiseLimit, Remedy, RevertCommit, Risk
from agents.ports import Commit
from agents.remedies.protected import protected

MAX_AGE = timedelta(days=30)
MAX_FILES = 50
MAX_LINES = 2000
FRESH = timedelta(days=7)
FEW_FILES = 10
FEW_LINES = 500
SCALING_KEYS = frozenset({"replicas", "replicacount", "minreplicas", "maxreplicas", "instances", "maxinstances"})
SCALING_FACTOR = 2
DOCUMENTATION = ("**/*.md", "**/*.rst", "docs/**", "**/docs/**")


@dataclass(frozen=True)
class Facts:
    """What the rules look at. `commit` is the one that a revert would undo, None if there is none or it is gone."""

    incident: Incident
    remedy: Remedy
    config: RepoConfig
    service: ServiceConfig
    commit: Commit | None
    now: datetime


def allow(rule: str, reason: str) -> Decision:
    """Return that a rule has nothing against it."""
    return Decision(rule=rule, outcome=Outcome.ALLOW, reason=reason)


def deny(rule: str, reason: str) -> Decision:
    """Return that a rule forbids it."""
    return Decision(rule=rule, outcome=Outcome.DENY, reason=reason)


def autonomy(config: RepoConfig) -> Decision:
    """A fix needs more autonomy than `observe`; with `dry-run` it is worked out, and Fixer only shows it."""
    level = config.autonomy
    match level:
        case Autonomy.OBSERVE:
            return deny(
                "autonomy", "The repository's autonomy is observe: SRE-Space explains, people make the changes."
            )
        case Autonomy.DRY_RUN:
            return allow("autonomy", "The repository's autonomy is dry-run: the fix is shown, and nothing is changed.")
        case Autonomy.PROPOSE | Autonomy.APPROVE:
            return allow("autonomy", f"The repository's autonomy is {level}.")
        case _:
            assert_never(level)


def verdict(facts: Facts) -> Decision:
    """A change needs a diagnosis that says something, or a verified fix of exactly this failure."""
    recalled, diagnosis = facts.incident.recalled, facts.incident.diagnosis
    if recalled is not None and recalled.distance is None:
        return allow("verdict", "This fix was verified before on exactly this failure.")
    if diagnosis is None:
        return deny("verdict", "There is no diagnosis yet.")
    if diagnosis.verdict is Verdict.INCONCLUSIVE:
        return deny("verdict", "The root cause is inconclusive, so no change would be more than a guess.")
    return allow("verdict", f"The root cause is {diagnosis.verdict}.")


def one_plan(facts: Facts) -> Decision:
    """An incident has one open plan at a time."""
    plan = facts.incident.plan
    if plan is not None:
        return deny("one plan", f"The plan {plan.id} of this incident is still open.")
    return allow("one plan", "No other plan of this incident is open.")


def knob(facts: Facts) -> Decision:
    """The limit is one that the configuration names for this cause, where it says."""
    remedy = facts.remedy
    if not isinstance(remedy, RaiseLimit):
        return allow("knob", "No limit is changed.")
    place = f"{plain(remedy.path)} in {plain(remedy.file)}"
    found = next((k for k in facts.service.knobs if (k.file, k.path) == (remedy.file, remedy.path)), None)
    if found is None:
        return deny("knob", f"The configuration names no knob {place} for {plain(remedy.service)}.")
    diagnosis = facts.incident.diagnosis
    if diagnosis is not None and diagnosis.kind not in found.remedies:
        return deny("knob", f"The knob {place} is not declared as a remedy for {diagnosis.kind}.")
    return allow("knob", f"The knob {place} is declared for this cause.")


def within_maximum(facts: Facts) -> Decision:
    """A limit goes up, not above its declared maximum; what scales a service at most doubles at once."""
    remedy = facts.remedy
    if not isinstance(remedy, RaiseLimit):
        return allow("maximum", "No limit is changed.")
    declared = [k.maximum for k in facts.service.knobs if (k.file, k.path) == (remedy.file, remedy.path)]
    step = f"from {remedy.current} to {remedy.target}"
    if remedy.target <= remedy.current:
        return deny("maximum", f"Going {step} would not raise the limit.")
    if not declared or remedy.target > declared[0]:
        most = declared[0] if declared else "not declared"
        return deny("maximum", f"Going {step} passes the declared maximum, which is {most}.")
    scales = remedy.path.rpartition(".")[2].strip('"').lower() in SCALING_KEYS
    if scales and remedy.target > SCALING_FACTOR * remedy.current:
        return deny("maximum", f"Scaling {step} is more than the +100 % that are allowed at once.")
    return allow("maximum", f"Going {step} stays within the declared maximum of {declared[0]}.")


def files(facts: Facts) -> Decision:
    """Nothing protected is touched, and the change is about files of the service."""
    paths = touched(facts)
    guarded = next(((path, glob) for path in paths if (glob := protected(path))), None)
    if guarded:
        return deny("files", f"{plain(guarded[0])} is protected ({guarded[1]}): SRE-Space never edits it.")
    name = plain(facts.remedy.service)
    if not any(facts.service.owns(path) for path in paths):
        return deny("files", f"None of the files is within the paths that the configuration gives {name}.")
    if isinstance(facts.remedy, RaiseLimit):
        return allow("files", f"{plain(facts.remedy.file)} belongs to {name} and is not protected.")
    return allow("files", f"No file is protected, and the change is about {name}.")


def commit_can_be_reverted(facts: Facts) -> Decision:
    """A commit is reverted that exists, is no merge, and is neither old nor large."""
    remedy, commit = facts.remedy, facts.commit
    if not isinstance(remedy, RevertCommit):
        return allow("revert", "No commit is reverted.")
    short = remedy.sha[:9]
    if commit is None:
        return deny("revert", f"Commit {short} does not exist in this repository.")
    if len(commit.parents) != 1:
        kind = "a merge" if commit.parents else "the first of the repository"
        return deny("revert", f"Commit {short} is {kind}; reverting that is for people.")
    age = facts.now - commit.committed_at
    if age > MAX_AGE:
        return deny("revert", f"Commit {short} is {age.days} days old; the limit is {MAX_AGE.days}.")
    count, lines = len(commit.files), changed_lines(commit)
    if count > MAX_FILES or lines > MAX_LINES:
        limits = f"the limits are {MAX_FILES} files and {MAX_LINES} lines"
        return deny("revert", f"Commit {short} changed {count} files and {lines} lines; {limits}.")
    return allow("revert", f"Commit {short} is recent and small enough to revert.")


RULES: tuple[Callable[[Facts], Decision], ...] = (
    verdict,
    one_plan,
    knob,
    within_maximum,
    commit_can_be_reverted,
    files,
)


def risk(facts: Facts) -> tuple[Risk, str]:
    """Return how much the remedy can hurt, and why. A limit within its declared maximum is low."""
    commit = facts.commit
    if isinstance(facts.remedy, RaiseLimit):
        return Risk.LOW, "one number changes, within the maximum that its owners declared"
    if commit is None:
        return Risk.HIGH, "the commit that would be reverted is not known"
    outside = [path for path in touched(facts) if not facts.service.owns(path) and not _documents(path)]
    if outside:
        return Risk.HIGH, f"the revert also touches {plain(outside[0])}, outside the service's paths"
    if len(commit.files) > FEW_FILES or changed_lines(commit) > FEW_LINES:
        return Risk.HIGH, f"the revert is large ({len(commit.files)} files, {changed_lines(commit)} lines)"
    if facts.now - commit.committed_at > FRESH:
        return Risk.HIGH, f"the commit is more than {FRESH.days} days old"
    return Risk.LOW, "the commit is recent and small, and changes this service only"


def touched(facts: Facts) -> tuple[str, ...]:
    """Return the paths that the remedy edits, both names of a renamed file."""
    if isinstance(facts.remedy, RaiseLimit):
        return (facts.remedy.file,)
    found = facts.commit.files if facts.commit else ()
    return tuple(path for file in found for path in (file.path, file.previous_path) if path)


def changed_lines(commit: Commit) -> int:
    """Return how many lines the patches add and remove."""
    lines = (line for file in commit.files for line in file.patch.split("\n"))
    return sum(line.startswith(("+", "-")) for line in lines)


def _documents(path: str) -> bool:
    return any(matches(path.lower(), glob) for glob in DOCUMENTATION)
