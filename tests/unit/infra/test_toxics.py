"""Toxics end by themselves, whoever put them there."""

import pytest
from pydantic import ValidationError

from infra.sandbox.toxics import Toxic, ToxicBox, ToxicType


def latency(ttl_s: float, **more: object) -> Toxic:
    """Returns a latency toxic of 100 ms."""
    return Toxic.model_validate({"type": "latency", "attributes": {"latency": 100}, "ttl_s": ttl_s, **more})


def test_a_toxic_is_in_force_until_its_time_to_live_is_over() -> None:
    """A killed experiment heals without anybody's help."""
    box = ToxicBox()
    box.add(latency(10), now_s=100)
    assert [toxic.type for toxic in box.active(109.9)] == [ToxicType.LATENCY]
    assert box.active(110) == []


def test_a_toxic_of_the_same_name_replaces_the_first_and_its_time() -> None:
    """Adding a toxic again extends it instead of stacking delays."""
    box = ToxicBox()
    box.add(latency(10), now_s=100)
    box.add(latency(10), now_s=105)
    assert len(box.active(112)) == 1


def test_a_replaced_toxic_has_no_time_left() -> None:
    """A connection that waits for the old toxic to end goes on."""
    box = ToxicBox()
    old = latency(10)
    box.add(old, now_s=100)
    assert box.remaining_s(old, 104) == 6
    box.add(latency(20), now_s=105)
    assert box.remaining_s(old, 106) == 0


def test_toxics_of_one_direction_leave_the_other_alone() -> None:
    """Upstream is from client to server."""
    box = ToxicBox()
    box.add(latency(10, stream="upstream"), now_s=0)
    assert box.active(1, "downstream") == []
    assert len(box.active(1, "upstream")) == 1


def test_a_proxy_that_is_down_comes_up_by_itself() -> None:
    """Being down has a time to live too."""
    box = ToxicBox()
    box.take_down(5, now_s=0)
    assert box.is_down(4.9)
    assert not box.is_down(5)


def test_removing_an_expired_toxic_says_it_was_not_there() -> None:
    """The caller learns that its experiment had ended before."""
    box = ToxicBox()
    box.add(latency(1), now_s=0)
    assert not box.remove("latency_downstream", now_s=2)


def test_clearing_ends_everything() -> None:
    """Reset removes toxics and brings the proxy up."""
    box = ToxicBox()
    box.add(latency(10), now_s=0)
    box.take_down(10, now_s=0)
    box.clear()
    assert box.active(1) == []
    assert not box.is_down(1)


@pytest.mark.parametrize(
    "change",
    [
        {"ttl_s": None},
        {"ttl_s": 0},
        {"ttl_s": 86_400},
        {"attributes": {"latncy": 100}},
        {"attributes": {"latency": -1}},
        {"toxicity": 1.5},
        {"type": "earthquake"},
    ],
)
def test_a_toxic_without_end_or_sense_is_refused(change: dict[str, object]) -> None:
    """No toxic may last for ever, and a misspelt attribute is not ignored."""
    with pytest.raises(ValidationError):
        Toxic.model_validate({"type": "latency", "attributes": {"latency": 100}, "ttl_s": 10, **change})
