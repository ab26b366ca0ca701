"""What counts as a command: exactly the first line of a paragraph, outside quotes and code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import commands
from agents.commands import COMMANDS, Command, CommandName, UnknownCommand, parse, spec, table

APPROVE = Command(name=CommandName.APPROVE)


@pytest.mark.parametrize(
    "body",
    [
        "/approve",
        "/Approve",
        "/APPROVE",
        "   /approve",
        "/approve \t ",
        "/approve\r\nthanks",
        "/approve\rthanks",
        "\n\r\n  \n/approve",
        "\u00a0/approve\u00a0",
        "\u3000/approve",
        "/approve\n---",
        "/approve\n-- \nSent from my phone",
        "/approve\n===",
        "/approve\n> /reject",
        "/approve\n/reject",
    ],
)
def test_a_command_on_the_first_line_counts(body):
    """Case, blanks around it and whatever follows on later lines do not matter."""
    assert parse(body) == APPROVE


@pytest.mark.parametrize(
    ("body", "argument"),
    [
        ("/approve 3f9a2c81d07e", "3f9a2c81d07e"),
        ("/approve\t3f9a2c81d07e ", "3f9a2c81d07e"),
        ("/approve\u00a03f9a2c81d07e", "3f9a2c81d07e"),
        ("/approve <!-- hidden -->", "<!-- hidden -->"),
        ("/approve \u202eabc", "\u202eabc"),
        ("/approve the plan\nnot this", "the plan"),
    ],
)
def test_the_rest_of_the_line_is_the_argument(body, argument):
    """As it was written: whoever uses it must check it."""
    assert parse(body) == Command(name=CommandName.APPROVE, argument=argument)


@pytest.mark.parametrize(
    "body",
    [
        "",
        " \n\t\n",
        "Please /approve",
        "hello\n/approve",
        "@sre-space /approve",
        "> /approve",
        ">/approve",
        "`/approve`",
        "``/approve``",
        "```\n/approve\n```",
        "~~~\n/approve\n~~~",
        "    /approve",
        "    /approve  3f9a2c81d07e",
        "\t/approve",
        "\n\n    /approve",
        "- /approve",
        "* /approve",
        "1. /approve",
        "# /approve",
        "***\n/approve",
        "**/approve**",
        "_/approve_",
        "[/approve](https://example.com)",
        "![/approve](x)",
        "\\/approve",
        "&#47;approve",
        "<!-- -->/approve",
        "<!--\n/approve\n-->",
        "<p>\n/approve\n</p>",
        "<details>\n/approve",
        "<script>\n/approve",
        "[x]: https://example.com\n/approve",
        "hello\u2028/approve",
        "hello\x0b/approve",
        "hello\x85/approve",
        "\uff0fapprove",
        "//approve",
        "/ approve",
        "/",
        "/approve/",
        "/approve/now",
        "/etc/passwd",
        "/etc/passwd is readable",
        "/usr is full",
        "/lgtm",
        "/retest all",
        "/api returns 500",
        "/\U0001f680",
    ],
)
def test_what_is_no_command_is_left_alone(body):
    """Quotes, code, lists, headings, HTML, links, escapes, paths, other bots' commands and prose."""
    assert parse(body) is None


@pytest.mark.parametrize(
    ("body", "suggestion"),
    [
        ("/aprove", "approve"),
        ("/approved", "approve"),
        ("/Aprove 3f9a2c81d07e", "approve"),
        ("/approve.", "approve"),
        ("/approve!", "approve"),
        ("/approve:now", "approve"),
        ("/rejct", "reject"),
        ("/stats", "status"),
        ("/halp", "help"),
        ("/help?", "help"),
        ("/app\u200brove", "approve"),
        ("/approve\u200b", "approve"),
        ("/approve\x00", "approve"),
        ("/\u202eapprove", "approve"),
        ("\u200b/approve", "approve"),
        ("\ufeff/approve", "approve"),
        ("/\u0430pprove", "approve"),
        ("/\u017ftatus", "status"),
    ],
)
def test_a_misspelt_or_disguised_command_is_unknown_with_a_suggestion(body, suggestion):
    """Typing errors, punctuation, invisible characters and letters that only look alike."""
    found = parse(body)
    assert isinstance(found, UnknownCommand)
    assert found.suggestion == suggestion


def test_the_word_of_an_unknown_command_is_shown_without_what_is_invisible():
    """And short, because it is repeated in the answer."""
    assert parse("/app\u200brove\u202e") == UnknownCommand(word="approve", suggestion=CommandName.APPROVE)


@pytest.mark.parametrize(
    "body",
    [
        "/approve " + "x" * 2_000_000,
        "x" * 2_000_000 + "\n/approve",
        "/" * 2_000_000,
        "[" * 200_000,
        "> " * 200_000 + "/approve",
        "\n" * 1_000_000 + "/approve",
        ("*a " * 100_000) + "/approve",
        "<" * 200_000,
        "`" * 200_000,
    ],
    ids=range(9),
)
def test_of_very_long_bodies_little_is_given_to_the_parser(body, monkeypatch):
    """Markdown has inputs that take long: only the beginning of one line is ever parsed."""
    real, lengths = commands._MARKDOWN, []

    class Recorder:
        def parse(self, line):
            lengths.append(len(line))
            return real.parse(line)

    monkeypatch.setattr(commands, "_MARKDOWN", Recorder())
    parse(body)
    assert lengths
    assert max(lengths) <= commands.MAX_LINE


def test_a_long_argument_is_cut():
    """A reason of a thousand characters is long enough."""
    assert len(parse("/reject " + "x" * 5000).argument) < 1000


@given(st.text(max_size=200))
def test_no_text_makes_the_parser_fail(text):
    """Comments come from anybody."""
    found = parse(text)
    assert found is None or isinstance(found, Command | UnknownCommand)


@given(st.text(alphabet="/aprovejct \n>`\u200b\t#*-", max_size=40))
def test_a_command_always_shows_as_one(text):
    """Whatever parses as a command has that command's name right after the first visible character, a slash."""
    found = parse(text)
    if isinstance(found, Command):
        first = text.strip().split()[0]
        assert first.lower() == f"/{found.name}"


def test_every_command_is_in_the_table_once_and_its_examples_parse():
    """Parsing, permissions, help and documentation come from the same rows."""
    assert [row.name for row in COMMANDS] == list(CommandName)
    for row in COMMANDS:
        assert spec(row.name) is row
        assert all(parse(example).name is row.name for example in row.examples)
        assert row.usage.startswith(f"/{row.name}")


def test_the_table_is_markdown_with_one_row_per_command():
    """As the documentation shows it."""
    lines = table().split("\n")
    assert lines[0] == "| command | what it does | who may | examples |"
    assert lines[2] == (
        "| `/approve [plan]` | Approve the proposed fix. It is merged once enough people have approved. | People with "
        "the permission that the risk of the fix asks for; not who wrote or pushed it | `/approve`, "
        "`/approve 3f9a2c81d07e` |"
    )
    assert len(lines) == 2 + len(COMMANDS)
