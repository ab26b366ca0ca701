"""Puts the code of a mutant into the functions of a module that is imported already."""

import gc
from collections.abc import Iterator
from types import CodeType, FunctionType

from tests.mutants.making import ROOT

Key = tuple[str, str]
"""A module's path and a function's qualified name."""


def codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of functions and methods below a module's code; what is nested in a function is part of it."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if _is_class(inner):
                yield from codes(inner)
            else:
                yield inner


def _is_class(code: CodeType) -> bool:
    return not code.co_flags & 0x2  # CO_NEWLOCALS: functions have it, bodies of classes have not


class Functions:
    """Every function object of some modules, also those that decorators wrap."""

    def __init__(self, paths: frozenset[str]) -> None:
        files = {str(ROOT / path): path for path in paths}
        self._found: dict[Key, list[FunctionType]] = {}
        for each in gc.get_objects():
            if type(each) is FunctionType and each.__code__.co_filename in files:
                key = (files[each.__code__.co_filename], each.__code__.co_qualname)
                self._found.setdefault(key, []).append(each)

    def swap(self, path: str, source: str) -> None:
        """Give the functions of a module the code that they have in `source`."""
        for code in codes(compile(source, str(ROOT / path), "exec")):
            for function in self._found.get((path, code.co_qualname), []):
                function.__code__ = code
