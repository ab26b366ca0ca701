"""Lengths of time in SQL, on SQLite and on Postgres."""

from typing import Any

from sqlalchemy import ColumnElement, Float, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class SecondsBetween(FunctionElement[float]):
    """Seconds from the first moment to the second as a float; NULL when one of them is."""

    type = Float()
    inherit_cache = True
    name = "seconds_between"

    def __init__(self, since: ColumnElement[Any], until: ColumnElement[Any]) -> None:
        super().__init__(since, until)


class WholeParts(FunctionElement[int]):
    """How many times the second number fits into the first, which is not negative."""

    type = Integer()
    inherit_cache = True
    name = "whole_parts"

    def __init__(self, whole: ColumnElement[float], part: ColumnElement[int]) -> None:
        super().__init__(whole, part)


def _arguments(element: FunctionElement[Any], compiler: SQLCompiler) -> list[str]:
    return [str(compiler.process(clause)) for clause in element.clauses]


@compiles(SecondsBetween, "sqlite")
def _seconds_on_sqlite(element: SecondsBetween, compiler: SQLCompiler, **_kw: Any) -> str:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
    since, until = _arguments(element, compiler)
    # unixepoch(…, 'subsec') needs SQLite 3.42; a Julian day is precise to a millisecond.
    return f"((julianday({until}) - julianday({since})) * 86400.0)"


@compiles(SecondsBetween, "postgresql")
def _seconds_on_postgres(element: SecondsBetween, compiler: SQLCompiler, **_kw: Any) -> str:  # pyright: ignore[reportUnusedFunction] -- as above
    since, until = _arguments(element, compiler)
    return f"CAST(EXTRACT(EPOCH FROM ({until} - {since})) AS DOUBLE PRECISION)"


@compiles(WholeParts, "sqlite")
def _parts_on_sqlite(element: WholeParts, compiler: SQLCompiler, **_kw: Any) -> str:  # pyright: ignore[reportUnusedFunction] -- as above
    whole, part = _arguments(element, compiler)
    return f"CAST({whole} / {part} AS INTEGER)"


@compiles(WholeParts, "postgresql")
def _parts_on_postgres(element: WholeParts, compiler: SQLCompiler, **_kw: Any) -> str:  # pyright: ignore[reportUnusedFunction] -- as above
    whole, part = _arguments(element, compiler)
    return f"CAST(FLOOR({whole} / {part}) AS INTEGER)"
