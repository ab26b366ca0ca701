"""The stages of an incident, who acts in which, and every way between them.

The graph, `Incident.move` and the diagram in the README share these tables: a way that is not listed does not exist.
"""

from collections.abc import Mapping
from enum import StrEnum


class Stage(StrEnum):
    """What happens next: an agent's turn, a wait for somebody or something, or the end."""

    OPENING = "opening"
    OBSERVING = "observing"
    RECALLING = "recalling"
    ORIENTING = "orienting"
    DECIDING = "deciding"
    ACTING = "acting"
    PROPOSING = "proposing"
    AWAITING_INFO = "awaiting_info"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    MERGING = "merging"
    VERIFYING = "verifying"
    REVERTING = "reverting"
    LEARNING = "learning"
    EVOLVING = "evolving"
    RESOLVED = "resolved"
    ESCALATED = "escalated"
    DISMISSED = "dismissed"


class Agent(StrEnum):
    """The eight agents."""

    SCOUT = "Scout"
    CAG = "CAG"
    BRAIN = "Brain"
    GUARDRAIL = "Guardrail"
    FIXER = "Fixer"
    HUMAN = "Human"
    JULES = "Jules"
    CURATOR = "Curator"


TERMINAL = frozenset({Stage.RESOLVED, Stage.ESCALATED, Stage.DISMISSED})


ACTS: Mapping[Stage, Agent] = {
    Stage.OBSERVING: Agent.SCOUT,
    Stage.RECALLING: Agent.CAG,
    Stage.ORIENTING: Agent.BRAIN,
    Stage.DECIDING: Agent.GUARDRAIL,
    Stage.ACTING: Agent.FIXER,
    Stage.REVERTING: Agent.FIXER,
    Stage.APPROVED: Agent.HUMAN,
    Stage.VERIFYING: Agent.CURATOR,
    Stage.LEARNING: Agent.CURATOR,
    Stage.EVOLVING: Agent.JULES,
}
"""The agent whose turn it is. In a stage that is not listed the incident waits, or has ended."""

FOLLOWS: Mapping[Stage, Mapping[Stage, str]] = {
    Stage.OPENING: {
        Stage.OBSERVING: "issue is open",
        Stage.AWAITING_INFO: "a person names no service",
    },
    Stage.AWAITING_INFO: {Stage.OBSERVING: "a person named the service"},
    Stage.OBSERVING: {Stage.RECALLING: "anomaly holds", Stage.DISMISSED: "back to normal"},
    Stage.RECALLING: {Stage.DECIDING: "verified fix remembered", Stage.ORIENTING: "unknown"},
    Stage.ORIENTING: {Stage.DECIDING: "root cause ranked"},
    Stage.DECIDING: {Stage.ACTING: "policy agrees"},
    Stage.ACTING: {Stage.PROPOSING: "edits made", Stage.ESCALATED: "dry run, edits shown"},
    Stage.PROPOSING: {Stage.AWAITING_APPROVAL: "pull request is open"},
    Stage.AWAITING_APPROVAL: {
        Stage.APPROVED: "approved by enough people",
        Stage.DECIDING: "plan revoked",
        Stage.VERIFYING: "merged by a person",
    },
    Stage.APPROVED: {
        Stage.MERGING: "still valid",
        Stage.AWAITING_APPROVAL: "approval withdrawn",
        Stage.DECIDING: "plan revoked",
        Stage.VERIFYING: "merged by a person",
    },
    Stage.MERGING: {
        Stage.VERIFYING: "merged",
        Stage.APPROVED: "not mergeable yet",
        Stage.AWAITING_APPROVAL: "refused",
    },
    Stage.VERIFYING: {Stage.LEARNING: "recovered in telemetry", Stage.REVERTING: "not recovered"},
    Stage.REVERTING: {Stage.ESCALATED: "revert proposed"},
    Stage.LEARNING: {Stage.EVOLVING: "remembered, closed"},
    Stage.EVOLVING: {Stage.RESOLVED: "recurrence counted"},
}
"""The usual ways."""

ENDING = frozenset({Stage.LEARNING, Stage.EVOLVING})
"""The service has recovered by then: closing the issue changes nothing any more."""

EXITS: Mapping[Stage, str] = {
    Stage.ESCALATED: "people take over",
    Stage.DISMISSED: "a person closes the issue",
}
"""The ways out. Everything that has not ended can be handed to people, and a person can close the issue, also one whose
number is not stored yet."""


def ways_from(stage: Stage) -> Mapping[Stage, str]:
    """Return the stages that may follow a stage, the ways out included, each with what leads there."""
    if stage in TERMINAL:
        return {}
    exits = {end: why for end, why in EXITS.items() if stage not in ENDING or end is not Stage.DISMISSED}
    return {**exits, **FOLLOWS[stage]}


def diagram() -> str:
    """Return the state diagram as Mermaid. Stages in which an agent acts carry its name."""
    lines = ["stateDiagram-v2", "    [*] --> opening: Scout confirms an anomaly, or a person reports one"]
    lines += [f"    {stage}: {stage} ({agent})" for stage, agent in ACTS.items()]
    for stage in Stage:
        usual = FOLLOWS.get(stage, {})
        lines += [f"    {stage} --> {after}: {why}" for after, why in usual.items()]
        exits = {end: why for end, why in ways_from(stage).items() if end not in usual}
        lines += [f"    {stage} --> {end}: {why}" for end, why in exits.items()]
    lines += [f"    {stage} --> [*]" for stage in sorted(TERMINAL)]
    return "\n".join(lines) + "\n"
