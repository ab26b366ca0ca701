"""Jules's step: the third incident with one signature in 30 days calls for a structural change."""

from datetime import timedelta

from agents.incident import Agent, Incident, Stage
from agents.markdown import escape
from agents.ports import Case, Memory, Now, Step
from agents.writes import OpenProposal

PERIOD = timedelta(days=30)
THRESHOLD = 3


def jules(memory: Memory, now: Now) -> Step:
    """Build the step for `evolving`: it ends the incident, and proposes on exactly the third recurrence."""

    async def evolve(incident: Incident) -> Incident:
        at = now()
        cases = await memory.history(
            incident.repo.installation_id, incident.tenant, incident.signature, since=at - PERIOD
        )
        if len(cases) != THRESHOLD:
            note = f"Verified incidents with this signature in 30 days: {len(cases)}."
            return incident.move(Stage.RESOLVED, Agent.JULES, note, at)
        service = escape(incident.service or cases[0].service)
        proposal = OpenProposal(
            key=f"proposal:{incident.signature}",
            title=f"Make {incident.service or cases[0].service} immune to {cases[0].kind.replace('_', ' ')}",
            body=_body(service, cases),
        )
        note = f"This signature came back {THRESHOLD} times in 30 days: a structural change is proposed."
        return incident.move(Stage.RESOLVED, Agent.JULES, note, at).send(proposal)

    return evolve


def _body(service: str, cases: tuple[Case, ...]) -> str:
    rows = "\n".join(
        f"| {f'#{case.issue}' if case.issue else case.incident_id} | {case.verified_at:%Y-%m-%d %H:%M} UTC "
        f"| {escape(case.summary)} |"
        for case in sorted(cases, key=lambda case: case.verified_at)
    )
    return (
        f"The same failure of **{service}** was fixed {len(cases)} times in the last 30 days. Each fix was seen to "
        "work, and each time the failure came back: the fixes treat a symptom.\n\n"
        f"| incident | verified | what happened |\n|---|---|---|\n{rows}\n\n"
        "What would end it for good is a design decision, and people make those. Places to start:\n\n"
        "- Is the limit that was hit derived from load, or fixed by hand? Derive it, or alert before it is reached.\n"
        "- Does the caller shed load or retry when this service is slow? Bound both.\n"
        "- Is there a test in CI that reproduces the first of these incidents? Add one.\n"
    )
