"""Webhook signatures."""

from bot.web.signature import is_signed, sign


def test_githubs_own_example_fits():
    """The value that GitHub's documentation gives for testing an implementation."""
    body, secret = b"Hello, World!", b"It's a Secret to Everybody"
    expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sign(body, secret) == expected
    assert is_signed(body, expected, [secret])


def test_both_live_secrets_are_accepted_and_no_other():
    """While a secret is being changed, deliveries may be signed with either."""
    assert is_signed(b"{}", sign(b"{}", b"old"), [b"new", b"old"])
    assert is_signed(b"{}", sign(b"{}", b"new"), [b"new", b"old"])
    assert not is_signed(b"{}", sign(b"{}", b"older"), [b"new", b"old"])


def test_one_changed_byte_breaks_the_signature():
    """It covers the whole body."""
    assert not is_signed(b'{"a":2}', sign(b'{"a":1}', b"s"), [b"s"])


def test_a_signature_of_any_other_kind_is_no_signature():
    """SHA-1, no prefix, empty, or not even ASCII: False, never an exception."""
    good = sign(b"{}", b"s")
    for bad in ("", "sha256=", good.removeprefix("sha256="), good.replace("256", "1"), "sha256=ü", good + " "):
        assert not is_signed(b"{}", bad, [b"s"])


def test_without_a_secret_nothing_is_signed():
    """An empty list of secrets accepts nobody."""
    assert not is_signed(b"{}", sign(b"{}", b""), [])
