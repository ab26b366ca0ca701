"""What a scenario needs to know of the sandbox, and what it says of the fault it made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

BASE_RPS = 12.0


@dataclass(frozen=True)
class Person:
    """A seeded user; `push_url` is the repository's URL with that user's credentials."""

    login: str
    name: str
    email: str
    push_url: str


@dataclass(frozen=True)
class Sandbox:
    """The running sandbox as scenarios see it; `people` may push to `branch`, and are not bots."""

    people: tuple[Person, ...]
    deployed_file: Path
    flag_file: Path
    load_control_url: str
    proxy_control_url: str
    control_token: str
    branch: str = "main"
    base_rps: float = BASE_RPS
    deploy_timeout_s: float = 60.0

    def person(self, index: int) -> Person:
        """Returns one of the people; counts round when there are few."""
        return self.people[index % len(self.people)]


@dataclass(frozen=True)
class Commit:
    """A commit that a scenario pushed."""

    sha: str
    author: str
    message: str


@dataclass(frozen=True)
class Injection:
    """A fault in force: `onset` is when it began to hurt, `suspect_commit` the commit that did it, if one did."""

    scenario: str
    description: str
    onset: datetime
    service: str
    commits: tuple[Commit, ...] = ()
    suspect_commit: str | None = None


@dataclass(frozen=True)
class Scenario:
    """A fault with its way in and its way out; `heal` may be called without an injection before it."""

    name: str
    inject: Callable[[Sandbox], Awaitable[Injection]]
    heal: Callable[[Sandbox], Awaitable[None]]
