"""The workflow's event as a delivery: what GitHub would have sent as a webhook lies in a file."""

import json
import uuid
from pathlib import Path
from typing import Any, cast

from action.errors import EventError
from bot.adapters.github.token import NO_INSTALLATION
from bot.db.rows import Delivery
from bot.web.ingress import EVENTS
from bot.web.payload import delivery
from telemetry.errors import DecodeError

WAKING = frozenset({"schedule", "workflow_dispatch"})
"""Events that are about no incident: whatever is due is taken up."""
MAX_BYTES = 25 * 1024 * 1024


def read_delivery(name: str, path: Path | None) -> Delivery | None:
    """Return the delivery that the event makes; None for one that only wakes what is due.

    A workflow's event has no `installation`: a token is used instead, and its place is filled so that the handlers read
    it like any webhook. The guid comes from the content, so that a run that is repeated handles the same delivery.

    Raises:
        EventError: the event is none that is handled, or its file cannot be read.
    """
    if name in WAKING:
        return None
    if name not in EVENTS:
        handled = ", ".join(sorted(EVENTS | WAKING))
        raise EventError(f"`mode: respond` handles {handled}; this workflow was started by `{name}`")
    try:
        content = _content(path)
        given = {"installation": {"id": NO_INSTALLATION}} | content
        found = delivery(json.dumps(given).encode(), event=name, guid="")
    except (OSError, ValueError, DecodeError) as error:
        raise EventError(f"the event of this workflow cannot be read: {error}") from error
    return found.model_copy(update={"guid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}:{found.semantic_key}"))})


def _content(path: Path | None) -> dict[str, Any]:
    if path is None:
        raise ValueError("GITHUB_EVENT_PATH is not set")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError("it is larger than 25 MB")
    found: object = json.loads(path.read_bytes())
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - told like every other file that cannot be read
    return cast("dict[str, Any]", found)
