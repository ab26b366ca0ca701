"""Waits for SRE-Space: incident, analysis, pull request, recovery, as GitHub shows them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from action.chaos.hub import Hub, HubError, Issue, User
from action.chaos.milestones import Milestones, Stopped
from action.chaos.reading import analysis_of, incident_of, is_handed_over, services_of
from action.settings import Until
from telemetry.model import Frozen

GITHUB_CUTS = timedelta(seconds=1)
"""GitHub's times are whole seconds, cut off: something may seem to be up to a second older than it is."""

log = structlog.get_logger()


class Terms(Frozen):
    """What is waited for, how long, and whom the fault may hurt."""

    until: Until
    label: str
    bot_login: str
    blast_radius: frozenset[str]
    detection_timeout_s: float
    max_duration_s: float
    poll_s: float


@dataclass(frozen=True)
class Follower:
    """Looks at GitHub until what is waited for is there, or cannot come any more."""

    hub: Hub
    terms: Terms
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    note: Callable[[Milestones], None]

    def follow(self, seen: Milestones, armed_at: datetime) -> Milestones:
        """Return all that was seen since `armed_at`, with the reason why the wait ended.

        What GitHub does not answer has not been seen: a failed look is repeated, and never counts as anything.
        """
        while True:
            wait_s = self.terms.poll_s
            try:
                seen = self._look(seen, armed_at)
            except HubError as error:
                log.warning("look_failed", reason=str(error))
                wait_s = max(error.retry_after_s or 0.0, wait_s)
            if seen.stopped is None:
                seen = seen.model_copy(update={"stopped": self._out_of_time(seen, armed_at)})
            self.note(seen)
            if seen.stopped is not None:
                return seen
            self.sleep(wait_s)

    def _out_of_time(self, seen: Milestones, armed_at: datetime) -> Stopped | None:
        now = self.now()
        if seen.incident is None and now > (seen.onset or armed_at) + timedelta(seconds=self.terms.detection_timeout_s):
            return Stopped.NOT_DETECTED
        if now > armed_at + timedelta(seconds=self.terms.max_duration_s):
            return Stopped.TIMED_OUT
        return None

    def _look(self, seen: Milestones, armed_at: datetime) -> Milestones:
        """Return what is to be seen now; raises HubError."""
        opened = self._opened(armed_at)
        if not opened:
            return seen
        if seen.incident is None:
            seen = self._detected(seen, opened[0])
        others = tuple(issue.number for issue in opened if issue.number != seen.incident)
        seen = seen.model_copy(update={"other_incidents": others})
        hurt = {service for issue in opened for service in services_of(issue.body or "")}
        if hurt - self.terms.blast_radius:
            beyond = ", ".join(sorted(hurt - self.terms.blast_radius))
            log.warning("blast_radius_exceeded", services=beyond)
            return seen.model_copy(update={"stopped": Stopped.BLAST_RADIUS, "services": tuple(sorted(hurt))})
        issue = self.hub.issue(seen.incident or 0)
        seen = self._analysed(seen, issue)
        seen = self._proposed(seen, issue)
        return self._ended(seen, issue)

    def _opened(self, armed_at: datetime) -> list[Issue]:
        """Return SRE-Space's incidents since the start, oldest first."""
        found = [
            issue
            for issue in self.hub.issues(self.terms.label, "all")
            if issue.created_at >= armed_at - GITHUB_CUTS and self._ours(issue.user) and incident_of(issue.body or "")
        ]
        return sorted(found, key=lambda issue: issue.number)

    def _ours(self, user: User | None) -> bool:
        if user is None or user.type != "Bot":
            return False
        return not self.terms.bot_login or user.login.lower() == self.terms.bot_login.lower()

    def _detected(self, seen: Milestones, issue: Issue) -> Milestones:
        found = {
            "incident": issue.number,
            "incident_url": issue.html_url,
            "services": services_of(issue.body or ""),
            "detected_at": issue.created_at,
        }
        return self._reached(seen.model_copy(update=found), Until.DETECTION)

    def _analysed(self, seen: Milestones, issue: Issue) -> Milestones:
        for comment in self.hub.comments(issue.number):
            body = comment.body or ""
            if not self._ours(comment.user):
                continue
            if is_handed_over(body) and seen.stopped is None:
                seen = seen.model_copy(update={"stopped": Stopped.ESCALATED})
            analysis = analysis_of(body)
            if analysis is None or seen.analysed_at is not None:
                continue
            found = {
                "verdict": analysis.verdict,
                "cause_service": analysis.service,
                "cause_kind": analysis.kind,
                "analysed_at": comment.updated_at,
            }
            seen = self._reached(seen.model_copy(update=found), Until.ANALYSIS)
        return seen

    def _proposed(self, seen: Milestones, issue: Issue) -> Milestones:
        ours = f"sre-space/{incident_of(issue.body or '')}/"
        pull = next((pull for pull in self.hub.pulls() if pull.head.ref.startswith(ours)), None)
        if pull is None:
            return seen
        found = {
            "pull_request": pull.number,
            "pull_request_url": pull.html_url,
            "proposed_at": pull.created_at,
            "merged_at": pull.merged_at,
        }
        return self._reached(seen.model_copy(update=found), Until.PROPOSAL)

    def _ended(self, seen: Milestones, issue: Issue) -> Milestones:
        """Recovered is what SRE-Space itself closed as completed; whatever a person closes is not proven."""
        if issue.state != "closed" or seen.stopped is not None:
            return seen
        if issue.state_reason == "completed" and self._ours(issue.closed_by):
            return self._reached(seen.model_copy(update={"recovered_at": issue.closed_at}), Until.RECOVERY)
        return seen.model_copy(update={"stopped": Stopped.CLOSED_UNRESOLVED})

    def _reached(self, seen: Milestones, milestone: Until) -> Milestones:
        return seen.model_copy(update={"stopped": Stopped.REACHED}) if milestone is self.terms.until else seen
