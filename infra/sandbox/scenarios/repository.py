"""Commits of seeded people, pushed as they would push them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.sandbox.errors import CommandError, ScenarioError
from infra.sandbox.git import git
from infra.sandbox.scenarios.model import Commit, Person, Sandbox

_PUSH_TRIES = 3

Edit = Callable[[str], str]


@dataclass(frozen=True)
class Change:
    """One commit to make: `edit` gets the text of the file and returns the new one."""

    author: Person
    message: str
    path: str
    edit: Edit


async def read_file(sandbox: Sandbox, path: str) -> str:
    """Returns a file of the branch as it is now."""
    with TemporaryDirectory(prefix="sandbox-") as folder:
        clone = await _clone(sandbox, Path(folder))
        return (clone / path).read_text(encoding="utf-8")


async def push(sandbox: Sandbox, changes: Sequence[Change]) -> tuple[Commit, ...]:
    """Commits the changes one after another, pushes them as the author of the last, and returns them.

    Raises:
        ScenarioError: The branch kept moving, or an edit changed nothing.
    """
    pusher = changes[-1].author
    for _ in range(_PUSH_TRIES):
        with TemporaryDirectory(prefix="sandbox-") as folder:
            clone = await _clone(sandbox, Path(folder))
            commits = [await _commit(clone, change) for change in changes]
            try:
                await git("push", "--quiet", pusher.push_url, f"HEAD:refs/heads/{sandbox.branch}", cwd=clone)
            except CommandError as error:
                if "fetch first" in error.output or "non-fast-forward" in error.output:
                    continue
                raise
            return tuple(commits)
    raise ScenarioError("push", f"the branch moved {_PUSH_TRIES} times in a row")


def replace_once(old: str, new: str) -> Edit:
    """Returns an edit that replaces the only occurrence of a text."""

    def edit(text: str) -> str:
        if text.count(old) != 1:
            raise ScenarioError("edit", f"{old.strip()!r} is there {text.count(old)} times")
        return text.replace(old, new)

    return edit


def set_number(key: str, new_value: Callable[[int], int]) -> Edit:
    """Returns an edit that changes the number after `key:` or `key =`."""

    def edit(text: str) -> str:
        pattern = re.compile(rf"^(\s*{re.escape(key)}(?::| =) )(\d+)", re.MULTILINE)
        return pattern.sub(lambda match: f"{match[1]}{new_value(int(match[2]))}", text, count=1)

    return edit


def number_in(text: str, key: str) -> int:
    """Returns the number after `key:`.

    Raises:
        ScenarioError: There is none.
    """
    found = re.search(rf"^\s*{re.escape(key)}: (\d+)", text, re.MULTILINE)
    if found is None:
        raise ScenarioError("settings", f"{key} has no number")
    return int(found[1])


async def _clone(sandbox: Sandbox, folder: Path) -> Path:
    clone = folder / "clone"
    url = sandbox.person(0).push_url
    await git("clone", "--quiet", "--branch", sandbox.branch, url, str(clone))
    return clone


async def _commit(clone: Path, change: Change) -> Commit:
    file = clone / change.path
    old = file.read_text(encoding="utf-8")
    new = change.edit(old)
    if new == old:
        raise ScenarioError("edit", f"{change.message!r} changes nothing in {change.path}")
    file.write_text(new, encoding="utf-8")
    author = change.author
    identity = ("-c", f"user.name={author.name}", "-c", f"user.email={author.email}")
    await git(*identity, "commit", "--quiet", "--all", f"--message={change.message}", cwd=clone)
    return Commit(await git("rev-parse", "HEAD", cwd=clone), author.login, change.message)
