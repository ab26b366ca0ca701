"""Which incident a delivery belongs to, and which handler takes it."""

from typing import assert_never

from agents.incident import Incident
from bot.db.rows import InboxRow
from bot.db.store import Store
from bot.events import (
    Event,
    IssueCommentEvent,
    IssuesEvent,
    PullRequestEvent,
    PullRequestReviewEvent,
    Routed,
    SignalEvent,
    read_event,
)
from bot.handlers import issue_comment, issues, pull_request, pull_request_review, signals
from bot.handlers.deps import Deps, id_of_issue, id_of_signal
from bot.markers import ISSUE_KIND


class Router:
    """Finds incidents for deliveries and passes these to their handlers."""

    def __init__(self, store: Store, deps: Deps) -> None:
        self._store = store
        self._deps = deps

    async def route(self, row: InboxRow) -> Routed:
        """Return a delivery as its event, with the incident that it is about.

        Raises:
            DecodeError: the delivery lacks a field that is used.
        """
        event = read_event(row.event, row.action, row.payload)
        return Routed(row, event, None if event is None else await self._locate(event))

    async def _locate(self, event: Event) -> str | None:
        """Return the id of the incident that an event is about, or would open; None when there is none."""
        if isinstance(event, SignalEvent):
            signal = event.signal
            return await self._store.find_group(signal.tenant, signal.group_id) or id_of_signal(signal)
        number = _number(event)
        known = await self._store.find(event.repository.id, number)
        if known is None and isinstance(event, IssuesEvent):
            marker = self._deps.markers.find(event.issue.body or "") if event.issue.author.type == "Bot" else None
            is_incident = marker is not None and marker.kind == ISSUE_KIND  # and no proposal of Jules
            return marker.incident_id if marker and is_incident else id_of_issue(event.repository.id, number)
        return known

    async def handle(self, incident: Incident | None, routed: Routed) -> Incident | None:
        """Return the incident after the delivery; None when the delivery is not about an incident."""
        event = routed.event
        match event:
            case None:
                return None
            case SignalEvent():
                return await signals.handle(incident, event, self._deps)
            case IssuesEvent():
                return await issues.handle(incident, event, self._deps)
            case IssueCommentEvent():
                return await issue_comment.handle(incident, event, self._deps)
            case PullRequestEvent():
                return await pull_request.handle(incident, event, self._deps)
            case PullRequestReviewEvent():
                return await pull_request_review.handle(incident, event, self._deps)
            case _:
                assert_never(event)


def _number(event: IssuesEvent | IssueCommentEvent | PullRequestEvent | PullRequestReviewEvent) -> int:
    """Return the number of the issue or pull request that an event is about."""
    match event:
        case IssuesEvent() | IssueCommentEvent():
            return event.issue.number
        case PullRequestEvent() | PullRequestReviewEvent():
            return event.pull_request.number
        case _:
            assert_never(event)
