"""Reads the settings file that stands beside a service."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent


def load_settings(service: str) -> dict[str, Any]:
    """Returns the parsed `services/<service>/settings.yaml`."""
    path = ROOT / "services" / service / "settings.yaml"
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))
