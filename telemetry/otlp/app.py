"""OTLP/HTTP of the OpenTelemetry protocol specification 1.x, as a web application over a receiver."""

import contextlib
from collections.abc import Callable, Mapping

from google.rpc import code_pb2
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from telemetry.otlp.body import Body, coding_of, read_body
from telemetry.otlp.codec import Encoding, encode_status, encoding_of
from telemetry.otlp.errors import RefusedError
from telemetry.otlp.receiver import Receiver, ReceiverLimits
from telemetry.otlp.room import Share
from telemetry.state import TelemetryState

_PREFIX = "/v1/"
_ELSEWHERE = f"{_PREFIX}…"
_CLIENT_CLOSED = 499


class _MethodError(RefusedError):
    """The method is not POST."""

    status = 405
    code = code_pb2.UNIMPLEMENTED


class _NoSignalError(RefusedError):
    """The path is not that of a signal."""

    status = 404
    code = code_pb2.NOT_FOUND


def create_receiver(
    state: TelemetryState,
    limits: ReceiverLimits | None = None,
    tokens: Mapping[str, str] | None = None,
    *,
    is_overloaded: Callable[[], bool] = lambda: False,
) -> "OtlpHttp":
    """Return a receiver of its own over HTTP; for the arguments see `Receiver`."""
    return OtlpHttp(Receiver(state, limits, tokens, is_overloaded=is_overloaded))


class OtlpHttp:
    """The ASGI application of a receiver: everything below `/v1/`, what else is asked for goes to `rest`.

    No routes of a framework: its routing and middleware cost a tenth of what taking a batch of 512 spans does.
    """

    def __init__(self, receiver: Receiver, rest: ASGIApp | None = None) -> None:
        self._receiver = receiver
        self._signals = {signal.path: signal for signal in receiver.signals}
        self._rest = rest or Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; what goes wrong inside is answered with a Status of 500, then raised for the server to log."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            await self._rest(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response = await self._answer(request)
        except Exception:
            refusal = RefusedError("the receiver failed; its log says why")
            await self._refuse(request, refusal)(scope, receive, send)
            raise
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            if request.method != "POST":
                raise _MethodError("telemetry is sent by POST", headers={"Allow": "POST"})
            encoding = encoding_of(request.headers.get("content-type", ""))
            content = await self._take(request, encoding)
        except RefusedError as refusal:
            return self._refuse(request, refusal)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_CLOSED)
        return Response(content, headers={"Content-Type": encoding})

    async def _take(self, request: Request, encoding: Encoding) -> bytes:
        signal = self._signals.get(request.scope["path"])
        if signal is None:
            raise _NoSignalError("this is not the path of traces, metrics or logs")
        headers, limit = request.headers, self._receiver.limits.max_body_bytes

        async def read(share: Share) -> Body:
            coding = coding_of(headers.get("content-encoding", ""))
            return await read_body(request.stream(), coding, limit, share, declared=_declared(request))

        return await self._receiver.take(signal, headers.get("authorization", ""), read, encoding)

    def _refuse(self, request: Request, refusal: RefusedError) -> Response:
        path = request.scope["path"]
        self._receiver.refuse(refusal, path if path in self._signals else _ELSEWHERE)
        encoding = Encoding.JSON  # for those whose own we cannot tell; a person with curl reads it best
        if request.method == "POST":
            with contextlib.suppress(RefusedError):
                encoding = encoding_of(request.headers.get("content-type", ""))
        content = encode_status(refusal.code, refusal.message, encoding)
        return Response(content, refusal.status, {**refusal.headers, "Content-Type": encoding})


def _declared(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None
