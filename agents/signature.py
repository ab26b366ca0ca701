"""What makes two incidents the same one."""

import hashlib

from telemetry.model import Signal


def incident_signature(signal: Signal) -> str:
    """Return the signature of an incident: 16 hexadecimal digits."""
    parts = (signal.tenant, signal.root_service, signal.root_operation)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
