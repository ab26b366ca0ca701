"""The pages for people: issues, pull requests, commits and files."""

import functools
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from infra.sandbox.github import markdown, thread
from infra.sandbox.github.api.deps import SiteDep
from infra.sandbox.github.auth import role_of
from infra.sandbox.github.errors import ApiError, not_found
from infra.sandbox.github.git import history
from infra.sandbox.github.mergeability import compared, judge
from infra.sandbox.github.pageguard import SECURITY_HEADERS, guard_page
from infra.sandbox.github.records.work import Issue
from infra.sandbox.github.site import Actor, Site

FOLDER = Path(__file__).parent / "templates"
COMMITS_SHOWN = 50
MAX_SHOWN_BYTES = 200_000

router = APIRouter(dependencies=[Depends(guard_page)])
templates = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)


def render(site: Site, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page."""
    people = [(user.login, role_of(site, Actor(user)).value) for user in site.store.users if user.type == "User"]
    text = templates.get_template(name).render(
        site=site,
        repo=site.repo_html.removeprefix(site.base_url),
        people=[person for person in people if person[0] != "web-flow"],
        markdown=functools.partial(_markup, site),
        **values,
    )
    return HTMLResponse(text, status, SECURITY_HEADERS)


def _markup(site: Site, source: str | None) -> Markup:
    return Markup(markdown.render(source, site.repo_html))  # noqa: S704 - what it renders is escaped there


def error_page(site: Site, error: ApiError) -> HTMLResponse:
    """The page of an error."""
    return render(site, "error.html", error.status, title=str(error.status), error=error)


@router.get("/assets/{name}")
async def asset(name: Literal["style.css", "live.js"]) -> Response:
    """The style sheet and the script."""
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    return Response(templates.get_template(name).render(), media_type=kind)


@router.get("/")
async def root(site: SiteDep) -> Response:
    """The way to the repository."""
    return RedirectResponse(site.repo_html, 302)


def _check(site: Site, owner: str, name: str) -> None:
    if f"{owner}/{name}".lower() != site.full_name.lower():
        raise not_found()


@router.get("/{owner}/{name}")
async def repository(owner: str, name: str, site: SiteDep) -> Response:
    """What is open, and the files of the default branch."""
    _check(site, owner, name)
    branch = site.repository.default_branch
    shas = await history.log(site.git, branch, f"--max-count={COMMITS_SHOWN}")
    return render(
        site,
        "repository.html",
        title=site.full_name,
        branches=[ref.removeprefix("refs/heads/") for ref in await site.git.refs()],
        entries=await site.git.tree(branch),
        commits=await history.commits(site.git, shas),
    )


@router.get("/{owner}/{name}/{kind}")
async def list_issues(
    owner: str, name: str, kind: Literal["issues", "pulls"], site: SiteDep, state: str = "open"
) -> Response:
    """Issues, or pull requests."""
    _check(site, owner, name)
    pulls = kind == "pulls"
    rows = [row for row in site.store.issues if (row.pull is not None) is pulls]
    return render(
        site,
        "issues.html",
        title="Pull requests" if pulls else "Issues",
        kind=kind,
        state=state,
        rows=[thread.headline(site, row) for row in reversed(rows) if state in {"all", row.state}],
        counts={name: sum(row.state == name for row in rows) for name in ("open", "closed")},
    )


@router.get("/{owner}/{name}/issues/{number}")
async def show_issue(owner: str, name: str, number: int, request: Request, site: SiteDep) -> Response:
    """An issue with all that was said."""
    _check(site, owner, name)
    issue = site.store.issue(number)
    if issue.pull:
        return RedirectResponse(f"{site.repo_html}/pull/{number}", 302)
    return await _thread(site, issue, request, {})


@router.get("/{owner}/{name}/pull/{number}")
async def show_pull(owner: str, name: str, number: int, request: Request, site: SiteDep) -> Response:
    """A pull request: what was said, its commits, checks, difference and the state of its merge."""
    _check(site, owner, name)
    issue = site.store.pull(number)
    if issue.pull is None:
        raise not_found()
    shas, changes = await compared(site, issue.pull)
    runs = site.store.check_runs.where(lambda row: row.head_sha == issue.pull_head)
    statuses = site.store.statuses.where(lambda row: row.sha == issue.pull_head)
    parts = {
        "pull": issue.pull,
        "verdict": await judge(site, issue, issue.pull),
        "commits": await history.commits(site.git, shas),
        "changes": changes,
        "runs": list({(run.app_id, run.name): run for run in runs}.values()),
        "statuses": list({status.context: status for status in statuses}.values()),
    }
    return await _thread(site, issue, request, parts)


async def _thread(site: Site, issue: Issue, request: Request, parts: dict[str, Any]) -> Response:
    return render(
        site,
        "thread.html",
        200,
        title=f"{issue.title} · #{issue.number}",
        issue=issue,
        head=thread.headline(site, issue),
        items=await thread.items(site, issue),
        who=request.query_params.get("as", "maria"),
        **(parts or {"pull": None}),
    )


@router.get("/{owner}/{name}/commit/{sha}")
async def show_commit(owner: str, name: str, sha: str, site: SiteDep) -> Response:
    """A commit with its difference."""
    _check(site, owner, name)
    found = await site.git.resolve(sha)
    if found is None:
        raise not_found()
    commit = await site.git.commit(found)
    changes = await history.changes(site.git, commit.parents[0] if commit.parents else None, found)
    return render(site, "commit.html", title=commit.message.split("\n")[0], commits=[commit], changes=changes)


@router.get("/{owner}/{name}/compare/{basehead:path}")
async def show_comparison(owner: str, name: str, basehead: str, site: SiteDep) -> Response:
    """What one side has that the other has not."""
    _check(site, owner, name)
    base_name, _, head_name = basehead.partition("...")
    base, head = await site.git.resolve(base_name), await site.git.resolve(head_name)
    fork = await history.merge_base(site.git, base, head) if base and head else None
    if head is None or fork is None:
        raise not_found()
    commits = await history.commits(site.git, await history.log(site.git, f"{base}..{head}"))
    changes = await history.changes(site.git, fork, head)
    return render(site, "commit.html", title=basehead, commits=commits, changes=changes)


@router.get("/{owner}/{name}/runs/{run_id}")
async def show_run(owner: str, name: str, run_id: int, site: SiteDep) -> Response:
    """A check run with its output."""
    _check(site, owner, name)
    run = site.store.check_runs.get(run_id)
    return render(site, "run.html", title=run.name, run=run)


@router.get("/{owner}/{name}/{view}/{ref}/{path:path}")
async def show_file(
    owner: str, name: str, view: Literal["blob", "tree", "raw"], ref: str, path: str, site: SiteDep
) -> Response:
    """A file or folder at a ref, which may itself contain slashes."""
    _check(site, owner, name)
    parts = [ref, *path.strip("/").split("/")]
    for cut in range(1, len(parts) + 1):
        commit = await site.git.resolve("/".join(parts[:cut]))
        if commit is not None:
            inside = "/".join(parts[cut:])
            return await _file(site, view, commit, "/".join(parts[:cut]), inside)
    raise not_found()


async def _file(site: Site, view: str, commit: str, ref: str, path: str) -> Response:
    entry = await site.git.entry(commit, path) if path else None
    if path and entry is None:
        raise not_found()
    if entry is None or entry.type == "tree":
        entries = await site.git.tree(f"{commit}:{path}")
        return render(site, "tree.html", title=path or ref, entries=entries, ref=ref, path=path)
    content = await site.git.blob(entry.sha)
    if view == "raw":
        return Response(content, media_type="text/plain; charset=utf-8", headers=SECURITY_HEADERS)
    text = content[:MAX_SHOWN_BYTES].decode("utf-8", "replace")
    return render(site, "file.html", title=path, ref=ref, path=path, text=text)
