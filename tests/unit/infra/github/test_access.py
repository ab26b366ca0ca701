"""Hosts, levels and roles."""

import pytest

from infra.sandbox.github.pageguard import is_own_host
from infra.sandbox.github.permissions import allows
from infra.sandbox.github.records.accounts import Role


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1:8080", True),
        ("localhost:8080", True),
        ("[::1]:8080", True),
        ("github.internal:80", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
    ],
)
def test_pages_answer_under_their_own_names_only(host: str, own: bool) -> None:  # noqa: FBT001 - parametrized
    """A name that an attacker's DNS points here is foreign."""
    assert is_own_host(host, "http://github.internal:80") is own


def test_a_granted_level_includes_the_lower_ones() -> None:
    """Write includes read; nothing includes nothing."""
    assert allows("write", "read")
    assert allows("admin", "write")
    assert not allows("read", "write")
    assert not allows(None, "read")


def test_roles_are_told_in_the_old_words() -> None:
    """`permission` knows admin, write, read and none."""
    assert [role.legacy for role in Role] == ["none", "read", "read", "write", "write", "admin"]
