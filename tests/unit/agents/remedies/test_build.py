"""From remedies to edits, on a repository in memory."""

import pytest

from agents.errors import RemedyError
from agents.plan import FileEdit, Remedy
from agents.remedies.build import build, check
from agents.remedies.diff import unified
from agents.testing.flow import POOL_FIX, revert_of
from agents.testing.github import REPO
from agents.testing.repository import blob_sha
from agents.testing.shop import DISCOUNTS, DISCOUNTS_FILE, QUOTE_SETTINGS, SETTINGS_FILE, Shop


@pytest.fixture
def shop() -> Shop:
    """The shop."""
    return Shop()


async def built(shop: Shop, remedy: Remedy) -> dict[str, str | None]:
    """Return what the edits make of each file, having made sure that they replace what is there."""
    edits = await build(remedy, shop.forge, REPO, shop.head)
    tree = shop.github.git.trees[shop.head]
    for edit in edits:
        assert edit.blob_sha == (blob_sha(tree[edit.path]) if edit.path in tree else None)
    assert [edit.path for edit in edits] == sorted(edit.path for edit in edits)
    return {edit.path: edit.content for edit in edits}


async def why_not(shop: Shop, remedy: Remedy) -> str:
    """Return why a remedy cannot be turned into edits."""
    with pytest.raises(RemedyError) as caught:
        await build(remedy, shop.forge, REPO, shop.head)
    return str(caught.value)


async def test_raising_a_limit_changes_one_line(shop):
    """And only the digits of it."""
    assert await built(shop, POOL_FIX) == {SETTINGS_FILE: QUOTE_SETTINGS.replace("pool_size: 2", "pool_size: 4")}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"current": 3}, "database.pool_size in {file} is 2 now, not 3: somebody changed it meanwhile"),
        ({"target": 2}, "database.pool_size in {file} cannot go from 2 to 2; its maximum is 20"),
        ({"target": 21}, "database.pool_size in {file} cannot go from 2 to 21; its maximum is 20"),
        ({"file": "gone.yaml"}, "gone.yaml does not exist on the default branch"),
        ({"path": "database.pool"}, "database.pool in {file} cannot be read: nothing is there"),
    ],
)
async def test_a_limit_that_is_not_as_expected_is_left_alone(shop, changes, why):
    """The remedy was chosen for a file that may have changed."""
    assert await why_not(shop, POOL_FIX.model_copy(update=changes)) == why.format(file=SETTINGS_FILE)


async def test_a_commit_is_reverted_exactly(shop):
    """The last commit: the file is what it was before."""
    assert await built(shop, revert_of(shop, shop.break_discounts())) == {DISCOUNTS_FILE: DISCOUNTS}


async def test_what_was_built_on_top_of_a_reverted_commit_stays(shop):
    """Later changes of other lines, and of other files, are kept."""
    sha = shop.break_discounts()
    broken = shop.github.git.trees[shop.head][DISCOUNTS_FILE]
    shop.commit("Add a comment", {DISCOUNTS_FILE: broken + "\n\n# the end\n"})
    shop.write_docs()
    assert await built(shop, revert_of(shop, sha)) == {DISCOUNTS_FILE: DISCOUNTS + "\n\n# the end\n"}


async def test_later_changes_of_the_same_lines_are_a_conflict(shop):
    """Which of them is right is for people to say."""
    sha = shop.break_discounts()
    shop.commit("Fix it otherwise", {DISCOUNTS_FILE: DISCOUNTS.replace("5 // 100", "float(5) // 100")})
    assert await why_not(shop, revert_of(shop, sha)) == f"later changes of {DISCOUNTS_FILE} touch the same lines"


async def test_added_deleted_and_renamed_files_are_brought_back(shop):
    """One commit does all of it, and edits the renamed file elsewhere later."""
    long = "".join(f"line {number}\n" for number in range(20))
    shop.commit("Add", {"services/quote/long.py": long, "services/quote/old.py": "old\n"})
    sha = shop.commit(
        "Move things",
        {
            "services/quote/long.py": None,
            "services/quote/moved.py": long,
            "services/quote/old.py": None,
            "services/quote/new.py": "new\n",
        },
    )
    shop.commit("Later", {"services/quote/moved.py": long + "more\n"})
    statuses = {file.path: file.status for file in shop.github.git.commits[sha].files}
    assert statuses == {
        "services/quote/moved.py": "renamed",
        "services/quote/new.py": "added",
        "services/quote/old.py": "removed",
    }
    assert await built(shop, revert_of(shop, sha)) == {
        "services/quote/long.py": long + "more\n",
        "services/quote/moved.py": None,
        "services/quote/new.py": None,
        "services/quote/old.py": "old\n",
    }


async def test_a_rename_whose_old_name_is_in_use_is_not_undone(shop):
    """Somebody put another file there."""
    sha = shop.commit("Move", {DISCOUNTS_FILE: None, "services/quote/prices.py": DISCOUNTS})
    shop.commit("Put back", {DISCOUNTS_FILE: "something else\n"})
    assert await why_not(shop, revert_of(shop, sha)) == (
        f"services/quote/prices.py was moved again or its old name {DISCOUNTS_FILE} is in use"
    )


async def test_a_commit_that_is_already_reverted_leaves_nothing_to_do(shop):
    """Somebody was faster."""
    sha = shop.break_discounts()
    shop.commit("Revert", {DISCOUNTS_FILE: DISCOUNTS})
    assert await why_not(shop, revert_of(shop, sha)) == "nothing of the commit is left to undo"


async def test_commits_that_are_not_for_reverting_are_refused_in_words(shop):
    """Merges, the first commit, empty ones, unknown ones and those of other branches."""
    git, first = shop.github.git, shop.head
    git.commit({"x": "1"}, message="Side", branch="side", parents=(first,))
    shop.write_docs()
    merge = git.merge("main", git.branches["side"], message="Merge", author="dana", at=shop.github.now())
    side = git.commit({"y": "1"}, message="Elsewhere", branch="side")
    empty = shop.commit("Empty", {})
    gone = revert_of(shop, side).model_copy(update={"sha": "f" * 40})
    remedies = [*(revert_of(shop, sha) for sha in (merge, first, empty, side)), gone]
    assert [await why_not(shop, remedy) for remedy in remedies] == [
        f"commit {merge[:9]} is a merge: which of its sides to keep is for people to say",
        f"commit {first[:9]} is the first of the repository",
        f"commit {empty[:9]} changed no files",
        f"commit {side[:9]} is not on the default branch",
        "commit fffffffff does not exist in this repository",
    ]


async def test_large_and_binary_changes_are_refused(shop):
    """Fifty files are the most; a file with a NUL is not text."""
    many = shop.commit("Many", {f"services/quote/{number}.py": "x\n" for number in range(51)})
    assert await why_not(shop, revert_of(shop, many)) == "the commit changed 51 files; SRE-Space reverts at most 50"
    binary = shop.commit("Logo", {"services/quote/logo.png": "\x89PNG\0"})
    assert await why_not(shop, revert_of(shop, binary)) == "services/quote/logo.png is not a text file in UTF-8"


async def test_a_commit_that_also_changed_a_workflow_is_not_reverted(shop):
    """Protected files are refused on the real edits, whatever policy said about the commit."""
    sha = shop.commit("Two in one", {DISCOUNTS_FILE: "x\n", ".github/workflows/ci.yml": "on: push\n"})
    assert await why_not(shop, revert_of(shop, sha)) == (
        ".github/workflows/ci.yml is protected (.github/**): SRE-Space never edits it"
    )


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", ".git/hooks/pre-commit", "a/../.github/workflows/x.yml"])
def test_edits_outside_the_repository_are_refused(path):
    """Whoever makes them."""
    with pytest.raises(RemedyError):
        check((FileEdit(path=path, blob_sha=None, content="x"),))


def test_diffs_are_unified_as_git_writes_them():
    """Changed, new and deleted files, with and without a newline at the end."""
    edits = (
        FileEdit(path="a.yaml", blob_sha="1", content="x: 1\ny: 3\n"),
        FileEdit(path="new", blob_sha=None, content="one"),
        FileEdit(path="old", blob_sha="2", content=None),
    )
    assert unified(edits, {"a.yaml": "x: 1\ny: 2\n", "old": "gone\n"}) == (
        "diff --git a/a.yaml b/a.yaml\n--- a/a.yaml\n+++ b/a.yaml\n@@ -1,2 +1,2 @@\n x: 1\n-y: 2\n+y: 3\n"
        "diff --git a/new b/new\nnew file mode 100644\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+one\n"
        "\\ No newline at end of file\n"
        "diff --git a/old b/old\ndeleted file mode 100644\n--- a/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n"
    )
