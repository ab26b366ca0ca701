"""Makes the mutants of a module: each is the module with one small change in one function."""

import ast
import difflib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider

from tests.mutants.operators import CONDITIONS, OTHERS

ROOT = Path(__file__).parents[2]

_LOGGED = m.Call(func=m.Attribute(value=m.Name("log")))
_LEFT_ALONE = (
    m.Annotation()
    | _LOGGED
    | m.Expr(_LOGGED)
    | m.Expr(m.Call(func=m.Name("assert_never")))
    | m.Call(func=m.Name("len") | m.Name("isinstance") | m.Name("assert_never"))
    | m.TypeOf(m.Parameters, m.Decorator)()
)
"""Types, log lines, calls that only fail with other arguments, and what is evaluated before a mutant is tried."""


@dataclass(frozen=True, eq=False)
class Mutant:
    """A module with one change. `condition`: the change is in when something is done, not in what.

    `lines` are those of its statement: only tests that run one of them can notice it. `killers` are the tests that may,
    by file.
    """

    path: str
    function: str
    line: int
    lines: range
    condition: bool
    text: str = field(repr=False)
    killers: tuple[str, ...] = ()
    named: bool = False
    change: tuple[cst.Module, cst.CSTNode, cst.CSTNode] | str = field(default="", repr=False)

    @cached_property
    def source(self) -> str:
        """The source of the changed module."""
        if isinstance(self.change, str):
            return self.change
        module, old, new = self.change
        return module.deep_replace(old, new).code

    @cached_property
    def edit(self) -> tuple[str, str]:
        """The lines that go and the lines that come, without their indentation."""
        lines = [line for line in difflib.ndiff(self.text.splitlines(), self.source.splitlines()) if line[0] in "+-"]
        went, came = ("\n".join(line[2:].strip() for line in lines if line[0] == sign) for sign in "-+")
        return went, came

    @property
    def place(self) -> str:
        """Where the change is."""
        return f"{self.path}:{self.line}"

    def differs(self) -> bool:
        """Return whether the change is valid Python, and other code than before."""
        try:
            return ast.dump(ast.parse(self.source)) != ast.dump(ast.parse(self.text))
        except SyntaxError:
            return False


class _Visitor(cst.CSTVisitor):
    """Collects the mutants of all functions; what is nested in a function belongs to it."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, path: str, text: str, module: cst.Module, killers: tuple[str, ...]) -> None:
        super().__init__()
        self._module = module
        self._path, self._text, self._killers = path, text, killers
        self._within: list[cst.FunctionDef | cst.ClassDef] = []
        self._statements: list[cst.CSTNode] = []
        self.found: list[Mutant] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if m.matches(node, _LEFT_ALONE):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._within.append(node)
        if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            self._statements.append(node)
        if any(isinstance(around, cst.FunctionDef) for around in self._within):
            self._mutate(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self._within and self._within[-1] is original_node:
            self._within.pop()
        if self._statements and self._statements[-1] is original_node:
            self._statements.pop()

    def _mutate(self, node: cst.CSTNode) -> None:
        for operators, condition in ((CONDITIONS, True), (OTHERS, False)):
            for kind, operator in operators:
                if isinstance(node, kind):
                    for mutated in operator(node):
                        self._add(node, mutated, condition=condition)

    def _add(self, old: cst.CSTNode, new: cst.CSTNode, *, condition: bool) -> None:
        lines = self._lines(self._statements[-1])
        place = self.get_metadata(PositionProvider, old, None)
        line = place.start.line if place else lines.start
        change = (self._module, old, new)
        mutant = Mutant(self._path, self._function(), line, lines, condition, self._text, self._killers, change=change)
        self.found.append(mutant)

    def _lines(self, statement: cst.CSTNode) -> range:
        """Return the lines of a statement; of one with a body, the first."""
        place = self.get_metadata(PositionProvider, statement)
        last = place.end.line if isinstance(statement, cst.SimpleStatementLine) else place.start.line
        return range(place.start.line, last + 1)

    def _function(self) -> str:
        """Return the qualified name of the outermost function."""
        names: list[str] = []
        for node in self._within:
            names.append(node.name.value)
            if isinstance(node, cst.FunctionDef):
                break
        return ".".join(names)


def mutants_of(path: str, killers: tuple[str, ...]) -> list[Mutant]:
    """Return every mutant of a module, in the order of its lines."""
    text = (ROOT / path).read_text()
    wrapper = MetadataWrapper(cst.parse_module(text))
    visitor = _Visitor(path, text, wrapper.module, killers)
    wrapper.visit(visitor)
    return sorted(visitor.found, key=lambda mutant: (mutant.line, not mutant.condition))


def named(path: str, function: str, old: str, new: str, killers: tuple[str, ...]) -> Mutant:
    """Return the mutant in which the text `old`, which occurs once, is `new`.

    Raises:
        ValueError: the text is not there once; the case has to follow the code.
    """
    text = (ROOT / path).read_text()
    if text.count(old) != 1:
        raise ValueError(f"{path} holds {text.count(old)} times {old!r}: adapt the case in tests/mutants/named.py")
    line = text[: text.index(old)].count("\n") + 1
    lines = range(line, line + old.count("\n") + 1)
    changed = text.replace(old, new)
    return Mutant(path, function, line, lines, condition=True, text=text, killers=killers, named=True, change=changed)
