"""The root-cause analysis: what the cause is, what shows it, what else it could be, and which change is suspect."""

from collections.abc import Iterable

from agents.diagnosis import Candidate, Claim, Diagnosis, SuspectChange
from agents.incident import Incident, Recalled
from agents.markdown import code, escape
from bot.comments.evidence import MAX_NAME
from bot.comments.markup import code_cell, paragraphs, sha, table
from bot.comments.words import capitalised

MAX_CANDIDATES = 5
MAX_CLAIMS = 20
MAX_SENTENCE = 500

Row = tuple[str, str]


def analysis(incident: Incident) -> str:
    """Return the analysis without its candidates, empty while there is none."""
    diagnosis = incident.diagnosis
    if diagnosis is None:
        return ""
    return paragraphs(
        heading(diagnosis),
        remembered(incident.recalled) if incident.recalled else "",
        escape(capitalised(diagnosis.summary), MAX_SENTENCE),
        _claims(diagnosis.claims),
        _suspect(incident, diagnosis.suspect) if diagnosis.suspect else "",
    )


def heading(diagnosis: Diagnosis) -> str:
    """Return how sure the analysis is; its summary says the rest."""
    return f"### Root cause: {diagnosis.verdict}"


def remembered(recalled: Recalled) -> str:
    """Return the mark of a fix from memory, with the incident that it comes from."""
    source = f"#{recalled.issue}" if recalled.issue else f"incident {code(recalled.incident_id, MAX_NAME)}"
    how = (
        "the same signature" if recalled.distance is None else f"a similar one, cosine distance {recalled.distance:.2f}"
    )
    return (
        f"**From memory.** A fix of this kind was verified in {source} ({how}), so it is chosen again. "
        "It needs its own approval and its own verification all the same."
    )


def _claims(claims: Iterable[Claim]) -> str:
    rows = [(escape(claim.text, MAX_SENTENCE), cited(claim)) for claim in tuple(claims)[:MAX_CLAIMS]]
    return table(("what shows it", "evidence"), rows) if rows else ""


def cited(claim: Claim) -> str:
    """Return the ids of the evidence that a claim rests on."""
    return ", ".join(escape(evidence_id, 10) for evidence_id in claim.evidence)


def _suspect(incident: Incident, suspect: SuspectChange) -> str:
    pull = f", #{suspect.pull_request}" if suspect.pull_request else ""
    who, where = code(suspect.author, MAX_NAME), code(suspect.path, 200)
    named = f"{commit_link(incident, suspect.sha)} “{escape(suspect.title, 200)}” by {who}{pull}, in {where}"
    return f"**Suspect change:** {named}, because {escape(suspect.reason, MAX_SENTENCE)}."


def commit_link(incident: Incident, commit: str) -> str:
    """Return a commit's short SHA, linked where the repository's address is known."""
    base, found, _ = (incident.issue_url or "").rpartition("/issues/")
    return f"[{sha(commit)}]({base}/commit/{commit})" if found and commit.isalnum() else sha(commit)


def candidates(diagnosis: Diagnosis) -> str:
    """Return what else was considered, best first, with what speaks for and against each."""
    shown = diagnosis.candidates[:MAX_CANDIDATES]
    rows = [_candidate(rank, candidate) for rank, candidate in enumerate(shown, 1)]
    return table(("rank", "service", "kind", "score", "speaks for", "speaks against"), rows)


def _candidate(rank: int, found: Candidate) -> tuple[str, ...]:
    operation = f" {code_cell(found.operation, MAX_NAME)}" if found.operation else ""
    return (
        str(rank),
        f"{escape(found.service, MAX_NAME)}{operation}",
        found.kind.replace("_", " "),
        f"{found.score:.2f}",
        _listed(found.speaks_for),
        _listed(found.speaks_against),
    )


def _listed(claims: Iterable[Claim]) -> str:
    said = [f"{escape(claim.text, MAX_SENTENCE)} ({cited(claim)})" for claim in claims]
    return "<br>".join(said) or "nothing"
