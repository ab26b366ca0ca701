"""Which modules are mutated, which tests have to notice it, and which functions guard an act."""

from dataclasses import dataclass

from tests.mutants.making import ROOT

ALL = "*"
"""Every function of a module."""


def files_of(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the files that patterns fit."""
    return tuple(sorted({str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern)}))


@dataclass(frozen=True)
class Target:
    """A module. `tests`: patterns of files, from the root. `guards`: qualified names of functions, or ALL.

    In a function that guards an act no condition may be changed without a test that notices it.
    """

    path: str
    tests: tuple[str, ...]
    guards: tuple[str, ...] = ()

    def files(self) -> tuple[str, ...]:
        """Return the files of its tests."""
        return files_of(self.tests)

    def guarded(self, function: str) -> bool:
        """Return whether a function guards an act."""
        return ALL in self.guards or function in self.guards


_AGENTS = "tests/unit/agents"
_POLICY = (f"{_AGENTS}/test_guardrail.py", f"{_AGENTS}/test_policy*.py")
_HUMAN = (
    f"{_AGENTS}/test_human.py",
    f"{_AGENTS}/test_approval*.py",
    f"{_AGENTS}/test_command*.py",
    f"{_AGENTS}/test_merge*.py",
    f"{_AGENTS}/test_push*.py",
    f"{_AGENTS}/test_gate*.py",
    "tests/unit/bot/handlers/test_*.py",
)
_CURATOR = (f"{_AGENTS}/test_curator*.py", f"{_AGENTS}/test_verification*.py")
_RESULTS = (
    f"{_AGENTS}/test_result*.py",
    f"{_AGENTS}/test_human.py",
    f"{_AGENTS}/test_merge*.py",
    f"{_AGENTS}/test_fixer.py",
)
_RANKING = (f"{_AGENTS}/rca/test_*.py", f"{_AGENTS}/test_verdict*.py", f"{_AGENTS}/test_brain.py")


def _work(*names: str) -> tuple[str, ...]:
    """Return patterns of the files that test the whole bot in process, by the beginning of their names."""
    return tuple(f"tests/inprocess/test_{name}*.py" for name in names)


_HANDLERS = "tests/unit/bot/handlers/test_*.py"
_STORE = ("tests/integration/bot/test_store.py", "tests/integration/bot/test_incidents.py", *_work("store"))
_OUTBOX = ("tests/integration/bot/test_outbox.py", *_work("outbox"))
_SWEEPER = ("tests/integration/bot/test_sweeper.py", *_work("sweeper"))
"""A new file of tests is one more entry here or below, unless a pattern fits it.

Few files per module: all of them run once before a mutant is tried, also for the sample of `make check`.
"""

TARGETS = (
    Target("agents/policy.py", _POLICY, (ALL,)),
    Target("agents/guardrail.py", _POLICY, (ALL,)),
    Target("agents/approvals.py", _HUMAN, (ALL,)),
    Target("agents/approving.py", _HUMAN, (ALL,)),
    Target("agents/gate.py", _HUMAN, (ALL,)),
    Target("agents/human.py", _HUMAN, (ALL,)),
    Target("agents/verification.py", _CURATOR, ("healthy_run", "healthy_windows", "impact_stopped", "watched")),
    Target(
        "agents/curator.py",
        _CURATOR,
        (
            "curator",
            "_Watcher.verify",
            "_Watcher._await_deploy",
            "_Watcher._holds",
            "_Watcher._await_recovery",
            "_Watcher._all_is_told",
            "_Watcher._report",
            "_Watcher._not_recovered",
            "_learn",
        ),
    ),
    Target("agents/results.py", _RESULTS, (ALL,)),
    Target("agents/rca/ranking.py", _RANKING, ("verdict",)),
    Target(
        "bot/lane.py",
        _work("lane_alone"),
        (
            "Lanes.process_delivery",
            "Lanes._process",
            "Lanes._receive",
            "Lanes.advance",
            "Lanes._advance",
            "Lanes._carry_out",
            "Lanes._step",
            "Lanes._lease",
            "Lanes._keep",
        ),
    ),
    Target("bot/sweeper.py", _SWEEPER, ("Sweeper.run", "Sweeper._is_mine", "Sweeper._give_up")),
    Target("bot/delivery.py", ("tests/unit/bot/test_delivery.py", *_work("delivery")), (ALL,)),
    Target("bot/routing.py", ("tests/unit/bot/test_routing.py", *_work("routing")), (ALL,)),
    Target("bot/handlers/issue_comment.py", (_HANDLERS, *_work("comment", "command")), (ALL,)),
    Target("bot/handlers/issues.py", (_HANDLERS, *_work("issue")), (ALL,)),
    Target("bot/handlers/naming.py", (_HANDLERS, *_work("naming", "issue"))),
    Target("bot/handlers/pull_request.py", (_HANDLERS, *_work("pull_request")), (ALL,)),
    Target("bot/handlers/pull_request_review.py", (_HANDLERS, *_work("review")), (ALL,)),
    Target("bot/handlers/reported.py", (_HANDLERS, *_work("issue", "reported")), ("reported",)),
    Target("bot/handlers/signals.py", (_HANDLERS, *_work("signal")), ("handle", "_opened", "_open", "_came_back")),
    Target("bot/db/leases.py", ("tests/integration/bot/test_leases.py", *_work("lease")), (ALL,)),
    Target(
        "bot/db/inbox.py",
        ("tests/integration/bot/test_inbox.py", *_work("inbox"), *_SWEEPER),
        ("to_wake", "Inbox.put", "Inbox.claim", "Inbox.due", "Inbox.exhausted", "Inbox.purge"),
    ),
    Target(
        "bot/db/outbox.py",
        (*_OUTBOX, "tests/integration/bot/test_store.py", *_SWEEPER),
        ("add", "settle", "Outbox.pending", "Outbox.retry", "Outbox.exhausted"),
    ),
    Target(
        "bot/db/incidents.py",
        (*_STORE, *_OUTBOX, *_SWEEPER),
        ("by_id", "fetch", "write", "by_number", "_waits", "to_wake", "due", "suspend_stalled", "progressed"),
    ),
    Target(
        "bot/db/store.py",
        (*_STORE, *_SWEEPER),
        ("Store.save", "Store.delivered", "Store._save", "Store.open_incidents"),
    ),
)


def target_of(path: str) -> Target:
    """Return the target of a module."""
    return next(target for target in TARGETS if target.path == path)
