"""Who acts in which stage, and which stages follow which: the state diagram that the graph and the README share."""

from collections.abc import Mapping

from agents.incident import TERMINAL, Agent, Stage

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
    Stage.OPENING: {Stage.OBSERVING: "issue is open"},
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
        Stage.DISMISSED: "closed by a person",
    },
    Stage.APPROVED: {
        Stage.MERGING: "still valid",
        Stage.AWAITING_APPROVAL: "approval withdrawn",
        Stage.DECIDING: "plan revoked",
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
"""The usual ways. From every stage that has not ended an incident can also be escalated, or dismissed by a person."""


def diagram() -> str:
    """Return the state diagram as Mermaid. Stages in which an agent acts carry its name."""
    lines = [
        "stateDiagram-v2",
        "    [*] --> opening: Scout confirms an anomaly",
        "    [*] --> awaiting_info: a person opens",
    ]
    lines += [f"    {stage}: {stage} ({agent})" for stage, agent in ACTS.items()]
    lines += [f"    {stage} --> {after}: {why}" for stage, ways in FOLLOWS.items() for after, why in ways.items()]
    lines += [f"    {stage} --> escalated: people take over" for stage in (Stage.DECIDING, Stage.VERIFYING)]
    lines += [f"    {stage} --> [*]" for stage in sorted(TERMINAL)]
    return "\n".join(lines) + "\n"
