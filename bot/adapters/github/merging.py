"""Merging a pull request at a known head, and saying what is missing where GitHub does not merge."""

from agents.errors import ForgeRefusedError
from agents.incident import RepoRef
from agents.writes import Done, Refused, Result
from bot.adapters.github import payloads, pull_payloads
from bot.adapters.github.checks import unmet_checks
from bot.adapters.github.client import Client
from bot.adapters.github.reader import root

NOT_MERGEABLE = 405
HEAD_MODIFIED = 409
CONFLICTS = "dirty"


class Merger:
    """Merges with the API's `sha` parameter, so that only what was approved is merged."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def merge(self, repo: RepoRef, number: int, *, head_sha: str, title: str) -> Result:
        """Merge if the head is still `head_sha`; a merge that happened before is the same success."""
        settled = await self._settled(repo, number, head_sha)
        if settled is not None:
            return settled
        order = {"sha": head_sha, "commit_title": title, "merge_method": await self._method(repo)}
        where = f"{root(repo)}/pulls/{number}/merge"
        try:
            merged = await self._client.send("PUT", repo.installation_id, where, pull_payloads.Merged, order)
        except ForgeRefusedError as error:
            return await self._refused(repo, number, head_sha, error)
        return Done(number=number, sha=merged.sha)

    async def _settled(self, repo: RepoRef, number: int, head_sha: str) -> Result | None:
        """Return the result where there is nothing (more) to merge, else None."""
        pull = await self._client.find(repo.installation_id, f"{root(repo)}/pulls/{number}", pull_payloads.Pull)
        if pull is None:
            return Refused(reason=f"pull request #{number} does not exist.")
        if pull.head.sha != head_sha:
            return Refused(reason=f"the branch of #{number} was pushed to after the approval.")
        if pull.merged or pull.merged_at is not None:
            return Done(number=number, sha=pull.merge_commit_sha)
        if pull.state != "open":
            return Refused(reason=f"pull request #{number} is closed.")
        return None

    async def _method(self, repo: RepoRef) -> str:
        """Return the first way of merging that the repository allows; one commit is easiest to take back."""
        settings = await self._client.get(repo.installation_id, root(repo), payloads.Repository)
        if settings.allow_squash_merge:
            return "squash"
        return "merge" if settings.allow_merge_commit else "rebase"

    async def _refused(self, repo: RepoRef, number: int, head_sha: str, error: ForgeRefusedError) -> Result:
        if error.status == HEAD_MODIFIED:
            return Refused(reason=f"{_sentence(error.reason)} Only the commit that was approved may be merged.")
        if error.status != NOT_MERGEABLE:
            return Refused(reason=_sentence(error.reason))
        settled = await self._settled(repo, number, head_sha)
        if settled is not None:
            return settled
        pull = await self._client.get(repo.installation_id, f"{root(repo)}/pulls/{number}", pull_payloads.Pull)
        if pull.mergeable_state == CONFLICTS:
            return Refused(reason=f"#{number} conflicts with {pull.base.ref}.")
        unmet = await unmet_checks(self._client, repo, pull.base.ref, head_sha)
        return Refused(reason=" ".join([_sentence(error.reason), *_hints(pull), *unmet]), retry=True)


def _hints(pull: pull_payloads.Pull) -> list[str]:
    """Return what a person can do about GitHub's `mergeable_state`."""
    match pull.mergeable_state:
        case "behind":
            return [f"The branch is behind {pull.base.ref}, and {pull.base.ref} demands that it is up to date."]
        case "draft":
            return ["The pull request is a draft."]
        case "unknown":
            return ["GitHub is still working out whether it can be merged."]
        case _:
            return []


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
