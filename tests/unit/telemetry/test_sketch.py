"""The sketch keeps quantiles within one percent, and merging loses nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.state import Sketch

durations = st.lists(st.floats(min_value=0.001, max_value=1e8), min_size=1, max_size=300)


def _sketch(values: list[float]) -> Sketch:
    sketch = Sketch()
    for value in values:
        sketch.add(value)
    return sketch


@given(durations, st.floats(min_value=0, max_value=1))
def test_quantiles_are_within_one_percent(values: list[float], q: float) -> None:
    """The answer is within 1 % of the lower quantile of the values themselves."""
    exact = sorted(values)[math.floor(q * (len(values) - 1))]
    assert _sketch(values).quantile(q) == pytest.approx(exact, rel=0.01)


@given(durations, durations)
def test_merging_is_the_same_as_adding_everything_to_one(left: list[float], right: list[float]) -> None:
    """Merged sketches hold the same buckets as one that saw all values."""
    merged = Sketch.merged([_sketch(left), _sketch(right)])
    whole = _sketch(left + right)
    assert (merged.buckets, merged.count) == (whole.buckets, whole.count)


@given(durations, st.floats(min_value=0.001, max_value=1e8))
def test_count_above_errs_only_within_two_percent_of_the_limit(values: list[float], limit: float) -> None:
    """Everything well above counts, nothing below does."""
    found = _sketch(values).count_above(limit)
    assert sum(value > limit * 1.0201 for value in values) <= found <= sum(value > limit for value in values)


def test_an_empty_sketch_has_no_quantile() -> None:
    """No data is not zero."""
    assert Sketch().quantile(0.5) is None


@pytest.mark.parametrize("value", [0.0, -5.0, 1e300, math.inf])
def test_values_out_of_range_go_to_the_end_buckets(value: float) -> None:
    """Broken clocks neither raise nor make new buckets without end."""
    sketch = _sketch([value, value])
    assert len(sketch.buckets) == 1
    assert sketch.count == 2


def test_adding_many_at_once_counts_them_all() -> None:
    """`n` values in one call weigh as much as `n` calls."""
    sketch = Sketch()
    sketch.add(10.0, 99)
    sketch.add(1000.0)
    assert sketch.quantile(0.5) == pytest.approx(10.0, rel=0.01)
    assert (sketch.count, sketch.count_above(20.0)) == (100, 1)
