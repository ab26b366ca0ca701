"""Ordering faults."""

import pytest
from pydantic import ValidationError

from infra.sandbox.github.faults import Fault, FaultBox


def test_a_fault_is_committed_as_often_as_ordered_where_it_matches() -> None:
    """The count goes down only for requests that fit path and method."""
    box = FaultBox()
    box.add(Fault(kind="500", count=2, path=r"/issues/\d+/comments$", method="POST"))
    asked = [("/issues/1/comments", "GET"), ("/issues", "POST"), ("/issues/1/comments", "POST")]
    assert [box.take("500", path, method) is not None for path, method in asked] == [False, False, True]
    assert box.take("500", "/issues/2/comments", "post")
    assert box.take("500", "/issues/2/comments", "POST") is None
    assert box.waiting() == []


def test_an_order_is_not_changed_by_its_giver() -> None:
    """The box counts on its own copy."""
    box, fault = FaultBox(), Fault(kind="slow", count=1)
    box.add(fault)
    box.take("slow", "/")
    assert fault.count == 1


@pytest.mark.parametrize("wrong", [{"kind": "boom"}, {"kind": "500", "path": "("}, {"kind": "500", "count": 0}])
def test_a_fault_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    """A misspelt fault would make a test pass for nothing."""
    with pytest.raises(ValidationError):
        Fault.model_validate(wrong)
