"""GitHub's answers about pull requests and checks."""

from pydantic import AwareDatetime

from bot.adapters.github.payloads import App, Payload, User


class Side(Payload):
    """Head or base of a pull request."""

    ref: str
    sha: str


class Pull(Payload):
    """A pull request; listings leave out `merged` and `mergeable_state`."""

    number: int
    html_url: str
    state: str
    title: str = ""
    draft: bool = False
    merged: bool = False
    merged_at: AwareDatetime | None = None
    merge_commit_sha: str | None = None
    mergeable_state: str = "unknown"
    user: User | None = None
    head: Side
    base: Side


class Merged(Payload):
    """The answer to a merge."""

    sha: str
    merged: bool


class CheckRun(Payload):
    """A check run."""

    id: int
    name: str
    external_id: str | None = None
    status: str = ""
    conclusion: str | None = None
    app: App | None = None


class CheckRuns(Payload):
    """A page of check runs."""

    check_runs: tuple[CheckRun, ...] = ()


class Status(Payload):
    """One commit status."""

    context: str
    state: str


class CombinedStatus(Payload):
    """The newest status of every context."""

    statuses: tuple[Status, ...] = ()
