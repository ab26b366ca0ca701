"""HTTP client for calls between services: CLIENT spans, trace context, a deadline."""

from http import HTTPStatus

import httpx
from opentelemetry.propagate import inject
from opentelemetry.trace import SpanKind, Status, StatusCode

from shop.telemetry import Telemetry, record_failure

KEEP_ALIVE_S = 30
# A server that restarts closes idle connections; a GET that meets one of them is sent once more.
CONNECTION_CLOSED = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class ServiceClient:
    """Calls one downstream service."""

    def __init__(self, name: str, base_url: str, timeout_s: float, telemetry: Telemetry) -> None:
        self._name = name
        self._tracer = telemetry.tracer
        self._http = httpx.AsyncClient(
            base_url=base_url,
            timeout=timeout_s,
            trust_env=False,
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=64, keepalive_expiry=KEEP_ALIVE_S
            ),
        )

    async def get(self, template: str, path: str, params: dict[str, str | int]) -> httpx.Response:
        """Returns the response to a GET; `template` names the operation, such as `/price/{sku}`.

        Raises:
            httpx.TimeoutException: The downstream did not answer in time.
            httpx.TransportError: The downstream could not be reached.
        """
        url = self._http.base_url
        attributes = {
            "http.request.method": "GET",
            "url.full": f"{str(url).rstrip('/')}{path}",
            "url.template": template,
            "server.address": url.host,
            "server.port": url.port or 80,
            "peer.service": self._name,
        }
        with self._tracer.start_as_current_span(
            f"GET {template}",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            headers: dict[str, str] = {}
            inject(headers)
            try:
                response = await self._send(path, params, headers)
            except httpx.TransportError as error:
                record_failure(span, error)
                raise
            span.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                span.set_attribute("error.type", str(response.status_code))
                span.set_status(Status(StatusCode.ERROR))
            return response

    async def _send(self, path: str, params: dict, headers: dict[str, str]) -> httpx.Response:
        try:
            return await self._http.get(path, params=params, headers=headers)
        except CONNECTION_CLOSED:
            return await self._http.get(path, params=params, headers=headers)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()
