"""Pull requests of an incident: what people merge, close or push to."""

from typing import assert_never

from agents.human import pushed
from agents.incident import TERMINAL, Agent, Incident, Merge, Stage
from agents.results import escalate
from bot.events import PullRequestEvent
from bot.handlers.deps import Deps

AFTER_MERGE = frozenset({Stage.VERIFYING, Stage.REVERTING, Stage.LEARNING, Stage.EVOLVING})


async def handle(incident: Incident | None, event: PullRequestEvent, deps: Deps) -> Incident | None:
    """Return the incident after somebody closed or pushed to its pull request.

    What our own App does needs no exception: by then the incident has moved on, and takes it for known.
    """
    if incident is None:
        return None
    number = event.pull_request.number
    if incident.revert_pull_request is not None and incident.revert_pull_request.number == number:
        return _reverted(incident, event, deps)
    if incident.pull_request is None or incident.pull_request.number != number:
        return incident
    match event.action:
        case "synchronize":
            return pushed(incident, event.sender.login, event.pull_request.head.sha, deps.now())
        case "closed":
            return _merged(incident, event, deps) if event.pull_request.merged else _closed(incident, event, deps)
        case _:
            assert_never(event.action)


def _merged(incident: Incident, event: PullRequestEvent, deps: Deps) -> Incident:
    """A merge by a person outside the bot counts as a merge: it still has to be proven in telemetry."""
    pull = event.pull_request
    if incident.stage in TERMINAL | AFTER_MERGE or incident.merge is not None or pull.merge_commit_sha is None:
        return incident
    merge = Merge(sha=pull.merge_commit_sha, at=pull.merged_at or deps.now())
    note = (
        f"{event.sender.login} merged #{pull.number} as {merge.sha[:9]}. It counts once telemetry shows that it works."
    )
    return incident.move(Stage.VERIFYING, Agent.HUMAN, note, deps.now(), merge=merge)


def _closed(incident: Incident, event: PullRequestEvent, deps: Deps) -> Incident:
    if incident.stage in TERMINAL | AFTER_MERGE:
        return incident
    note = f"{event.sender.login} closed #{event.pull_request.number} without merging it, so the fix is rejected."
    return escalate(incident.evolve(approvals=()), Agent.HUMAN, note, deps.now())


def _reverted(incident: Incident, event: PullRequestEvent, deps: Deps) -> Incident:
    """Note what people did with the revert; the incident is theirs already."""
    if event.action != "closed":
        return incident
    who, number = event.sender.login, event.pull_request.number
    note = f"{who} closed #{number} without merging it, so the fix stays in."
    if event.pull_request.merged:
        note = f"{who} merged #{number}, which takes the fix back."
    return incident.move(incident.stage, Agent.HUMAN, note, deps.now())
