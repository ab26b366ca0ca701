"""Tries mutants in forks of one pytest session: the tests are imported once, a mutant costs little more than them."""

import gc
import importlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from coverage import Coverage
from hypothesis import Phase, settings

from tests.mutants.forking import BROKEN, Child, fork, wait
from tests.mutants.making import ROOT, Mutant
from tests.mutants.swapping import Functions

Line = tuple[str, int]
"""A module's path and a number."""

SURVIVED, KILLED, NO_MUTANT = 0, 1, 4
CPU_S, WALL_S, FACTOR = 10, 30, 5
"""A mutant may use 10 s and five times what its tests use, and wait for 30 s more; then it counts as killed."""
BASELINE_S = 900
CONTROLS = 5
"""So many tests see each original swapped for itself."""


@dataclass(frozen=True)
class Outcome:
    """How a mutant fared. `by`: the test that noticed it, or why it was stopped."""

    mutant: Mutant
    killed: bool
    by: str


@dataclass(eq=False)
class Session:
    """A pytest plugin that tries mutants instead of running the collected tests once.

    `until`: when to stop trying, on the clock of `time.monotonic`. `problem`: why there are no figures.
    """

    mutants: Sequence[Mutant]
    jobs: int
    until: float
    said: Callable[[Outcome], None]
    problem: str = "The tests cannot be started."
    failed: str = ""
    _items: list[pytest.Item] = field(default_factory=list)
    _seconds: dict[str, float] = field(default_factory=dict)
    _reached: dict[Line, set[str]] = field(default_factory=dict)
    _kills: Counter[str] = field(default_factory=Counter)
    _tried: dict[int, Mutant] = field(default_factory=dict)

    def pytest_configure(self) -> None:
        """Let Hypothesis try the same examples for every mutant, and neither keep nor shrink those that fail."""
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", database=None, derandomize=True, deadline=None, phases=phases)
        settings.load_profile("mutants")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """See which tests reach which functions, then try the mutants."""
        if session.testsfailed:
            self.problem = "The tests cannot be collected."
            return True
        self.problem = ""
        self._texts = {mutant.path: mutant.text for mutant in self.mutants}
        for path in self._texts:
            importlib.import_module(path.removesuffix(".py").replace("/", "."))
        self._items = session.items
        self._functions = Functions(frozenset(self._texts))
        gc.freeze()
        for part in (self._observe_all, self._try_originals, self._try_all):
            if not self.problem:
                part()
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember that a test failed."""
        if report.failed:
            self.failed = report.nodeid

    def _observe_all(self) -> None:
        """Run all tests without any mutant, each process its share of the files."""
        number = {path: n for n, path in enumerate(sorted({item.path for item in self._items}))}
        children: list[Child] = []
        for job in range(self.jobs):
            share = [item for item in self._items if number[item.path] % self.jobs == job]
            children.append(fork(partial(self._observe, share), cpu_s=BASELINE_S, wall_s=BASELINE_S))
        while children:
            child, code = wait(children)
            with child.folder as folder:
                if code:
                    self.problem = child.said() or f"The tests alone end with {code}."
                    continue
                seconds, lines = json.loads(Path(folder, "seen").read_text())
            self._seconds.update(seconds)
            for path, line, names in lines:
                self._reached.setdefault((path, line), set()).update(names)

    def _observe(self, items: Sequence[pytest.Item], folder: Path) -> int:
        _settle_in(folder)
        files = {path: str(ROOT / path) for path in self._texts}
        coverage = Coverage(data_file=None, config_file=False, include=list(files.values()))
        coverage.set_option("run:core", "ctrace")  # the other cores cannot tell which test runs a line
        seconds: dict[str, float] = {}
        with coverage.collect():
            for item, after in _in_turn(items):
                coverage.switch_context(item.nodeid)
                began = time.perf_counter()
                item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
                seconds[item.nodeid] = time.perf_counter() - began
        if self.failed:
            (folder / "said").write_text(f"Without any mutant, {self.failed} fails.")
            return KILLED
        data = coverage.get_data()
        lines = [(path, *run) for path, file in files.items() for run in data.contexts_by_lineno(file).items()]
        (folder / "seen").write_text(json.dumps([seconds, lines]))
        return SURVIVED

    def _try_originals(self) -> None:
        """Swap each module for itself: what is killed later is then killed by its change, not by the swap."""
        for path, text in self._texts.items():
            reaching = set[str]().union(*(names for (of, _), names in self._reached.items() if of == path))
            items = self._in_order(reaching)[:CONTROLS]
            run = partial(self._run, path, text, items)
            child, code = wait([fork(run, cpu_s=CPU_S, wall_s=WALL_S)])
            with child.folder:
                if code:
                    self.problem = f"{path} fails when it is swapped for itself: {child.said()}"

    def _try_all(self) -> None:
        children: list[Child] = []
        try:
            for mutant in self.mutants:
                if time.monotonic() > self.until or self.problem:
                    break
                items = self._noticing(mutant)
                if items:
                    children.append(self._start(mutant, items))
                else:
                    self.said(Outcome(mutant, killed=False, by="no test reaches it"))
                if len(children) == self.jobs:
                    self._judge(*wait(children))
            while children:
                self._judge(*wait(children))
        finally:
            for child in children:  # somebody has interrupted the run
                child.end()

    def _noticing(self, mutant: Mutant) -> list[pytest.Item]:
        """Return the tests that run one of its lines."""
        reaching = {name for line in mutant.lines for name in self._reached.get((mutant.path, line), ())}
        return self._in_order({name for name in reaching if name.startswith(mutant.killers)})

    def _in_order(self, names: set[str]) -> list[pytest.Item]:
        """Return tests: first those that killed before, then the quick ones."""
        found = [item for item in self._items if item.nodeid in names]
        return sorted(found, key=lambda item: (-self._kills[item.nodeid], self._seconds[item.nodeid]))

    def _start(self, mutant: Mutant, items: list[pytest.Item]) -> Child:
        def work(folder: Path) -> int:
            return self._run(mutant.path, mutant.source, items, folder) if mutant.differs() else NO_MUTANT

        patience = FACTOR * sum(self._seconds[item.nodeid] for item in items)
        child = fork(work, cpu_s=CPU_S + patience, wall_s=CPU_S + WALL_S + patience)
        self._tried[child.pid] = mutant
        return child

    def _run(self, path: str, source: str, items: Sequence[pytest.Item], folder: Path) -> int:
        """Run tests over a module with other code, until one fails."""
        _settle_in(folder)
        self._functions.swap(path, source)
        for item, after in _in_turn(items):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
            if self.failed:
                (folder / "said").write_text(self.failed)
                return KILLED
        return SURVIVED

    def _judge(self, child: Child, code: int) -> None:
        mutant = self._tried.pop(child.pid)
        with child.folder:
            by = child.said() or child.stopped or (f"ended by signal {-code}" if code < 0 else "")
        if code == BROKEN:
            self.problem = f"{mutant.place}: {by}"
        elif code != NO_MUTANT:
            self._kills[by] += 1
            self.said(Outcome(mutant, killed=code != SURVIVED, by=by))


def _settle_in(folder: Path) -> None:
    """Let the tests of this process make their temporary files in its own folder."""
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)


def _in_turn(items: Sequence[pytest.Item]) -> list[tuple[pytest.Item, pytest.Item | None]]:
    return list(zip(items, [*items[1:], None], strict=True))
