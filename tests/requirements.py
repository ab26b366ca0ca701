"""What a test needs from the machine: missing things skip it, or fail it when the run requires them."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def need(name: str, present: bool, install: str) -> None:  # noqa: FBT001 - reads well at every call
    """Skips unless the thing is present; fails when SRE_SPACE_REQUIRE names it (comma-separated, or `all`)."""
    if present:
        return
    required = {word.strip() for word in os.environ.get("SRE_SPACE_REQUIRE", "").split(",")}
    message = f"{name} is missing; install it with: {install}"
    if required & {name, "all"}:
        pytest.fail(message)
    pytest.skip(message)


def path_setting(variable: str, default: str) -> Path:
    """The path that an environment variable names, else the default below the repository's root."""
    return Path(os.environ.get(variable) or ROOT / default)
