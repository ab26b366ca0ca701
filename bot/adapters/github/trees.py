"""Git trees for a plan's edits; blobs and trees are named by their content, so making one again changes nothing."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from agents.errors import ForgeRefusedError
from agents.incident import RepoRef
from agents.plan import FileEdit
from bot.adapters.github import payloads
from bot.adapters.github.client import Client
from bot.adapters.github.reader import root

NEW_FILE_MODE = "100644"
CONFLICT = 409
Entries = Mapping[str, payloads.TreeEntry]


async def planned_tree(client: Client, repo: RepoRef, base_sha: str, edits: Sequence[FileEdit]) -> str:
    """Make the tree of `base_sha` with `edits` applied, and return its SHA.

    Raises:
        ForgeRefusedError: a file at `base_sha` is not the one that was edited.
    """
    where = f"{root(repo)}/git/commits/{quote(base_sha)}"
    base = await client.get(repo.installation_id, where, payloads.GitCommit)
    entries = await _entries(client, repo, base.tree.sha, [edit.path for edit in edits])
    tree = {"base_tree": base.tree.sha, "tree": [_changed(edit, entries) for edit in edits]}
    made = await client.send("POST", repo.installation_id, f"{root(repo)}/git/trees", payloads.Sha, tree)
    return made.sha


def _changed(edit: FileEdit, entries: Entries) -> dict[str, Any]:
    entry = entries.get(edit.path)
    if (entry.sha if entry else None) != edit.blob_sha:
        raise ForgeRefusedError(CONFLICT, f"{edit.path} has changed since the fix was planned")
    change: dict[str, Any] = {"path": edit.path, "mode": entry.mode if entry else NEW_FILE_MODE, "type": "blob"}
    if edit.content is None:
        return {**change, "sha": None}
    return {**change, "content": edit.content}


async def _entries(client: Client, repo: RepoRef, tree_sha: str, paths: Sequence[str]) -> Entries:
    """Return the tree's files by path: all at once, or folder by folder where GitHub cuts the answer."""
    where = f"{root(repo)}/git/trees/{tree_sha}"
    tree = await client.get(repo.installation_id, where, payloads.Tree, {"recursive": 1})
    if not tree.truncated:
        return {entry.path: entry for entry in tree.tree if entry.type == "blob"}
    found = [(path, await _walked(client, repo, tree_sha, path)) for path in paths]
    return {path: entry for path, entry in found if entry is not None}


async def _walked(client: Client, repo: RepoRef, tree_sha: str, path: str) -> payloads.TreeEntry | None:
    entry: payloads.TreeEntry | None = None
    for part in path.split("/"):
        where = f"{root(repo)}/git/trees/{entry.sha if entry else tree_sha}"
        tree = await client.get(repo.installation_id, where, payloads.Tree)
        entry = next((found for found in tree.tree if found.path == part), None)
        if entry is None:
            return None
    return entry
