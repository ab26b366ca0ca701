"""The language of GitHub's issue search, as far as a bot speaks it."""

import re
from dataclasses import dataclass, field

from infra.sandbox.github.errors import ApiError

TOKEN = re.compile(r'(?P<minus>-?)(?:(?P<key>[a-z-]+):)?(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s"]+))')
KNOWN = {"repo", "org", "user", "is", "type", "state", "label", "in", "author", "head", "base", "no"}


@dataclass(frozen=True)
class Query:
    """Qualifiers (key, value, negated), words, and the fields in which the words are sought."""

    qualifiers: tuple[tuple[str, str, bool], ...] = ()
    words: tuple[tuple[str, bool], ...] = ()
    fields: tuple[str, ...] = field(default=("title", "body", "comments"))

    def matches(self, found: "Candidate") -> bool:
        """Whether all qualifiers and words fit."""
        facts = found.facts()
        for key, value, negated in self.qualifiers:
            wanted = set(value.lower().split(",")) if key == "label" else {value.lower()}
            if bool(wanted & facts[key]) is negated:
                return False
        sought = "\n".join(found.texts[name] for name in self.fields).lower()
        return all((word.lower() in sought) is not negated for word, negated in self.words)


@dataclass(frozen=True)
class Candidate:
    """What can be asked about an issue or pull request; `texts` are title, body and comments."""

    repository: str
    owner: str
    is_pull: bool
    is_merged: bool
    state: str
    author: str
    labels: set[str]
    texts: dict[str, str]
    head: str
    base: str

    def facts(self) -> dict[str, set[str]]:
        """The values that fit each qualifier, in lower case."""
        author = self.author.lower()
        merged = {"merged" if self.is_merged else "unmerged"} if self.is_pull else set[str]()
        kinds = {"pr", "pull-request"} if self.is_pull else {"issue"}
        return {
            "repo": {self.repository.lower()},
            "org": {self.owner.lower()},
            "user": {self.owner.lower()},
            "is": {*kinds, *merged, self.state, "public"},
            "type": kinds,
            "state": {self.state},
            "label": {label.lower() for label in self.labels},
            "author": {author, f"app/{author.removesuffix('[bot]')}"},
            "head": {self.head.lower()},
            "base": {self.base.lower()},
            "no": set() if self.labels else {"label"},
        }


def parse_query(text: str) -> Query:
    """The query in its parts; raises 422 on a qualifier that the sandbox does not know."""
    qualifiers: list[tuple[str, str, bool]] = []
    words: list[tuple[str, bool]] = []
    fields: tuple[str, ...] = ("title", "body", "comments")
    for match in TOKEN.finditer(text):
        key, negated = match["key"], bool(match["minus"])
        value = match["quoted"] if match["quoted"] is not None else match["plain"]
        if key is None:
            words.append((value, negated))
        elif key == "in":
            fields = tuple(name for name in value.split(",") if name in fields) or fields
        elif key in KNOWN:
            qualifiers.append((key, value, negated))
        else:
            raise ApiError(422, f"The sandbox does not know the search qualifier {key!r}.")
    return Query(tuple(qualifiers), tuple(words), fields)
