"""The mutation gate itself: which mutants it makes, how it puts them in, which it draws, and what closes it."""

import ast
import importlib.util
import os
import sys

import pytest

from tests.mutants.forking import BROKEN, fork, wait
from tests.mutants.making import ROOT, Mutant, mutants_of, named
from tests.mutants.named import CASES
from tests.mutants.report import Equivalent, Report, equivalents, guards
from tests.mutants.sampling import drawn
from tests.mutants.swapping import Functions
from tests.mutants.targets import ALL, TARGETS, target_of
from tests.mutants.trying import Outcome

LINES = {
    "if a and b and c:": {"if b and c:", "if a and c:", "if a and b:", "if a and b or c:", "if a or b and c:"},
    "return rows.where(a, (b == 1) & (c <= 2))": {"return rows.where(a, (b == 1))", "return rows.where(a, (c <= 2))"},
    "x = [y for y in a if y.fine]": {"x = [y for y in a if True]", "x = [y for y in a if not (y.fine)]"},
    "if not a.ready(b):": {"if a.ready(b):"},
    "while a.waits:": {"while not (a.waits):"},
    "return any(y for y in a)": {"return all(y for y in a)"},
    "if len(a) > 3:": {"if len(a) >= 3:", "if not (len(a) > 3):"},
}
"""Lines, and what must become of each, among others."""


def _defined(body):
    return [each for each in body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]


def mutants(tmp_path, source: str) -> list[Mutant]:
    """Return the mutants of a module with this source."""
    (tmp_path / "module.py").write_text(source)
    return mutants_of(str(tmp_path / "module.py"), ())


def conditions(tmp_path, source: str) -> set[str]:
    """Return what the changed lines become."""
    return {mutant.edit[1] for mutant in mutants(tmp_path, source) if mutant.condition}


@pytest.mark.parametrize(("line", "changed"), LINES.items())
def test_conditions_are_changed_in_every_way(tmp_path, line, changed):
    """Each conjunct is dropped once, comparisons move to their limit, filters let everything in."""
    body = "\n        pass" if line.endswith(":") else ""
    assert changed <= conditions(tmp_path, f"def work(a, b, c, rows):\n    {line}{body}\n")


@pytest.mark.parametrize("leaves", ["return 1", "raise ValueError"])
def test_a_guard_that_leaves_is_taken_out(tmp_path, leaves):
    """Where a condition returned or raised, the function goes on."""
    source = f"def work(a):\n    if a:\n        {leaves}\n    return 2\n"
    assert "def work(a):\n    if a:\n        pass\n    return 2\n" in {m.source for m in mutants(tmp_path, source)}


def test_a_call_whose_value_nobody_uses_is_left_out_but_no_log_line(tmp_path):
    """What a function does is tried, what it logs is not."""
    found = mutants(tmp_path, 'async def work(a):\n    await a.release("x")\n    log.info("released", a="y")\n')
    assert any(mutant.edit == ('await a.release("x")', "pass") for mutant in found)
    assert {mutant.line for mutant in found} == {2}


def test_only_bodies_of_functions_are_changed(tmp_path):
    """Defaults, annotations, decorators and constants have been evaluated before a mutant is put in."""
    source = 'LIMIT = 3\n\n\n@retry(2)\ndef work(a: "x" = 5) -> "y":\n    return a == 1\n'
    assert {mutant.line for mutant in mutants(tmp_path, source)} == {6}


def test_what_is_nested_belongs_to_the_function_around_it(tmp_path):
    """A step that a factory builds is tried under the factory's name, a method under its class."""
    source = "class Lane:\n    def step(self):\n        def run(a):\n            return a == 1\n        return run\n"
    assert {mutant.function for mutant in mutants(tmp_path, source)} == {"Lane.step"}


def test_a_mutant_is_put_into_functions_that_decorators_wrap(tmp_path, monkeypatch):
    """What others have imported changes as well."""
    path = tmp_path / "module.py"
    path.write_text("import contextlib\n\n\n@contextlib.contextmanager\ndef lease(a):\n    yield a > 1\n")
    spec = importlib.util.spec_from_file_location("module", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "module", module)
    spec.loader.exec_module(module)
    lease = module.lease
    Functions(frozenset({str(path)})).swap(str(path), path.read_text().replace(">", "<="))
    with lease(2) as held:
        assert held is False


def test_work_that_raises_is_not_taken_for_a_killed_mutant():
    """A fault of the driver has an exit code of its own."""
    child, code = wait([fork(lambda _: 1 // 0, cpu_s=5, wall_s=5)])
    with child.folder:
        assert (code, "ZeroDivisionError" in child.said()) == (BROKEN, True)


def test_work_that_never_ends_is_stopped():
    """A mutant that waits for ever does not hold up the others."""
    child, code = wait([fork(lambda _: os.read(os.pipe()[0], 1), cpu_s=5, wall_s=0.1)])
    with child.folder:
        assert code < 0
        assert child.stopped


def test_a_day_draws_the_same_mutants_again_and_first_those_that_lived():
    """The seed that a failed sample prints repeats it."""
    path = "agents/policy.py"
    lived = [case.mutant() for case in CASES if case.path == path]
    every = [*lived, *mutants_of(path, ()), *mutants_of("bot/routing.py", ())]
    first, again, other = drawn(every, 40, "2030-01-01"), drawn(every, 40, "2030-01-01"), drawn(every, 40, "2030-01-02")
    assert first == again != other
    assert len(first) == 40
    assert first[: len(lived)] == other[: len(lived)] == lived
    assert 20 <= sum(guards(mutant) for mutant in first[len(lived) :]) < 38


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.function)
def test_the_mutants_that_once_lived_fit_the_code(case):
    """A case whose text is gone has to follow the code."""
    assert case.mutant().differs()
    with pytest.raises(ValueError, match="adapt the case"):
        named(case.path, case.function, case.old + "gone", case.new, ())


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.path)
def test_the_table_names_what_exists(target):
    """Every module, every guard and every kind of tests is there."""
    body = ast.parse((ROOT / target.path).read_text()).body
    methods = {
        f"{each.name}.{part.name}" for each in body if isinstance(each, ast.ClassDef) for part in _defined(each.body)
    }
    assert set(target.guards) - {ALL} <= methods | {each.name for each in _defined(body)}
    assert target.files()


def test_a_survivor_in_a_guard_closes_the_gate_whatever_the_share_is():
    """One changed condition that nobody notices is enough; what is equivalent is excused, once it is read."""
    found = [mutant for mutant in mutants_of("agents/gate.py", ()) if guards(mutant)]
    outcomes = [Outcome(mutant, killed=number > 0, by="") for number, mutant in enumerate(found)]
    lived = found[0]
    entry = Equivalent(lived.path, lived.function, *lived.edit, reason="the same")
    assert Report(outcomes, []).problems(full=False) == ["1 mutants of guards survived"]
    assert Report(outcomes, [entry]).problems(full=True) == []
    assert "drop it" in Report(outcomes[1:], [entry]).problems(full=True)[0]


def test_below_nine_in_ten_the_full_gate_is_closed_and_the_sample_is_not():
    """A sample is too small for a share."""
    loose = [mutant for mutant in mutants_of("agents/gate.py", ()) if not guards(mutant)][:100]
    at_bar = [Outcome(mutant, killed=number >= 10, by="") for number, mutant in enumerate(loose)]
    below = [Outcome(mutant, killed=number >= 11, by="") for number, mutant in enumerate(loose)]
    assert Report(at_bar, []).problems(full=True) == []
    assert Report(below, []).problems(full=True) == ["89.0% of the mutants were killed, not 90%"]
    assert Report(below, []).problems(full=False) == []


def test_every_equivalent_mutant_has_its_reason():
    """The file can be read, and names modules that are tried."""
    for entry in equivalents():
        assert target_of(entry.path)
        assert entry.reason
