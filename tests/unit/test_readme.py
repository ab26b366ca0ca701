"""The README says what is so: its generated parts are those that the program would generate now."""

from pathlib import Path

import pytest

from agents.commands import table
from agents.stages import diagram
from bot.settings import document

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_readme_shows_the_diagram_of_the_graph():
    """`sre-space diagram` prints it anew."""
    assert diagram() in README


def test_the_readme_shows_the_table_of_commands():
    """The table comes from the one that parses commands."""
    assert table().strip() in README


@pytest.mark.parametrize("row", document(), ids=lambda row: row.name)
def test_the_readme_explains_every_setting(row):
    """Name, default and meaning are those of the settings class."""
    default = f"`{row.default}`" if row.default else ""
    assert f"| `{row.name}` | {default} | {row.meaning} |" in README
