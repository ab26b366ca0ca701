"""Git's objects as values."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
ZERO_SHA = "0" * 40


@dataclass(frozen=True)
class Ident:
    """Who made a commit, and when."""

    name: str
    email: str
    when: datetime

    def header(self) -> str:
        """The ident as it stands in a commit object, freed of what git forbids in it."""
        name, email = (_clean(text) for text in (self.name, self.email))
        return f"{name} <{email}> {int(self.when.timestamp())} {self.when.strftime('%z') or '+0000'}"

    @classmethod
    def from_header(cls, text: str) -> "Ident":
        """The ident read from a commit object."""
        name, _, rest = text.partition(" <")
        email, _, stamp = rest.rpartition("> ")
        seconds, _, zone = stamp.partition(" ")
        sign = -1 if zone.startswith("-") else 1
        offset = timedelta(hours=int(zone[1:3] or 0), minutes=int(zone[3:5] or 0)) * sign
        return cls(name, email, datetime.fromtimestamp(int(seconds), UTC).astimezone(timezone(offset)))


def _clean(text: str) -> str:
    return "".join(char for char in text if char not in "<>\n\r\0").strip() or "unknown"


@dataclass(frozen=True)
class CommitObject:
    """A commit as git stores it; `payload` is what its signature covers."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Ident
    committer: Ident
    message: str
    signature: str | None
    payload: str

    @classmethod
    def parse(cls, sha: str, raw: bytes) -> "CommitObject":
        """The commit read from its raw object."""
        head, _, message = raw.decode("utf-8", "replace").partition("\n\n")
        fields: list[tuple[str, str]] = []
        for line in head.split("\n"):
            if line.startswith(" ") and fields:
                key, value = fields[-1]
                fields[-1] = (key, f"{value}\n{line[1:]}")
            else:
                key, _, value = line.partition(" ")
                fields.append((key, value))
        single = dict(fields)
        unsigned = "\n".join(f"{key} {value}".replace("\n", "\n ") for key, value in fields if key != "gpgsig")
        return cls(
            sha=sha,
            tree=single["tree"],
            parents=tuple(value for key, value in fields if key == "parent"),
            author=Ident.from_header(single["author"]),
            committer=Ident.from_header(single["committer"]),
            message=message,
            signature=single.get("gpgsig"),
            payload=f"{unsigned}\n\n{message}",
        )


@dataclass(frozen=True)
class TreeEntry:
    """One line of a tree; `size` is set for blobs only."""

    mode: str
    type: str
    sha: str
    path: str
    size: int | None


@dataclass(frozen=True)
class FileChange:
    """What a diff says about one file; `patch` starts at the first hunk and is None for binary files."""

    sha: str
    path: str
    status: str
    additions: int
    deletions: int
    previous_path: str | None
    patch: str | None
