"""FakeForge behaves as GitHub does where the agents rely on it."""

import pytest

from agents.errors import ForgeRefusedError, ForgeUnavailableError
from agents.plans import branch
from agents.testing.flow import proposed
from agents.testing.github import APP, REPO
from agents.testing.repository import blob_sha
from agents.testing.shop import QUOTE_SETTINGS, SETTINGS_FILE, Shop
from agents.writes import Done, Reaction, Refused


@pytest.fixture
def shop() -> Shop:
    """The shop."""
    return Shop()


def test_blobs_have_the_sha_that_git_gives_them():
    """As `git hash-object` prints for an empty file and for `hello`."""
    assert blob_sha("") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert blob_sha("hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


async def test_files_are_read_at_a_branch_or_commit(shop):
    """What is not there, neither file nor commit, is None."""
    first = shop.head
    shop.set_pool(9)
    old = await shop.forge.file(REPO, SETTINGS_FILE, first)
    assert (old.content, old.blob_sha) == (QUOTE_SETTINGS, blob_sha(QUOTE_SETTINGS))
    assert "pool_size: 9" in (await shop.forge.file(REPO, SETTINGS_FILE, "main")).content
    assert await shop.forge.file(REPO, "gone", "main") is None
    assert await shop.forge.file(REPO, SETTINGS_FILE, "f" * 40) is None


async def test_history_is_newest_first_and_filtered_by_path(shop):
    """Listings hold no files."""
    a, b = shop.set_pool(3), shop.write_docs()
    assert [commit.sha for commit in await shop.forge.commits(REPO, ref="main")] == [b, a, shop.first]
    found = await shop.forge.commits(REPO, ref="main", path="services/quote", limit=1)
    assert [(commit.sha, commit.files) for commit in found] == [(a, ())]
    (changed,) = (await shop.forge.commit(REPO, a)).files
    assert (changed.path, changed.status) == (SETTINGS_FILE, "modified")
    assert changed.patch.endswith("-  pool_size: 2\n+  pool_size: 3\n   pool_timeout_s: 0.25\n")


async def test_comparisons_count_from_the_merge_base(shop):
    """Ahead, behind, diverged and identical, as GitHub says."""
    base = shop.head
    side = shop.github.git.commit({"x": "1"}, message="Side", branch="side", parents=(base,))
    main = shop.write_docs()
    compare = shop.forge.compare
    assert (await compare(REPO, base, main)).status == "ahead"
    assert (await compare(REPO, main, base)).status == "behind"
    assert (await compare(REPO, main, main)).status == "identical"
    diverged = await compare(REPO, main, side)
    assert (diverged.status, [file.path for file in diverged.files]) == ("diverged", ["x"])
    assert [commit.sha for commit in diverged.commits] == [side]
    assert await compare(REPO, "f" * 40, main) is None


async def test_proposing_twice_makes_one_pull_request(shop):
    """The branch is looked up first."""
    found = await proposed(shop)
    again = await shop.forge.propose_change(REPO, found.plan, message="m", body="b")
    assert again == Done(number=1, url=found.pull_request.url, sha=found.pull_request.head_sha)
    state = await shop.forge.pull(REPO, 1)
    assert (state.open, state.opener, state.pushers, state.base_ref) == (True, APP, (APP,), "main")
    assert state.head_ref == branch("inc-1", found.plan.id)


async def test_a_merge_needs_the_expected_head_and_happens_once(shop):
    """As with GitHub's `sha` parameter."""
    found = await proposed(shop)
    head = found.pull_request.head_sha
    wrong = await shop.forge.merge(REPO, 1, head_sha="0" * 40, title="t")
    assert wrong == Refused(reason="Head branch was modified. Review and try the merge again.")
    shop.github.merge_blocked = "Required review is missing."
    assert await shop.forge.merge(REPO, 1, head_sha=head, title="t") == Refused(
        reason="Required review is missing.", retry=True
    )
    shop.github.merge_blocked = ""
    shop.write_docs()
    done = await shop.forge.merge(REPO, 1, head_sha=head, title="t")
    assert done.sha == shop.head
    assert await shop.forge.merge(REPO, 1, head_sha=head, title="t") == done
    tree = shop.github.git.trees[shop.head]
    assert ("pool_size: 4" in tree[SETTINGS_FILE], tree["README.md"]) == (True, "# shop\nDiscounts.\n")


async def test_a_merge_of_conflicting_changes_is_refused(shop):
    """Nothing is merged half."""
    found = await proposed(shop)
    before = shop.set_pool(9)
    result = await shop.forge.merge(REPO, 1, head_sha=found.pull_request.head_sha, title="t")
    assert (result, shop.head) == (Refused(reason="Pull Request has merge conflicts"), before)


async def test_closing_deletes_the_branch(shop):
    """And a closed pull request is not merged."""
    found = await proposed(shop)
    await shop.forge.close_pull(REPO, 1, branch=found.plan.branch)
    state = await shop.forge.pull(REPO, 1)
    assert (state.open, state.merged, state.head_sha) == (False, False, found.pull_request.head_sha)
    assert found.plan.branch not in shop.github.git.branches
    refused = await shop.forge.merge(REPO, 1, head_sha=state.head_sha, title="t")
    assert refused == Refused(reason="Pull Request is closed")


async def test_issues_and_comments_are_made_once_per_marker(shop):
    """Writes are safe to repeat."""
    first = await shop.forge.open_issue(REPO, title="t", body="b", labels=("incident",), marker="<!-- m -->")
    assert await shop.forge.open_issue(REPO, title="t", body="b", labels=(), marker="<!-- m -->") == first
    posted = await shop.forge.upsert_comment(REPO, 1, body="one", marker="<!-- c -->", comment_id=None)
    edited = await shop.forge.upsert_comment(REPO, 1, body="two", marker="<!-- c -->", comment_id=None)
    assert posted.number == edited.number
    comment = await shop.forge.comment(REPO, posted.number)
    assert (comment.body, comment.by_app, comment.updated_at > comment.created_at) == ("two\n\n<!-- c -->", True, True)
    await shop.forge.react(REPO, posted.number, Reaction.DONE)
    await shop.forge.react(REPO, posted.number, Reaction.DONE)
    assert shop.github.reactions[posted.number] == [Reaction.DONE]
    await shop.forge.label_issue(REPO, 1, add=("resolved",), remove=("incident",))
    await shop.forge.close_issue(REPO, 1, completed=True)
    issue = await shop.forge.issue(REPO, 1)
    assert (issue.labels, issue.open, shop.github.closed_as[1]) == (("resolved",), False, "completed")


async def test_calls_fail_when_told_to_and_other_repositories_are_unknown(shop):
    """Once per order."""
    shop.forge.fail["permission"] = ForgeUnavailableError("down")
    with pytest.raises(ForgeUnavailableError):
        await shop.forge.permission(REPO, "mia")
    assert await shop.forge.permission(REPO, "mia") == "read"
    with pytest.raises(ForgeRefusedError):
        await shop.forge.default_branch(REPO.model_copy(update={"name": "other"}))
    assert shop.forge.calls == ["permission", "permission", "default_branch"]
