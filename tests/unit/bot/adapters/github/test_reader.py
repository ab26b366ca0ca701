"""GitHub's answers in all their forms become the port's models."""

import base64
from typing import Any

import pytest

from agents.errors import ForgeRefusedError
from bot.adapters.github.cache import Cached, EtagCache
from tests.unit.bot.adapters.github.wire import COMMENT, ISSUE, REPO, Wire, reply

FILE: dict[str, Any] = {"type": "file", "path": "a.yaml", "sha": "f" * 40, "encoding": "base64", "content": "YTogMQo="}
COMMIT: dict[str, Any] = {
    "sha": "c" * 40,
    "commit": {"message": "m", "author": {"name": "Dana", "date": "2026-03-02T09:00:00Z"}},
    "author": None,
    "committer": {},
    "parents": [{"sha": "b" * 40}],
    "html_url": "https://ghe.example/c",
}
COMMIT["commit"]["committer"] = COMMIT["commit"]["author"]
PULL: dict[str, Any] = {
    "number": 8,
    "html_url": "https://ghe.example/8",
    "state": "closed",
    "merged": True,
    "merge_commit_sha": "d" * 40,
    "mergeable_state": "unknown",
    "user": None,
    "head": {"ref": "sre-space/x", "sha": "e" * 40},
    "base": {"ref": "main", "sha": "a" * 40},
}


@pytest.mark.parametrize(
    ("answer", "permission"),
    [
        ({"permission": "admin", "role_name": "admin"}, "admin"),
        ({"permission": "write", "role_name": "maintain"}, "maintain"),
        ({"permission": "read", "role_name": "triage"}, "triage"),
        ({"permission": "write", "role_name": "Release managers"}, "write"),
        ({"permission": "read"}, "read"),
        ({"permission": "none", "role_name": "none"}, "none"),
        ({"permission": "odd", "role_name": "odd"}, "none"),
    ],
)
async def test_a_permission_is_never_more_than_github_says(answer: dict[str, str], permission: str):
    """Roles of the organization count as what they are built on; what is not understood is nothing."""
    wire = Wire().on("GET", "/collaborators/maria/permission", reply(answer))

    assert await wire.forge.permission(REPO, "maria") == permission


async def test_a_stranger_has_no_permission():
    """GitHub answers 404 for who is no collaborator, and for a login that is no user."""
    assert await Wire().forge.permission(REPO, "../../evil") == "none"


async def test_a_large_file_is_read_as_a_blob():
    """Above one megabyte the contents API leaves the content out."""
    wire = Wire().on("GET", "/contents/a.yaml", reply({**FILE, "encoding": "none", "content": ""}))
    wire.on("GET", f"/git/blobs/{'f' * 40}", reply({"sha": "f" * 40, "content": "YTogMQo=\n", "encoding": "base64"}))

    found = await wire.forge.file(REPO, "a.yaml", "main")

    assert found is not None
    assert found.content == "a: 1\n"


async def test_what_is_no_text_file_is_not_read_as_one():
    """Links, submodules and folders are none; bytes that are no UTF-8 are refused."""
    for other in ({**FILE, "type": "symlink"}, {**FILE, "type": "submodule"}, [FILE]):
        assert await Wire().on("GET", "/contents/a.yaml", reply(other)).forge.file(REPO, "a.yaml", "main") is None

    binary = {**FILE, "content": base64.b64encode(b"\xff\xfe\x00").decode()}
    with pytest.raises(ForgeRefusedError, match="not UTF-8"):
        await Wire().on("GET", "/contents/a.yaml", reply(binary)).forge.file(REPO, "a.yaml", "main")


async def test_a_path_cannot_leave_its_place():
    """Characters with a meaning in URLs are quoted."""
    wire = Wire()

    await wire.forge.file(REPO, "a b?ref=evil#x.yaml", "main")

    assert wire.sent[0].url.raw_path == b"/api/v3/repos/acme/shop/contents/a%20b%3Fref%3Devil%23x.yaml?ref=main"


@pytest.mark.parametrize("revision", ["..", "../issues/4", "main/../../../../other/repo", "a?b", "."])
async def test_a_revision_from_telemetry_cannot_lead_elsewhere(revision: str):
    """It is attacker-writable: whatever it says, only commits of this repository are asked for."""
    wire = Wire()

    assert await wire.forge.commit(REPO, revision) is None
    assert await wire.forge.compare(REPO, revision, revision) is None
    assert await wire.forge.file(REPO, revision, "main") is None
    assert await wire.forge.permission(REPO, revision) == "none"

    places = (b"commits/", b"compare/", b"contents/", b"collaborators/")
    for request in wire.sent:
        assert request.url.raw_path.removeprefix(b"/api/v3/repos/acme/shop/").startswith(places)


async def test_a_commit_of_an_unknown_author_has_gits_name():
    """GitHub knows no account for the address, or sends an empty object."""
    wire = Wire().on("GET", f"/commits/{'c' * 40}", reply(COMMIT))

    found = await wire.forge.commit(REPO, "c" * 40)

    assert found is not None
    assert found.author == "Dana"


async def test_what_is_no_sha_is_no_commit():
    """GitHub answers 422 for it."""
    wire = Wire().on("GET", "/commits/nonsense", reply({"message": "No commit found for SHA: nonsense"}, 422))

    assert await wire.forge.commit(REPO, "nonsense") is None


async def test_a_pull_request_of_a_deleted_account_is_a_ghosts():
    """Null where GitHub deleted the account; unknown committers are no pushers."""
    wire = Wire().on("GET", "/pulls/8", reply(PULL)).on("GET", "/pulls/8/commits", reply([COMMIT]))

    found = await wire.forge.pull(REPO, 8)

    assert found is not None
    assert (found.opener, found.pushers) == ("ghost", ())
    assert (found.merged, found.open, found.merge_sha) == (True, False, "d" * 40)


async def test_the_merge_commit_of_an_open_pull_request_is_none():
    """GitHub's test merge is no merge."""
    wire = Wire().on("GET", "/pulls/8", reply({**PULL, "state": "open", "merged": False}))
    wire.on("GET", "/pulls/8/commits", reply([]))

    found = await wire.forge.pull(REPO, 8)

    assert found is not None
    assert found.merge_sha is None


async def test_a_comment_through_an_app_is_by_an_app():
    """Also where a person is behind it: a token of an App wrote it."""
    person = {"login": "maria", "id": 3, "type": "User"}
    through = {**COMMENT, "user": person, "performed_via_github_app": {"id": 99}}
    wire = Wire().on("GET", "/issues/comments/5", reply(through))

    found = await wire.forge.comment(REPO, 5)

    assert found is not None
    assert found.by_app
    assert found.author_type == "User"


async def test_an_empty_issue_body_is_empty_text():
    """GitHub sends null."""
    wire = Wire().on("GET", "/issues/4", reply(ISSUE))

    found = await wire.forge.issue(REPO, 4)

    assert found is not None
    assert found.body == ""


def test_the_cache_forgets_the_least_recently_used():
    """It is bounded in entries and in the size of one."""
    cache = EtagCache(max_entries=2, max_entry_bytes=4)
    cache.put("a", Cached("1", b"a", None))
    cache.put("b", Cached("1", b"b", None))
    assert cache.get("a") is not None

    cache.put("c", Cached("1", b"c", None))
    cache.put("a", Cached("2", b"too large", None))

    assert cache.get("b") is None
    assert cache.get("a") is None
    assert cache.get("c") is not None
