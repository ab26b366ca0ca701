"""OTLP/HTTP of the OpenTelemetry protocol specification 1.x, as a web application over a receiver."""

from collections.abc import Awaitable, Callable, Mapping

from google.rpc import code_pb2
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from telemetry.otlp.body import read_body
from telemetry.otlp.codec import Encoding, encode_status, encoding_of
from telemetry.otlp.errors import RefusedError
from telemetry.otlp.receiver import OtlpSignal, Receiver, ReceiverLimits
from telemetry.otlp.room import Share
from telemetry.state import TelemetryState

_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
_CLIENT_CLOSED = 499

Answer = Callable[[Request, Encoding], Awaitable[bytes]]


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
) -> Starlette:
    """Return a receiver of its own over HTTP; for the arguments see `Receiver`."""
    return http_receiver(Receiver(state, limits, tokens, is_overloaded=is_overloaded))


def http_receiver(receiver: Receiver) -> Starlette:
    """Return the application of a receiver, to which other routes may be added outside `/v1/`.

    What goes wrong inside is answered with a Status of 500, then raised for the server to log.
    """

    async def fail(request: Request, _: Exception) -> Response:
        refusal = RefusedError("the receiver failed; its log says why")
        receiver.refuse(refusal, request.url.path)
        try:
            encoding = encoding_of(request.headers.get("content-type", ""))
        except RefusedError:
            encoding = Encoding.JSON
        return _refusal(refusal, encoding)

    routes = [_route(receiver, signal.path, _taking(receiver, signal)) for signal in receiver.signals]
    return Starlette(
        routes=[*routes, _route(receiver, "/v1/{rest:path}", _no_signal)], exception_handlers={Exception: fail}
    )


def _taking(receiver: Receiver, signal: OtlpSignal) -> Answer:
    async def take(request: Request, encoding: Encoding) -> bytes:
        def read(share: Share) -> Awaitable[bytes]:
            return read_body(
                request.stream(),
                request.headers.get("content-encoding", ""),
                receiver.limits.max_body_bytes,
                share,
                declared=_declared(request),
            )

        return await receiver.take(signal, request.headers.get("authorization", ""), read, encoding)

    return take


async def _no_signal(_request: Request, _encoding: Encoding) -> bytes:
    raise _NoSignalError("this is not the path of traces, metrics or logs")


def _route(receiver: Receiver, path: str, answer: Answer) -> Route:
    async def endpoint(request: Request) -> Response:
        encoding = Encoding.JSON  # for those whose own we cannot tell; a person with curl reads it best
        try:
            if request.method != "POST":
                raise _MethodError("telemetry is sent by POST", headers={"Allow": "POST"})
            encoding = encoding_of(request.headers.get("content-type", ""))
            content = await answer(request, encoding)
        except RefusedError as refusal:
            receiver.refuse(refusal, path)
            return _refusal(refusal, encoding)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_CLOSED)
        return Response(content, headers={"Content-Type": encoding})

    return Route(path, endpoint, methods=_METHODS)


def _refusal(refusal: RefusedError, encoding: Encoding) -> Response:
    content = encode_status(refusal.code, refusal.message, encoding)
    return Response(content, refusal.status, {**refusal.headers, "Content-Type": encoding})


def _declared(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None
