"""The report of coverage: one line for each module, and a run that fails when one is too low."""

import pytest
from coverage import Coverage

from tests.coverage_per_module import executed, report


def test_modules_are_listed_from_the_lowest_on():
    """The last line says that all is well."""
    assert report({"bot/b.py": 100.0, "bot/a.py": 80.0}) == (
        "  80.0%  bot/a.py\n 100.0%  bot/b.py\nEvery module is at 80% or above.",
        False,
    )


def test_each_module_below_the_floor_is_named():
    """Rounding does not lift one over it."""
    text, is_low = report({"bot/c.py": 79.99, "bot/b.py": 80.0, "bot/a.py": 0.0})
    assert is_low
    assert text.splitlines()[-1] == "Below 80%: bot/a.py, bot/c.py"


def test_a_module_that_nobody_imports_counts_with_nothing(tmp_path, monkeypatch):
    """One without statements has everything."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "lost.py").write_text("ONE = 1\n")
    (tmp_path / "bot" / "empty.py").write_text('"""Nothing."""\n')
    measured = Coverage(data_file=None, source=["bot"])
    found = executed(measured, (tmp_path / "bot",))
    assert {path.rpartition("/")[2]: percentage for path, percentage in found.items()} == {
        "empty.py": 100.0,
        "lost.py": 0.0,
    }


def test_what_was_executed_is_counted(tmp_path, monkeypatch):
    """A line that a branch leaves out is missing."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "half.py"
    path.write_text("def one():\n    return 1\n\ndef two():\n    return 2\n\none()\n")
    measured = Coverage(data_file=None, include=[str(path)])
    lines = {str(path): {1: None, 2: None, 4: None, 7: None}}
    measured.get_data().add_lines(lines)
    assert executed(measured, (tmp_path,)) == {str(path): pytest.approx(80.0)}
