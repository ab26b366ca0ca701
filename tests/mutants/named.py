"""Mutants that once lived: they are tried in every sample, so that they never live again."""

from dataclasses import dataclass

from tests.mutants.making import Mutant, named
from tests.mutants.targets import files_of


@dataclass(frozen=True)
class Case:
    """A text of a module, which occurs once, and what it becomes. `tests`: patterns of those that kill it."""

    path: str
    tests: tuple[str, ...]
    function: str
    old: str
    new: str

    def mutant(self) -> Mutant:
        """Return it as a mutant. Raises ValueError when the module no longer holds the text: adapt the case."""
        return named(self.path, self.function, self.old, self.new, files_of(self.tests))


_SURE = "sure = best.score >= parameters.confirmed_score and lead >= parameters.confirmed_margin and len(shown_by) > 1"
_REPLAN = 'return _replan(refused, gate, now()) if isinstance(gate, Revoked) and enough(given, "write") else refused'
_RANKING = ("agents/rca/ranking.py", ("tests/unit/agents/rca/test_verdict.py",))
_REVIEW = ("agents/approving.py", ("tests/unit/agents/test_approval*.py",))
_MERGE = ("agents/approving.py", ("tests/unit/agents/test_merge*.py",))
_PUSH = ("agents/approving.py", ("tests/unit/agents/test_push*.py",))
_POLICY = ("agents/policy.py", ("tests/unit/agents/test_policy*.py",))
_LANE = ("bot/lane.py", ("tests/inprocess/test_lane_alone.py",))

CASES = (
    Case(*_RANKING, "verdict", _SURE, "sure = lead >= parameters.confirmed_margin and len(shown_by) > 1"),
    Case(*_RANKING, "verdict", _SURE, "sure = best.score >= parameters.confirmed_score and len(shown_by) > 1"),
    Case(
        *_RANKING,
        "verdict",
        _SURE,
        "sure = best.score >= parameters.confirmed_score and lead >= parameters.confirmed_margin",
    ),
    Case(*_RANKING, "verdict", _SURE, _SURE.replace(" and ", " or ")),
    Case(*_REVIEW, "review", _REPLAN, "return _replan(refused, gate, now()) if isinstance(gate, Revoked) else refused"),
    Case(*_REVIEW, "review", _REPLAN, "return refused"),
    Case(
        *_MERGE,
        "_merge",
        "incident.enter(Stage.MERGING) if again else",
        "incident.enter(Stage.MERGING) if not again else",
    ),
    Case(
        *_PUSH,
        "pushed",
        "if incident.stage is Stage.AWAITING_APPROVAL and not incident.approvals:",
        "if incident.stage is not Stage.AWAITING_APPROVAL and not incident.approvals:",
    ),
    Case(*_POLICY, "within_maximum", "remedy.target > declared[0]", "remedy.target >= declared[0]"),
    Case(*_POLICY, "commit_can_be_reverted", "lines > MAX_LINES", "lines >= MAX_LINES"),
    Case(
        *_LANE,
        "Lanes._lease",
        "if not await self._store.lease(lane, owner, self._lease_s):",
        "if not await self._store.lease(lane, owner, self._lease_s) and False:",
    ),
    Case(*_LANE, "Lanes._advance", "rows[0].next_at > self._now() or not", "not"),
)
