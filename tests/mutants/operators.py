"""Mutation operators: mutmut's, sorted into those of conditions and others, and those that it lacks."""

from collections.abc import Callable, Iterable
from typing import Any

import libcst as cst
import libcst.matchers as m
from mutmut.mutation import mutators

Operators = tuple[tuple[type, Callable[[Any], Iterable[cst.CSTNode]]], ...]

_OPPOSITE = {"any": "all", "all": "any"}
_EXTREME = {"min": "max", "max": "min"}
_ALREADY_NEGATED = m.Comparison(
    comparisons=[m.ComparisonTarget(m.Equal() | m.NotEqual() | m.Is() | m.IsNot() | m.In() | m.NotIn())]
) | m.UnaryOperation(m.Not())
"""Tests of which another operator makes the opposite."""


def drop_operand(node: cst.BooleanOperation | cst.BinaryOperation) -> Iterable[cst.BaseExpression]:
    """Drop one operand of `and`, `or`, `&` or `|`: of `a and b and c` each one once."""
    if isinstance(node, cst.BinaryOperation) and not isinstance(node.operator, cst.BitAnd | cst.BitOr):
        return
    yield node.left
    if not (isinstance(node.left, type(node)) and type(node.left.operator) is type(node.operator)):
        yield node.right


def negate(node: cst.If | cst.IfExp | cst.CompIf | cst.While) -> Iterable[cst.CSTNode]:
    """Turn a condition round where no other operator does."""
    if not m.matches(node.test, _ALREADY_NEGATED):
        whole = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.with_changes(test=cst.UnaryOperation(cst.Not(), whole))


def drop_filter(node: cst.CompIf) -> Iterable[cst.CompIf]:
    """Let everything into a comprehension."""
    yield node.with_changes(test=cst.Name("True"))


def stay(node: cst.If) -> Iterable[cst.If]:
    """Go on where a condition would have returned or raised."""
    if not isinstance(node.body, cst.IndentedBlock):
        return
    *before, last = node.body.body
    if m.matches(last, m.SimpleStatementLine(body=[m.Return() | m.Raise()])):
        stays = cst.SimpleStatementLine([cst.Pass()])
        yield node.with_changes(body=node.body.with_changes(body=[*before, stays]))


def swap_quantifier(node: cst.Call) -> Iterable[cst.Call]:
    """Ask for all instead of any, and the other way round."""
    yield from _renamed(node, _OPPOSITE)


def swap_extreme(node: cst.Call) -> Iterable[cst.Call]:
    """Take the greatest instead of the least, and the other way round."""
    yield from _renamed(node, _EXTREME)


def _renamed(node: cst.Call, names: dict[str, str]) -> Iterable[cst.Call]:
    if isinstance(node.func, cst.Name) and node.func.value in names:
        yield node.with_changes(func=cst.Name(names[node.func.value]))


def drop_call(node: cst.Expr) -> Iterable[cst.Pass]:
    """Leave out a call whose value nobody uses."""
    if m.matches(node.value, m.Call() | m.Await(m.Call())):
        yield cst.Pass()


def word(node: cst.SimpleString) -> Iterable[cst.BaseString]:
    """Change a string that the code compares or stores; what has a blank in it is prose for people."""
    if " " not in node.value:
        yield from list(mutators.operator_string(node))[:1]


def arms(node: cst.Match) -> Iterable[cst.CSTNode]:
    """Drop one case, but not the last one of those that no value ever reaches."""
    unreached = m.MatchCase(
        body=m.IndentedBlock([m.SimpleStatementLine([m.Expr(m.Call(func=m.Name("assert_never")))])])
    )
    last = len(node.cases) - 1
    for number, fewer in enumerate(mutators.operator_match(node)):
        if number != last or not m.matches(node.cases[last], unreached):
            yield fewer


def _loop_words(node: cst.Break | cst.Continue) -> Iterable[cst.CSTNode]:
    yield from mutators.operator_keywords(node)


CONDITIONS: Operators = (
    (cst.BooleanOperation, mutators.operator_swap_op),
    (cst.ComparisonTarget, mutators.operator_swap_op),
    (cst.Is, mutators.operator_keywords),
    (cst.IsNot, mutators.operator_keywords),
    (cst.In, mutators.operator_keywords),
    (cst.NotIn, mutators.operator_keywords),
    (cst.UnaryOperation, mutators.operator_remove_unary_ops),
    (cst.Name, mutators.operator_name),
    (cst.IfExp, mutators.operator_if_exp),
    (cst.BooleanOperation, drop_operand),
    (cst.BinaryOperation, drop_operand),
    (cst.If, negate),
    (cst.While, negate),
    (cst.CompIf, negate),
    (cst.CompIf, drop_filter),
    (cst.If, stay),
    (cst.Call, swap_quantifier),
)
"""They change when something is done: in a function that guards an act all of them must be noticed."""

OTHERS: Operators = (
    (cst.BaseNumber, mutators.operator_number),
    (cst.SimpleString, word),
    (cst.Assign, mutators.operator_assignment),
    (cst.AnnAssign, mutators.operator_assignment),
    (cst.AugAssign, mutators.operator_augmented_assignment),
    (cst.Call, mutators.operator_dict_arguments),
    (cst.Call, mutators.operator_arg_removal),
    (cst.Call, mutators.operator_symmetric_string_methods_swap),
    (cst.Call, mutators.operator_unsymmetrical_string_methods_swap),
    (cst.Lambda, mutators.operator_lambda),
    (cst.Break, _loop_words),
    (cst.Continue, _loop_words),
    (cst.BinaryOperation, mutators.operator_swap_op),
    (cst.AugAssign, mutators.operator_swap_op),
    (cst.Match, arms),
    (cst.Call, swap_extreme),
    (cst.Expr, drop_call),
)
"""They change what is done."""
