"""Refusals of the receiver, each with its HTTP status and `google.rpc` code.

RefusedError
├── UndecodableError     400  not OTLP, or not gzip
├── UnauthenticatedError 401  no token or an unknown one
├── SlowError            408  took too long to arrive
├── TooLargeError        413  over the limit on the stream or after decompression
├── UnsupportedError     415  a media type or content coding we do not take
└── OverloadedError      503  the same request later, please
"""

from google.rpc import code_pb2

from telemetry.errors import SreSpaceError


class RefusedError(SreSpaceError):
    """A request that was not taken; `headers` go with the answer."""

    status = 500
    code = code_pb2.INTERNAL

    def __init__(self, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.headers = headers or {}


class UndecodableError(RefusedError):
    """The body is not what its headers claim."""

    status = 400
    code = code_pb2.INVALID_ARGUMENT


class UnauthenticatedError(RefusedError):
    """Tokens are configured and none of them was given."""

    status = 401
    code = code_pb2.UNAUTHENTICATED


class SlowError(RefusedError):
    """The request did not arrive in time."""

    status = 408
    code = code_pb2.DEADLINE_EXCEEDED


class TooLargeError(RefusedError):
    """The body exceeds the limit. Without RetryInfo RESOURCE_EXHAUSTED says not to try again (OTLP, "Failures")."""

    status = 413
    code = code_pb2.RESOURCE_EXHAUSTED


class UnsupportedError(RefusedError):
    """The media type or content coding is not one of ours."""

    status = 415
    code = code_pb2.INVALID_ARGUMENT


class OverloadedError(RefusedError):
    """There is no room now; `retry_after_s` says when to try again."""

    status = 503
    code = code_pb2.UNAVAILABLE

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after_s)})
        self.retry_after_s = retry_after_s
