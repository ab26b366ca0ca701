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

AGENTS_MAY_IMPORT = {
    # ours
    "agents": "themselves",
    "telemetry.errors": "the root of all errors",
    "telemetry.model": "what an anomaly and its evidence are",
    "telemetry.scrub": "text from outside loses its secrets before a prompt or an issue shows it",
    # third-party
    "langgraph.graph": "the graph of the agents; no checkpointer, no store",
    "markdown_it": "commands are read from a comment outside its quotes and code, as CommonMark has them",
    "pydantic": "bytes are validated where they enter; the models are frozen",
    "pydantic_core": "errors of validators and the JSON that is validated strictly",
    "ruamel.yaml": "the configuration and settings files with the place of every key, from text",
    "tomlkit": "settings files in TOML, edited with their format and comments, from text",
    # standard library
    **dict.fromkeys(
        (
            "collections",
            "dataclasses",
            "datetime",
            "difflib",
            "enum",
            "functools",
            "hashlib",
            "itertools",
            "json",
            "math",
            "re",
            "secrets",
            "string",
            "tomllib",
            "typing",
            "unicodedata",
        ),
        "computes from its arguments alone; `secrets` marks where untrusted text of a prompt ends",
    ),
}
"""What the agents may import, with the reason: they do no I/O, so a module that does any has no place here."""

ONE_FILE_MAY_IMPORT = {"agents/prompts/__init__.py": {"importlib.resources": "reads the prompts beside it"}}
"""What only one file of the agents may import besides."""

REACH_OUTSIDE = frozenset({"open", "__import__", "eval", "exec"})
"""Builtins that reach outside without an import."""


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


def test_a_stage_changes_through_the_table_only():
    """Nobody but the Incident itself sets its stage: `move` and `enter` look the way up, `evolve` would not."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in _modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"evolve", "model_copy"}
        and any(keyword.arg == "stage" for keyword in node.keywords)
    ]
    assert [place for place in found if not place.startswith(("agents/incident.py", "agents/testing/"))] == []


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


def _imports(tree: ast.AST) -> set[str]:
    """Return what a module imports, anywhere in it, with dots; a relative import begins with a dot."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def _within(name: str, allowed: str) -> bool:
    return f"{name}.".startswith(f"{allowed}.")


def _reached(name: str, source: str) -> list[str]:
    """Return what the file `name` of the agents imports or names although no list lets it."""
    tree = ast.parse(source)
    allowed = [*AGENTS_MAY_IMPORT, *ONE_FILE_MAY_IMPORT.get(name, ())]
    imported = {found for found in _imports(tree) if not any(_within(found, entry) for entry in allowed)}
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return sorted(imported | (read & REACH_OUTSIDE))


def _agents() -> dict[str, str]:
    """Return the source of every file of the agents, by its path."""
    return {str(path.relative_to(ROOT)): path.read_text() for path in sorted((ROOT / "agents").rglob("*.py"))}


def test_agents_import_only_what_the_list_names():
    """The agents, their fakes included, do no I/O: every module that they import is on the list above."""
    reached = {name: _reached(name, source) for name, source in _agents().items()}
    assert {name: found for name, found in reached.items() if found} == {}


def test_the_list_of_the_agents_names_nothing_that_they_do_not_import():
    """An entry that is no longer needed goes, so that the list stays as short as it can be."""
    sources = _agents()
    imported = {found for source in sources.values() for found in _imports(ast.parse(source))}
    unused = [entry for entry in AGENTS_MAY_IMPORT if not any(_within(found, entry) for found in imported)]
    for name, entries in ONE_FILE_MAY_IMPORT.items():
        own = _imports(ast.parse(sources[name]))
        unused += [entry for entry in entries if not any(_within(found, entry) for found in own)]
    assert unused == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("import socket", "socket"),
        ("import subprocess as s", "subprocess"),
        ("import os.path", "os.path"),
        ("from os import environ", "os.environ"),
        ("from pathlib import Path", "pathlib.Path"),
        ("from time import sleep", "time.sleep"),
        ("import json, threading", "threading"),
        ("def f():\n    import asyncio", "asyncio"),
        ("if TYPE_CHECKING:\n    import httpx", "httpx"),
        ("from importlib import resources", "importlib.resources"),
        ("import importlib.resources", "importlib.resources"),
        ("from langgraph.store.memory import InMemoryStore", "langgraph.store.memory.InMemoryStore"),
        ("from langgraph import store", "langgraph.store"),
        ("from telemetry import bus", "telemetry.bus"),
        ("from telemetry.files import TelemetryFile", "telemetry.files.TelemetryFile"),
        ("import bot", "bot"),
        ("import requests", "requests"),
        ("from ..bot import wiring", "..bot.wiring"),
        ('open("x")', "open"),
        ('__import__("os")', "__import__"),
    ],
)
def test_the_list_of_the_agents_notices_an_import(planted, found):
    """The rule above can fail: an import is found wherever it stands in a module and however it is written."""
    assert _reached("agents/gate.py", planted) == [found]


def test_only_the_prompts_may_read_the_files_beside_them():
    """What one file may import, another may not."""
    source = "from importlib.resources import files"
    assert _reached("agents/prompts/__init__.py", source) == []
    assert _reached("agents/rca/__init__.py", source) == ["importlib.resources.files"]
