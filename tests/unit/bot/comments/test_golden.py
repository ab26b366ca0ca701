"""The texts are word for word what was reviewed."""

import pytest

from tests.unit.bot.comments.golden import FOLDER, texts


@pytest.mark.parametrize("name", sorted(texts()))
def test_a_text_is_what_was_reviewed(name: str):
    """A change of words is a change of the file beside it."""
    assert f"{texts()[name]}\n" == (FOLDER / f"{name}.md").read_text()


def test_every_reviewed_text_is_still_written():
    """No file is left over from a text that is gone."""
    assert {path.stem for path in FOLDER.glob("*.md")} == set(texts())
