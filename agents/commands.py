"""Slash commands: one table, from which parsing, permissions, `/help` and the documentation come."""

import difflib
import re
import unicodedata
from enum import StrEnum
from typing import Literal

from markdown_it import MarkdownIt
from pydantic import AwareDatetime

from agents.markdown import plain
from telemetry.model import Frozen

MAX_LINE = 1000
_NEAR = 0.7  # similarity from which a word counts as a misspelt command (difflib's ratio, 0 to 1)
# Unicode's spaces too: some keyboards type a no-break space with a key held down, others an ideographic one.
_BLANK = " \t\u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000"
_LINE_END = re.compile(r"\r\n|\r|\n")
_COMMAND = re.compile(rf"/([^\s/]+)(?:[{_BLANK}]+(.*))?", re.DOTALL)
_MARKDOWN = MarkdownIt("commonmark")


class CommandName(StrEnum):
    """The commands, in the order of `/help`."""

    APPROVE = "approve"
    REJECT = "reject"
    STATUS = "status"
    HELP = "help"


class Spec(Frozen):
    """A row of the table. `permission` is the least that is needed, before policy asks for more."""

    name: CommandName
    usage: str
    summary: str
    permission: Literal["read", "write"]
    who: str
    examples: tuple[str, ...]


COMMANDS: tuple[Spec, ...] = (
    Spec(
        name=CommandName.APPROVE,
        usage="/approve [plan]",
        summary="Approve the proposed fix. It is merged once enough people have approved.",
        permission="write",
        who="People with the permission that the risk of the fix asks for; not who wrote or pushed it",
        examples=("/approve", "/approve 3f9a2c81d07e"),
    ),
    Spec(
        name=CommandName.REJECT,
        usage="/reject [reason]",
        summary="Close the pull request of the fix and hand the incident to people.",
        permission="write",
        who="People with write permission",
        examples=("/reject", "/reject we scale the database instead"),
    ),
    Spec(
        name=CommandName.STATUS,
        usage="/status",
        summary="Say where the incident stands and what it waits for.",
        permission="read",
        who="Everyone who can comment",
        examples=("/status",),
    ),
    Spec(
        name=CommandName.HELP,
        usage="/help",
        summary="List the commands.",
        permission="read",
        who="Everyone who can comment",
        examples=("/help",),
    ),
)


class Command(Frozen):
    """A command as it was written. `argument` is the untrusted rest of its line, without blanks around it."""

    name: CommandName
    argument: str = ""


class UnknownCommand(Frozen):
    """A word that was meant as a command: `word` is untrusted, `suggestion` is the command that is nearest."""

    word: str
    suggestion: CommandName


class Invocation(Frozen):
    """A command in a comment, as the webhook told it; what counts is what the comment says when it is refetched.

    `issue` is the number of the issue or pull request where it was written.
    """

    command: Command | UnknownCommand
    comment_id: int
    issue: int
    login: str
    user_id: int
    author_type: str
    at: AwareDatetime


def parse(body: str) -> Command | UnknownCommand | None:
    """Return the command that a comment starts with, or None when it starts with none.

    Only the first line that is not blank counts, and only where CommonMark makes it a paragraph: not in a quote,
    list, code block or HTML. What follows it does not matter: a signature under a mail makes it no heading.
    The name is matched without regard to case. A word is a misspelt command when it is similar to one, or is one
    but for invisible characters; paths like `/etc/passwd` are none.
    """
    line = next((line for line in _LINE_END.split(body) if line.strip(_BLANK)), "")[:MAX_LINE]
    if not _is_text(line):
        return _hidden(line)
    found = _COMMAND.fullmatch(line.strip(_BLANK))
    if found is None:
        return None
    word, argument = found[1], (found[2] or "").strip(_BLANK)
    name = _named(word)
    if name is not None:
        return Command(name=name, argument=argument)
    near = difflib.get_close_matches(plain(word).lower(), list(CommandName), n=1, cutoff=_NEAR)
    return UnknownCommand(word=plain(word, 40), suggestion=CommandName(near[0])) if near else None


def spec(name: CommandName) -> Spec:
    """Return the command's row of the table."""
    return next(row for row in COMMANDS if row.name is name)


def table() -> str:
    """Return the table of commands as Markdown, for `/help` and the documentation."""
    rows = [
        f"| `{row.usage}` | {row.summary} | {row.who} | {', '.join(f'`{example}`' for example in row.examples)} |"
        for row in COMMANDS
    ]
    return "\n".join(["| command | what it does | who may | examples |", "|---|---|---|---|", *rows])


def _named(word: str) -> CommandName | None:
    """Return the command of exactly this name. Only ASCII has a case here: a long s is no s."""
    return CommandName(word.lower()) if word.isascii() and word.lower() in set(CommandName) else None


def _is_text(line: str) -> bool:
    """Return whether CommonMark reads `line`, as the first of a text, as a paragraph that starts with a slash."""
    tokens = _MARKDOWN.parse(line)
    return len(tokens) > 1 and tokens[0].type == "paragraph_open" and tokens[1].content.startswith("/")


def _hidden(line: str) -> UnknownCommand | None:
    """Return the command that shows once invisible characters before it are gone: it may not be what it seems."""
    visible = "".join(char for char in line if char in _BLANK or unicodedata.category(char)[0] != "C")
    if visible == line or not _is_text(visible):
        return None
    found = parse(visible)
    return UnknownCommand(word=found.name, suggestion=found.name) if isinstance(found, Command) else found
