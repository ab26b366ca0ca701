"""The few reads of GitHub that an experiment makes while it waits."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeVar

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError

from telemetry.errors import TransientError

T = TypeVar("T")

TIMEOUT_S = 15.0
PER_PAGE = 100
LIMITED = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})


class HubError(TransientError):
    """GitHub did not answer as it should. What could not be read has not been seen."""


class Slim(BaseModel):
    """Base of what GitHub sends: unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class User(Slim):
    """Who did something."""

    login: str
    type: str = "User"


class Issue(Slim):
    """An issue, or a pull request as an issue."""

    number: int
    html_url: str
    body: str | None = None
    state: str
    state_reason: str | None = None
    user: User | None = None
    closed_by: User | None = None
    created_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    pull_request: Slim | None = None


class Comment(Slim):
    """A comment."""

    body: str | None = None
    user: User | None = None
    updated_at: AwareDatetime


class Head(Slim):
    """The branch of a pull request."""

    ref: str


class Pull(Slim):
    """A pull request."""

    number: int
    html_url: str
    head: Head
    created_at: AwareDatetime
    merged_at: AwareDatetime | None = None


_ISSUE = TypeAdapter(Issue)
_ISSUES = TypeAdapter(tuple[Issue, ...])
_COMMENTS = TypeAdapter(tuple[Comment, ...])
_PULLS = TypeAdapter(tuple[Pull, ...])


class Hub:
    """GitHub's REST API for one repository. Answers that have not changed cost nothing of the rate limit."""

    def __init__(
        self, api_url: str, repository: str, token: SecretStr, transport: httpx.BaseTransport | None = None
    ) -> None:
        headers = {
            "Authorization": f"Bearer {token.get_secret_value()}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "sre-space-action",
        }
        base = f"{api_url}/repos/{repository}"
        self._client = httpx.Client(base_url=base, headers=headers, timeout=TIMEOUT_S, transport=transport)
        self._etags: dict[str, tuple[str, bytes]] = {}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def issue(self, number: int) -> Issue:
        """Return an issue. Raises HubError."""
        return self._get(f"/issues/{number}", {}, _ISSUE)

    def issues(self, label: str, state: str) -> tuple[Issue, ...]:
        """Return the newest hundred issues with a label, newest first. Raises HubError."""
        query = {"labels": label, "state": state, "per_page": str(PER_PAGE)}
        return tuple(issue for issue in self._get("/issues", query, _ISSUES) if issue.pull_request is None)

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return the first hundred comments of an issue; ours is among the first. Raises HubError."""
        return self._get(f"/issues/{number}/comments", {"per_page": str(PER_PAGE)}, _COMMENTS)

    def pulls(self) -> tuple[Pull, ...]:
        """Return the newest hundred pull requests, newest first. Raises HubError."""
        return self._get("/pulls", {"state": "all", "per_page": str(PER_PAGE)}, _PULLS)

    def _get(self, path: str, query: Mapping[str, str], adapter: TypeAdapter[T]) -> T:
        key = f"{path} {sorted(query.items())}"
        etag, body = self._etags.get(key, ("", b""))
        try:
            answer = self._client.get(path, params=dict(query), headers={"If-None-Match": etag} if etag else {})
            if answer.status_code != HTTPStatus.NOT_MODIFIED:
                _check(path, answer)
                body = answer.content
                self._etags[key] = (answer.headers.get("etag", ""), body)
            return adapter.validate_json(body)
        except httpx.HTTPError as error:
            raise HubError(f"GitHub did not answer {path}: {type(error).__name__}") from error
        except ValidationError as error:
            raise HubError(f"GitHub's answer to {path} could not be read") from error


def _check(path: str, answer: httpx.Response) -> None:
    if answer.is_success:
        return
    wait = answer.headers.get("retry-after", "")
    wait_s = float(wait) if wait.isdecimal() else None
    if wait_s is None and answer.status_code in LIMITED and answer.headers.get("x-ratelimit-remaining") == "0":
        wait_s = 60.0
    raise HubError(f"GitHub answered {answer.status_code} to {path}", retry_after_s=wait_s)
