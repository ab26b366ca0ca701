"""The search language."""

import pytest

from infra.sandbox.github.errors import ApiError
from infra.sandbox.github.searching import Candidate, parse_query

ISSUE = Candidate(
    repository="acme/shop",
    owner="acme",
    is_pull=False,
    is_merged=False,
    state="open",
    author="sre-space-sandbox[bot]",
    labels={"incident", "sev2"},
    texts={"title": "quote is slow", "body": "marker abc123", "comments": "pricing"},
    head="",
    base="",
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("repo:acme/shop is:issue is:open label:incident", True),
        ('repo:acme/shop label:"sev2" author:app/sre-space-sandbox', True),
        ("repo:acme/other", False),
        ("is:pr", False),
        ("-label:incident", False),
        ("label:nothing,incident", True),
        ('"marker abc123" in:body', True),
        ("abc123 in:title", False),
        ("pricing", True),
        ("-pricing", False),
    ],
)
def test_all_qualifiers_and_words_must_match(query: str, found: bool) -> None:  # noqa: FBT001 - parametrized
    """Each part of the query narrows what is found."""
    assert parse_query(query).matches(ISSUE) is found


def test_an_unknown_qualifier_is_refused() -> None:
    """Better no answer than one to another question."""
    with pytest.raises(ApiError, match="422"):
        parse_query("involves:maria")
