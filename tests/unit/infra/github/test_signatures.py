"""Signatures of webhooks and commits."""

from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.sandbox.github.deliveries import signatures
from infra.sandbox.github.git.model import CommitObject, Ident
from infra.sandbox.github.git.signing import CommitSigner


def test_webhooks_are_signed_as_githubs_documentation_shows() -> None:
    """The example of GitHub's page on validating deliveries."""
    signed = signatures("It's a Secret to Everybody", b"Hello, World!")
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signed["X-Hub-Signature-256"] == f"sha256={digest}"


def test_a_commit_signature_covers_its_payload_and_no_other() -> None:
    """A changed commit or another key is not verified."""
    signer, other = (CommitSigner(Ed25519PrivateKey.generate()) for _ in range(2))
    signature = signer.sign("tree 1\n\nmessage")
    assert signer.made("tree 1\n\nmessage", signature)
    assert not signer.made("tree 2\n\nmessage", signature)
    assert not other.made("tree 1\n\nmessage", signature)
    assert not signer.made("tree 1\n\nmessage", "-----BEGIN PGP SIGNATURE-----")


def test_a_signed_commit_is_read_with_its_payload() -> None:
    """The payload is the commit without its signature header."""
    raw = (
        "tree a\nparent b\nparent c\nauthor A B <a@b> 1700000000 -0230\ncommitter G <g@h> 1700000001 +0000\n"
        "gpgsig -----BEGIN\n line\n -----END\n\nTitle\n\nBody\n"
    )
    commit = CommitObject.parse("s", raw.encode())
    assert commit.signature == "-----BEGIN\nline\n-----END"
    assert "gpgsig" not in commit.payload
    assert commit.payload.endswith("committer G <g@h> 1700000001 +0000\n\nTitle\n\nBody\n")
    assert commit.parents == ("b", "c")
    assert commit.author == Ident("A B", "a@b", datetime.fromisoformat("2023-11-14T19:43:20-02:30"))
    assert commit.author.header() == "A B <a@b> 1700000000 -0230"


def test_an_ident_cannot_break_out_of_its_line() -> None:
    """Names come from requests."""
    ident = Ident("Eve\nparent x", "<e@v>e", datetime(2026, 1, 1, tzinfo=UTC))
    assert ident.header() == "Eveparent x <e@ve> 1767225600 +0000"
