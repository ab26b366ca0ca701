"""The token of a control API."""

from pathlib import Path

from infra.sandbox.serving import load_token


def test_programs_that_share_a_token_file_share_the_token(tmp_path: Path) -> None:
    """The first to come makes it, the others read it, and only the owner may."""
    file = tmp_path / "token"
    token = load_token(file)
    assert len(token) >= 32
    assert load_token(file) == token
    assert file.stat().st_mode & 0o077 == 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["token"]


def test_a_token_that_was_given_is_used(tmp_path: Path) -> None:
    """Whoever starts the programs may choose the token."""
    file = tmp_path / "token"
    file.write_text("chosen\n", encoding="ascii")
    assert load_token(file) == "chosen"
