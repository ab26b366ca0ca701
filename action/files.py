"""The files through which a step talks to GitHub Actions: outputs and the job summary."""

from collections.abc import Mapping
from pathlib import Path

MAX_SUMMARY_BYTES = 1024 * 1024
"""GitHub drops a step's summary that is longer ("Workflow commands for GitHub Actions", step isolation and limits)."""


def set_outputs(path: Path | None, values: Mapping[str, object]) -> None:
    """Append outputs to `GITHUB_OUTPUT`; None is written as nothing. Values never span lines."""
    if path is None:
        return
    with path.open("a", encoding="utf-8") as file:
        for name, value in values.items():
            text = "" if value is None else " ".join(str(value).splitlines())
            file.write(f"{name}={text}\n")


def add_summary(path: Path | None, markdown: str) -> None:
    """Append to `GITHUB_STEP_SUMMARY`."""
    if path is None:
        return
    text = f"{markdown.rstrip()}\n\n".encode()[:MAX_SUMMARY_BYTES].decode(errors="ignore")
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def command_value(text: str) -> str:
    """Return `text` such that it ends nothing in a workflow command ("Workflow commands": %25, %0D, %0A)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
