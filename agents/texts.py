"""What Human answers to commands. Untrusted parts are escaped; no text starts with a slash."""

from collections.abc import Mapping

from agents.commands import UnknownCommand, table
from agents.gate import Problem
from agents.incident import Incident, Stage
from agents.markdown import code, escape
from agents.plan import Approval, Plan

STATES: Mapping[Stage, str] = {
    Stage.OPENING: "The incident is being opened.",
    Stage.OBSERVING: "I check whether the anomaly still holds.",
    Stage.RECALLING: "I look for this failure among the ones that were fixed before.",
    Stage.ORIENTING: "I look for the root cause.",
    Stage.DECIDING: "I check whether policy allows a fix.",
    Stage.ACTING: "I make the fix.",
    Stage.PROPOSING: "I open the pull request of the fix.",
    Stage.AWAITING_INFO: "I wait for somebody to name the service.",
    Stage.AWAITING_APPROVAL: "The fix waits for approval.",
    Stage.APPROVED: "The fix is approved; I check everything once more before it is merged.",
    Stage.MERGING: "The fix is being merged.",
    Stage.VERIFYING: "The fix is merged; I watch telemetry to see whether it works.",
    Stage.REVERTING: "The fix did not help; I take it back.",
    Stage.LEARNING: "The service has recovered; I write the post-mortem.",
    Stage.EVOLVING: "The service has recovered; I look whether this keeps coming back.",
    Stage.RESOLVED: "The incident is over: the service has recovered.",
    Stage.ESCALATED: "The incident is in the hands of people; I change nothing any more.",
    Stage.DISMISSED: "The incident was dismissed.",
}

EDITED = (
    "This comment was edited, or is not what it was when I was told about it, so I do not act on it. "
    "**Next:** write the command in a new comment."
)
BY_APP = (
    "This comment was written through an app, and only people can do this. "
    "**Next:** write the command on GitHub yourself."
)
BY_BOT = "I take commands from people only. **Next:** a person with the rights to do so can write the command."


def problem(found: Problem) -> str:
    """Return why something is refused and what to do next."""
    return f"{found.why} **Next:** {found.next}" if found.next else found.why


def unknown(command: UnknownCommand) -> str:
    """Return the answer to a misspelt command."""
    return (
        f"I know no command {code('/' + command.word)}. **Next:** if you meant `/{command.suggestion}`, write it in a "
        "new comment; `/help` lists all commands."
    )


def help_text() -> str:
    """Return the answer to `/help`."""
    return (
        f"{table()}\n\nA command is the first line of a new comment on the incident's issue or its pull request. "
        "Commands in quotes, code or edited comments do not count."
    )


def approved(login: str, plan: Plan, number: int, have: int, need: int) -> str:
    """Return the answer to an approval that counts."""
    given = f"{escape(login)} approved plan `{plan.id}` ({have} of {need})."
    if have < need:
        return f"{given} **Next:** {_people(need - have)} more must approve #{number}."
    return f"{given} I check everything once more and merge #{number}."


def approved_before(plan: Plan, number: int, have: int, need: int) -> str:
    """Return the answer to a second approval by the same person."""
    more = f" **Next:** {_people(need - have)} more must approve #{number}." if have < need else ""
    return f"You have approved plan `{plan.id}` already ({have} of {need}).{more}"


def nothing_to_approve(incident: Incident) -> str:
    """Return the answer to `/approve` when no plan waits for it."""
    return f"{_nothing_to('approve', incident)}{_after(incident)}"


def nothing_to_reject(incident: Incident) -> str:
    """Return the answer to `/reject` when there is nothing to stop."""
    return f"{_nothing_to('reject', incident)}{_after(incident)}"


def rejected(login: str, number: int, reason: str) -> str:
    """Return the answer to `/reject`."""
    why = f": {escape(reason, 300)}" if reason else "."
    return f"{escape(login)} rejected the fix{why}\n\n#{number} is closed, and the incident is in the hands of people."


def replaced(plan: Plan, why: str) -> str:
    """Return the answer to `/approve` of a plan that no longer holds."""
    return (
        f"Plan `{plan.id}` no longer holds: {why} I close its pull request and make a new plan. "
        "**Next:** read the new pull request and approve that."
    )


def review_does_not_count(found: Problem) -> str:
    """Return why a native review does not count as an approval."""
    return f"This review does not count as `/approve`: {problem(found)}"


def status(incident: Incident) -> str:
    """Return the answer to `/status`: where the incident stands and what it waits for."""
    lines = [f"**{incident.stage.replace('_', ' ').capitalize()}.** {STATES[incident.stage]}"]
    if incident.service:
        lines.append(f"- Service: {code(incident.service, 100)}")
    if incident.diagnosis:
        found = incident.diagnosis
        lines.append(f"- Root cause ({found.verdict}): {escape(found.summary, 300)}")
    if incident.plan and incident.pull_request:
        lines.append(f"- Fix: #{incident.pull_request.number}, plan `{incident.plan.id}`, {_approvals(incident)}")
    if incident.dry_run_plan:
        lines.append(f"- Dry run: {escape(incident.dry_run_plan.title, 300)}. Nothing was changed.")
    if incident.merge:
        lines.append(f"- Merged as {code(incident.merge.sha[:9])} at {incident.merge.at:%Y-%m-%d %H:%M:%S} UTC")
    if incident.revert_pull_request:
        lines.append(f"- Taking the fix back: #{incident.revert_pull_request.number}")
    if incident.timeline:
        last = incident.timeline[-1]
        lines.append(f"- Last: {last.at:%Y-%m-%d %H:%M:%S} UTC, {last.agent}: {escape(last.note, 300)}")
    return "\n".join(lines)


def names(approvals: tuple[Approval, ...]) -> str:
    """Return who approved, in plain text for a note."""
    return ", ".join(approval.login for approval in approvals)


def _approvals(incident: Incident) -> str:
    need = incident.decision.approvals_needed if incident.decision else 0
    people = len({approval.user_id for approval in incident.approvals})
    return f"{people} of {need} approvals" if need else f"{people} approvals"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _nothing_to(verb: str, incident: Incident) -> str:
    if incident.dry_run_plan:
        return f"There is nothing to {verb}: this was a dry run, and no pull request was opened."
    return f"There is nothing to {verb} now. {STATES[incident.stage]}"


def _after(incident: Incident) -> str:
    if incident.dry_run_plan:
        return (
            " **Next:** make the change yourself if it helps. For pull requests from the next incident on, set "
            "`autonomy: propose` or `autonomy: approve` in `.github/sre-space.yml`."
        )
    if incident.stage is Stage.ESCALATED and incident.revert_pull_request:
        return f" **Next:** review and merge #{incident.revert_pull_request.number} on GitHub yourself."
    return ""
