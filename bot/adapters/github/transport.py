"""The connection pool that all calls to GitHub share."""

import httpx

from bot.adapters.github.calls import count_one
from bot.observability.observer import Observer

CONNECT_TIMEOUT_S = 5.0
DEFAULT_RETRY_AFTER_S = "60"


class Transport(httpx.AsyncBaseTransport):
    """A pool that outlives githubkit's clients, counts and times every request, and repairs what githubkit cannot read.

    githubkit opens and closes a client per call unless one was entered in the same context; closing it must not
    close the pool, so `aclose` does nothing and `shut` ends it.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport | None = None, observer: Observer | None = None) -> None:
        limits = httpx.Limits(max_connections=20, max_keepalive_connections=10)
        self._observer = observer or Observer()
        self._inner = inner or httpx.AsyncHTTPTransport(limits=limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and count it. A `Retry-After` that is no number (a proxy's date) becomes a minute."""
        count_one()
        with self._observer.github_call(request.method, request.url.path) as answered:
            response = await self._inner.handle_async_request(request)
            answered.status = response.status_code
        self._observer.github_limit(response.headers)
        if not response.headers.get("retry-after", "0").isdigit():
            response.headers["retry-after"] = DEFAULT_RETRY_AFTER_S
        return response

    async def aclose(self) -> None:
        """Do nothing; see the class."""

    async def shut(self) -> None:
        """Close the pool."""
        await self._inner.aclose()
