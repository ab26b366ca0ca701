"""Closing keywords."""

import pytest

from infra.sandbox.github.domain.closing import closes


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Fixes #12", [12]),
        ("closes: #3, resolves #4", [3, 4]),
        ("Fixed acme/shop#5 and fixes other/repo#6", [5]),
        ("fix #7 fix #7", [7]),
        ("prefixes #8, see #9, fixes#10", []),
        ("", []),
    ],
)
def test_only_keywords_before_a_number_of_this_repository_close(text: str, numbers: list[int]) -> None:
    """A mention alone, another repository or a longer word closes nothing."""
    assert closes(text, "acme/shop") == numbers
