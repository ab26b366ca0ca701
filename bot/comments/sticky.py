"""The sticky comment: one per incident, edited in place, always true for the incident at hand."""

from dataclasses import dataclass

from agents.incident import Incident
from bot.comments.evidence import evidence_table
from bot.comments.fix import fix, reasons
from bot.comments.markup import details, paragraphs, plural
from bot.comments.progress import facts, last_note, state, timeline, verification
from bot.comments.rca import analysis, candidates

MAX_CHARS = 64_000
"""Below GitHub's limit of 65,536 characters, with room for the hidden mark."""


@dataclass(frozen=True)
class Section:
    """A part of a comment; of those that may be left out, the highest `dispensable` goes first."""

    text: str
    dispensable: int = 0


def sticky(incident: Incident, dashboard_url: str | None) -> str:
    """Return the comment: state and next step first, then cause, fix and proof, the details folded away."""
    headline, next_step = state(incident)
    sections = [
        Section(f"## {headline}\n\n{facts(incident)}"),
        Section(last_note(incident)),
        Section(f"**Next:** {next_step}"),
        Section(analysis(incident)),
        Section(_candidates(incident), 2),
        Section(_evidence(incident), 3),
        Section(fix(incident)),
        Section(_reasons(incident), 1),
        Section(verification(incident)),
        Section(details(f"Timeline ({plural(len(incident.timeline), 'entry', 'entries')})", timeline(incident)), 4),
        Section(_footer(incident, dashboard_url)),
    ]
    return fitted(sections)


def fitted(sections: list[Section], limit: int = MAX_CHARS) -> str:
    """Return the sections as one text within `limit`; what is left out for it is said."""
    left_out = ""
    while len(text := paragraphs(*(section.text for section in sections), left_out)) > limit:
        spare = max(sections, key=lambda section: section.dispensable if section.text else 0)
        if not spare.dispensable:
            return text[:limit]
        sections = [section for section in sections if section is not spare]
        left_out = "Some details are left out here, because GitHub limits the length of a comment."
    return text


def _candidates(incident: Incident) -> str:
    diagnosis = incident.diagnosis
    if diagnosis is None or not diagnosis.candidates:
        return ""
    return details(f"Candidates considered ({len(diagnosis.candidates)})", candidates(diagnosis))


def _evidence(incident: Incident) -> str:
    if incident.signal is None or not incident.signal.evidence.items:
        return ""
    bundle = incident.signal.evidence
    return details(f"Evidence ({plural(len(bundle.items), 'item')})", evidence_table(bundle))


def _reasons(incident: Incident) -> str:
    return details("What the rules say about this fix", reasons(incident.decision)) if incident.decision else ""


def _footer(incident: Incident, dashboard_url: str | None) -> str:
    link = f" · [dashboard]({dashboard_url})" if dashboard_url else ""
    return f"<sub>SRE-Space · incident {incident.id}{link} · `/help` lists what you can ask</sub>"
