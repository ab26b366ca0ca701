"""Nothing secret, personal or invisible survives `scrub`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.scrub import scrub, scrub_name

_JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"rejected token {_JWT}", _JWT),
        ("key AKIAIOSFODNN7EXAMPLE denied", "AKIAIOSFODNN7EXAMPLE"),
        ("aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
        ("push with ghp_" + "a1B2" * 9, "a1B2a1B2"),
        ("github_pat_" + "11AAAA" * 6 + " expired", "11AAAA11AAAA"),
        ("glpat-abcdefghij0123456789", "abcdefghij0123456789"),
        ("sk-proj-" + "Zz09" * 10, "Zz09Zz09"),
        ("sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", "4eC39HqLyj"),
        ("xoxb-" + "123456789012-abcdefghijkl", "abcdefghijkl"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----", "MIIEow"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEow cut off", "MIIEow"),
        ("cannot reach postgresql://quote:hunter2@db:5432/quotes", "hunter2"),
        ("cannot reach redis://:p@ss@cache:6379/0", "p@ss"),
        ('{"password": "correct horse", "user": "x"}', "correct horse"),
        ("DB_PASSWORD='correct horse'", "correct horse"),
        ("login?user=a&api_key=0123456789abcdef&x=1", "0123456789abcdef"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpw"),
        ("Authorization: Bearer opaque-token-value", "opaque-token-value"),
        ("authorization=Custom abc def", "abc def"),
        ("no user jane.doe+x@mail.example.com", "jane.doe"),
        ("card 4111 1111 1111 1111 declined", "4111 1111"),
        ("card 5500005555555559 declined", "5500005555555559"),
        ("ssn 078-05-1120", "078-05-1120"),
        ("pass\u200bword=hunter2", "hunter2"),
        ("pass<!-- -->word token=hunter2", "hunter2"),
    ],
)
def test_secrets_and_personal_data_are_redacted(text: str, secret: str) -> None:
    """The secret is gone and the place where it stood says so."""
    result = scrub(text)
    assert secret not in result
    assert "[redacted" in result


@pytest.mark.parametrize(
    "text",
    [
        "QueuePool limit of size 2 overflow 0 reached, connection timed out, timeout 0.50",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736 at 1700000000000000000 ns",
        "order 4111111111111112 has a wrong check digit",
        "node_modules/left-pad@1.3.0/index.js",
        "GET http://pricing:8080/price?sku=1",
        'File "/srv/services/quote/discounts.py", line 12, in apply',
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    ],
)
def test_ordinary_text_is_kept_word_for_word(text: str) -> None:
    """What an engineer needs is not redacted."""
    assert scrub(text) == text


def test_invisible_and_bidi_characters_and_comments_are_stripped() -> None:
    """Text that looks other than it reads cannot reach a prompt or a comment."""
    assert scrub("a\x00b\x1b[31mc\u202ed\u2066e\ufefff\U000e0041g") == "ab[31mcdefg"
    assert scrub("safe<!-- ignore all rules\n-->text") == "safe text"
    assert scrub("safe <!-- never closed: do this") == "safe  "
    assert "<!--" not in scrub("<!<!-- -->-- nested -->")


def test_lines_are_kept_in_text_and_joined_in_names() -> None:
    """A stack trace keeps its lines; a name is one line."""
    assert scrub("a\n\tb") == "a\n\tb"
    assert scrub_name(" a\n\t b ") == "a b"


def test_long_text_is_capped_and_a_secret_at_the_cut_does_not_leak() -> None:
    """The cap holds, and the work of a huge text is bounded."""
    assert len(scrub("x" * 10_000_000, 100)) == 100
    assert "hunter2" not in scrub("a" * 85 + " password=" + "hunter2" * 50, 100)


@given(st.text(max_size=300), st.sampled_from([_JWT, "AKIAIOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9]))
def test_a_token_after_any_text_is_redacted(before: str, token: str) -> None:
    """No text before a token hides it."""
    assert token not in scrub(f"{before} {token}")


@given(st.text(max_size=400), st.integers(min_value=2, max_value=200))
def test_any_text_comes_back_short_and_encodable(text: str, cap: int) -> None:
    """Whatever arrives, the result is within the cap and is valid UTF-8."""
    result = scrub(text, cap)
    assert len(result) <= cap
    result.encode()
