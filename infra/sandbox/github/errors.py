"""Errors of the stand-in, which become GitHub's error bodies.

SandboxError
├── ApiError      an answer to the client, with status, message and field errors
└── GitError      git refused or failed
"""

from collections.abc import Mapping, Sequence

DOCUMENTATION_URL = "https://docs.github.com/rest"


class SandboxError(Exception):
    """Root of all errors of the stand-in."""


class ApiError(SandboxError):
    """An HTTP answer other than success, as GitHub words it."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[Mapping[str, str] | str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.errors = list(errors)
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """The JSON body that GitHub sends with this error."""
        body: dict[str, object] = {"message": self.message}
        if self.errors:
            body["errors"] = self.errors
        return {**body, "documentation_url": DOCUMENTATION_URL, "status": str(self.status)}


class GitError(SandboxError):
    """A git command failed."""

    def __init__(self, command: Sequence[str], returncode: int, stderr: str) -> None:
        super().__init__(f"git {' '.join(command)}: exit {returncode}: {stderr.strip()}")
        self.command = list(command)
        self.returncode = returncode
        self.stderr = stderr


def not_found() -> ApiError:
    """404, also used to hide what the caller may not see."""
    return ApiError(404, "Not Found")


def unprocessable(message: str) -> ApiError:
    """422 with a message of its own."""
    return ApiError(422, message)


def invalid(resource: str, field: str, code: str = "invalid") -> ApiError:
    """422 "Validation Failed" for one field of one resource."""
    return ApiError(422, "Validation Failed", [{"resource": resource, "field": field, "code": code}])


def refused(resource: str, message: str) -> ApiError:
    """422 "Validation Failed" with a custom message."""
    return ApiError(422, "Validation Failed", [{"resource": resource, "code": "custom", "message": message}])
