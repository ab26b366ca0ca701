"""Every text that SRE-Space writes to GitHub: plain words, numbers from evidence, and what to do next.

Whatever comes from telemetry, issues, commits or configuration is escaped here (`agents.markdown`), and every text
stays below GitHub's limit of 65,536 characters.
"""

from dataclasses import dataclass

from agents.incident import Incident
from agents.markdown import plain
from agents.plan import Plan
from agents.writes import PostComment
from bot.comments import change, opening
from bot.comments.notices import LISTED_BY, REOPENED, notice
from bot.comments.sticky import sticky
from bot.markers import Markers

__all__ = ["LISTED_BY", "REOPENED", "IssueText", "Texts"]


@dataclass(frozen=True)
class IssueText:
    """Title (plain text) and body (Markdown) of an issue."""

    title: str
    body: str


@dataclass(frozen=True)
class Texts:
    """The texts of this installation. `label` marks incidents; `dashboard_url` is linked where it is set."""

    markers: Markers
    label: str = "incident"
    dashboard_url: str | None = None

    def labels(self, incident: Incident) -> tuple[str, ...]:
        """Return the labels of a new incident's issue; the first is what issues are found by."""
        return (self.label, f"severity:{incident.severity}")

    def issue(self, incident: Incident) -> IssueText:
        """Return the incident's issue."""
        title = plain(incident.title, opening.MAX_TITLE)
        return IssueText(title, opening.body(incident, self.dashboard_url))

    def sticky(self, incident: Incident) -> str:
        """Return the sticky comment."""
        return sticky(incident, self.dashboard_url)

    def notice(self, incident: Incident, write: PostComment) -> str:
        """Return a comment of its own."""
        return notice(incident, write, self.label)

    def commit_message(self, incident: Incident, plan: Plan) -> str:
        """Return the message of the plan's commit."""
        return change.commit_message(incident, plan)

    def pull_request(self, incident: Incident, plan: Plan, *, revert: bool) -> str:
        """Return the body of the plan's pull request."""
        return change.pull_request(incident, plan, revert=revert)

    def merge_title(self, incident: Incident, number: int) -> str:
        """Return the title of the merge commit."""
        return change.merge_title(incident, number)
