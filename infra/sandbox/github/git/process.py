"""Running git commands in the bare repository."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.sandbox.github.errors import GitError, SandboxError

BASE_ENVIRONMENT = {
    "PATH": os.defpath,
    "HOME": "/nonexistent",
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
}
OPTIONS = ("-c", "core.quotepath=false", "-c", "safe.directory=*", "-c", "gc.auto=0")


@dataclass(frozen=True)
class GitResult:
    """What a git command left behind."""

    returncode: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text, without the last newline."""
        return self.stdout.decode("utf-8", "replace").rstrip("\n")


class Git:
    """Runs git in one repository, cut off from the user's own configuration."""

    def __init__(self, path: Path) -> None:
        program = shutil.which("git")
        if program is None:
            raise SandboxError("git is not installed; the sandbox needs it (for example: apt install git)")
        self.path = path
        self._program = program

    async def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        ok: tuple[int, ...] = (0,),
    ) -> GitResult:
        """The result of `git <args>`; raises GitError on an exit code that is not in `ok`."""
        process = await asyncio.create_subprocess_exec(
            self._program,
            *OPTIONS,
            *args,
            cwd=self.path,
            env={**BASE_ENVIRONMENT, **(env or {})},
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        stdout, stderr = await process.communicate(stdin)
        returncode = process.returncode or 0
        if returncode not in ok:
            raise GitError(args, returncode, stderr.decode("utf-8", "replace"))
        return GitResult(returncode, stdout, stderr)
