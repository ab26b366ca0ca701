"""Untrusted text in Markdown: nothing of it formats, links, mentions or hides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from agents.markdown import code, escape, plain, unescape

Z = "\u200b"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain words", "plain words"),
        ("**bold** _it_ `code` ~~s~~", "\\*\\*bold\\*\\* \\_it\\_ \\`code\\` \\~\\~s\\~\\~"),
        ("<script>&amp;", "&lt;script\\>&amp;amp;"),
        ("[a](b) ![c](d)", "\\[a\\]\\(b\\) \\!\\[c\\]\\(d\\)"),
        ("@admin", f"@{Z}admin"),
        ("fixes #12 and GH-12", f"fixes \\#{Z}12 and GH-{Z}12"),
        ("acme/shop#1", f"acme/shop\\#{Z}1"),
        ("https://evil.example", f"https://{Z}evil.example"),
        ("www.evil.example", f"www{Z}.evil.example"),
        ("a\nb\r\n\tc", "a b c"),
        ("| cell |", "\\| cell \\|"),
        ("- item", "\\- item"),
        ("1. item", f"1{Z}. item"),
        ("# heading", f"\\#{Z} heading"),
        ("a\u202eb\u200bc\x00d\ufeff", "abcd"),
        ("$x$", "\\$x\\$"),
        ("db_pool", "db\\_pool"),
        ("deadbeef", f"deadbee{Z}f"),
    ],
)
def test_escape_leaves_just_the_characters(text, escaped):
    """Formatting, HTML, links, mentions, references, tables, lists and invisible characters."""
    assert escape(text) == escaped


@given(st.text(max_size=120))
def test_escaped_text_renders_as_itself(text):
    """CommonMark makes one paragraph of it that shows the plain text and holds no markup at all."""
    shown = plain(text)
    tokens = MarkdownIt("commonmark").parse(escape(text))
    if not shown:
        assert tokens == []
        return
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children
    assert {child.type for child in children} <= {"text"}
    assert "".join(child.content for child in children).replace(Z, "") == shown


@given(st.text(max_size=120))
def test_unescape_undoes_escape(text):
    """Notes are plain text."""
    assert unescape(escape(text)) == plain(text)


@given(st.text(max_size=60), st.text(alphabet="`a ", max_size=12))
def test_code_is_one_code_span(text, ticks):
    """However many backticks the text holds."""
    (inline,) = [t for t in MarkdownIt("commonmark").parse(f"x {code(text + ticks)} y") if t.type == "inline"]
    assert [child.type for child in inline.children] == ["text", "code_inline", "text"]


@pytest.mark.parametrize(
    ("text", "limit", "cut"), [("abcdef", 4, "abc…"), ("abcd", 4, "abcd"), ("abcdef", 0, "abcdef")]
)
def test_plain_is_cut_to_the_limit(text, limit, cut):
    """With an ellipsis as the last character."""
    assert plain(text, limit) == cut
