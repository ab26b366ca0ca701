"""SSH signatures of commits, in the SSHSIG format (openssh-portable, PROTOCOL.sshsig)."""

import base64
import hashlib
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MAGIC = b"SSHSIG"
NAMESPACE = b"git"
HASH = b"sha512"
BEGIN = "-----BEGIN SSH SIGNATURE-----"
END = "-----END SSH SIGNATURE-----"


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


class CommitSigner:
    """Signs what the stand-in itself commits, as GitHub signs commits made through its API."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._public = _string(b"ssh-ed25519") + _string(raw)

    @property
    def public_key(self) -> str:
        """The public key as ssh writes it, for `git verify-commit`."""
        return f"ssh-ed25519 {base64.b64encode(self._public).decode()}"

    def sign(self, payload: str) -> str:
        """The armoured signature over a commit without its `gpgsig` header."""
        signature = _string(b"ssh-ed25519") + _string(self._key.sign(self._signed(payload)))
        blob = (
            MAGIC
            + struct.pack(">I", 1)
            + _string(self._public)
            + _string(NAMESPACE)
            + _string(b"")
            + _string(HASH)
            + _string(signature)
        )
        encoded = base64.b64encode(blob).decode()
        lines = [encoded[start : start + 70] for start in range(0, len(encoded), 70)]
        return "\n".join([BEGIN, *lines, END])

    def made(self, payload: str, signature: str) -> bool:
        """Whether the signature is ours and covers exactly this payload."""
        body = signature.strip().removeprefix(BEGIN).removesuffix(END)
        try:
            blob = base64.b64decode("".join(body.split()), validate=True)
            self._key.public_key().verify(blob[-64:], self._signed(payload))
        except (ValueError, InvalidSignature):
            return False
        return self._public in blob

    @staticmethod
    def _signed(payload: str) -> bytes:
        digest = hashlib.sha512(payload.encode()).digest()
        return MAGIC + _string(NAMESPACE) + _string(b"") + _string(HASH) + _string(digest)
