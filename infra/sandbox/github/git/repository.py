"""Reading and writing objects and refs of the bare repository."""

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from infra.sandbox.github.errors import GitError, unprocessable
from infra.sandbox.github.git.model import ZERO_SHA, CommitObject, Ident, TreeEntry
from infra.sandbox.github.git.process import Git
from infra.sandbox.github.git.signing import CommitSigner

UPDATE_HOOK = """#!/bin/sh
case " $SANDBOX_PROTECTED " in
  *" $1 "*) echo "error: GH006: Protected branch update failed for $1." >&2; exit 1 ;;
esac
case "$1" in
  refs/pull/*) echo "error: deny updating a hidden ref" >&2; exit 1 ;;
esac
"""


class GitRepository(Git):
    """The objects and refs of one bare repository."""

    def __init__(self, path: Path, signer: CommitSigner) -> None:
        super().__init__(path)
        self.signer = signer

    async def create(self, default_branch: str) -> None:
        """Makes the empty repository on disk."""
        self.path.mkdir(parents=True)
        await self.run("init", "--quiet", "--bare", f"--initial-branch={default_branch}", ".")
        hook = self.path / "hooks" / "update"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(UPDATE_HOOK)
        hook.chmod(0o755)

    async def resolve(self, revision: str, kind: str = "commit") -> str | None:
        """The sha of the object that a branch, tag, ref or sha names, or None."""
        if not revision or revision.startswith("-"):
            return None
        candidates = [revision]
        if not revision.startswith("refs/"):
            candidates = [f"refs/heads/{revision}", f"refs/tags/{revision}", revision]
        for candidate in candidates:
            name = f"{candidate}^{{{kind}}}"
            result = await self.run("rev-parse", "--verify", "--quiet", "--end-of-options", name, ok=(0, 1, 128))
            if result.returncode == 0:
                return result.text
        return None

    async def object_type(self, sha: str) -> str | None:
        """`commit`, `tree`, `blob`, `tag`, or None when there is no such object."""
        if not is_sha(sha):
            return None
        result = await self.run("cat-file", "-t", sha, ok=(0, 1, 128))
        return result.text if result.returncode == 0 else None

    async def commit(self, sha: str) -> CommitObject:
        """The commit; raises GitError when there is none."""
        return CommitObject.parse(sha, (await self.run("cat-file", "commit", sha)).stdout)

    async def blob(self, sha: str) -> bytes:
        """The bytes of a blob."""
        return (await self.run("cat-file", "blob", sha)).stdout

    async def write_blob(self, content: bytes) -> str:
        """Stores a blob and returns its sha."""
        return (await self.run("hash-object", "-w", "--stdin", stdin=content)).text

    async def tree(self, treeish: str, *, recursive: bool = False) -> list[TreeEntry]:
        """The entries of a tree, sub-trees included when recursive."""
        options = ["-r", "-t"] if recursive else []
        result = await self.run("ls-tree", "-z", "-l", *options, treeish)
        entries: list[TreeEntry] = []
        for line in result.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]:
            head, _, path = line.partition("\t")
            mode, kind, sha, size = head.split()
            entries.append(TreeEntry(mode, kind, sha, path, None if size == "-" else int(size)))
        return entries

    async def entry(self, commit: str, path: str) -> TreeEntry | None:
        """The tree entry at a path of a commit, or None."""
        result = await self.run("ls-tree", "-z", "-l", "--full-tree", commit, "--", path.rstrip("/"))
        line = result.stdout.decode("utf-8", "surrogateescape").split("\0")[0]
        if not line:
            return None
        head, _, name = line.partition("\t")
        mode, kind, sha, size = head.split()
        return TreeEntry(mode, kind, sha, name, None if size == "-" else int(size))

    async def write_tree(self, base: str | None, changes: Iterable[tuple[str, str, str | None]]) -> str:
        """A new tree: the base with (path, mode, sha) put in, or taken out where the sha is None."""
        lines: list[str] = []
        with tempfile.TemporaryDirectory(prefix="sandbox-index-") as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            await self.run("read-tree", base or "--empty", env=env)
            for path, mode, sha in changes:
                if mode == "040000" and sha is not None:
                    await self.run("read-tree", f"--prefix={path}/", sha, env=env)
                    continue
                lines.append(f"{mode} {sha}\t{path}\0" if sha else f"0 {ZERO_SHA}\t{path}\0")
            text = "".join(lines).encode("utf-8", "surrogateescape")
            await self.run("update-index", "-z", "--index-info", stdin=text, env=env)
            return (await self.run("write-tree", env=env)).text

    async def write_commit(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        author: Ident,
        committer: Ident | None = None,
        *,
        sign: bool = False,
    ) -> CommitObject:
        """Stores a commit, signed by the stand-in when asked."""
        header = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        header += [f"author {author.header()}", f"committer {(committer or author).header()}"]
        text = message.replace("\0", "")
        if sign:
            signature = self.signer.sign("\n".join(header) + f"\n\n{text}")
            header.append("gpgsig " + signature.replace("\n", "\n "))
        raw = ("\n".join(header) + f"\n\n{text}").encode()
        sha = (await self.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw)).text
        return await self.commit(sha)

    async def refs(self, prefix: str = "refs/heads/") -> dict[str, str]:
        """All refs that start with the prefix, with what they point at, sorted by name."""
        result = await self.run("for-each-ref", "--format=%(objectname) %(refname)")
        pairs = (line.split(" ", 1) for line in result.text.splitlines())
        return {name: sha for sha, name in pairs if name.startswith(prefix)}

    async def update_ref(self, ref: str, new: str, old: str) -> None:
        """Moves a ref from `old` to `new` (40 zeros: from or to nothing); raises a 422 when it moved."""
        change = ["-d", ref, old] if new == ZERO_SHA else [ref, new, old]
        try:
            await self.run("update-ref", *change)
        except GitError as error:
            raise unprocessable("Reference cannot be updated") from error

    async def valid_ref(self, ref: str) -> bool:
        """Whether git takes this name for a ref."""
        return (await self.run("check-ref-format", ref, ok=(0, 1))).returncode == 0


def is_sha(text: str) -> bool:
    """Whether the text is a full SHA-1 in lower-case hexadecimal."""
    return len(text) == len(ZERO_SHA) and all(char in "0123456789abcdef" for char in text)
