"""Rendering untrusted Markdown."""

import pytest

from infra.sandbox.github.markdown import render


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "<details ontoggle=alert(1)>",
        '<summary onclick="alert(1)">',
        "![x](https://elsewhere.example/pixel.png)",
        "<svg/onload=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        "`</code><script>`",
        "#1<script>",
        "<!-- --><script>alert(1)</script>",
    ],
)
def test_nothing_foreign_becomes_markup(attack: str) -> None:
    """Only tags that the renderer itself makes are left."""
    page = render(attack, "http://127.0.0.1/acme/shop").lower()
    for tag in ("<script", "<img", "<svg", "<details ", "<summary ", '<a href="javascript'):
        assert tag not in page


def test_hidden_markers_are_hidden_and_details_are_kept() -> None:
    """HTML comments vanish; details and summary work, with Markdown inside."""
    page = render("<details><summary>Evidence</summary>\n\n**E1**\n\n</details>\n<!-- sre-space:1\n-->")
    assert "<details><summary>Evidence</summary>" in page
    assert "<strong>E1</strong>" in page
    assert "</details>" in page
    assert "sre-space" not in page


def test_an_unfinished_comment_hides_to_its_end() -> None:
    """What GitHub hides is hidden here, too."""
    assert "secret" not in render("text\n\n<!-- secret")


def test_references_become_links_but_not_within_links() -> None:
    """`#3` leads to the issue."""
    page = render("see #3 and [#4](https://example.org)", "http://h/acme/shop")
    assert '<a href="http://h/acme/shop/issues/3">#3</a>' in page
    assert "issues/4" not in page
