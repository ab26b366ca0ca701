"""The maintainer of the demo: reads the issue and says yes through GitHub's API, as a person would."""

import asyncio
import sys
from http import HTTPStatus
from typing import Any

import httpx

from infra.sandbox.errors import SandboxError

MAINTAINER = "maria"


class Maintainer:
    """A seeded user of the sandbox with the right to merge."""

    def __init__(self, api_url: str, repository: str, token: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=f"{api_url}/repos/{repository}",
            headers={"authorization": f"Bearer {token}", "accept": "application/vnd.github+json"},
            timeout=10,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _get(self, path: str) -> Any:
        response = await self._client.get(path)
        if response.status_code != HTTPStatus.OK:
            raise SandboxError(f"GET {path} answered {response.status_code}: {response.text[:200]}")
        return response.json()

    async def comments(self, issue: int) -> list[str]:
        """Return the bodies of an issue's comments, oldest first."""
        return [comment["body"] for comment in await self._get(f"/issues/{issue}/comments?per_page=100")]

    async def say(self, issue: int, body: str) -> None:
        """Comment on an issue."""
        response = await self._client.post(f"/issues/{issue}/comments", json={"body": body})
        if response.status_code != HTTPStatus.CREATED:
            raise SandboxError(f"The comment was refused with {response.status_code}: {response.text[:200]}")


async def typed_lines() -> asyncio.Queue[str]:
    """Return a queue that is filled with what is typed in the terminal, line by line; empty when there is none."""
    queue: asyncio.Queue[str] = asyncio.Queue()
    if not sys.stdin.isatty():
        return queue
    loop = asyncio.get_running_loop()

    def read() -> None:
        line = sys.stdin.readline()
        if line:
            queue.put_nowait(line.strip())
        else:
            loop.remove_reader(sys.stdin)

    loop.add_reader(sys.stdin, read)
    return queue
