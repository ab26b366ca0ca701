"""Brain's step: what is the cause, which change brought it, and what would mend it?"""

from agents.choice import Choice, choose, renew
from agents.config import RepoConfig, load
from agents.diagnosis import CauseKind, Diagnosis, Verdict
from agents.errors import ConfigError
from agents.incident import Agent, Incident, Recalled, Stage
from agents.markdown import plain
from agents.opinion import SecondOpinion
from agents.ports import Case, ForgeReader, Memory, Now, Step
from agents.rca import diagnose, with_suspect
from agents.rca.report import CAUSES
from agents.results import escalate
from agents.suspect import suspect_change
from agents.writes import PostComment, Topic
from telemetry.model import Signal


def brain(forge: ForgeReader, memory: Memory, now: Now, second: SecondOpinion | None = None) -> Step:
    """Build the step for `orienting`: it sets diagnosis, remedy (or none) and goes on to `deciding`.

    The evidence is ranked first, because it is cheap and says what to look for in memory; then a remembered fix of the
    nearest incident is taken if it still fits; otherwise the remedy follows from the diagnosis, to which an LLM may
    have added a second opinion. Without a usable configuration the diagnosis stands, no remedy is chosen, and a
    comment says what is wrong with it.
    """

    async def orient(incident: Incident) -> Incident:
        if incident.signal is None:
            return escalate(incident, Agent.BRAIN, "There is no evidence to reason from.", now())
        try:
            config, _ = await load(forge, incident.repo)
        except ConfigError as error:
            return await _without_config(incident, incident.signal, error, forge, now)
        diagnosis = await analyse(incident, incident.signal, config, forge)
        found = await memory.nearest(
            incident.repo.installation_id,
            incident.tenant,
            service=diagnosis.service,
            kind=diagnosis.kind,
            text=case_text(diagnosis),
        )
        if found is not None:
            case, distance = found
            choice = await renew(case, diagnosis, incident.signal.evidence, config, forge, incident.repo)
            if choice.remedy is not None:
                note = (
                    f"{_opening(diagnosis)} {_alike(case)} is near (distance {distance:.2f}); its fix is used again: "
                )
                return decided(incident, diagnosis, choice, Agent.BRAIN, note, now, recalled(case, distance))
        if second is not None:
            diagnosis = await second(incident, diagnosis)
        said = f"{diagnosis.opinion.note.rstrip('.')}. " if diagnosis.opinion else ""
        choice = await choose(diagnosis, incident.signal.evidence, config, forge, incident.repo)
        return decided(incident, diagnosis, choice, Agent.BRAIN, f"{_opening(diagnosis)} {said}", now, None)

    return orient


async def analyse(incident: Incident, signal: Signal, config: RepoConfig | None, forge: ForgeReader) -> Diagnosis:
    """Return the diagnosis of an incident, with the suspect change where there is one."""
    diagnosis = diagnose(signal)
    if diagnosis.verdict is Verdict.INCONCLUSIVE:
        return diagnosis
    service = config.service(diagnosis.service) if config else None
    suspicion = await suspect_change(diagnosis, signal.evidence, forge, incident.repo, service)
    if suspicion.change is None:
        return diagnosis
    return with_suspect(diagnosis, suspicion.change, signal, suspicion.evidence)


def case_text(diagnosis: Diagnosis) -> str:
    """Return the text by which an incident is remembered and looked up: the same on both sides."""
    return f"{diagnosis.service} {diagnosis.operation or ''} {diagnosis.kind}: {diagnosis.summary}"


def recalled(case: Case, distance: float | None) -> Recalled:
    """Return the mark of a fix that comes from memory; `distance` is None for an exact match."""
    return Recalled(case_id=case.id, incident_id=case.incident_id, issue=case.issue, distance=distance)


def decided(
    incident: Incident,
    diagnosis: Diagnosis,
    choice: Choice,
    agent: Agent,
    note: str,
    now: Now,
    memory: Recalled | None,
) -> Incident:
    """Return the incident handed to Guardrail with its diagnosis and remedy."""
    return incident.move(
        Stage.DECIDING,
        agent,
        f"{note}{choice.reason}",
        now(),
        diagnosis=diagnosis,
        remedy=choice.remedy,
        recalled=memory,
    )


async def _without_config(
    incident: Incident, signal: Signal, error: ConfigError, forge: ForgeReader, now: Now
) -> Incident:
    diagnosis = await analyse(incident, signal, None, forge)
    choice = Choice(reason="No change is proposed: the repository's configuration cannot be used.")
    comment = PostComment(key="config_problem", topic=Topic.CONFIG_PROBLEM, note="\n".join(error.problems))
    moved = decided(incident, diagnosis, choice, Agent.BRAIN, f"{_opening(diagnosis)} ", now, None)
    return moved.send(comment)


def _opening(diagnosis: Diagnosis) -> str:
    """Return verdict and cause in one short sentence."""
    if diagnosis.kind is CauseKind.UNKNOWN:
        return "Inconclusive: nothing in the evidence stands out."
    cause = CAUSES[diagnosis.kind].format(service=plain(diagnosis.service))
    return f"{diagnosis.verdict.capitalize()}: {cause}."


def _alike(case: Case) -> str:
    return f"Incident #{case.issue}" if case.issue else f"Incident {case.incident_id}"
