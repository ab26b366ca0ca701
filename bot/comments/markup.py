"""Building blocks of Markdown: numbers, times, tables, foldable parts and fences that nothing inside can close."""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from agents.markdown import code, plain

UNITS = ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))
SMALL_PERCENT = 10
SHORT_SHA = 9
NOTHING = "n/a"

Row = Sequence[str]


def moment(at: datetime) -> str:
    """Return date and time to the second, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def clock(at: datetime) -> str:
    """Return the time to the second, in UTC."""
    return f"{at:%H:%M:%S} UTC"


def duration(length: timedelta) -> str:
    """Return a length of time in at most two units: `15 s`, `2 min 4 s`, `1 h 30 min`, `3 d 2 h`."""
    seconds = max(round(length.total_seconds()), 0)
    for size, unit, smaller, small_unit in UNITS:
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size} {unit} {rest} {small_unit}" if rest else f"{seconds // size} {unit}"
    return f"{seconds} s"


def percent(part: int, whole: int) -> str:
    """Return `part` of `whole` in percent, with one decimal below ten; `no requests` for nothing of nothing."""
    if whole == 0:
        return "no requests"
    value = 100 * part / whole
    return f"{value:.1f} %" if 0 < value < SMALL_PERCENT else f"{value:.0f} %"


def number(value: float) -> str:
    """Return a number with thousands separated, and no more decimals than it needs."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}".rstrip("0")


def milliseconds(value: float | None) -> str:
    """Return a latency, `n/a` where there is none."""
    return NOTHING if value is None else f"{value:,.0f} ms"


def sha(value: str) -> str:
    """Return a commit's short SHA as code."""
    return code(value[:SHORT_SHA])


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return `1 window`, `2 windows`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def code_cell(text: str, limit: int = 0) -> str:
    """Return inline code that stays within one cell of a table."""
    return code(text, limit).replace("\\|", "¦").replace("|", "\\|")


def table(header: Row, rows: Iterable[Row]) -> str:
    """Return a table; cells are Markdown that is already escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def details(summary: str, body: str) -> str:
    """Return a part that is folded away under `summary`, which is shown as it is."""
    return f"<details>\n<summary>{html.escape(plain(summary))}</summary>\n\n{body}\n\n</details>"


def fence(text: str, language: str = "") -> str:
    """Return a code block that nothing in `text` can end; it holds no mark of ours, and shows invisible characters."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    bars = "`" * max(3, longest + 1)
    shown = "".join(map(_shown, text.rstrip().replace("<!-- sre-space:", "<!-- sre-space :")))
    return f"{bars}{language}\n{shown}\n{bars}"


def _shown(char: str) -> str:
    """Return a character, or its number where it could hide or turn around what a reviewer reads."""
    hides = char not in "\n\t" and unicodedata.category(char)[0] == "C"
    return f"<U+{ord(char):04X}>" if hides else char


def cut_lines(text: str, limit: int) -> str:
    """Return `text` cut after a whole line within `limit` characters, saying how many lines are left out."""
    if len(text) <= limit:
        return text
    kept = text[:limit].rpartition("\n")[0]
    left_out = text.count("\n") - kept.count("\n")
    return f"{kept}\n… {plural(left_out, 'more line')}"


def paragraphs(*parts: str) -> str:
    """Return the parts that are not empty, an empty line between them."""
    return "\n\n".join(part for part in parts if part)
