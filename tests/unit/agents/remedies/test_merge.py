"""Three-way merges by lines, and undoing one change on top of later ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.errors import RemedyError
from agents.ports import RepoFile
from agents.remedies import merge
from agents.remedies.merge import TooLargeToMergeError, merge3
from agents.remedies.undo import undo
from agents.testing.repository import blob_sha

BASE = "".join(f"line {number}\n" for number in range(10))
TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\r\n"]), max_size=12).map("".join)


def edited(**lines: str) -> str:
    """Return BASE with lines replaced: `_3="x"`."""
    found = BASE.splitlines(keepends=True)
    for name, text in lines.items():
        found[int(name[1:])] = text
    return "".join(found)


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        (BASE, BASE, BASE),
        (edited(_2="x\n"), BASE, edited(_2="x\n")),
        (edited(_2="x\n"), edited(_7="y\n"), edited(_2="x\n", _7="y\n")),
        (edited(_2="x\n"), edited(_2="x\n"), edited(_2="x\n")),
        (edited(_2=""), edited(_7="y\nz\n"), edited(_2="", _7="y\nz\n")),
        (edited(_2="x\n"), edited(_2="y\n"), None),
        (edited(_2="x\n"), edited(_3="y\n"), None),
        (edited(_2="x\n"), edited(_2=""), None),
        ("", edited(_2="x\n"), None),
        ("new\n" + BASE, BASE + "end", "new\n" + BASE + "end"),
    ],
)
def test_changes_that_do_not_touch_are_merged_others_are_a_conflict(ours, theirs, merged):
    """Neighbouring lines conflict too, as in git; the same change on both sides is made once."""
    assert merge3(BASE, ours, theirs) == merged
    assert merge3(BASE, theirs, ours) == merged


@given(TEXTS, TEXTS)
def test_one_changed_side_is_taken_whole(base, side):
    """Without a change on the other side there is nothing to lose."""
    assert merge3(base, side, base) == side
    assert merge3(base, base, side) == side
    assert merge3(base, side, side) == side


@given(TEXTS, TEXTS, TEXTS)
def test_a_merge_does_not_depend_on_the_order_of_its_sides(base, ours, theirs):
    """Nobody has the right of way."""
    assert merge3(base, ours, theirs) == merge3(base, theirs, ours)


def test_texts_that_would_take_for_ever_are_refused(monkeypatch):
    """The work of comparing repetitive texts grows with its square."""
    monkeypatch.setattr(merge, "_MAX_PAIRS", 100)
    with pytest.raises(TooLargeToMergeError):
        merge3("a\n" * 20, "b\n" + "a\n" * 21 + "c\n", "c\n")


def file(content: str | None) -> RepoFile | None:
    """Return a file with this content."""
    return None if content is None else RepoFile(path="f", blob_sha=blob_sha(content), content=content)


@pytest.mark.parametrize(
    ("before", "after", "current", "result"),
    [
        ("old", "new", "new", "old"),
        ("old", "new", "old", "nothing"),
        (None, "new", "new", None),
        (None, "new", None, "nothing"),
        ("old", None, None, "old"),
        ("old", None, "old", "nothing"),
        (BASE, edited(_2="bad\n"), edited(_2="bad\n", _7="later\n"), edited(_7="later\n")),
    ],
)
def test_a_change_is_undone_keeping_what_came_later(before, after, current, result):
    """Changed, added, deleted, and partly undone already."""
    edit = undo("f", before=file(before), after=file(after), current=file(current))
    if result == "nothing":
        assert edit is None
    else:
        assert edit.content == result
        assert edit.blob_sha == (blob_sha(current) if current is not None else None)


@pytest.mark.parametrize(
    ("before", "after", "current", "why"),
    [
        ("old", "new", None, "f was deleted since, so undoing the old change is not clear-cut"),
        (None, "new", "newer", "f was changed or put back since, so undoing the old change is not clear-cut"),
        ("old", None, "other", "f was changed or put back since, so undoing the old change is not clear-cut"),
        ("old", "new", "newer", "later changes of f touch the same lines"),
        ("old", "a\0b", "a\0b", "f is not a text file in UTF-8"),
        ("old\ufffd", "new", "new", "f is not a text file in UTF-8"),
        ("old", "x" * (1024 * 1024 + 1), "y", "f is larger than 1024 KiB"),
    ],
)
def test_what_is_not_clear_cut_is_refused_in_words(before, after, current, why):
    """People decide."""
    with pytest.raises(RemedyError) as caught:
        undo("f", before=file(before), after=file(after), current=file(current))
    assert str(caught.value) == why
