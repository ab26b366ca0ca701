"""HTTP client for calls between services: CLIENT spans, trace context, a deadline."""

from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import aiohttp
from opentelemetry.propagate import inject
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from yarl import URL

from shop.telemetry import Telemetry, record_failure

KEEP_ALIVE_S = 30
DEFAULT_PORT = 80


class DownstreamError(Exception):
    """A downstream gave no answer that could be used."""


class DownstreamTimeoutError(DownstreamError):
    """A downstream did not answer in time."""


class DownstreamUnavailableError(DownstreamError):
    """A downstream could not be reached."""


class DownstreamStatusError(DownstreamError):
    """A downstream answered with an error `status`."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class ServiceClient:
    """Calls one downstream service; an async context manager."""

    def __init__(self, name: str, base_url: str, timeout_s: float, telemetry: Telemetry) -> None:
        self._name = name
        self._base_url = URL(base_url)
        self._timeout_s = timeout_s
        self._tracer = telemetry.tracer
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S)
        self._session = aiohttp.ClientSession(
            self._base_url, connector=connector, timeout=aiohttp.ClientTimeout(total=self._timeout_s)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get_json(self, template: str, path: str, params: dict[str, str | int]) -> Any:
        """Returns the decoded JSON answer to a GET.

        Args:
            template: The operation, such as `/price/{sku}`.
            path: The path itself.
            params: The query.

        Raises:
            DownstreamError: There was no answer in time, none at all, or one with an error status.
        """
        with self._tracer.start_as_current_span(
            f"GET {template}",
            kind=SpanKind.CLIENT,
            attributes={
                "http.request.method": "GET",
                "url.full": str(self._base_url.with_path(path)),
                "url.template": template,
                "server.address": self._base_url.host or "",
                "server.port": self._base_url.port or DEFAULT_PORT,
                "peer.service": self._name,
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                return await self._send(span, path, params)
            except (DownstreamTimeoutError, DownstreamUnavailableError) as error:
                record_failure(span, error)
                raise

    async def _send(self, span: Span, path: str, params: dict[str, str | int]) -> Any:
        headers: dict[str, str] = {}
        inject(headers)
        try:
            async with self._session.get(path, params=params, headers=headers) as response:
                span.set_attribute("http.response.status_code", response.status)
                if response.status < HTTPStatus.BAD_REQUEST:
                    return await response.json()
                await response.read()
        except TimeoutError as error:
            message = f"{self._name} did not answer within {self._timeout_s} s"
            raise DownstreamTimeoutError(message) from error
        except aiohttp.ClientError as error:
            raise DownstreamUnavailableError(f"{self._name} cannot be reached: {error}") from error
        span.set_attribute("error.type", str(response.status))
        span.set_status(Status(StatusCode.ERROR))
        raise DownstreamStatusError(f"{self._name} answered {response.status}", response.status)
