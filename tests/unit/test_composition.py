"""The bot is put together in `bot/app` and nowhere else."""

import ast
from pathlib import Path

import pytest

from tests.unit.test_house import ROOT

ROOTS = ("bot/app/", "bot/testing/")
"""Where adapters may be opened and parts put together: for processes, and for tests in process."""

BUILDERS = {
    "Audit": "bot/db/store.py",
    "ChromaMemory": "bot/adapters/memory/opening.py",
    "DashboardRead": "",
    "Database": "bot/db/migrate.py",
    "GitHubForge": "bot/adapters/github/",
    "Ingress": "",
    "KafkaBus": "",
    "Lanes": "",
    "MemoryQueue": "",
    "OpenAiLlm": "",
    "OtlpHttp": "telemetry/otlp/app.py",
    "Receiver": "telemetry/otlp/app.py",
    "RedisQueue": "",
    "RedisStreamsBus": "",
    "Router": "",
    "Scout": "telemetry/",
    "ScoutClient": "",
    "Store": "",
    "Sweeper": "",
    "Texts": "",
    "build_graph": "",
    "connect_with_token": "",
    "mount_dashboard": "",
    "open_memory": "",
}
"""What makes an adapter or a part of the bot, and the one other place that may: the adapter's own factory."""


def _calls(source: str) -> set[str]:
    """Return the names of the builders that a module calls."""
    called = {node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)}
    names = {func.id if isinstance(func, ast.Name) else getattr(func, "attr", "") for func in called}
    return names & set(BUILDERS)


def _built_elsewhere(folders: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(ROOTS):
            continue
        found += [
            f"{name} calls {builder}"
            for builder in sorted(_calls(path.read_text()))
            if not (BUILDERS[builder] and name.startswith(BUILDERS[builder]))
        ]
    return found


def test_adapters_are_opened_and_parts_put_together_in_one_place():
    """No process, command or Action builds an adapter, a lane, a sweeper or a server's parts by itself."""
    assert _built_elsewhere(("action", "agents", "bot", "dashboard", "telemetry")) == []


@pytest.mark.parametrize("builder", BUILDERS)
def test_every_builder_of_the_list_is_really_called_in_the_composition_root(builder):
    """A name that has changed would hold nothing any more."""
    sources = [path for root in ROOTS for path in (ROOT / root).rglob("*.py")]
    factories = [ROOT / BUILDERS[builder]] if BUILDERS[builder].endswith(".py") else []
    factories += (ROOT / BUILDERS[builder]).rglob("*.py") if BUILDERS[builder].endswith("/") else []
    assert any(builder in _calls(Path(path).read_text()) for path in [*sources, *factories])


def test_the_rule_notices_an_adapter_that_is_opened_elsewhere(monkeypatch, tmp_path):
    """The rule above can fail."""
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "rogue_process.py").write_text("client = adapters.ScoutClient('http://127.0.0.1')\n")
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    assert _built_elsewhere(("bot",)) == ["bot/rogue_process.py calls ScoutClient"]
