"""CAG's step, the fast path: the same failure with a verified fix that still fits needs no search and no LLM."""

from agents.brain import analyse, decided, recalled
from agents.choice import renew
from agents.config import load
from agents.errors import ConfigError
from agents.incident import Agent, Incident, Stage
from agents.ports import ForgeReader, Memory, Now, Step


def cag(forge: ForgeReader, memory: Memory, now: Now) -> Step:
    """Build the step for `recalling`: a hit goes to `deciding` with the remembered remedy, a miss to `orienting`.

    The diagnosis is made from the evidence at hand all the same: it is cheap, the fix is computed from it, and people
    see why the fix applies. A frozen case never comes up.
    """

    async def recall(incident: Incident) -> Incident:
        case = await memory.exact(incident.repo.installation_id, incident.tenant, incident.signature)
        if case is None or incident.signal is None:
            return _miss(incident, "No verified fix of this very failure is remembered.", now)
        where = f"#{case.issue}" if case.issue else case.incident_id
        try:
            config, _ = await load(forge, incident.repo)
        except ConfigError:
            return _miss(incident, f"A fix from {where} is remembered, but the configuration cannot be used.", now)
        diagnosis = await analyse(incident, incident.signal, config, forge)
        choice = await renew(case, diagnosis, incident.signal.evidence, config, forge, incident.repo)
        if choice.remedy is None:
            note = f"A fix from {where} is remembered, but does not fit now: {choice.reason.rstrip('.')}."
            return _miss(incident, note, now)
        note = f"The same failure as in {where}, whose fix was verified. It is used again: "
        return decided(incident, diagnosis, choice, Agent.CAG, note, now, recalled(case, None))

    return recall


def _miss(incident: Incident, note: str, now: Now) -> Incident:
    return incident.move(Stage.ORIENTING, Agent.CAG, note, now())
