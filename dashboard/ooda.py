"""Which part of the OODA loop a stage change belongs to, and in two words what was decided in it."""

from collections.abc import Mapping
from enum import StrEnum

from agents.incident import Agent, Incident, Stage
from agents.stages import FOLLOWS


class Phase(StrEnum):
    """Observe, orient, decide, act (Boyd), and verify: the second look, at what the action has changed."""

    OBSERVE = "observe"
    ORIENT = "orient"
    DECIDE = "decide"
    ACT = "act"
    VERIFY = "verify"


PHASES: Mapping[Agent, Phase] = {
    Agent.SCOUT: Phase.OBSERVE,
    Agent.CAG: Phase.ORIENT,
    Agent.BRAIN: Phase.ORIENT,
    Agent.GUARDRAIL: Phase.DECIDE,
    Agent.HUMAN: Phase.DECIDE,
    Agent.FIXER: Phase.ACT,
    Agent.CURATOR: Phase.VERIFY,
    Agent.JULES: Phase.VERIFY,
}
"""The phase of an agent's work."""


def verdict(before: Stage | None, after: Stage) -> str:
    """Return what the step from one stage to the next means, in the words of the state diagram, "" without a word."""
    if after is Stage.ESCALATED:
        return "people take over"
    if before is None:
        return "opened" if after in {Stage.OPENING, Stage.AWAITING_INFO} else FOLLOWS[Stage.OPENING].get(after, "")
    return FOLLOWS.get(before, {}).get(after, "")


def verdicts(incident: Incident) -> tuple[str, ...]:
    """Return the verdict of every entry of the timeline."""
    stages = [entry.stage for entry in incident.timeline]
    return tuple(verdict(before, after) for before, after in zip([None, *stages], stages, strict=False))
