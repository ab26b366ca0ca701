"""The README says what is so: its generated parts are those that the program would generate now."""

from pathlib import Path

import pytest

from agents.commands import table
from agents.life import document as life_tables
from agents.stages import diagram
from bot.settings import document

DOCS = Path(__file__).parents[2] / "docs"
README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_readme_shows_the_diagram_of_the_graph():
    """`sre-space diagram` prints it anew."""
    assert diagram() in README


def test_the_page_about_the_life_of_an_incident_shows_the_tables():
    """`sre-space life` prints them anew."""
    assert (DOCS / "life.md").read_text().endswith(life_tables())


def test_the_readme_shows_the_table_of_commands():
    """The table comes from the one that parses commands."""
    assert table().strip() in README


@pytest.mark.parametrize("row", document(), ids=lambda row: row.name)
def test_the_readme_explains_every_setting(row):
    """Name, default and meaning are those of the settings class."""
    default = f"`{row.default}`" if row.default else ""
    assert f"| `{row.name}` | {default} | {row.meaning} |" in README
