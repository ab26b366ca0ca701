"""Refusals: one JSON shape for all of them, with the problem and what to do about it, never a traceback."""

from typing import Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from telemetry.errors import SreSpaceError

log = structlog.get_logger()

INTERNAL: Final = "Something failed here. The cause is in the log of the web process."


class RefusedError(SreSpaceError):
    """A request that is answered with `status`, its `problem`, and the `remedy`."""

    def __init__(self, status: int, problem: str, remedy: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(problem)
        self.status = status
        self.problem = problem
        self.remedy = remedy
        self.retry_after_s = retry_after_s

    def response(self) -> JSONResponse:
        """Return the answer."""
        headers = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        return problem(self.status, f"{self.problem} {self.remedy}".strip(), headers)


def problem(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return a refusal as JSON."""
    return JSONResponse({"message": message}, status_code=status, headers=headers)


def add_handlers(app: FastAPI) -> None:
    """Make every refusal and every failure of `app` answer in the one shape."""
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RefusedError):
        raise error
    log.info("request_refused", path=request.url.path, status=error.status, problem=error.problem)
    return error.response()


async def _http(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    return problem(error.status_code, str(error.detail), dict(error.headers or {}))


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return problem(422, f"{where}: {first['msg']}")


async def _failed(_request: Request, _error: Exception) -> JSONResponse:
    # The server logs the exception itself, which Starlette raises again after this answer.
    return problem(500, INTERNAL)
