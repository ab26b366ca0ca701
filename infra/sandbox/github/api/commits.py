"""Commits, comparisons, and the pull requests a commit belongs to."""

from fastapi import APIRouter, Depends, Request, Response

from infra.sandbox.github import clock
from infra.sandbox.github.api.deps import ActorDep, SiteDep, cut, page_of, reply, repository_guard
from infra.sandbox.github.errors import ApiError, not_found, unprocessable
from infra.sandbox.github.git import history
from infra.sandbox.github.mergeability import compared
from infra.sandbox.github.permissions import require
from infra.sandbox.github.site import Site
from infra.sandbox.github.views import commits as views
from infra.sandbox.github.views.pulls import pull_simple

router = APIRouter(prefix="/repos/{owner}/{repo}", dependencies=[Depends(repository_guard)])


def _time(name: str, text: str | None) -> list[str]:
    if not text:
        return []
    try:
        return [f"--{name}={int(clock.parse(text).timestamp())}"]
    except ValueError as error:
        raise unprocessable(f"Invalid request.\n\n{name} is not a valid date-time.") from error


@router.get("/commits")
async def list_commits(
    request: Request,
    site: SiteDep,
    actor: ActorDep,
    sha: str = "",
    path: str = "",
    since: str | None = None,
    until: str | None = None,
    author: str = "",
) -> Response:
    """The commits reachable from a branch or sha, newest first."""
    require(site, actor, "read", "contents")
    start = await site.git.resolve(sha or site.repository.default_branch)
    if start is None:
        raise not_found()
    options = [*_time("since", since), *_time("until", until)]
    if author:
        account = site.store.user(author)
        email = account.email if account and account.email else author
        options += [f"--author={email}", "--fixed-strings"]
    shas = await history.log(site.git, start, *options, path=path.strip("/") or None)
    chosen, headers = cut(request, shas)
    rows = await history.commits(site.git, chosen)
    return reply([views.commit(site, row) for row in rows], headers=headers)


@router.get("/commits/{sha}/pulls")
async def pulls_of_commit(sha: str, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """The pull requests that hold the commit, or made it by merging."""
    require(site, actor, "read", "pull_requests")
    commit = await site.git.resolve(sha)
    if commit is None:
        raise unprocessable(f"No commit found for SHA: {sha}")
    found: list[dict[str, object]] = []
    for issue in site.store.issues:
        if issue.pull is None:
            continue
        shas, _ = await compared(site, issue.pull)
        if commit == issue.pull.merge_commit_sha or commit in shas:
            found.append(pull_simple(site, issue, issue.pull))
    return page_of(request, found, lambda row: row)


@router.get("/commits/{ref:path}")
async def get_commit(ref: str, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """One commit with its files; its diff, patch or sha when the Accept header asks for that."""
    require(site, actor, "read", "contents")
    sha = await site.git.resolve(ref)
    if sha is None:
        raise unprocessable(f"No commit found for SHA: {ref}")
    commit = await site.git.commit(sha)
    before = commit.parents[0] if commit.parents else None
    accept = request.headers.get("accept", "")
    if "sha" in accept:
        return Response(sha, media_type="application/vnd.github.sha; charset=utf-8")
    if "diff" in accept or "patch" in accept:
        return Response(await history.diff(site.git, before, sha), media_type="text/plain; charset=utf-8")
    return reply(views.commit(site, commit, await history.changes(site.git, before, sha)))


@router.get("/compare/{basehead:path}")
async def compare(basehead: str, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """What the head has that the base has not, from their merge base."""
    require(site, actor, "read", "contents")
    base_ref, dots, head_ref = basehead.partition("...")
    base, head = await _side(site, base_ref), await _side(site, head_ref)
    if not dots or base is None or head is None:
        raise not_found()
    fork = await history.merge_base(site.git, base, head)
    if fork is None:
        raise ApiError(404, f"No common ancestor between {base_ref} and {head_ref}.")
    if "diff" in request.headers.get("accept", ""):
        return Response(await history.diff(site.git, fork, head), media_type="text/plain; charset=utf-8")
    ahead = await history.log(site.git, f"{base}..{head}", "--reverse", "--topo-order")
    behind = len(await history.log(site.git, f"{head}..{base}"))
    chosen, headers = cut(request, ahead)
    span = f"{site.repo_html}/compare/{base_ref}...{head_ref}"
    status = {(0, 0): "identical", (1, 0): "ahead", (0, 1): "behind"}
    return reply(
        {
            "url": f"{site.repo_api}/compare/{base_ref}...{head_ref}",
            "html_url": span,
            "permalink_url": f"{site.repo_html}/compare/{base[:7]}...{head[:7]}",
            "diff_url": f"{span}.diff",
            "patch_url": f"{span}.patch",
            "base_commit": views.commit(site, await site.git.commit(base)),
            "merge_base_commit": views.commit(site, await site.git.commit(fork)),
            "status": status.get((min(len(ahead), 1), min(behind, 1)), "diverged"),
            "ahead_by": len(ahead),
            "behind_by": behind,
            "total_commits": len(ahead),
            "commits": [views.commit(site, row) for row in await history.commits(site.git, chosen)],
            "files": views.files(site, head, await history.changes(site.git, fork, head)),
        },
        headers=headers,
    )


async def _side(site: Site, text: str) -> str | None:
    owner, colon, ref = text.rpartition(":")
    if colon and owner.split(":")[0].lower() != site.owner.login.lower():
        return None
    return await site.git.resolve(ref)
