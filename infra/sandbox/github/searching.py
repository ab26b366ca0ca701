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

    def matches(  # noqa: PLR0913 - one argument for each thing that can be asked
        self,
        *,
        repository: str,
        owner: str,
        is_pull: bool,
        is_merged: bool,
        state: str,
        author: str,
        labels: set[str],
        texts: dict[str, str],
        head: str,
        base: str,
    ) -> bool:
        """Whether an issue or pull request with these properties is found."""
        kind = "pr" if is_pull else "issue"
        facts: dict[str, set[str]] = {
            "repo": {repository.lower()},
            "org": {owner.lower()},
            "user": {owner.lower()},
            "is": {
                kind,
                "pull-request" if is_pull else "issue",
                state,
                "public",
                *(["merged"] if is_merged else ["unmerged"] if is_pull else []),
            },
            "type": {kind},
            "state": {state},
            "label": labels,
            "author": {author.lower(), f"app/{author.lower().removesuffix('[bot]')}"},
            "head": {head.lower()},
            "base": {base.lower()},
            "no": {"label"} if not labels else set(),
        }
        for key, value, negated in self.qualifiers:
            wanted = set(value.lower().split(",")) if key == "label" else {value.lower()}
            if bool(wanted & facts[key]) is negated:
                return False
        sought = "\n".join(texts[name] for name in self.fields).lower()
        return all((word.lower() in sought) is not negated for word, negated in self.words)


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
