"""The forms of the pages: the same rules and the same webhooks as the API, in the name of a seeded user."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse

from infra.sandbox.github.api.deps import SiteDep
from infra.sandbox.github.api.pulls import require_merge
from infra.sandbox.github.auth import role_of
from infra.sandbox.github.domain import issues, merges, pulls
from infra.sandbox.github.errors import ApiError, not_found
from infra.sandbox.github.pageguard import guard_page
from infra.sandbox.github.permissions import require
from infra.sandbox.github.records.accounts import Role
from infra.sandbox.github.records.work import Issue
from infra.sandbox.github.site import Actor, Site


async def one_at_a_time(request: Request) -> AsyncGenerator[None]:
    """Holds the lock that the API's writes hold, too."""
    lock: asyncio.Lock = request.app.state.write_lock
    async with lock:
        yield


async def right_repository(owner: str, name: str, site: SiteDep) -> None:
    """Raises 404 for any other repository."""
    if f"{owner}/{name}".lower() != site.full_name.lower():
        raise not_found()


router = APIRouter(
    prefix="/{owner}/{name}",
    dependencies=[Depends(guard_page), Depends(right_repository), Depends(one_at_a_time)],
)

MAX_FORM_BYTES = 300_000


async def form_of(request: Request) -> dict[str, str]:
    """The fields of the form, each once."""
    body = await request.body()
    if len(body) > MAX_FORM_BYTES:
        raise ApiError(413, "That is too long.")
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {key: values[0].replace("\r\n", "\n") for key, values in fields.items()}


Form = Annotated[dict[str, str], Depends(form_of)]


async def person_of(form: Form, site: SiteDep) -> Actor:
    """The user chosen in the form; only people can be chosen, and only those who see the repository."""
    account = site.store.user(form.get("login", ""))
    if account is None or account.type != "User":
        raise ApiError(422, "Choose who you are.")
    actor = Actor(account)
    if role_of(site, actor) is Role.NONE:
        raise not_found()
    return actor


Person = Annotated[Actor, Depends(person_of)]


def _back(site: Site, issue: Issue, actor: Actor, anchor: str = "end") -> RedirectResponse:
    kind = "pull" if issue.pull else "issues"
    address = f"{site.repo_html}/{kind}/{issue.number}?as={quote(actor.user.login)}#{anchor}"
    return RedirectResponse(address, 303)


@router.post("/issues")
async def new_issue(form: Form, actor: Person, site: SiteDep) -> RedirectResponse:
    """Opens an issue."""
    require(site, actor, "write", "issues", role=Role.READ)
    title = form.get("title", "").strip()
    if not title:
        raise ApiError(422, "An issue needs a title.")
    names = [name.strip() for name in form.get("labels", "").split(",") if name.strip()]
    labels = names if actor.user.role.rank >= Role.TRIAGE.rank else []
    issue = await issues.open_issue(site, actor, title, form.get("body", ""), labels)
    return _back(site, issue, actor)


@router.post("/issues/{number}/comments")
async def new_comment(number: int, form: Form, actor: Person, site: SiteDep) -> RedirectResponse:
    """Comments on an issue or pull request."""
    require(site, actor, "write", "issues", role=Role.READ)
    if not form.get("body", "").strip():
        raise ApiError(422, "A comment needs a text.")
    issue = site.store.issue(number)
    row = issues.comment(site, actor, issue, form["body"])
    return _back(site, issue, actor, f"issuecomment-{row.id}")


@router.post("/issues/{number}/state")
async def set_state(number: int, form: Form, actor: Person, site: SiteDep) -> RedirectResponse:
    """Closes or reopens."""
    issue = site.store.issue(number)
    own = issue.user_id == actor.user.id
    require(site, actor, "write", "issues", role=Role.READ if own else Role.TRIAGE)
    if form.get("body", "").strip():
        issues.comment(site, actor, issue, form["body"])
        issue = site.store.issue(number)
    if form.get("state") == "closed":
        issue = await issues.close(site, actor, issue)
    elif issue.pull:
        issue = await pulls.reopen(site, actor, issue, issue.pull)
    else:
        issue = await issues.reopen(site, actor, issue)
    return _back(site, issue, actor)


@router.post("/pull/{number}/reviews")
async def new_review(number: int, form: Form, actor: Person, site: SiteDep) -> RedirectResponse:
    """Reviews a pull request."""
    require(site, actor, "write", "pull_requests", role=Role.READ)
    issue = site.store.pull(number)
    event = form.get("event", "")
    if event not in pulls.REVIEW_EVENTS:
        raise ApiError(422, "Unknown kind of review.")
    row = pulls.review(site, actor, issue, event, form.get("body", ""), None)
    await merges.merge_waiting(site)
    return _back(site, issue, actor, f"pullrequestreview-{row.id}")


@router.post("/pull/{number}/merge")
async def merge(number: int, form: Form, actor: Person, site: SiteDep) -> RedirectResponse:
    """Merges the head that the page showed."""
    require_merge(site, actor)
    issue = site.store.pull(number)
    await merges.merge_pull(site, actor, issue, "merge", form.get("sha"))
    return _back(site, issue, actor)
