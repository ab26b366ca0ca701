"""Writes to issues and comments; what an earlier try made is found by its marker before anything is posted."""

from datetime import datetime, timedelta
from urllib.parse import quote

from agents.errors import ForgeRefusedError
from agents.incident import RepoRef
from agents.ports import Now
from agents.writes import Done, Reaction, Result
from bot.adapters.github import payloads
from bot.adapters.github.account import Account
from bot.adapters.github.client import GONE, Client
from bot.adapters.github.reader import root

LOOK_BACK = timedelta(days=30)
MAX_ISSUE_PAGES = 5
MAX_COMMENT_PAGES = 20
ANYTHING = object
"""For answers that are not looked at."""


class IssueWriter:
    """Issues, comments, reactions and labels."""

    def __init__(self, client: Client, account: Account, now: Now) -> None:
        self._client = client
        self._account = account
        self._now = now

    async def open_issue(self, repo: RepoRef, *, title: str, body: str, labels: tuple[str, ...], marker: str) -> Result:
        """Open an issue, unless one of ours with this marker was opened in the last `LOOK_BACK`."""
        found = await self._marked_issue(repo, labels, marker, self._now() - LOOK_BACK)
        if found is None:
            content = {"title": title, "body": _with(marker, body), "labels": list(labels)}
            found = await self._client.send(
                "POST", repo.installation_id, f"{root(repo)}/issues", payloads.Issue, content
            )
        return Done(number=found.number, url=found.html_url)

    async def _marked_issue(
        self, repo: RepoRef, labels: tuple[str, ...], marker: str, since: datetime
    ) -> payloads.Issue | None:
        params: dict[str, str | int] = {"state": "all", "since": since.strftime("%Y-%m-%dT%H:%M:%SZ")}
        if labels:
            params["labels"] = labels[0]
        pages = self._client.pages(
            repo.installation_id, f"{root(repo)}/issues", tuple[payloads.Issue, ...], params, MAX_ISSUE_PAGES
        )
        async for page in pages:
            for issue in page:
                if _holds(issue.body, marker) and await self._account.wrote(issue):
                    return issue
        return None

    async def upsert_comment(
        self, repo: RepoRef, issue: int, *, body: str, marker: str, comment_id: int | None
    ) -> Result:
        """Edit the comment with that id, else the one of ours that holds the marker, else post it."""
        text = _with(marker, body)
        if comment_id is not None and (edited := await self._edit(repo, comment_id, text)):
            return edited
        found = await self._marked_comment(repo, issue, marker)
        if found is None:
            where = f"{root(repo)}/issues/{issue}/comments"
            found = await self._client.send("POST", repo.installation_id, where, payloads.Comment, {"body": text})
            return Done(number=found.id, url=found.html_url)
        if found.body == text:
            return Done(number=found.id, url=found.html_url)
        return await self._edit(repo, found.id, text) or Done(number=found.id, url=found.html_url)

    async def _edit(self, repo: RepoRef, comment_id: int, text: str) -> Done | None:
        where = f"{root(repo)}/issues/comments/{comment_id}"
        try:
            edited = await self._client.send("PATCH", repo.installation_id, where, payloads.Comment, {"body": text})
        except ForgeRefusedError as error:
            if error.status in GONE:
                return None
            raise
        return Done(number=edited.id, url=edited.html_url)

    async def _marked_comment(self, repo: RepoRef, issue: int, marker: str) -> payloads.Comment | None:
        where = f"{root(repo)}/issues/{issue}/comments"
        pages = self._client.pages(
            repo.installation_id, where, tuple[payloads.Comment, ...], max_pages=MAX_COMMENT_PAGES
        )
        async for page in pages:
            for comment in page:
                if _holds(comment.body, marker) and await self._account.wrote(comment):
                    return comment
        return None

    async def react(self, repo: RepoRef, comment_id: int, reaction: Reaction) -> Result:
        """React to a comment; GitHub keeps one reaction of a kind per account."""
        where = f"{root(repo)}/issues/comments/{comment_id}/reactions"
        await self._client.send("POST", repo.installation_id, where, ANYTHING, {"content": str(reaction)})
        return Done()

    async def label_issue(self, repo: RepoRef, issue: int, *, add: tuple[str, ...], remove: tuple[str, ...]) -> Result:
        """Add labels (GitHub makes those that do not exist), and remove labels that may be gone already."""
        where = f"{root(repo)}/issues/{issue}/labels"
        if add:
            await self._client.send("POST", repo.installation_id, where, ANYTHING, {"labels": list(add)})
        for name in remove:
            try:
                await self._client.send("DELETE", repo.installation_id, f"{where}/{quote(name, safe='')}", ANYTHING)
            except ForgeRefusedError as error:
                if error.status not in GONE:
                    raise
        return Done()

    async def close_issue(self, repo: RepoRef, issue: int, *, completed: bool) -> Result:
        """Close the issue as completed, or as not planned."""
        change = {"state": "closed", "state_reason": "completed" if completed else "not_planned"}
        found = await self._client.send(
            "PATCH", repo.installation_id, f"{root(repo)}/issues/{issue}", payloads.Issue, change
        )
        return Done(number=found.number, url=found.html_url)


def _with(marker: str, body: str) -> str:
    return body if _holds(body, marker) else f"{body}\n\n{marker}"


def _holds(body: str | None, marker: str) -> bool:
    """Return whether the mark stands on a line of its own: one that we only quote does not."""
    return marker in (body or "").splitlines()
