"""The driver's `World` over the sandbox's GitHub: another process, reached over HTTP as the App and as its people."""

import base64
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from agents.incident import RepoRef
from agents.ports import Forge, Permission
from agents.testing.builders import ONSET
from bot.adapters.github import connect
from bot.testing.world import Request, visible
from infra.sandbox.github.testing import StandIn, WebhookSink, stand_in, webhook_sink
from tests.contract.forge_worlds import access

START = ONSET + timedelta(seconds=16)
"""Where the clock of the fake world starts as well."""
REVIEWS = {"approved": "APPROVE", "changes_requested": "REQUEST_CHANGES", "commented": "COMMENT"}


class SandboxWorld:
    """The shop on the sandbox's GitHub. Its clock stands still, and is moved by hand as that of the fake."""

    forge: Forge
    repo: RepoRef

    def __init__(self, site: StandIn, sink: WebhookSink, http: httpx.AsyncClient) -> None:
        self.site = site
        self.secret = str(site.credentials["webhook_secret"])
        self._sink = sink
        self._http = http
        self._clock = START

    def now(self) -> datetime:
        """See `World.now`."""
        return self._clock

    async def wait(self, seconds: float) -> None:
        """See `World.wait`; no real time passes."""
        self._clock += timedelta(seconds=seconds)
        await self._control("/clock", {"now": self._clock.isoformat()})

    async def requests(self) -> tuple[Request, ...]:
        """See `World.requests`; headers and bodies are those that arrived."""
        await self._control("/settle")
        caught, self._sink.caught = self._sink.caught, []
        return tuple(Request(hook.headers, hook.body) for hook in caught)

    async def comments(self, number: int) -> tuple[str, ...]:
        """See `World.comments`."""
        found = await self._ask("otto", "GET", f"/issues/{number}/comments?per_page=100")
        return tuple(visible(comment["body"]) for comment in found)

    async def reactions(self, comment_id: int) -> tuple[str, ...]:
        """See `World.reactions`."""
        found = await self._ask("otto", "GET", f"/issues/comments/{comment_id}/reactions")
        return tuple(reaction["content"] for reaction in found)

    async def head(self) -> str:
        """See `World.head`."""
        return str((await self._ask("otto", "GET", "/git/ref/heads/main"))["object"]["sha"])

    async def says(self, login: str, number: int, body: str) -> int:
        """See `World.says`."""
        return int((await self._ask(login, "POST", f"/issues/{number}/comments", {"body": body}))["id"])

    async def opens(self, login: str, title: str, body: str, labels: tuple[str, ...]) -> int:
        """See `World.opens`."""
        issue = {"title": title, "body": body, "labels": list(labels)}
        return int((await self._ask(login, "POST", "/issues", issue))["number"])

    async def rewrites(self, login: str, number: int, body: str) -> None:
        """See `World.rewrites`."""
        await self._ask(login, "PATCH", f"/issues/{number}", {"body": body})

    async def closes(self, login: str, number: int) -> None:
        """See `World.closes`."""
        await self._ask(login, "PATCH", f"/issues/{number}", {"state": "closed"})

    async def reopens(self, login: str, number: int) -> None:
        """See `World.reopens`."""
        await self._ask(login, "PATCH", f"/issues/{number}", {"state": "open"})

    async def reviews(self, login: str, number: int, state: str) -> int:
        """See `World.reviews`."""
        review = {"event": REVIEWS[state], "body": "As a person sees it."}
        return int((await self._ask(login, "POST", f"/pulls/{number}/reviews", review))["id"])

    async def merges(self, login: str, number: int) -> None:
        """See `World.merges`."""
        await self._ask(login, "PUT", f"/pulls/{number}/merge", {})

    async def pushes(self, login: str, number: int) -> None:
        """See `World.pushes`."""
        branch = (await self._ask(login, "GET", f"/pulls/{number}"))["head"]["ref"]
        content = base64.b64encode(b"# More\n").decode()
        await self._ask(login, "PUT", "/contents/EXTRA.md", {"message": "More", "content": content, "branch": branch})

    async def grants(self, login: str, permission: Permission) -> None:
        """See `World.grants`."""
        await self._control("/role", {"login": login, "role": permission})

    async def _ask(self, login: str, method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"token {self.site.credentials['users'][login]}"}
        answer = await self._http.request(method, self.site.repo_url + path, json=body, headers=headers)
        return answer.raise_for_status().json()

    async def _control(self, path: str, body: object = None) -> None:
        (await self._http.post(f"{self.site.api_url}/_sandbox{path}", json=body)).raise_for_status()


@contextlib.asynccontextmanager
async def sandbox_world(folder: Path, files: Mapping[str, str]) -> AsyncIterator[SandboxWorld]:
    """Yield a repository with these files on a sandbox of its own, which keeps its state in `folder`."""
    seed = folder / "seed"
    for path, content in files.items():
        (seed / path).parent.mkdir(parents=True, exist_ok=True)
        (seed / path).write_text(content)
    async with contextlib.AsyncExitStack() as stack:
        sink = stack.enter_context(webhook_sink())
        arguments = ("--seed", str(seed), "--now", START.isoformat(), "--webhook-url", sink.url)
        site = stack.enter_context(stand_in(folder / "github", *arguments))
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        world = SandboxWorld(site, sink, http)
        forge = await stack.enter_async_context(contextlib.aclosing(connect(access(site), now=world.now)))
        world.forge, world.repo = forge, await forge.resolve("acme/shop")
        await world.grants("wim", "maintain")  # as in the fake world
        yield world
