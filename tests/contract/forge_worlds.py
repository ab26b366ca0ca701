"""Two GitHubs behind one handle: FakeForge's repository in memory, and the stand-in reached through githubkit."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from pydantic import SecretStr

from agents.incident import RepoRef
from agents.plan import FileEdit, Plan, RaiseLimit, Risk
from agents.ports import Forge, Permission
from agents.testing.forge import FakeForge
from agents.testing.github import REPO, GitHub
from bot.adapters.github import Access, GitHubForge, connect
from infra.sandbox.github.testing import StandIn

SETTINGS = "services/quote/settings.yaml"
HOOK = "tools/check"


class World(Protocol):
    """A repository that tests may act on as people do."""

    forge: Forge
    repo: RepoRef

    def grants(self, login: str, permission: Permission) -> None: ...

    def opens(self, login: str, title: str, body: str, labels: tuple[str, ...] = ()) -> int: ...

    def says(self, login: str, issue: int, body: str) -> int: ...

    def edits(self, login: str, comment_id: int, body: str) -> None: ...

    def pushes(self, login: str, branch: str, files: Mapping[str, str]) -> str: ...

    def comments(self, issue: int) -> list[str]: ...

    def issues(self, title: str) -> list[int]: ...

    def reactions(self, comment_id: int) -> list[str]: ...

    def check(self, sha: str) -> list[tuple[str, str]]: ...

    def branches(self) -> set[str]: ...


class FakeWorld:
    """FakeForge over a repository in memory."""

    def __init__(self) -> None:
        self.github = GitHub()
        self.github.git.commit({"README.md": "# shop\n"}, message="Initial commit")
        self.github.git.commit({SETTINGS: "database:\n  pool_size: 2\n", HOOK: "#!/bin/sh\n"}, message="Add quote")
        self.forge: Forge = FakeForge(self.github)
        self.repo = REPO

    def grants(self, login: str, permission: Permission) -> None:
        self.github.grant(login, permission)

    def opens(self, login: str, title: str, body: str, labels: tuple[str, ...] = ()) -> int:
        return self.github.opens(login, title, body, labels=labels).number

    def says(self, login: str, issue: int, body: str) -> int:
        return self.github.says(issue, login, body).id

    def edits(self, login: str, comment_id: int, body: str) -> None:
        self.github.edits(comment_id, body)

    def pushes(self, login: str, branch: str, files: Mapping[str, str]) -> str:
        if branch not in self.github.git.branches:
            self.github.git.branches[branch] = self.github.git.branches[self.github.default_branch]
        return self.github.pushes(branch, dict(files), login=login)

    def comments(self, issue: int) -> list[str]:
        return [found.body for number, found in self.github.comments.values() if number == issue]

    def issues(self, title: str) -> list[int]:
        return [issue.number for issue in self.github.issues.values() if issue.title == title]

    def reactions(self, comment_id: int) -> list[str]:
        return [str(reaction) for reaction in self.github.reactions.get(comment_id, [])]

    def check(self, sha: str) -> list[tuple[str, str]]:
        found = self.github.checks.get(sha)
        return [(found.conclusion, found.title)] if found else []

    def branches(self) -> set[str]:
        return set(self.github.git.branches)


class StandInWorld:
    """The stand-in; people act through its API with their own tokens."""

    def __init__(self, site: StandIn, repo: RepoRef, forge: GitHubForge) -> None:
        self.site = site
        self.repo = repo
        self.forge: GitHubForge = forge

    def _ask(self, login: str, method: str, path: str, **options: Any) -> Any:
        with self.site.user(login) as client:
            answer = client.request(method, path, **options).raise_for_status()
            return answer.json() if answer.content else None

    def grants(self, login: str, permission: Permission) -> None:
        self.site.control("POST", "/role", {"login": login, "role": permission})

    def opens(self, login: str, title: str, body: str, labels: tuple[str, ...] = ()) -> int:
        issue = self._ask(login, "POST", "/issues", json={"title": title, "body": body, "labels": list(labels)})
        return int(issue["number"])

    def says(self, login: str, issue: int, body: str) -> int:
        return int(self._ask(login, "POST", f"/issues/{issue}/comments", json={"body": body})["id"])

    def edits(self, login: str, comment_id: int, body: str) -> None:
        self._ask(login, "PATCH", f"/issues/comments/{comment_id}", json={"body": body})

    def pushes(self, login: str, branch: str, files: Mapping[str, str]) -> str:
        refs = {ref["ref"] for ref in self._ask(login, "GET", "/git/matching-refs/heads/")}
        if f"refs/heads/{branch}" not in refs:
            base = self._ask(login, "GET", "/git/ref/heads/main")["object"]["sha"]
            self._ask(login, "POST", "/git/refs", json={"ref": f"refs/heads/{branch}", "sha": base})
        sha = ""
        for path, content in files.items():
            sha = self._puts(login, branch, path, content)
        return sha

    def _puts(self, login: str, branch: str, path: str, content: str) -> str:
        with self.site.user(login) as client:
            old = client.get(f"/contents/{path}", params={"ref": branch})
        change = {"message": f"Change {path}", "content": base64.b64encode(content.encode()).decode(), "branch": branch}
        if old.is_success:
            change["sha"] = old.json()["sha"]
        return str(self._ask(login, "PUT", f"/contents/{path}", json=change)["commit"]["sha"])

    def comments(self, issue: int) -> list[str]:
        found = self._ask("otto", "GET", f"/issues/{issue}/comments", params={"per_page": 100})
        return [comment["body"] for comment in found]

    def issues(self, title: str) -> list[int]:
        found = self._ask("otto", "GET", "/issues", params={"state": "all", "per_page": 100})
        return [issue["number"] for issue in found if issue["title"] == title]

    def reactions(self, comment_id: int) -> list[str]:
        return [found["content"] for found in self._ask("otto", "GET", f"/issues/comments/{comment_id}/reactions")]

    def check(self, sha: str) -> list[tuple[str, str]]:
        runs = self._ask("otto", "GET", f"/commits/{sha}/check-runs")["check_runs"]
        return [(run["conclusion"], run["output"]["title"]) for run in runs]

    def branches(self) -> set[str]:
        refs = self._ask("otto", "GET", "/git/matching-refs/heads/")
        return {ref["ref"].removeprefix("refs/heads/") for ref in refs}


def access(site: StandIn) -> Access:
    """Return what it takes to act as the stand-in's App."""
    app_id, key = int(site.credentials["app_id"]), SecretStr(site.credentials["private_key"])
    return Access(api_url=site.api_url, app_id=app_id, private_key=key)


def adapter(site: StandIn) -> GitHubForge:
    """Return the adapter, connected to the stand-in as its App."""
    return connect(access(site))


async def plan_for(world: World, name: str, content: str, *, path: str = SETTINGS) -> Plan:
    """Return a plan that replaces one file on the default branch; `name` makes its branch unique."""
    base_ref, base_sha = await world.forge.default_branch(world.repo)
    file = await world.forge.file(world.repo, path, base_sha)
    knob = RaiseLimit(
        service="quote", knob="pool", file=path, path="database.pool_size", current=2, target=4, maximum=20
    )
    return Plan(
        id=name,
        remedy=knob,
        risk=Risk.LOW,
        base_ref=base_ref,
        base_sha=base_sha,
        branch=f"sre-space/inc-1/{name}",
        edits=(FileEdit(path=path, blob_sha=file.blob_sha if file else None, content=content),),
        diff="",
        title=f"fix(quote): {name}",
        config_sha="",
        policy_version="1",
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )
