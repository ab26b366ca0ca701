"""Markdown of issues and comments as safe HTML, much as GitHub shows it."""

import html
import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
ALLOWED_TAG = re.compile(r"&lt;(/?(?:details|summary|sub|sup|kbd|br)|details open)\s*/?&gt;", re.IGNORECASE)
REFERENCE = re.compile(r"(?<![\w&/])#(\d{1,9})\b")


Env = MutableMapping[str, Any]


def _html(_self: object, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: Env) -> str:
    """Raw HTML: comments hidden, a few tags without attributes kept, all else shown as text."""
    return clean_html(tokens[index].content)


def _image(_self: object, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: Env) -> str:
    """A link to the image: the page loads nothing from elsewhere."""
    source = html.escape(str(tokens[index].attrs.get("src", "")))
    label = html.escape(tokens[index].content or "image")
    return f'<a href="{source}" rel="nofollow noopener">{label}</a>'


def _text(_self: object, tokens: Sequence[Token], index: int, _options: OptionsDict, env: Env) -> str:
    """Text, in which `#12` becomes a link unless it stands in one."""
    escaped = html.escape(tokens[index].content)
    depth = sum(token.nesting for token in tokens[:index] if token.type in {"link_open", "link_close"})
    base = env.get("repo_html")
    if depth or not base:
        return escaped
    return REFERENCE.sub(rf'<a href="{html.escape(str(base))}/issues/\1">#\1</a>', escaped)


def clean_html(raw: str) -> str:
    """Raw HTML without its comments, escaped, with the allowed tags put back."""
    return ALLOWED_TAG.sub(r"<\1>", html.escape(COMMENT.sub("", raw), quote=False))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for kind, rule in (("html_block", _html), ("html_inline", _html), ("image", _image), ("text", _text)):
        parser.add_render_rule(kind, rule)
    return parser


def render(text: str | None, repo_html: str = "") -> str:
    """The text as HTML that carries no script, no style and no foreign content."""
    rendered: str = _parser().render(text or "", {"repo_html": repo_html})
    return rendered
