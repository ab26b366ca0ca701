"""Who may see the dashboard: everybody on this machine, or who has signed in with the token."""

import hashlib
import hmac
import ipaddress
import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from fastapi import HTTPException, Request

COOKIE: Final = "sre_space_session"
SESSION_S: Final = 12 * 3600
TRIES: Final = 10
TRIES_OVER_S: Final = 60.0


class Access:
    """With a token: a session cookie, or the token as bearer token. Without one: requests to a loopback name only.

    The check of the name keeps out DNS rebinding: a page elsewhere whose name was made to resolve to 127.0.0.1
    is same-origin with us for the browser, but its requests still carry its own name in `Host`.
    """

    def __init__(self, token: str | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._token = None if token is None else token.encode()
        self._clock = clock
        self._failed: deque[float] = deque(maxlen=TRIES)

    @property
    def needs_sign_in(self) -> bool:
        """Return whether there is a token to sign in with."""
        return self._token is not None

    async def admit(self, request: Request) -> None:
        """Let a request pass.

        Raises:
            HTTPException: 401 when it is not signed in, 421 when its Host is not a name of this machine.
        """
        if self._token is None:
            if not is_loopback_name(request.headers.get("host", "")):
                raise HTTPException(
                    HTTPStatus.MISDIRECTED_REQUEST,
                    "The dashboard is served to this machine only. Open it at http://127.0.0.1 or http://localhost, "
                    "or set SRE_SPACE_DASHBOARD_TOKEN.",
                )
        elif not self.is_signed_in(request):
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                "Sign in at /login, or send the dashboard's token as bearer token.",
                {"WWW-Authenticate": "Bearer"},
            )

    def is_signed_in(self, request: Request) -> bool:
        """Return whether the request carries a live session, or the token."""
        if self._token is None:
            return True
        given = request.headers.get("authorization", "").encode("utf-8", "surrogateescape")
        if hmac.compare_digest(b"Bearer " + self._token, given):
            return True
        return self._is_session(request.cookies.get(COOKIE, ""))

    def is_locked(self) -> bool:
        """Return whether too many wrong tokens were given lately, by whomever."""
        return len(self._failed) == TRIES and self._clock() - self._failed[0] < TRIES_OVER_S

    def sign_in(self, given: str) -> str | None:
        """Return a session for the right token, None for a wrong one."""
        if self._token is None or not hmac.compare_digest(self._token, given.encode("utf-8", "surrogateescape")):
            self._failed.append(self._clock())
            return None
        until = str(int(self._clock()) + SESSION_S)
        return f"{until}.{self._seal(until)}"

    def _is_session(self, cookie: str) -> bool:
        until, _, seal = cookie.partition(".")
        if not hmac.compare_digest(self._seal(until).encode(), seal.encode("utf-8", "surrogateescape")):
            return False
        return until.isdecimal() and self._clock() < int(until)

    def _seal(self, until: str) -> str:
        message = b"sre-space dashboard session " + until.encode("utf-8", "surrogateescape")
        return hmac.digest(self._token or b"", message, hashlib.sha256).hex()


def is_loopback_name(host: str) -> bool:
    """Return whether a Host header names this machine's loopback interface; the port does not matter."""
    name = host.strip().lower()
    name = name[1 : name.find("]")] if name.startswith("[") and "]" in name else name.rpartition(":")[0] or name
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
