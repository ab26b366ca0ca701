"""Branch, commit and pull request for a plan, each looked up by the branch's name before it is made."""

from urllib.parse import quote

from agents.errors import ForgeRefusedError
from agents.incident import RepoRef
from agents.plan import Plan
from agents.writes import Done, Refused, Result
from bot.adapters.github import payloads, pull_payloads
from bot.adapters.github.client import GONE, Client
from bot.adapters.github.issues import ANYTHING
from bot.adapters.github.reader import root
from bot.adapters.github.trees import planned_tree

UNPROCESSABLE = 422
OUR_BRANCHES = "sre-space/"


class ProposalWriter:
    """Proposes changes and withdraws them. It writes to branches under `sre-space/` only."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def propose_change(self, repo: RepoRef, plan: Plan, *, message: str, body: str) -> Result:
        """Make the plan's branch with one commit on `base_sha`, and its pull request."""
        if not plan.branch.startswith(OUR_BRANCHES):
            return Refused(reason=f"{plan.branch} is not a branch of ours")
        tree_sha = await planned_tree(self._client, repo, plan.base_sha, plan.edits)
        head = await self._branch_head(repo, plan.branch)
        if head is None:
            head = await self._make_branch(repo, plan, tree_sha, message)
        if not await self._is_planned(repo, plan, tree_sha, head):
            return Refused(reason=f"the branch {plan.branch} exists and holds other commits than the planned one")
        return await self._pull(repo, plan, head, body)

    async def _branch_head(self, repo: RepoRef, branch: str) -> str | None:
        where = f"{root(repo)}/git/ref/heads/{quote(branch)}"
        ref = await self._client.find(repo.installation_id, where, payloads.Ref)
        return ref.object.sha if ref else None

    async def _make_branch(self, repo: RepoRef, plan: Plan, tree_sha: str, message: str) -> str:
        """Commit and point the branch at it. Without an author given, GitHub signs the commit as our App's.

        A commit that no branch points at is invisible, so one left over by a failed try does no harm.
        """
        content = {"message": message, "tree": tree_sha, "parents": [plan.base_sha]}
        made = await self._client.send("POST", repo.installation_id, f"{root(repo)}/git/commits", payloads.Sha, content)
        ref = {"ref": f"refs/heads/{plan.branch}", "sha": made.sha}
        try:
            await self._client.send("POST", repo.installation_id, f"{root(repo)}/git/refs", payloads.Ref, ref)
        except ForgeRefusedError as error:
            found = await self._branch_head(repo, plan.branch) if error.status == UNPROCESSABLE else None
            if found is None:
                raise
            return found
        return made.sha

    async def _is_planned(self, repo: RepoRef, plan: Plan, tree_sha: str, head: str) -> bool:
        where = f"{root(repo)}/git/commits/{head}"
        commit = await self._client.get(repo.installation_id, where, payloads.GitCommit)
        return commit.tree.sha == tree_sha and [parent.sha for parent in commit.parents] == [plan.base_sha]

    async def _pull(self, repo: RepoRef, plan: Plan, head: str, body: str) -> Result:
        found = await self._found_pull(repo, plan)
        if found is None:
            content = {"title": plan.title, "head": plan.branch, "base": plan.base_ref, "body": body, "draft": False}
            found = await self._client.send(
                "POST", repo.installation_id, f"{root(repo)}/pulls", pull_payloads.Pull, content
            )
        if found.head.sha != head:
            return Refused(reason=f"somebody pushed to the branch of pull request #{found.number}")
        if found.state != "open" and found.merged_at is None:
            return Refused(reason=f"pull request #{found.number} for this plan was closed")
        return Done(number=found.number, url=found.html_url, sha=head)

    async def _found_pull(self, repo: RepoRef, plan: Plan) -> pull_payloads.Pull | None:
        """Return the newest pull request of the plan's branch, open ones first."""
        params = {"head": f"{repo.owner}:{plan.branch}", "base": plan.base_ref, "state": "all"}
        where = f"{root(repo)}/pulls"
        found = await self._client.get(repo.installation_id, where, tuple[pull_payloads.Pull, ...], params)
        ours = [pull for pull in found if pull.head.ref == plan.branch]
        return min(ours, key=lambda pull: (pull.state != "open", -pull.number), default=None)

    async def close_pull(self, repo: RepoRef, number: int, *, branch: str) -> Result:
        """Close a pull request and delete its branch; both may be gone already."""
        if not branch.startswith(OUR_BRANCHES):
            return Refused(reason=f"{branch} is not a branch of ours")
        pull = await self._client.find(repo.installation_id, f"{root(repo)}/pulls/{number}", pull_payloads.Pull)
        if pull is not None and pull.state == "open":
            where = f"{root(repo)}/pulls/{number}"
            await self._client.send("PATCH", repo.installation_id, where, pull_payloads.Pull, {"state": "closed"})
        try:
            where = f"{root(repo)}/git/refs/heads/{quote(branch)}"
            await self._client.send("DELETE", repo.installation_id, where, ANYTHING)
        except ForgeRefusedError as error:
            if error.status not in {*GONE, UNPROCESSABLE}:
                raise
        return Done(number=number)
