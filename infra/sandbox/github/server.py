"""The application put together from its parts."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException

from infra.sandbox.github import control, forms, githttp, manifest, pages
from infra.sandbox.github.api import (
    apps,
    checks,
    comments,
    commits,
    contents,
    git_data,
    graphql,
    hook,
    issues,
    labels,
    meta,
    pulls,
    reactions,
    refs,
    repos,
    reviews,
    search,
    teams,
)
from infra.sandbox.github.api.deps import reply
from infra.sandbox.github.errors import ApiError, not_found
from infra.sandbox.github.limits import RateLimits
from infra.sandbox.github.middleware import API, ApiShell
from infra.sandbox.github.requestlog import RequestLog
from infra.sandbox.github.site import Site

log = structlog.get_logger(__name__)

ROUTERS = (
    control.router,
    githttp.router,
    apps.router,
    hook.router,
    meta.router,
    search.router,
    teams.router,
    graphql.router,
    checks.router,
    comments.router,
    reactions.router,
    labels.router,
    issues.router,
    pulls.router,
    reviews.router,
    refs.router,
    git_data.router,
    contents.router,
    commits.router,
    repos.router,
    manifest.router,
    forms.router,
    pages.router,
)
"""In order: of two routes that match a path, the first is taken."""


def create_app(site: Site, rate_limit: int, on_ready: Callable[[], Awaitable[None]] | None = None) -> FastAPI:
    """The application of one site; `on_ready` runs when webhooks can be sent."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await site.dispatcher.start()
        if on_ready:
            await on_ready()
        yield
        await site.dispatcher.stop()
        site.store.close()

    app = FastAPI(title="GitHub stand-in", lifespan=lifespan, openapi_url=None, redirect_slashes=False)
    app.state.site = site
    app.state.limits = RateLimits(rate_limit)
    app.state.request_log = RequestLog()
    app.state.write_lock = asyncio.Lock()
    for router in ROUTERS:
        app.include_router(router)
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_middleware(
        ApiShell,
        site=site,
        limits=app.state.limits,
        log=app.state.request_log,
        write_lock=app.state.write_lock,
    )
    return app


def _answer(request: Request, error: ApiError) -> Response:
    """The error as JSON, as a page for a person, or as the line that git shows after "remote:"."""
    if ".git/" in request.url.path:
        return PlainTextResponse(error.message, error.status, error.headers)
    if API.match(request.url.path) or "text/html" not in request.headers.get("accept", ""):
        return reply(error.body(), error.status, error.headers)
    return pages.error_page(request.app.state.site, error)


async def _api_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    return _answer(request, error)


async def _http_error(request: Request, error: Exception) -> Response:
    """Unknown paths and methods: GitHub says 404 to both."""
    if not isinstance(error, HTTPException):
        raise error
    known = not_found() if error.status_code in {404, 405} else ApiError(error.status_code, str(error.detail))
    return _answer(request, known)


async def _invalid_request(request: Request, error: Exception) -> Response:
    """Bad JSON is 400; a number that is none in the path is 404; all else is 422."""
    if not isinstance(error, RequestValidationError):
        raise error
    problems = error.errors()
    places = {str(problem["loc"][0]) for problem in problems}
    if any(problem["type"] == "json_invalid" for problem in problems):
        answer = ApiError(400, "Problems parsing JSON")
    elif "path" in places:
        answer = not_found()
    else:
        lines = [f"{_where(problem['loc'])}: {problem['msg']}" for problem in problems]
        answer = ApiError(422, "Invalid request.\n\n" + "\n".join(lines))
    return _answer(request, answer)


def _where(location: tuple[object, ...]) -> str:
    return ".".join(str(part) for part in location[1:]) or "body"
