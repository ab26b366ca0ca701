"""FakeForge: GitHub over a repository in memory."""

from agents.errors import ForgeRefusedError, SreSpaceError
from agents.incident import RepoRef
from agents.plan import Plan
from agents.ports import (
    CommentState,
    Commit,
    Comparison,
    IssueState,
    Permission,
    PullState,
    RepoFile,
)
from agents.testing.github import APP, Check, GitHub, Pull
from agents.testing.repository import MergeConflictError, blob_sha, changes
from agents.writes import Done, Reaction, Refused, Result


class FakeForge:
    """The port `Forge` over `github`, which a test may read and change at will.

    `calls` lists the names of the methods that were called; `fail` maps such a name to an error that its next call
    raises once; while `down` is set, every call raises it.
    """

    def __init__(self, github: GitHub) -> None:
        self.github = github
        self.calls: list[str] = []
        self.fail: dict[str, SreSpaceError] = {}
        self.down: SreSpaceError | None = None

    def _called(self, name: str, repo: RepoRef) -> None:
        self.calls.append(name)
        if self.down is not None:
            raise self.down
        if name in self.fail:
            raise self.fail.pop(name)
        if repo.full_name != self.github.full_name:
            raise ForgeRefusedError(404, "Not Found")

    async def resolve(self, full_name: str) -> RepoRef:
        """Return the repository of this world."""
        self.calls.append("resolve")
        if full_name != self.github.full_name:
            raise ForgeRefusedError(404, "Not Found")
        return self.github.ref

    async def file(self, repo: RepoRef, path: str, ref: str) -> RepoFile | None:
        """Return a file of the repository in memory."""
        self._called("file", repo)
        sha = self.github.git.resolve(ref)
        content = self.github.git.trees[sha].get(path) if sha else None
        return None if content is None else RepoFile(path=path, blob_sha=blob_sha(content), content=content)

    async def default_branch(self, repo: RepoRef) -> tuple[str, str]:
        """Return the default branch and its head."""
        self._called("default_branch", repo)
        return self.github.default_branch, self.github.git.branches[self.github.default_branch]

    async def commits(self, repo: RepoRef, *, ref: str, path: str | None = None, limit: int = 30) -> tuple[Commit, ...]:
        """Return the history of `ref`, as GitHub lists it: without files."""
        self._called("commits", repo)
        sha = self.github.git.resolve(ref)
        found = self.github.git.history(sha) if sha else []
        if path is not None:
            found = [commit for commit in found if any(_touches(path, file.path) for file in commit.files)]
        return tuple(commit.model_copy(update={"files": ()}) for commit in found[:limit])

    async def commit(self, repo: RepoRef, sha: str) -> Commit | None:
        """Return a commit with its files."""
        self._called("commit", repo)
        found = self.github.git.resolve(sha)
        return self.github.git.commits[found] if found else None

    async def compare(self, repo: RepoRef, base: str, head: str) -> Comparison | None:
        """Return base...head: files since the merge base, commits that base lacks."""
        self._called("compare", repo)
        git = self.github.git
        first, last = git.resolve(base), git.resolve(head)
        if first is None or last is None:
            return None
        common = git.merge_base(first, last)
        known = {commit.sha for commit in git.history(first)}
        commits = [commit for commit in reversed(git.history(last)) if commit.sha not in known]
        files = changes(git.trees[common] if common else {}, git.trees[last])
        return Comparison(
            status=git.status(first, last),
            commits=tuple(commit.model_copy(update={"files": ()}) for commit in commits),
            files=files,
        )

    async def pull(self, repo: RepoRef, number: int) -> PullState | None:
        """Return a pull request as it is now."""
        self._called("pull", repo)
        found = self.github.pulls.get(number)
        return self.github.pull_state(found) if found else None

    async def permission(self, repo: RepoRef, login: str) -> Permission:
        """Return what `grant` gave this person."""
        self._called("permission", repo)
        return self.github.permissions.get(login, "read")

    async def comment(self, repo: RepoRef, comment_id: int) -> CommentState | None:
        """Return a comment as it is now."""
        self._called("comment", repo)
        found = self.github.comments.get(comment_id)
        return found[1] if found else None

    async def issue(self, repo: RepoRef, number: int) -> IssueState | None:
        """Return an issue as it is now."""
        self._called("issue", repo)
        return self.github.issues.get(number)

    async def open_issue(self, repo: RepoRef, *, title: str, body: str, labels: tuple[str, ...], marker: str) -> Result:
        """Open an issue as the app, once per marker."""
        self._called("open_issue", repo)
        found = next((issue for issue in self.github.issues.values() if marker in issue.body), None)
        issue = found or self.github.opens(APP, title, f"{body}\n\n{marker}", labels=labels, author_type="Bot")
        return Done(number=issue.number, url=issue.url)

    async def upsert_comment(
        self, repo: RepoRef, issue: int, *, body: str, marker: str, comment_id: int | None
    ) -> Result:
        """Edit the comment with that id or marker, else post it."""
        self._called("upsert_comment", repo)
        text = f"{body}\n\n{marker}"
        mine = [found for number, found in self.github.comments.values() if number == issue and found.by_app]
        same = next((found for found in mine if found.id == comment_id or marker in found.body), None)
        if same is not None:
            edited = self.github.edits(same.id, text)
            return Done(number=edited.id, url=edited.url)
        posted = self.github.says(issue, APP, text, author_type="Bot", by_app=True)
        return Done(number=posted.id, url=posted.url)

    async def react(self, repo: RepoRef, comment_id: int, reaction: Reaction) -> Result:
        """Add a reaction, once."""
        self._called("react", repo)
        given = self.github.reactions.setdefault(comment_id, [])
        if reaction not in given:
            given.append(reaction)
        return Done()

    async def propose_change(self, repo: RepoRef, plan: Plan, *, message: str, body: str) -> Result:
        """Make branch, commit and pull request of a plan, once per branch."""
        self._called("propose_change", repo)
        github = self.github
        found = next((pull for pull in github.pulls.values() if pull.head_ref == plan.branch), None)
        if found is None:
            if plan.base_sha not in github.git.commits:
                return Refused(reason="Object does not exist")
            github.git.branches[plan.branch] = plan.base_sha
            files = {edit.path: edit.content for edit in plan.edits}
            github.git.commit(files, message=message, author=APP, at=github.now(), branch=plan.branch)
            found = github.pulls_in(plan.branch, plan.base_ref, APP, title=plan.title, body=body)
        state = github.pull_state(found)
        return Done(number=state.number, url=state.url, sha=state.head_sha)

    async def complete_check(
        self, repo: RepoRef, head_sha: str, *, conclusion: str, title: str, summary: str
    ) -> Result:
        """Record a check run."""
        self._called("complete_check", repo)
        self.github.checks[head_sha] = Check(conclusion, title, summary)
        return Done()

    async def merge(self, repo: RepoRef, number: int, *, head_sha: str, title: str) -> Result:
        """Merge if the head is still `head_sha` and nothing blocks it."""
        self._called("merge", repo)
        pull = self.github.pulls.get(number)
        if pull is None:
            return Refused(reason="Not Found")
        if pull.merge_sha:
            return Done(number=number, sha=pull.merge_sha)
        return self._merge(pull, head_sha, title)

    def _merge(self, pull: Pull, head_sha: str, title: str) -> Result:
        github = self.github
        if not pull.open:
            return Refused(reason="Pull Request is closed")
        if github.git.branches[pull.head_ref] != head_sha:
            return Refused(reason="Head branch was modified. Review and try the merge again.")
        if github.merge_blocked:
            return Refused(reason=github.merge_blocked, retry=True)
        try:
            github.merges(APP, pull.number, title=title)
        except MergeConflictError:
            return Refused(reason="Pull Request has merge conflicts")
        return Done(number=pull.number, sha=pull.merge_sha)

    async def close_pull(self, repo: RepoRef, number: int, *, branch: str) -> Result:
        """Close a pull request and delete its branch."""
        self._called("close_pull", repo)
        pull = self.github.pulls.get(number)
        if pull is None:
            return Refused(reason="Not Found")
        self.github.closes_pull(APP, number)
        pull.last_head = self.github.git.branches.pop(branch, pull.last_head)
        return Done(number=number)

    async def label_issue(self, repo: RepoRef, issue: int, *, add: tuple[str, ...], remove: tuple[str, ...]) -> Result:
        """Add and remove labels."""
        self._called("label_issue", repo)
        if issue not in self.github.issues:
            return Refused(reason="Not Found")
        self.github.labels(APP, issue, add=add, remove=remove)
        return Done()

    async def close_issue(self, repo: RepoRef, issue: int, *, completed: bool) -> Result:
        """Close an issue."""
        self._called("close_issue", repo)
        if issue not in self.github.issues:
            return Refused(reason="Not Found")
        self.github.closes(APP, issue, reason="completed" if completed else "not_planned")
        return Done()


def _touches(path: str, file: str) -> bool:
    return file == path or file.startswith(path.rstrip("/") + "/")
