"""Untrusted text made safe for GitHub's Markdown: no formatting, mentions, references, links or hidden marks."""

import re
import unicodedata

_SPECIAL = re.compile(r"[\\`*_{}\[\]()<>#|~!$]")
_LEADING = re.compile(r"^([-+=:]|\d+(?=[.)]))")
_BREAK = "\u200b"  # zero-width space: GitHub links text after rendering, where backslashes are gone
_LINKING = re.compile(r"(@|#|\bGH-|://|\bwww(?=\.)|\b[0-9a-f]{7}(?=[0-9a-f]{0,33}\b))", re.IGNORECASE)


def plain(text: str, limit: int = 0) -> str:
    """Return `text` on one line without control, bidi or other invisible characters, cut to `limit` if given."""
    spaced = "".join(
        " " if unicodedata.category(char) in {"Zl", "Zp", "Zs"} or char in "\n\r\t" else char for char in text
    )
    visible = "".join(char for char in spaced if unicodedata.category(char)[0] != "C")
    line = " ".join(visible.split())
    return f"{line[: limit - 1]}…" if 0 < limit < len(line) else line


def escape(text: str, limit: int = 0) -> str:
    """Return `text` as Markdown that shows just its characters, on one line of at most `limit` characters of it."""
    line = _LINKING.sub(lambda found: found[1] + _BREAK, plain(text, limit))
    line = line.replace("&", "&amp;")
    line = _SPECIAL.sub(lambda found: "&lt;" if found[0] == "<" else f"\\{found[0]}", line)
    return _LEADING.sub(_leading, line)


def unescape(markdown: str) -> str:
    """Return the plain text that `escape` made Markdown of; for notes, which are escaped where they are shown."""
    text = re.sub(r"\\(.)", r"\1", markdown.replace(_BREAK, ""))
    return text.replace("&lt;", "<").replace("&amp;", "&")


def _leading(found: re.Match[str]) -> str:
    """Return the start of a line such that it begins no list, heading or table rule."""
    mark = found[1]
    return mark + _BREAK if mark.isdigit() else f"\\{mark}"


def code(text: str, limit: int = 0) -> str:
    """Return `text` as inline code, however many backticks it holds."""
    line = plain(text, limit) or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}"
