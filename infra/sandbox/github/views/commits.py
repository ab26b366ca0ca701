"""Commits, trees, blobs, files and comparisons as JSON."""

import base64
from collections.abc import Sequence
from urllib.parse import quote

from infra.sandbox.github.clock import iso
from infra.sandbox.github.git.model import CommitObject, FileChange, Ident, TreeEntry
from infra.sandbox.github.records.accounts import User
from infra.sandbox.github.site import Site
from infra.sandbox.github.views.accounts import Json, node_id, user

TYPES = {"blob": "file", "tree": "dir", "commit": "submodule"}
SYMLINK = "120000"
MAX_FILES = 300


def git_user(ident: Ident) -> Json:
    """Name, email and time of an author or committer."""
    return {"name": ident.name, "email": ident.email, "date": iso(ident.when)}


def verification(site: Site, commit: CommitObject) -> Json:
    """What GitHub says of a commit's signature; only the stand-in's own signatures are known."""
    if commit.signature is None:
        return {"verified": False, "reason": "unsigned", **_signature(None, None, None)}
    ours = site.git.signer.made(commit.payload, commit.signature)
    when = iso(commit.committer.when) if ours else None
    reason = "valid" if ours else "unknown_key"
    return {"verified": ours, "reason": reason, **_signature(commit.signature, commit.payload, when)}


def _signature(signature: str | None, payload: str | None, verified_at: str | None) -> Json:
    return {"signature": signature, "payload": payload, "verified_at": verified_at}


def account_of(site: Site, ident: Ident) -> User | None:
    """The account whose e-mail address stands in a commit."""
    email = ident.email.lower()
    return site.store.users.first(lambda row: (row.email or "").lower() == email)


def _account(site: Site, ident: Ident) -> Json | None:
    found = account_of(site, ident)
    return user(site, found) if found else None


def git_commit(site: Site, commit: CommitObject) -> Json:
    """A `git-commit`."""
    return {
        "sha": commit.sha,
        "node_id": node_id("C", int(commit.sha[:7], 16)),
        "url": f"{site.repo_api}/git/commits/{commit.sha}",
        "html_url": f"{site.repo_html}/commit/{commit.sha}",
        "author": git_user(commit.author),
        "committer": git_user(commit.committer),
        "message": commit.message,
        "tree": {"sha": commit.tree, "url": f"{site.repo_api}/git/trees/{commit.tree}"},
        "parents": [
            {
                "sha": parent,
                "url": f"{site.repo_api}/git/commits/{parent}",
                "html_url": f"{site.repo_html}/commit/{parent}",
            }
            for parent in commit.parents
        ],
        "verification": verification(site, commit),
    }


def commit(site: Site, row: CommitObject, changes: Sequence[FileChange] | None = None) -> Json:
    """A `commit`, with files and statistics when the changes are given."""
    url = f"{site.repo_api}/commits/{row.sha}"
    body: Json = {
        "sha": row.sha,
        "node_id": node_id("C", int(row.sha[:7], 16)),
        "commit": {
            "author": git_user(row.author),
            "committer": git_user(row.committer),
            "message": row.message,
            "tree": {"sha": row.tree, "url": f"{site.repo_api}/git/trees/{row.tree}"},
            "url": f"{site.repo_api}/git/commits/{row.sha}",
            "comment_count": 0,
            "verification": verification(site, row),
        },
        "url": url,
        "html_url": f"{site.repo_html}/commit/{row.sha}",
        "comments_url": f"{url}/comments",
        "author": _account(site, row.author),
        "committer": _account(site, row.committer),
        "parents": [
            {
                "sha": parent,
                "url": f"{site.repo_api}/commits/{parent}",
                "html_url": f"{site.repo_html}/commit/{parent}",
            }
            for parent in row.parents
        ],
    }
    if changes is not None:
        additions = sum(change.additions for change in changes)
        deletions = sum(change.deletions for change in changes)
        body["stats"] = {"total": additions + deletions, "additions": additions, "deletions": deletions}
        body["files"] = files(site, row.sha, changes)
    return body


def files(site: Site, sha: str, changes: Sequence[FileChange]) -> list[Json]:
    """The `diff-entry` of each changed file, at most 300."""
    return [diff_entry(site, sha, change) for change in changes[:MAX_FILES]]


def diff_entry(site: Site, sha: str, change: FileChange) -> Json:
    """A `diff-entry`."""
    path = quote(change.path)
    body: Json = {
        "sha": change.sha,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": f"{site.repo_html}/blob/{sha}/{path}",
        "raw_url": f"{site.repo_html}/raw/{sha}/{path}",
        "contents_url": f"{site.repo_api}/contents/{path}?ref={sha}",
    }
    if change.patch is not None:
        body["patch"] = change.patch
    if change.previous_path is not None:
        body["previous_filename"] = change.previous_path
    return body


def git_tree(site: Site, sha: str, entries: Sequence[TreeEntry]) -> Json:
    """A `git-tree`."""
    tree: list[Json] = []
    for entry in entries:
        kind = {"blob": "blobs", "tree": "trees", "commit": "commits"}[entry.type]
        item: Json = {"path": entry.path, "mode": entry.mode, "type": entry.type, "sha": entry.sha}
        if entry.size is not None:
            item["size"] = entry.size
        tree.append({**item, "url": f"{site.repo_api}/git/{kind}/{entry.sha}"})
    return {"sha": sha, "url": f"{site.repo_api}/git/trees/{sha}", "tree": tree, "truncated": False}


def content_entry(site: Site, entry: TreeEntry, ref: str) -> Json:
    """A file or folder of the contents API, without its content."""
    path = quote(entry.path)
    kind = "symlink" if entry.mode == SYMLINK else TYPES[entry.type]
    page, objects = ("tree", "trees") if kind == "dir" else ("blob", "blobs")
    url = f"{site.repo_api}/contents/{path}?ref={quote(ref, safe='')}"
    git_url = f"{site.repo_api}/git/{objects}/{entry.sha}"
    html_url = f"{site.repo_html}/{page}/{quote(ref)}/{path}"
    return {
        "name": entry.path.rsplit("/", 1)[-1],
        "path": entry.path,
        "sha": entry.sha,
        "size": entry.size or 0,
        "url": url,
        "html_url": html_url,
        "git_url": git_url,
        "download_url": f"{site.repo_html}/raw/{quote(ref)}/{path}" if kind == "file" else None,
        "type": kind,
        "_links": {"self": url, "git": git_url, "html": html_url},
    }


def content_file(site: Site, entry: TreeEntry, ref: str, content: bytes) -> Json:
    """A `content-file`, its content in base64."""
    return {
        **content_entry(site, entry, ref),
        "content": base64.encodebytes(content).decode(),
        "encoding": "base64",
    }


def git_ref(site: Site, ref: str, sha: str, kind: str = "commit") -> Json:
    """A `git-ref`."""
    return {
        "ref": ref,
        "node_id": node_id("REF", int(sha[:7], 16)),
        "url": f"{site.repo_api}/git/{ref}",
        "object": {"sha": sha, "type": kind, "url": f"{site.repo_api}/git/{kind}s/{sha}"},
    }
