"""Whether a webhook was signed with a secret that only GitHub and we know."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

_PREFIX: Final = "sha256="


def sign(body: bytes, secret: bytes) -> str:
    """Return the value of `X-Hub-Signature-256` for a body.

    HMAC-SHA256 over the raw body, in hex, after `sha256=`
    (https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries).
    """
    return _PREFIX + hmac.new(secret, body, hashlib.sha256).hexdigest()


def is_signed(body: bytes, signature: str, secrets: Sequence[bytes]) -> bool:
    """Return whether any of the secrets made `signature`; takes the same time whichever it was."""
    given = signature.encode("utf-8", "surrogateescape")
    matches = [hmac.compare_digest(sign(body, secret).encode(), given) for secret in secrets]
    return any(matches)
