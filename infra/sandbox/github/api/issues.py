"""Issues and their timeline."""

from typing import Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, field_validator

from infra.sandbox.github import clock
from infra.sandbox.github.api.deps import ActorDep, SiteDep, cut, page_of, reply, repository_guard
from infra.sandbox.github.domain import issues, pulls, timeline
from infra.sandbox.github.errors import invalid
from infra.sandbox.github.permissions import may, require
from infra.sandbox.github.records.accounts import Role
from infra.sandbox.github.records.work import Issue
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views import issues as views

router = APIRouter(prefix="/repos/{owner}/{repo}/issues", dependencies=[Depends(repository_guard)])

MAX_BODY_CHARS = 65_536


class LabelName(BaseModel):
    """A label given as an object."""

    name: str


def _names(labels: list[str | LabelName] | None) -> list[str]:
    return [label if isinstance(label, str) else label.name for label in labels or []]


class NewIssue(BaseModel):
    """A new issue."""

    title: str | int
    body: str | None = Field(default=None, max_length=MAX_BODY_CHARS)
    labels: list[str | LabelName] = []
    assignees: list[str] = []
    assignee: str | None = None

    @field_validator("title")
    @classmethod
    def _written(cls, title: str | int) -> str:
        if not str(title).strip():
            raise ValueError("title can't be blank")
        return str(title)


class IssueChange(BaseModel):
    """A change of an issue; only what is sent is changed."""

    title: str | int | None = None
    body: str | None = Field(default=None, max_length=MAX_BODY_CHARS)
    state: Literal["open", "closed"] | None = None
    state_reason: Literal["completed", "not_planned", "duplicate", "reopened"] | None = None
    labels: list[str | LabelName] | None = None
    assignees: list[str] | None = None


def _since(text: str | None) -> str:
    if not text:
        return ""
    try:
        return clock.iso(clock.parse(text))
    except ValueError as error:
        raise invalid("Issue", "since") from error


def _order(site: Site, row: Issue, sort: str) -> tuple[str | int, int]:
    if sort == "updated":
        return row.updated_at, row.id
    if sort == "comments":
        return len(site.store.comments.where(lambda comment: comment.number == row.number)), row.id
    return row.id, row.id


@router.get("")
async def list_issues(  # noqa: PLR0913, PLR0917 - one argument for each filter of the API
    request: Request,
    site: SiteDep,
    actor: ActorDep,
    state: Literal["open", "closed", "all"] = "open",
    labels: str = "",
    creator: str = "",
    assignee: str = "",
    since: str | None = None,
    sort: Literal["created", "updated", "comments"] = "created",
    direction: Literal["asc", "desc"] = "desc",
) -> Response:
    """Issues and pull requests, newest first."""
    require(site, actor, "read", "issues", "pull_requests")
    rows = [row for row in site.store.issues if state in {"all", row.state}]
    for name in filter(None, labels.split(",")):
        wanted = site.store.labels.first(lambda row, text=name: row.name.lower() == text.strip().lower())
        rows = [row for row in rows if wanted and wanted.id in row.labels]
    if creator:
        account = site.store.user(creator)
        rows = [row for row in rows if account and account.id == row.user_id]
    if assignee not in {"", "*"}:
        account = site.store.user(assignee)
        rows = [row for row in rows if account and account.id in row.assignees]
    rows = [row for row in rows if row.updated_at >= _since(since)]
    rows.sort(key=lambda row: _order(site, row, sort), reverse=direction == "desc")
    return page_of(request, rows, lambda row: views.issue(site, row))


@router.post("")
async def create_issue(body: NewIssue, site: SiteDep, actor: ActorDep) -> Response:
    """A new issue; labels and assignees of people without triage rights are dropped, as on GitHub."""
    require(site, actor, "write", "issues", role=Role.READ)
    trusted = may(site, actor, "write", "issues", role=Role.TRIAGE)
    labels = _names(body.labels) if trusted else []
    issue = await issues.open_issue(site, actor, str(body.title), body.body, labels)
    people = [*body.assignees, *([body.assignee] if body.assignee else [])]
    if people and trusted:
        issue = assign(site, issue, people)
    return reply(views.full_issue(site, issue), 201)


@router.get("/{number}")
async def get_issue(number: int, site: SiteDep, actor: ActorDep) -> Response:
    """One issue or pull request."""
    require(site, actor, "read", "issues", "pull_requests")
    return reply(views.full_issue(site, site.store.issue(number)))


@router.patch("/{number}")
async def change_issue(number: int, body: IssueChange, site: SiteDep, actor: ActorDep) -> Response:
    """The issue after the change; its author may change all but the labels."""
    issue = site.store.issue(number)
    own = issue.user_id == actor.user.id
    require(site, actor, "write", "issues", "pull_requests", role=Role.READ if own else Role.TRIAGE)
    sent = body.model_fields_set
    title = str(body.title) if "title" in sent and body.title is not None else issue.title
    text = body.body if "body" in sent else issue.body
    issue = await issues.edit(site, actor, issue, title, text)
    if body.labels is not None and may(site, actor, "write", "issues", "pull_requests", role=Role.TRIAGE):
        issue = await issues.set_labels(site, actor, issue, _names(body.labels))
    if body.assignees is not None:
        issue = assign(site, issue, body.assignees, replace=True)
    issue = await _set_state(site, actor, issue, body)
    return reply(views.full_issue(site, issue))


async def _set_state(site: Site, actor: Actor, issue: Issue, body: IssueChange) -> Issue:
    if body.state == "closed":
        reason = body.state_reason or "completed"
        return await issues.close(site, actor, issue, "completed" if reason == "reopened" else reason)
    if body.state == "open" and issue.state == "closed":
        if issue.pull:
            return await pulls.reopen(site, actor, issue, issue.pull)
        return await issues.reopen(site, actor, issue)
    return issue


def assign(site: Site, issue: Issue, logins: list[str], *, replace: bool = False) -> Issue:
    """The issue with these assignees, of whom only collaborators count."""
    found = [site.store.user(login) for login in logins]
    if any(person is None for person in found):
        raise invalid("Issue", "assignees")
    people = [person.id for person in found if person and person.role.rank >= Role.READ.rank]
    wanted = people if replace else list(dict.fromkeys([*issue.assignees, *people]))
    return issue if wanted == issue.assignees else issues.save(site, issue, assignees=wanted)


class Assignees(BaseModel):
    """Logins to assign or to take off."""

    assignees: list[str] = []


@router.post("/{number}/assignees")
async def add_assignees(number: int, body: Assignees, site: SiteDep, actor: ActorDep) -> Response:
    """The issue with more assignees."""
    require(site, actor, "write", "issues", "pull_requests", role=Role.TRIAGE)
    issue = assign(site, site.store.issue(number), body.assignees)
    return reply(views.issue(site, issue), 201)


@router.delete("/{number}/assignees")
async def remove_assignees(number: int, body: Assignees, site: SiteDep, actor: ActorDep) -> Response:
    """The issue with fewer assignees."""
    require(site, actor, "write", "issues", "pull_requests", role=Role.TRIAGE)
    issue = site.store.issue(number)
    gone = {person.id for login in body.assignees if (person := site.store.user(login))}
    kept = [user_id for user_id in issue.assignees if user_id not in gone]
    return reply(views.issue(site, issues.save(site, issue, assignees=kept)))


@router.get("/{number}/timeline")
async def get_timeline(number: int, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """Everything that happened, oldest first."""
    require(site, actor, "read", "issues", "pull_requests")
    rows, headers = cut(request, await timeline.of_issue(site, site.store.issue(number)))
    return reply(rows, headers=headers)


@router.get("/{number}/events")
async def get_events(number: int, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """The timeline without comments, commits and reviews."""
    require(site, actor, "read", "issues", "pull_requests")
    issue = site.store.issue(number)
    rows = site.store.timeline.where(lambda row: row.number == issue.number)
    return page_of(request, rows, lambda row: views.timeline_event(site, row))
