"""What all routes share: the site, the actor, pages of results."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import JSONResponse

from infra.sandbox.github.auth import authenticate, see_repository
from infra.sandbox.github.site import Actor, Site

T = TypeVar("T")
MAX_PER_PAGE = 100
DEFAULT_PER_PAGE = 30


async def site_of(request: Request) -> Site:
    """The site that serves this request."""
    site: Site = request.app.state.site
    return site


SiteDep = Annotated[Site, Depends(site_of)]


async def actor_of(request: Request, site: SiteDep) -> Actor:
    """Who makes this request; raises 401."""
    return authenticate(site, request.headers.get("authorization"))


ActorDep = Annotated[Actor, Depends(actor_of)]


async def repository_guard(owner: str, repo: str, site: SiteDep, actor: ActorDep) -> None:
    """Raises 404 unless the path names the repository and the actor may see it."""
    see_repository(site, actor, owner, repo)


def reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> JSONResponse:
    """A JSON answer."""
    return JSONResponse(body, status, headers, media_type="application/json; charset=utf-8")


def _number(request: Request, name: str, default: int, highest: int) -> int:
    text = request.query_params.get(name, "")
    return max(1, min(int(text), highest)) if text.isdecimal() else default


def window(request: Request) -> tuple[int, int]:
    """The page and the page size that the query asks for; nonsense is ignored, as on GitHub."""
    per_page = _number(request, "per_page", DEFAULT_PER_PAGE, MAX_PER_PAGE)
    return _number(request, "page", 1, 10**9), per_page


def cut(request: Request, rows: Sequence[T]) -> tuple[list[T], dict[str, str]]:
    """The rows of the page asked for, and the Link header to its neighbours."""
    page, per_page = window(request)
    last = max(1, -(-len(rows) // per_page))
    links: list[str] = []
    targets = [("prev", page - 1), ("next", page + 1), ("last", last), ("first", 1)]
    for name, number in targets:
        backwards = name in {"prev", "first"}
        if (backwards and page > 1) or (not backwards and page < last):
            links.append(f'<{_page_url(request, number)}>; rel="{name}"')
    start = (page - 1) * per_page
    return list(rows[start : start + per_page]), {"Link": ", ".join(links)} if links else {}


def _page_url(request: Request, page: int) -> str:
    site: Site = request.app.state.site
    query = [(key, value) for key, value in request.query_params.multi_items() if key != "page"]
    return f"{site.base_url}{request.url.path}?{urlencode([*query, ('page', str(page))])}"


def page_of(request: Request, rows: Sequence[T], view: Callable[[T], Any]) -> JSONResponse:
    """One page of rows as a JSON list."""
    chosen, headers = cut(request, rows)
    return reply([view(row) for row in chosen], headers=headers)


async def page_of_async(request: Request, rows: Sequence[T], view: Callable[[T], Awaitable[Any]]) -> JSONResponse:
    """One page of rows whose view must ask git."""
    chosen, headers = cut(request, rows)
    return reply([await view(row) for row in chosen], headers=headers)


def counted(request: Request, key: str, rows: Sequence[T], view: Callable[[T], Any], **more: Any) -> JSONResponse:
    """One page of rows within an object that also counts them all."""
    chosen, headers = cut(request, rows)
    return reply({"total_count": len(rows), **more, key: [view(row) for row in chosen]}, headers=headers)
