"""Plans: what exactly people approve, its digest, its expiry and the branch it lives on."""

import hashlib
import json
from datetime import datetime, timedelta

from agents.incident import Incident
from agents.markdown import plain
from agents.plan import FileEdit, Plan, RaiseLimit, Remedy, Risk

POLICY_VERSION = "1"
"""Changes whenever `agents.guardrail` or `agents.approvals` decide anything else than before: old plans end with it."""

LIFETIME = timedelta(hours=24)
ID_LENGTH = 12
_TITLE = 120


def make_plan(
    incident: Incident,
    edits: tuple[FileEdit, ...],
    *,
    remedy: Remedy,
    risk: Risk,
    base: tuple[str, str],
    diff: str,
    config_sha: str,
    now: datetime,
) -> Plan:
    """Return the plan for `edits` on `base`, a branch's name and head SHA; it expires after `LIFETIME`."""
    expires_at = now.replace(microsecond=0) + LIFETIME
    draft = Plan(
        id="",
        remedy=remedy,
        risk=risk,
        base_ref=base[0],
        base_sha=base[1],
        branch="",
        edits=edits,
        diff=diff,
        title=title(remedy),
        config_sha=config_sha,
        policy_version=POLICY_VERSION,
        expires_at=expires_at,
    )
    plan_id = digest(incident, draft)
    return draft.model_copy(update={"id": plan_id, "branch": branch(incident.id, plan_id)})


def digest(incident: Incident, plan: Plan) -> str:
    """Return the plan's id: the first 12 hex digits of SHA-256 over everything that an approval is bound to.

    That is repository, issue, base, edits in their order, remedy, risk, configuration, policy version and expiry, as
    JSON with sorted keys. The head commit is bound by each approval itself: it exists only once the plan is proposed.
    """
    bound = {
        "repo_id": incident.repo.id,
        "issue": incident.issue,
        "base_ref": plan.base_ref,
        "base_sha": plan.base_sha,
        "remedy": plan.remedy.model_dump(mode="json"),
        "risk": plan.risk,
        "edits": [edit.model_dump(mode="json") for edit in plan.edits],
        "config_sha": plan.config_sha,
        "policy_version": plan.policy_version,
        "expires_at": plan.expires_at.isoformat(),
    }
    canonical = json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:ID_LENGTH]


def branch(incident_id: str, plan_id: str) -> str:
    """Return the plan's branch."""
    return f"sre-space/{incident_id}/{plan_id}"


def made_at(plan: Plan) -> datetime:
    """Return when the plan was made, to the second."""
    return plan.expires_at - LIFETIME


def title(remedy: Remedy) -> str:
    """Return the title of the remedy's commit and pull request; untrusted parts are on one line and short."""
    if isinstance(remedy, RaiseLimit):
        text = f"Raise {plain(remedy.knob)} of {plain(remedy.service)} from {remedy.current} to {remedy.target}"
    else:
        text = f'Revert "{plain(remedy.title, _TITLE // 2)}"'
    return plain(text, _TITLE)
