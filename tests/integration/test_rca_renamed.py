"""Recorded faults of real systems: names, ids, clock and order decide nothing."""

import pytest

from bot.recorded_cases import analyse, case_of
from tests.requirements import need, path_setting
from tests.support_renamed import Retelling, differences

DATA = path_setting("SRE_SPACE_RCA_DATA", "data/nezha")
CASES = (
    "trainticket/tt-20230130t115146",
    "onlineboutique/ob-20220822t043603",
    "onlineboutique/ob-20220822t050950",
)
"""The smallest ones that have traces in the fault."""


@pytest.fixture(params=CASES)
def folder(request):
    """The files of one case."""
    need("rca-data", (DATA / "cases.jsonl").is_file(), "export SRE_SPACE_RCA_DATA=the folder of `make bench-rca`")
    return DATA / request.param


@pytest.mark.parametrize("seed", [1, 2])
def test_names_ids_clock_and_order_change_no_answer(folder, seed, tmp_path):
    """Ranking, kinds, operations, scores and verdict are the same once everything has another name, time and place."""
    known = analyse(folder, case_of(folder))
    assert known.candidates
    assert differences(known.bundle, folder, tmp_path, seed) == []


def test_the_case_told_anew_shares_no_name_with_the_old_one(folder, tmp_path):
    """The comparison can fail: no service that is named keeps its name, nor any pod, and every stretch has moved."""
    retelling = Retelling(folder, 1)
    old, new = case_of(folder), retelling.case(case_of(folder))
    before, after = analyse(folder, old), analyse(retelling.write(tmp_path), new)
    assert not {c.service for c in before.candidates} & {c.service for c in after.candidates}
    assert {retelling.names[name] for name in before.pods} == set(after.pods)
    assert new.fault[0] - old.fault[0] == new.normal[0][0] - old.normal[0][0] == retelling.later_ns != 0
