"""Signing in: the token once, in a form; from then on a session cookie that scripts cannot read."""

from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from dashboard.access import COOKIE, SESSION_S, TRIES_OVER_S, Access
from dashboard.headers import POLICY

PAGE: Final = Path(__file__).parent / "static" / "login.html"
FORM_BYTES: Final = 4096
_PROBLEM: Final = "<!-- problem -->"
_HEADERS: Final = {"Content-Security-Policy": POLICY.replace("form-action 'none'", "form-action 'self'")}

TOO_MANY_TRIES = "Too many wrong tokens were given. Try again in a minute."


def login_routes(access: Access) -> APIRouter:
    """Return `/api/session`, which tells everybody whether they are signed in, and the forms where there is a token."""
    router = APIRouter(include_in_schema=False)

    @router.get("/api/session")
    async def session(request: Request) -> dict[str, bool]:
        return {"needed": access.needs_sign_in, "signed_in": access.is_signed_in(request)}

    _ = session
    if not access.needs_sign_in:
        return router

    @router.get("/login")
    async def form() -> HTMLResponse:
        return _page("")

    @router.post("/login")
    async def sign_in(request: Request) -> Response:
        _must_be_ours(request)
        if access.is_locked():
            after = {"Retry-After": str(int(TRIES_OVER_S))}
            return _page(TOO_MANY_TRIES, HTTPStatus.TOO_MANY_REQUESTS, after)
        session = access.sign_in(await _token(request))
        if session is None:
            return _page("This is not the token. It is the value of SRE_SPACE_DASHBOARD_TOKEN.", HTTPStatus.FORBIDDEN)
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, session, max_age=SESSION_S, httponly=True, samesite="strict", secure=secure)
        return answer

    @router.post("/logout", status_code=HTTPStatus.NO_CONTENT)
    async def sign_out(request: Request) -> Response:
        _must_be_ours(request)
        answer = Response(status_code=HTTPStatus.NO_CONTENT)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    _ = (form, sign_in, sign_out)
    return router


def _page(problem: str, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> HTMLResponse:
    said = f'<p class="problem" role="alert">{problem}</p>' if problem else ""
    html = PAGE.read_text(encoding="utf-8").replace(_PROBLEM, said)
    return HTMLResponse(html, status, {**_HEADERS, **(headers or {})})


def _must_be_ours(request: Request) -> None:
    """Refuse a form that another site sends."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(HTTPStatus.FORBIDDEN, "This form was sent by another site.")


async def _token(request: Request) -> str:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The form is too large.")
    values = parse_qs(body.decode("utf-8", "replace")).get("token", [""])
    return values[0].strip()
