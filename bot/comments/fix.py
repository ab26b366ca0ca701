"""The proposed fix: what it changes, who may approve it and how, and who has."""

from agents.incident import Incident, Stage
from agents.markdown import code, escape
from agents.plan import Decision, Outcome, Plan, Risk
from bot.comments.evidence import MAX_NAME
from bot.comments.markup import cut_lines, details, fence, moment, paragraphs, plural
from bot.comments.words import capitalised, remedy

MAX_DIFF = 20_000
DRY_RUN = "This was a dry run: nothing was changed. A comment below shows the pull request that would have been opened."
OPEN_TO_APPROVAL = frozenset({Stage.PROPOSING, Stage.AWAITING_APPROVAL})


def fix(incident: Incident) -> str:
    """Return the fix and how to approve it, empty while there is none; that of a dry run has a comment of its own."""
    if incident.remedy is None:
        return ""
    plan, pull = incident.plan, incident.pull_request
    where = f" in #{pull.number}" if pull else ""
    facts = ""
    if plan is not None:
        facts = f"Plan {code(plan.id)} · risk **{plan.risk}** · expires {moment(plan.expires_at)}"
    if incident.dry_run_plan is not None:
        facts = DRY_RUN
    return paragraphs(
        "### Fix",
        f"{capitalised(remedy(incident.remedy))}{where}.",
        facts,
        diff(plan) if plan else "",
        approval(incident) if incident.stage in OPEN_TO_APPROVAL else approved(incident),
    )


def diff(plan: Plan) -> str:
    """Return the plan's diff, folded away."""
    return details(f"Diff ({plural(len(plan.edits), 'file')})", fence(cut_lines(plan.diff, MAX_DIFF), "diff"))


def approval(incident: Incident) -> str:
    """Return how to approve or reject, who may, and who already has."""
    plan, decision = incident.plan, incident.decision
    if plan is None:
        return ""
    needed = max(decision.approvals_needed, 1) if decision else 1
    permission = (decision.permission if decision else None) or "write"
    where = f"here or on #{incident.pull_request.number}" if incident.pull_request else "here"
    review = "" if plan.risk is Risk.HIGH else ", or approve the pull request in a review"
    who = "one person" if needed == 1 else f"{needed} different people"
    return paragraphs(
        f"**To approve**, comment `{command(plan)}` {where}{review}. It takes {who} with **{permission}** permission "
        "or more who did not push to its branch. **To turn it down**, comment `/reject` with a reason. Any push to the "
        "branch or change of its base voids what was approved.",
        approved(incident),
    )


def command(plan: Plan | None) -> str:
    """Return the command that approves a plan: one of high risk has to be named."""
    return f"/approve {plan.id}" if plan is not None and plan.risk is Risk.HIGH else "/approve"


def approved(incident: Incident) -> str:
    """Return who has approved, and how."""
    given = [f"{code(found.login, MAX_NAME)} (by {found.via}, {moment(found.at)})" for found in incident.approvals]
    return f"Approved by {', '.join(given)}." if given else ""


def reasons(decision: Decision) -> str:
    """Return the decision tree as a nested list, each rule with its outcome and reason."""
    return "\n".join(_reasons(decision, 0))


def _reasons(decision: Decision, depth: int) -> list[str]:
    words = {Outcome.ALLOW: "allowed", Outcome.REQUIRE_APPROVAL: "needs approval", Outcome.DENY: "denied"}
    line = (
        f"{'  ' * depth}- **{words[decision.outcome]}**, {escape(decision.rule, 100)}: {escape(decision.reason, 500)}"
    )
    return [line, *(below for child in decision.children for below in _reasons(child, depth + 1))]
