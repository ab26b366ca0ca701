"""Hidden marks in what we write, by which it is found again; an HMAC keeps others from making them.

A mark is a line of its own: untrusted text in our comments is escaped, on one line or behind a diff's sign, so that a
mark that somebody copied into telemetry or a commit is none when we quote it.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass

from pydantic import SecretStr

ISSUE_KIND = "issue"
"""Of the mark in an incident's own issue."""

_PURPOSE = b"sre-space marker v1"
_MAC_CHARS = 32
_SAFE = re.compile(r"[^A-Za-z0-9_.:@=/+-]+")
_MARKER = re.compile(
    r"^<!-- sre-space:(?P<kind>[a-z_]+):(?P<incident>[A-Za-z0-9_-]+):(?P<key>[A-Za-z0-9_.:@=/+-]*)"
    r" (?P<mac>[0-9a-f]{32}) -->\r?$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Marker:
    """What a genuine mark says: what kind of text, of which incident, for which write."""

    kind: str
    incident_id: str
    key: str


class Markers:
    """Makes and verifies marks with a key derived from `secret` (the webhook secret, or one of its own)."""

    def __init__(self, secret: SecretStr) -> None:
        self._key = hmac.digest(secret.get_secret_value().encode(), _PURPOSE, hashlib.sha256)

    def make(self, kind: str, incident_id: str, key: str) -> str:
        """Return the mark, an HTML comment; the same arguments always give the same mark."""
        marker = Marker(kind, incident_id, _safe(key))
        return f"<!-- sre-space:{kind}:{incident_id}:{marker.key} {self._mac(marker)} -->"

    def find(self, body: str) -> Marker | None:
        """Return the last genuine mark in `body`; forged and foreign ones are passed over.

        Only its author shows that a mark was not copied: check that our App wrote the text.
        """
        for found in reversed(list(_MARKER.finditer(body))):
            marker = Marker(found["kind"], found["incident"], found["key"])
            if hmac.compare_digest(found["mac"], self._mac(marker)):
                return marker
        return None

    def _mac(self, marker: Marker) -> str:
        text = f"{marker.kind}\0{marker.incident_id}\0{marker.key}".encode()
        return hmac.digest(self._key, text, hashlib.sha256).hex()[:_MAC_CHARS]


def _safe(key: str) -> str:
    """Return `key` itself, or a digest of it where it holds what must not stand in an HTML comment."""
    if _SAFE.search(key) or "--" in key:
        return hashlib.sha256(key.encode()).hexdigest()[:_MAC_CHARS]
    return key
