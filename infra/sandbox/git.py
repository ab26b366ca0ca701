"""Runs git for the managed side of the sandbox."""

import asyncio
import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from infra.sandbox.errors import CommandError

_OUTPUT_LIMIT_CHARS = 2000
_TIMEOUT_S = 30.0
# The settings of whoever runs the sandbox (signing, hooks, credential helpers) stay out of it.
_ISOLATION = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


async def git(*arguments: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Returns what git wrote to stdout, without the last newline.

    Raises:
        CommandError: git failed, or took longer than 30 s.
    """
    process = await asyncio.create_subprocess_exec(
        "git",
        *arguments,
        cwd=cwd,
        env={**os.environ, **_ISOLATION, **(env or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    shown = "git " + " ".join(without_credentials(argument) for argument in arguments)
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            stdout, stderr = await process.communicate()
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise CommandError(shown, -1, f"no end within {_TIMEOUT_S:.0f} s") from error
    if process.returncode:
        output = stderr.decode(errors="replace").strip()[-_OUTPUT_LIMIT_CHARS:]
        raise CommandError(shown, process.returncode, without_credentials(output))
    return stdout.decode(errors="replace").rstrip("\n")


def without_credentials(text: str) -> str:
    """Returns the text with user and password taken out of the URLs in it."""
    return " ".join(_bare(word) for word in text.split(" "))


def _bare(word: str) -> str:
    if "://" not in word or "@" not in word:
        return word
    parts = urlsplit(word)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
