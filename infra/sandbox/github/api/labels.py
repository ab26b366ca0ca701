"""Labels of the repository and on issues."""

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from infra.sandbox.github.api.deps import ActorDep, SiteDep, page_of, reply, repository_guard
from infra.sandbox.github.domain import issues
from infra.sandbox.github.errors import ApiError, invalid, not_found
from infra.sandbox.github.permissions import require
from infra.sandbox.github.records.accounts import Role
from infra.sandbox.github.records.work import Label
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views import issues as views

router = APIRouter(prefix="/repos/{owner}/{repo}", dependencies=[Depends(repository_guard)])

NEEDED = ("issues", "pull_requests")


class NewLabel(BaseModel):
    """A new label."""

    name: str = Field(min_length=1, max_length=50)
    color: str = Field(default="ededed", pattern="^[0-9A-Fa-f]{6}$")
    description: str | None = Field(default=None, max_length=100)


class LabelNames(BaseModel):
    """Names of labels to put on an issue."""

    labels: list[str] = []


def _find(site: Site, name: str) -> Label:
    row = site.store.labels.first(lambda label: label.name.lower() == name.lower())
    if row is None:
        raise not_found()
    return row


@router.get("/labels")
async def list_labels(request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """All labels."""
    require(site, actor, "read", *NEEDED)
    return page_of(request, list(site.store.labels), lambda row: views.label(site, row))


@router.post("/labels")
async def create_label(body: NewLabel, site: SiteDep, actor: ActorDep) -> Response:
    """A new label; 422 when the name is taken."""
    require(site, actor, "write", *NEEDED, role=Role.WRITE)
    if site.store.labels.first(lambda label: label.name.lower() == body.name.lower()):
        raise invalid("Label", "name", "already_exists")
    row = site.store.labels.put(Label(id=site.store.next_id(), **body.model_dump()))
    view = views.label(site, row)
    return reply(view, 201, {"Location": view["url"]})


@router.get("/labels/{name:path}")
async def get_label(name: str, site: SiteDep, actor: ActorDep) -> Response:
    """One label."""
    require(site, actor, "read", *NEEDED)
    return reply(views.label(site, _find(site, name)))


@router.get("/issues/{number}/labels")
async def issue_labels(number: int, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """The labels of an issue."""
    require(site, actor, "read", *NEEDED)
    return page_of(request, views.labels(site, site.store.issue(number)), lambda row: row)


async def _put(site: Site, actor: Actor, number: int, body: LabelNames | list[str], *, keep: bool) -> Response:
    require(site, actor, "write", *NEEDED, role=Role.TRIAGE)
    issue = site.store.issue(number)
    names = body if isinstance(body, list) else body.labels
    old = [row["name"] for row in views.labels(site, issue)] if keep else []
    known = [found.name if (found := _known(site, name)) else name for name in names]
    changed = await issues.set_labels(site, actor, issue, [*old, *known])
    return reply(views.labels(site, changed))


def _known(site: Site, name: str) -> Label | None:
    return site.store.labels.first(lambda label: label.name.lower() == name.lower())


@router.post("/issues/{number}/labels")
async def add_labels(number: int, body: LabelNames | list[str], site: SiteDep, actor: ActorDep) -> Response:
    """The labels after adding some."""
    return await _put(site, actor, number, body, keep=True)


@router.put("/issues/{number}/labels")
async def replace_labels(number: int, body: LabelNames | list[str], site: SiteDep, actor: ActorDep) -> Response:
    """The labels after replacing them all."""
    return await _put(site, actor, number, body, keep=False)


@router.delete("/issues/{number}/labels/{name:path}")
async def remove_label(number: int, name: str, site: SiteDep, actor: ActorDep) -> Response:
    """The labels that are left; 404 when the issue does not have this one."""
    require(site, actor, "write", *NEEDED, role=Role.TRIAGE)
    issue = site.store.issue(number)
    names = [row["name"] for row in views.labels(site, issue)]
    left = [other for other in names if other.lower() != name.lower()]
    if left == names:
        raise ApiError(404, "Label does not exist")
    return reply(views.labels(site, await issues.set_labels(site, actor, issue, left)))
