"""Feature flags from a file in flagd's format, read again whenever the file changes."""

import json
import logging
from pathlib import Path

logger = logging.getLogger(__name__)


class Flags:
    """Boolean feature flags; a flag that is missing or disabled is off."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._modified_ns = -1
        self._enabled: dict[str, bool] = {}

    def is_on(self, name: str) -> bool:
        """Returns the value of the default variant of flag `name`."""
        self._reload()
        return self._enabled.get(name, False)

    def _reload(self) -> None:
        if self._path is None:
            return
        try:
            modified_ns = self._path.stat().st_mtime_ns
            if modified_ns == self._modified_ns:
                return
            document = json.loads(self._path.read_text(encoding="utf-8"))
            self._enabled = {name: _value(flag) for name, flag in document["flags"].items()}
        except (OSError, ValueError, KeyError) as error:
            logger.warning("flags kept as they were: %s", error)
            return
        self._modified_ns = modified_ns


def _value(flag: dict) -> bool:
    return flag["state"] == "ENABLED" and bool(flag["variants"][flag["defaultVariant"]])
