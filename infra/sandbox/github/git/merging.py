"""Merging, squashing and rebasing without a work tree."""

from dataclasses import dataclass

from infra.sandbox.github.git import history
from infra.sandbox.github.git.model import Ident
from infra.sandbox.github.git.repository import GitRepository


@dataclass(frozen=True)
class Merger:
    """Who merges: the author of the merge, and the committer that signs it."""

    author: Ident
    committer: Ident


async def merged_tree(repository: GitRepository, base: str, head: str) -> str | None:
    """The tree of a clean three-way merge, or None on conflict or unrelated histories."""
    result = await repository.run("merge-tree", "--write-tree", base, head, ok=(0, 1, 128))
    return result.text.split("\n")[0] if result.returncode == 0 else None


async def merge(repository: GitRepository, base: str, head: str, message: str, who: Merger) -> str | None:
    """The sha of a merge commit, or None on conflict."""
    tree = await merged_tree(repository, base, head)
    if tree is None:
        return None
    parents = [base, head]
    return (await repository.write_commit(tree, parents, message, who.author, who.committer, sign=True)).sha


async def squash(repository: GitRepository, base: str, head: str, message: str, who: Merger) -> str | None:
    """The sha of one commit on the base with all changes of the head, or None on conflict."""
    tree = await merged_tree(repository, base, head)
    if tree is None:
        return None
    return (await repository.write_commit(tree, [base], message, who.author, who.committer, sign=True)).sha


async def rebase(repository: GitRepository, base: str, head: str, who: Merger) -> str | None:
    """The sha of the last of the head's commits put on top of the base one by one, or None on conflict."""
    shas = await history.log(repository, f"{base}..{head}", "--reverse", "--no-merges", "--topo-order")
    tip = base
    for picked in await history.commits(repository, shas):
        tip_tree = (await repository.commit(tip)).tree
        # merge-tree finds the merge base by ancestry: a commit with the tip's tree on the picked commit's parent
        # makes that parent the merge base, which is what a cherry-pick is.
        stand_in = await repository.write_commit(tip_tree, picked.parents, "", who.committer)
        tree = await merged_tree(repository, stand_in.sha, picked.sha)
        if tree is None:
            return None
        commit = await repository.write_commit(tree, [tip], picked.message, picked.author, who.committer, sign=True)
        tip = commit.sha
    return tip
