"""Rules of the house that no linter knows."""

import ast
import subprocess
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("action", "agents", "bot", "dashboard", "infra", "telemetry")
MODULE_LINES = 250
FUNCTION_LINES = 40
REASON = "Length:"


def _modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def _too_long(path: Path) -> list[str]:
    """Return what is longer than the house allows and does not say why in its docstring."""
    source = path.read_text()
    tree = ast.parse(source)
    found: list[str] = []
    if source.count("\n") > MODULE_LINES and REASON not in (ast.get_docstring(tree) or ""):
        found.append(f"{path.relative_to(ROOT)} has {source.count(chr(10))} lines")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES and REASON not in (ast.get_docstring(node) or ""):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {length} lines")
    return found


def test_modules_and_functions_are_short_or_say_why_not():
    """A module has at most 250 lines and a function at most 40, unless its docstring gives the reason."""
    assert [finding for path in _modules() for finding in _too_long(path)] == []


def test_the_length_rule_notices_a_long_function(tmp_path, monkeypatch):
    """The rule above can fail: a function of 41 lines is found."""
    body = "".join("    x = 1\n" for _ in range(FUNCTION_LINES))
    (tmp_path / "long.py").write_text(f'"""Module."""\n\n\ndef long():\n{body}')
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    assert _too_long(tmp_path / "long.py") == ["long.py:4 long has 41 lines"]


@pytest.mark.parametrize("package", PACKAGES)
def test_top_level_names_belong_to_this_distribution_alone(package):
    """No other installed distribution brings a package of the same name."""
    owners = set(packages_distributions().get(package, ["sre-space"]))
    assert owners == {"sre-space"}


def test_no_address_of_a_package_index_is_committed():
    """Lock files and sources name no package index: they must work with whichever one a machine uses."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    hosts = ("index-" + "url", "files.python" + "hosted", "registry.npm" + "js")
    found = [
        name
        for name in tracked
        if (ROOT / name).is_file() and any(host in (ROOT / name).read_text(errors="ignore") for host in hosts)
    ]
    assert [name for name in found if name != "Makefile"] == []
