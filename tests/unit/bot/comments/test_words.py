"""Numbers, times and states in words."""

from datetime import timedelta

import pytest

from agents.incident import Stage
from bot.comments.markup import code_cell, cut_lines, duration, milliseconds, number, percent, plural
from bot.comments.progress import STATES, state
from bot.comments.words import DETECTORS
from telemetry.model import Detector
from tests.unit.bot.comments import incidents


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (0.4, "0 s"),
        (59.6, "1 min"),
        (124, "2 min 4 s"),
        (3600, "1 h"),
        (5460, "1 h 31 min"),
        (93_600, "1 d 2 h"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, text: str):
    """Zero parts are left out."""
    assert duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 0, "no requests"), (0, 10, "0 %"), (1, 1000, "0.1 %"), (1, 10, "10 %"), (999, 1000, "100 %"), (7, 9, "78 %")],
)
def test_a_percentage_is_no_more_exact_than_needed(part: int, whole: int, text: str):
    """One decimal below ten; nothing of nothing is no zero."""
    assert percent(part, whole) == text


def test_numbers_are_readable():
    """Thousands are separated, decimals are few."""
    assert [number(value) for value in (0.0, 1080, 12_345.678, 0.5)] == ["0", "1,080", "12,345.68", "0.5"]
    assert milliseconds(None) == "n/a"
    assert [plural(1, "entry", "entries"), plural(0, "window")] == ["1 entry", "0 windows"]


def test_a_cut_says_how_much_is_left_out():
    """Whole lines are kept."""
    assert cut_lines("one\ntwo\nthree\nfour", 9) == "one\ntwo\n… 2 more lines"
    assert cut_lines("one", 9) == "one"


@pytest.mark.parametrize("text", ["a|b", "a\\|b", "a\\\\|b", "`|`"])
def test_code_stays_in_its_cell(text: str):
    """A pipe neither ends the cell nor takes its own escape away."""
    cell = code_cell(text).replace("\\|", "")

    assert "|" not in cell


def test_every_stage_has_a_headline_and_a_next_step():
    """No stage is left without words, and no placeholder is left in them."""
    assert set(STATES) == set(Stage)
    for stage in Stage:
        headline, step = state(incidents.waiting(stage=stage))
        assert headline
        assert step.endswith(".")
        assert "{" not in step


def test_every_detector_has_a_name():
    """A detector that is added needs a word."""
    assert set(DETECTORS) == set(Detector)
