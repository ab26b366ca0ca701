"""Closing keywords: `Fixes #12` in a pull request or commit closes issue 12."""

import re

KEYWORD = re.compile(
    r"(?<![\w/-])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:(?P<repo>[\w.-]+/[\w.-]+))?#(?P<number>\d+)\b",
    re.IGNORECASE,
)


def closes(text: str, full_name: str) -> list[int]:
    """The numbers of this repository's issues that the text says it closes, in order, each once."""
    numbers = (
        int(match["number"])
        for match in KEYWORD.finditer(text)
        if match["repo"] is None or match["repo"].lower() == full_name.lower()
    )
    return list(dict.fromkeys(numbers))
