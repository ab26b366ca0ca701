"""How a command is acknowledged: a reaction, and one reply per comment."""

from agents.commands import Invocation
from agents.incident import Incident
from agents.writes import React, Reaction, Reply


def react(incident: Incident, comment_id: int, reaction: Reaction) -> Incident:
    """Return the incident asking for a reaction to a comment."""
    return incident.send(React(key=f"react:{comment_id}:{reaction}", comment_id=comment_id, reaction=reaction))


def done(incident: Incident, invocation: Invocation, text: str) -> Incident:
    """Return the incident with the answer to a command that was carried out."""
    return _answered(incident, invocation, Reaction.DONE, text)


def refuse(incident: Incident, invocation: Invocation, text: str) -> Incident:
    """Return the incident with the answer to a command that was not carried out: why, and what to do next."""
    return _answered(incident, invocation, Reaction.REFUSED, text)


def _answered(incident: Incident, invocation: Invocation, reaction: Reaction, text: str) -> Incident:
    key = f"reply:{invocation.comment_id}"
    reply = Reply(key=key, issue=invocation.issue, comment_id=invocation.comment_id, text=text)
    return react(incident, invocation.comment_id, reaction).send(reply)
