"""The `Forge` port over GitHub's REST API, put together from its halves."""

from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from agents.incident import RepoRef
from agents.plan import Plan
from agents.ports import Now
from agents.writes import Reaction, Result
from bot.adapters.github.account import Account
from bot.adapters.github.app import AppAccount
from bot.adapters.github.auth import AppIdentity, utc_now
from bot.adapters.github.checks import CheckWriter
from bot.adapters.github.client import Client, github
from bot.adapters.github.issues import IssueWriter
from bot.adapters.github.merging import Merger
from bot.adapters.github.proposals import ProposalWriter
from bot.adapters.github.reader import Reader
from bot.adapters.github.transport import Transport
from bot.observability.observer import Observer

TIMEOUT_S = 15.0


@dataclass(frozen=True)
class Access:
    """Where GitHub is and as which App to go there."""

    api_url: str
    app_id: int
    private_key: SecretStr
    timeout_s: float = TIMEOUT_S


class GitHubForge(Reader):
    """GitHub: the reads are inherited, each kind of write is passed on to its own writer."""

    def __init__(self, client: Client, transport: Transport, account: Account, now: Now = utc_now) -> None:
        super().__init__(client)
        self.account = account
        self._transport = transport
        self._issues = IssueWriter(client, account, now)
        self._proposals = ProposalWriter(client)
        self._checks = CheckWriter(client, account.app_id)
        self._merger = Merger(client)

    async def resolve(self, full_name: str) -> RepoRef:
        """Return the repository `owner/name`. Raises ForgeRefusedError when we cannot reach it."""
        return await self.account.resolve(full_name)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.shut()

    async def open_issue(self, repo: RepoRef, *, title: str, body: str, labels: tuple[str, ...], marker: str) -> Result:
        """See `IssueWriter.open_issue`."""
        return await self._issues.open_issue(repo, title=title, body=body, labels=labels, marker=marker)

    async def upsert_comment(
        self, repo: RepoRef, issue: int, *, body: str, marker: str, comment_id: int | None
    ) -> Result:
        """See `IssueWriter.upsert_comment`."""
        return await self._issues.upsert_comment(repo, issue, body=body, marker=marker, comment_id=comment_id)

    async def react(self, repo: RepoRef, comment_id: int, reaction: Reaction) -> Result:
        """See `IssueWriter.react`."""
        return await self._issues.react(repo, comment_id, reaction)

    async def propose_change(self, repo: RepoRef, plan: Plan, *, message: str, body: str) -> Result:
        """See `ProposalWriter.propose_change`."""
        return await self._proposals.propose_change(repo, plan, message=message, body=body)

    async def complete_check(
        self, repo: RepoRef, head_sha: str, *, conclusion: str, title: str, summary: str
    ) -> Result:
        """See `CheckWriter.complete_check`."""
        return await self._checks.complete_check(repo, head_sha, conclusion=conclusion, title=title, summary=summary)

    async def merge(self, repo: RepoRef, number: int, *, head_sha: str, title: str) -> Result:
        """See `Merger.merge`."""
        return await self._merger.merge(repo, number, head_sha=head_sha, title=title)

    async def close_pull(self, repo: RepoRef, number: int, *, branch: str) -> Result:
        """See `ProposalWriter.close_pull`."""
        return await self._proposals.close_pull(repo, number, branch=branch)

    async def label_issue(self, repo: RepoRef, issue: int, *, add: tuple[str, ...], remove: tuple[str, ...]) -> Result:
        """See `IssueWriter.label_issue`."""
        return await self._issues.label_issue(repo, issue, add=add, remove=remove)

    async def close_issue(self, repo: RepoRef, issue: int, *, completed: bool) -> Result:
        """See `IssueWriter.close_issue`."""
        return await self._issues.close_issue(repo, issue, completed=completed)


def connect(
    access: Access,
    *,
    inner: httpx.AsyncBaseTransport | None = None,
    now: Now = utc_now,
    observer: Observer | None = None,
) -> GitHubForge:
    """Build the adapter; nothing is sent before its first use. `inner` replaces the network in tests."""
    transport = Transport(inner, observer)
    kit = github(access.api_url, transport, access.timeout_s)
    client = Client(kit, AppIdentity(access.app_id, access.private_key))
    return GitHubForge(client, transport, AppAccount(client, access.app_id), now)
