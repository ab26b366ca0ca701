"""Guarding the pages: only this site's own forms may act, and only under its own name."""

import ipaddress
from urllib.parse import urlsplit

from fastapi import Request

from infra.sandbox.github.api.deps import SiteDep
from infra.sandbox.github.errors import ApiError

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def is_own_host(host: str, base_url: str) -> bool:
    """Whether a Host header names this site: its own address, or the machine itself."""
    if host == urlsplit(base_url).netloc:
        return True
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


async def guard_page(request: Request, site: SiteDep) -> None:
    """Raises 403 for a foreign Host (DNS rebinding) and for forms of other sites (CSRF)."""
    host = request.headers.get("host", "")
    if not is_own_host(host, site.base_url):
        raise ApiError(403, "This page answers under its own address only.")
    if request.method == "GET":
        return
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        raise ApiError(403, "This form was sent by another site.")
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise ApiError(403, "This form was sent by another site.")
