"""OTLP/gRPC of the OpenTelemetry protocol specification 1.x, as a server over a receiver.

A burst of calls beyond what the gRPC library queues is answered by the library itself with CANCELLED, which OTLP's
clients try again as well; such calls never reach the receiver and are not among its refusals.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

import grpc
import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc import aio

from telemetry.errors import SreSpaceError
from telemetry.otlp.body import Body, Coding
from telemetry.otlp.codec import Encoding
from telemetry.otlp.errors import OverloadedError, RefusedError
from telemetry.otlp.receiver import OtlpSignal, Receiver
from telemetry.otlp.room import Share

log = structlog.get_logger()

_CODES: Final = {cast("int", code.value[0]): code for code in grpc.StatusCode}
_DETAILS: Final = "grpc-status-details-bin"
_GZIP_MAGIC: Final = b"\x1f\x8b"  # begins no protobuf message: there is no wire type 7
_IDENTITY_AND_GZIP: Final = 0b101


class PortTakenError(SreSpaceError):
    """The address cannot be listened on."""


class _NoMessageError(SreSpaceError):
    """A call ended before its message."""


class GrpcServer:
    """The gRPC side of a receiver, in the event loop that starts it."""

    def __init__(self, receiver: Receiver) -> None:
        limits = receiver.limits
        self._server = aio.server(
            options=[
                ("grpc.max_receive_message_length", limits.max_message_bytes),
                # gRPC has no limit for what a message decompresses to: ours is counted while we do it ourselves.
                ("grpc.per_message_decompression", 0),
                ("grpc.compression_enabled_algorithms_bitset", _IDENTITY_AND_GZIP),
                ("grpc.so_reuseport", 0),  # or a second server would take half of the connections without a word
            ]
        )
        # Messages are read in the C library, beyond our room: so few at a time that they cannot exceed it.
        reading = asyncio.Semaphore(max(1, limits.max_bytes_in_flight // limits.max_message_bytes))
        methods = {signal.method: _handler(receiver, signal, reading) for signal in receiver.signals}
        self._server.add_generic_rpc_handlers((_Methods(methods),))

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port: a free one for 0. Raises PortTakenError."""
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            bound = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise PortTakenError(f"{address} cannot be listened on") from error
        await self._server.start()
        return bound

    async def stop(self, grace_s: float) -> None:
        """Take no more requests, and cut off those that last longer than `grace_s`."""
        await self._server.stop(grace_s)


class _Methods(grpc.GenericRpcHandler):
    """Handlers by method; requests and responses stay bytes, as the receiver decodes them."""

    def __init__(self, handlers: dict[str, Any]) -> None:
        self._handlers = handlers

    def service(self, handler_call_details: Any) -> Any:
        """Return the handler of a call, None where there is none (UNIMPLEMENTED)."""
        return self._handlers.get(handler_call_details.method)


def _handler(receiver: Receiver, signal: OtlpSignal, reading: asyncio.Semaphore) -> Any:
    """Return the handler of a signal.

    On the wire a unary call is a stream of one message. Declared as a stream, it is ours before the message is read.
    """

    async def export(_requests: object, context: Any) -> bytes:
        receiver.handed_over()

        async def read(share: Share) -> Body:
            async with reading:
                message = await context.read()
                return _body(message, receiver.limits.max_body_bytes, share)

        try:
            return await receiver.take(signal, _authorization(context), read, Encoding.PROTOBUF)
        except _NoMessageError:  # the client is gone, or its message is too large: gRPC has answered that
            return await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the call has no message")
        except RefusedError as refusal:
            receiver.refuse(refusal, signal.method)
            refused = refusal
        except Exception:
            log.exception("telemetry_failed", where=signal.method)
            refused = RefusedError("the receiver failed; its log says why")
            receiver.refuse(refused, signal.method)
        return await context.abort(_CODES[refused.code], refused.message, _details(refused))

    return cast("Callable[..., Any]", grpc.stream_unary_rpc_method_handler)(export)


def _body(message: object, limit: int, share: Share) -> Body:
    if not isinstance(message, bytes):
        raise _NoMessageError
    body = Body(message, Coding.GZIP if message.startswith(_GZIP_MAGIC) else Coding.IDENTITY, limit)
    share.take(body.claim)
    return body


def _authorization(context: Any) -> str:
    pairs = cast("list[tuple[str, str | bytes]]", context.invocation_metadata() or [])
    return next((str(value) for key, value in pairs if key == "authorization"), "")


def _details(refusal: RefusedError) -> tuple[tuple[str, bytes], ...]:
    """Return the trailing metadata that say when to try again (OTLP specification, "OTLP/gRPC Throttling")."""
    if not isinstance(refusal, OverloadedError):
        return ()
    retry = AnyMessage()
    retry.Pack(RetryInfo(retry_delay=Duration(seconds=refusal.retry_after_s)))
    status = Status(code=refusal.code, message=refusal.message, details=[retry])
    return ((_DETAILS, status.SerializeToString()),)
