"""What is shown of a git command."""

from infra.sandbox.git import without_credentials


def test_credentials_are_taken_out_of_urls() -> None:
    """A token in a clone URL does not reach a log."""
    shown = without_credentials("fatal: http://x-access-token:secret@127.0.0.1:80/acme/shop.git refused")
    assert shown == "fatal: http://127.0.0.1:80/acme/shop.git refused"
