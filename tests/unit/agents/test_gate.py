"""The gate: each reason why a plan cannot go on, judged from facts alone, and how the facts are read."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from agents.config import CONFIG_PATH, ApprovalRule, Approvals, Autonomy, RepoConfig, ServiceConfig
from agents.gate import Facts, Gate, Merged, Problem, Revoked, judge, open_gate
from agents.incident import Incident
from agents.plan import FileEdit, Plan, PullRequestRef, Risk
from agents.plans import LIFETIME, POLICY_VERSION
from agents.ports import PullState
from agents.testing.builders import ONSET
from agents.testing.flow import POOL_FIX, proposed
from agents.testing.shop import CONFIG, SETTINGS_FILE, Shop

EXPIRES_AT = ONSET + LIFETIME
SECOND = timedelta(seconds=1)
NEW_FILE = "services/quote/a_b.yaml"
PLAN = Plan(
    id="0123456789ab",
    remedy=POOL_FIX,
    risk=Risk.LOW,
    base_ref="main",
    base_sha="b" * 40,
    branch="sre-space/inc-1/0123456789ab",
    edits=(
        FileEdit(path=SETTINGS_FILE, blob_sha="s1", content="x"),
        FileEdit(path=NEW_FILE, blob_sha=None, content="y"),
    ),
    diff="",
    title="Raise it",
    config_sha="c1",
    policy_version=POLICY_VERSION,
    expires_at=EXPIRES_AT,
)
PULL = PullRequestRef(number=5, url="https://github.test/acme/shop/pull/5", head_sha="d" * 40)
STATE = PullState(
    number=5,
    url=PULL.url,
    open=True,
    merged=False,
    head_sha=PULL.head_sha,
    head_ref=PLAN.branch,
    base_ref="main",
    base_sha=PLAN.base_sha,
    opener="sre-space[bot]",
)
REPO_CONFIG = RepoConfig(
    version=1,
    services={"quote": ServiceConfig(paths=("services/quote/**",))},
    approvals=Approvals(
        low=ApprovalRule(count=3, permission="admin"), high=ApprovalRule(count=4, permission="maintain")
    ),
)
MOVED = Facts(
    pull=STATE,
    default_branch="main",
    head="e" * 40,
    config=REPO_CONFIG,
    config_sha="c1",
    comparison="ahead",
    blobs={SETTINGS_FILE: "s1", NEW_FILE: None},
)
UNMOVED = replace(MOVED, head=PLAN.base_sha, comparison="identical", blobs={})


@dataclass(frozen=True)
class World:
    """What `judge` is told. As it is here the plan holds, although its base branch moved on."""

    plan: Plan = PLAN
    facts: Facts = MOVED
    now_before_expiry: timedelta = SECOND

    def judged(self) -> Gate | Problem:
        """Return what `judge` says."""
        return judge(self.plan, PULL, self.facts, EXPIRES_AT - self.now_before_expiry)


Change = Callable[[World], World]


def time(before_expiry: timedelta) -> Change:
    """Move the clock."""
    return lambda world: replace(world, now_before_expiry=before_expiry)


def plan(**changes: object) -> Change:
    """Change the plan."""
    return lambda world: replace(world, plan=world.plan.model_copy(update=changes))


def facts(**changes: object) -> Change:
    """Change what was read."""
    return lambda world: replace(world, facts=replace(world.facts, **changes))


def state(**changes: object) -> Change:
    """Change the pull request."""
    return lambda world: replace(world, facts=replace(world.facts, pull=world.facts.pull.model_copy(update=changes)))


def blob(path: str, sha: str | None) -> Change:
    """Change a file on the base branch."""
    return lambda world: replace(world, facts=replace(world.facts, blobs={**world.facts.blobs, path: sha}))


def autonomy(value: Autonomy) -> Change:
    """Change the repository's autonomy."""
    return facts(config=REPO_CONFIG.model_copy(update={"autonomy": value}))


def revoked(why: str, plan: Plan = PLAN, pull: PullRequestRef = PULL) -> Revoked:
    """Return a problem that asks for a new plan."""
    return Revoked(why, plan=plan, pull=pull)


FOREIGN = Problem(
    "#5 holds commits that are not part of plan `0123456789ab`.",
    "take them off again (the plan's commit is `ddddddddd`), or review and merge #5 yourself, or `/reject` it.",
)
CLOSED = Problem("#5 is closed.", "reopen it, or `/reject` to hand the incident to people.")
GONE = Problem("#5 does not exist any more.", "`/reject` to hand the incident to people.")
REWRITTEN = revoked("the history of main was rewritten since it was made.")


def left_to_people(said: str) -> Problem:
    """Return that people have to merge."""
    return Problem(f"The repository's autonomy is {said}.", "review and merge #5 on GitHub yourself.")


PROBLEMS: dict[str, tuple[Change, Problem]] = {
    "expired": (time(timedelta(0)), revoked("it expired at 2026-03-03 09:30 UTC.")),
    "policy": (plan(policy_version="0"), revoked("SRE-Space's own policy changed since it was made.")),
    "gone": (facts(pull=None), GONE),
    "pushed": (state(head_sha="f" * 40), FOREIGN),
    "branch": (state(head_ref="main2"), FOREIGN),
    "merged": (state(merged=True), Merged("#5 is merged already.", pull=PULL)),
    "closed": (state(open=False), CLOSED),
    "retargeted": (state(base_ref="a_b"), revoked("#5 now goes into a\\_b, not main.")),
    "default": (facts(default_branch="a_b"), revoked("the default branch is now a\\_b.")),
    "no config": (
        facts(config=None, config_sha=None),
        revoked("the repository's configuration cannot be used any more."),
    ),
    "other config": (facts(config_sha="c2"), revoked("the repository's configuration changed since it was made.")),
    "propose": (autonomy(Autonomy.PROPOSE), left_to_people("propose: I propose fixes, but do not merge them")),
    "dry-run": (autonomy(Autonomy.DRY_RUN), left_to_people("dry-run: I say what I would do, and change nothing")),
    "observe": (autonomy(Autonomy.OBSERVE), left_to_people("observe: I explain incidents, and change nothing")),
    "unknown": (facts(comparison=None), REWRITTEN),
    "behind": (facts(comparison="behind"), REWRITTEN),
    "diverged": (facts(comparison="diverged"), REWRITTEN),
    "identical": (facts(comparison="identical"), REWRITTEN),
    "file changed": (blob(SETTINGS_FILE, "s2"), revoked(f"{SETTINGS_FILE} changed on main since it was made.")),
    "file deleted": (blob(SETTINGS_FILE, None), revoked(f"{SETTINGS_FILE} changed on main since it was made.")),
    "file made": (blob(NEW_FILE, "n1"), revoked("services/quote/a\\_b.yaml changed on main since it was made.")),
}
"""Every problem in the order in which it is looked for, and how the world comes to have it alone."""


def about(world: World, problem: Problem) -> Problem:
    """Return the problem as one of this world's plan."""
    return replace(problem, plan=world.plan) if isinstance(problem, Revoked) else problem


@pytest.mark.parametrize("name", PROBLEMS)
def test_each_problem_alone_closes_the_gate(name):
    """One thing is wrong, everything else is as it should be."""
    change, problem = PROBLEMS[name]
    world = change(World())
    assert world.judged() == about(world, problem)


@pytest.mark.parametrize("name", PROBLEMS)
def test_of_several_problems_the_first_is_told(name):
    """A problem is told even when everything that is looked at after it is wrong as well."""
    names = list(PROBLEMS)
    world = World()
    for later in reversed(names[names.index(name) :]):
        world = PROBLEMS[later][0](world)
    assert world.judged() == about(world, PROBLEMS[name][1])


@pytest.mark.parametrize("known", [MOVED, UNMOVED], ids=["moved", "unmoved"])
@pytest.mark.parametrize(
    ("risk", "rule"), [(Risk.LOW, REPO_CONFIG.approvals.low), (Risk.HIGH, REPO_CONFIG.approvals.high)]
)
def test_a_plan_that_holds_has_a_gate_with_the_rule_of_its_risk(known, risk, rule):
    """The base branch is where it was, or has moved on without touching the plan's files."""
    world = plan(risk=risk)(World(facts=known))
    assert world.judged() == Gate(world.plan, PULL, STATE, rule)


@pytest.mark.parametrize(
    ("before_expiry", "kind"), [(timedelta(microseconds=1), Gate), (timedelta(0), Problem), (-SECOND, Problem)]
)
def test_a_plan_holds_until_just_before_it_expires(before_expiry, kind):
    """At the time of the expiry itself it has expired."""
    assert isinstance(time(before_expiry)(World()).judged(), kind)


def test_nothing_is_compared_while_the_base_branch_is_where_it_was():
    """The comparison says nothing of a branch that did not move, and its files are those of the plan."""
    assert isinstance(replace(World(), facts=replace(UNMOVED, comparison=None)).judged(), Gate)


def test_a_long_name_of_a_branch_is_cut():
    """A name that somebody chose does not fill the comment."""
    told = facts(default_branch="x" * 300)(World()).judged()
    assert isinstance(told, Problem)
    assert len(told.why) < 200


@pytest.fixture
async def shop() -> Shop:
    """The shop, at the time of the incident."""
    made = Shop(CONFIG)
    made.github.clock = ONSET
    return made


@pytest.fixture
async def waiting(shop: Shop) -> Incident:
    """An incident whose fix waits for approval; the calls so far are forgotten."""
    found = await proposed(shop)
    shop.forge.calls.clear()
    return found


@pytest.mark.parametrize("missing", ["plan", "pull_request"])
async def test_without_a_plan_or_its_pull_request_nothing_is_read(shop, waiting, missing):
    """There is nothing that could be approved."""
    found = await open_gate(waiting.evolve(**{missing: None}), shop.forge, ONSET)
    assert (found, shop.forge.calls) == (Problem("There is no plan to approve."), [])


async def test_a_branch_that_did_not_move_needs_no_comparison(shop, waiting):
    """Three reads are enough: the pull request, the default branch and the configuration."""
    assert isinstance(await open_gate(waiting, shop.forge, ONSET), Gate)
    assert shop.forge.calls == ["pull", "default_branch", "file"]


async def test_a_branch_that_moved_is_compared_and_the_files_of_the_plan_are_read(shop, waiting):
    """One comparison, and one read for each file of the plan."""
    shop.write_docs()
    assert isinstance(await open_gate(waiting, shop.forge, ONSET), Gate)
    assert shop.forge.calls == ["pull", "default_branch", "file", "compare", "file"]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (SETTINGS_FILE, f"{SETTINGS_FILE} changed on main since it was made."),
        (CONFIG_PATH, "the repository's configuration cannot be used any more."),
    ],
)
async def test_a_file_that_was_deleted_is_a_change(shop, waiting, path, why):
    """GitHub knows no such file, which is read as a fact and not as an error."""
    shop.commit("Remove it", {path: None})
    assert await open_gate(waiting, shop.forge, ONSET) == revoked(why, waiting.plan, waiting.pull_request)


async def test_a_base_commit_that_github_does_not_know_is_a_rewritten_history(shop, waiting):
    """It was thrown away, so nobody can say what changed since."""
    shop.write_docs()
    lost = waiting.evolve(plan=waiting.plan.model_copy(update={"base_sha": "0" * 40}))
    assert await open_gate(lost, shop.forge, ONSET) == replace(REWRITTEN, plan=lost.plan, pull=lost.pull_request)


async def test_a_pull_request_that_github_does_not_know_is_gone(shop, waiting):
    """What GitHub does not know has no gate."""
    shop.github.pulls.clear()
    found = await open_gate(waiting, shop.forge, ONSET)
    assert found == Problem("#1 does not exist any more.", GONE.next)
