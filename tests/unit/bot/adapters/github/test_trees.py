"""Edits become trees that keep modes, also where GitHub cuts the list of files."""

from typing import Any

import httpx

from agents.plan import FileEdit
from bot.adapters.github.trees import planned_tree
from tests.unit.bot.adapters.github.wire import REPO, Wire, reply

BASE, TREE, FOLDER, NEW = "a" * 40, "b" * 40, "c" * 40, "d" * 40


def entry(path: str, sha: str, *, mode: str = "100755", kind: str = "blob") -> dict[str, str]:
    """Return one entry of a tree."""
    return {"path": path, "mode": mode, "type": kind, "sha": sha}


def listing(*, truncated: bool, nested: bool) -> Any:
    """Return an answer that lists recursively only when asked to, and may be cut."""

    def answer(request: httpx.Request) -> httpx.Response:
        recursive = "recursive" in str(request.url.query)
        flat = [entry("tools", FOLDER, mode="040000", kind="tree"), entry("tools/run", "1" * 40)]
        rows = flat if recursive and nested else flat[:1]
        return reply({"sha": TREE, "tree": rows, "truncated": truncated and recursive})

    return answer


def wire(*, truncated: bool) -> Wire:
    """Return a repository with one executable file in a folder."""
    made = Wire().on("GET", f"/git/commits/{BASE}", reply({"sha": BASE, "tree": {"sha": TREE}, "message": "m"}))
    made.on("GET", f"/git/trees/{TREE}", listing(truncated=truncated, nested=not truncated))
    made.on("GET", f"/git/trees/{FOLDER}", reply({"sha": FOLDER, "tree": [entry("run", "1" * 40)], "truncated": False}))
    return made.on("POST", "/git/trees", reply({"sha": NEW}, 201))


async def test_modes_are_kept_and_files_come_and_go():
    """An edited file keeps its mode, a new one is plain, a deleted one has no content."""
    edits = (
        FileEdit(path="tools/run", blob_sha="1" * 40, content="#!/bin/sh\n"),
        FileEdit(path="new.yaml", blob_sha=None, content="a: 1\n"),
    )
    site = wire(truncated=False)

    assert await planned_tree(site.forge._client, REPO, BASE, edits) == NEW

    assert site.body() == {
        "base_tree": TREE,
        "tree": [
            {"path": "tools/run", "mode": "100755", "type": "blob", "content": "#!/bin/sh\n"},
            {"path": "new.yaml", "mode": "100644", "type": "blob", "content": "a: 1\n"},
        ],
    }


async def test_a_deleted_file_has_no_content():
    """GitHub deletes what has the SHA null."""
    site = wire(truncated=False)

    await planned_tree(site.forge._client, REPO, BASE, (FileEdit(path="tools/run", blob_sha="1" * 40, content=None),))

    assert site.body()["tree"] == [{"path": "tools/run", "mode": "100755", "type": "blob", "sha": None}]


async def test_a_repository_that_is_too_large_is_walked():
    """Where GitHub cuts the recursive list, the folders on the way are read one by one."""
    site = wire(truncated=True)
    edit = FileEdit(path="tools/run", blob_sha="1" * 40, content="#!/bin/sh\n")

    await planned_tree(site.forge._client, REPO, BASE, (edit,))

    assert site.body()["tree"][0]["mode"] == "100755"
    assert f"GET /git/trees/{FOLDER}" in site.paths()
