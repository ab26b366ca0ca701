"""Check runs and commit statuses."""

from typing import Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from infra.sandbox.github import clock
from infra.sandbox.github.api.deps import ActorDep, SiteDep, counted, page_of, reply, repository_guard
from infra.sandbox.github.domain import checks, merges
from infra.sandbox.github.errors import ApiError, unprocessable
from infra.sandbox.github.permissions import require
from infra.sandbox.github.records.accounts import App
from infra.sandbox.github.records.checks import CheckStatus, CommitStatus, Conclusion
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views import checks as views

router = APIRouter(prefix="/repos/{owner}/{repo}", dependencies=[Depends(repository_guard)])


class Annotation(BaseModel):
    """A remark on some lines of a file."""

    path: str
    start_line: int
    end_line: int
    annotation_level: Literal["notice", "warning", "failure"]
    message: str
    start_column: int | None = None
    end_column: int | None = None
    title: str | None = None
    raw_details: str | None = None


class CheckOutput(BaseModel):
    """What a check run says."""

    model_config = ConfigDict(extra="ignore")

    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[Annotation] = []


class CheckChange(BaseModel):
    """A change of a check run; only what is sent is changed."""

    model_config = ConfigDict(extra="ignore")

    name: str | None = None
    status: CheckStatus | None = None
    conclusion: Conclusion | None = None
    external_id: str | None = None
    details_url: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    output: CheckOutput | None = None


class NewCheck(CheckChange):
    """A new check run for a commit."""

    head_sha: str


class NewStatus(BaseModel):
    """A status of a commit in one context."""

    state: Literal["error", "failure", "pending", "success"]
    context: str = "default"
    description: str | None = None
    target_url: str | None = None


def _app(actor: Actor) -> App:
    if actor.app is None:
        raise ApiError(403, "You must authenticate via a GitHub App.")
    return actor.app


async def _sha(site: Site, ref: str) -> str:
    sha = await site.git.resolve(ref)
    if sha is None:
        raise unprocessable(f"No commit found for SHA: {ref}")
    return sha


@router.post("/check-runs")
async def create_check(body: NewCheck, site: SiteDep, actor: ActorDep) -> Response:
    """A new check run."""
    app = _app(actor)
    require(site, actor, "write", "checks")
    if not body.name:
        raise unprocessable('Invalid request.\n\n"name" wasn\'t supplied.')
    if await site.git.object_type(body.head_sha) != "commit":
        raise unprocessable("No commit found for SHA: " + body.head_sha)
    row = checks.create(site, actor, app, body.head_sha, _changes(body))
    await merges.merge_waiting(site)
    view = views.check_run(site, row)
    return reply(view, 201, {"Location": view["url"]})


@router.patch("/check-runs/{check_run_id}")
async def change_check(check_run_id: int, body: CheckChange, site: SiteDep, actor: ActorDep) -> Response:
    """The check run after the change; only the App that made it may."""
    app = _app(actor)
    require(site, actor, "write", "checks")
    row = site.store.check_runs.get(check_run_id)
    if row.app_id != app.id:
        raise ApiError(
            403, f"Invalid app_id `{app.id}` - check run can only be modified by the GitHub App that created it."
        )
    changed = checks.change(site, actor, row, _changes(body))
    await merges.merge_waiting(site)
    return reply(views.check_run(site, changed))


def _changes(body: CheckChange) -> dict[str, Any]:
    changes = body.model_dump(exclude_unset=True, exclude={"output", "head_sha"})
    if body.output:
        changes |= body.output.model_dump(exclude_unset=True)
    return {key: value for key, value in changes.items() if value is not None}


@router.get("/check-runs/{check_run_id}")
async def get_check(check_run_id: int, site: SiteDep, actor: ActorDep) -> Response:
    """One check run."""
    require(site, actor, "read", "checks")
    return reply(views.check_run(site, site.store.check_runs.get(check_run_id)))


@router.get("/check-runs/{check_run_id}/annotations")
async def get_annotations(check_run_id: int, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """The annotations of a check run."""
    require(site, actor, "read", "checks")
    run = site.store.check_runs.get(check_run_id)
    return page_of(request, run.annotations, lambda row: views.annotation(site, run, row))


@router.get("/commits/{ref:path}/check-runs")
async def list_checks(
    ref: str,
    request: Request,
    site: SiteDep,
    actor: ActorDep,
    check_name: str = "",
    status: str = "",
    filter: Literal["latest", "all"] = "latest",  # noqa: A002 - the name in the API
) -> Response:
    """The check runs of a commit, the latest of each name unless all are wanted."""
    require(site, actor, "read", "checks")
    sha = await _sha(site, ref)
    rows = site.store.check_runs.where(lambda row: row.head_sha == sha)
    if filter == "latest":
        rows = list({(row.app_id, row.name): row for row in rows}.values())
    rows = [row for row in rows if check_name in {"", row.name} and status in {"", row.status}]
    return counted(request, "check_runs", rows[::-1], lambda row: views.check_run(site, row))


@router.post("/statuses/{sha}")
async def create_status(sha: str, body: NewStatus, site: SiteDep, actor: ActorDep) -> Response:
    """A new status of a commit."""
    require(site, actor, "write", "statuses")
    if await site.git.object_type(sha) != "commit":
        raise unprocessable(f"No commit found for SHA: {sha}")
    now = clock.now_iso()
    row = site.store.statuses.put(
        CommitStatus(
            id=site.store.next_id(),
            sha=sha,
            creator_id=actor.user.id,
            created_at=now,
            updated_at=now,
            **body.model_dump(),
        )
    )
    await merges.merge_waiting(site)
    return reply(views.status(site, row), 201)


@router.get("/commits/{ref:path}/statuses")
async def list_statuses(ref: str, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """All statuses of a commit, newest first."""
    require(site, actor, "read", "statuses")
    sha = await _sha(site, ref)
    rows = site.store.statuses.where(lambda row: row.sha == sha)
    return page_of(request, rows[::-1], lambda row: views.status(site, row))


@router.get("/commits/{ref:path}/status")
async def combined_status(ref: str, site: SiteDep, actor: ActorDep) -> Response:
    """The latest status of each context, and all of them in one word."""
    require(site, actor, "read", "statuses")
    sha = await _sha(site, ref)
    latest = {row.context: row for row in site.store.statuses.where(lambda row: row.sha == sha)}
    return reply(views.combined_status(site, sha, list(latest.values())))
