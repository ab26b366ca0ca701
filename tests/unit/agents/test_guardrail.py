"""Guardrail: every rule, its reason in words, and what happens after it."""

from datetime import timedelta

import pytest

from agents.config import RepoConfig, parse
from agents.diagnosis import CauseKind, Verdict
from agents.guardrail import decide, guardrail
from agents.incident import Agent, Incident, Recalled, Stage
from agents.plan import Decision, Outcome, RevertCommit
from agents.ports import Commit, CommitFile
from agents.testing.builders import ONSET
from agents.testing.flow import POOL_FIX, deciding, diagnosis, proposed, revert_of
from agents.testing.shop import CONFIG, DISCOUNTS_FILE, Shop, with_autonomy
from agents.writes import PostComment, Topic

PASSED = ["configuration", "autonomy", "verdict", "one plan", "knob", "maximum", "revert", "files", "approvals"]
EXACT = Recalled(case_id="c1", incident_id="inc-0", issue=3, distance=None)
NEAR = Recalled(case_id="c1", incident_id="inc-0", issue=3, distance=0.2)
BAD = "8ab64c1e5f7d20b93a48e6c7d1f02b5a9c3e4d7f"


def config() -> RepoConfig:
    """Return the shop's configuration."""
    return parse(CONFIG)


def commit(*paths: str, age: timedelta = timedelta(hours=1), lines: int = 1, parents: int = 1) -> Commit:
    """Return a commit that changed `lines` lines of each of `paths`."""
    patch = "@@ -1 +1 @@\n" + "+x\n" * lines
    return Commit(
        sha=BAD,
        message="Change",
        author="dana",
        committed_at=ONSET - age,
        parents=tuple("p" * 40 for _ in range(parents)),
        files=tuple(CommitFile(path=path, status="modified", patch=patch) for path in paths),
    )


def reverting(**changes: object) -> Incident:
    """Return an incident whose remedy reverts BAD."""
    found = RevertCommit(service="quote", sha=BAD, title="Change")
    return deciding(found, diagnosis=diagnosis(kind=CauseKind.BAD_DEPLOY), **changes)


def denial(decision: Decision) -> tuple[str, str]:
    """Return rule and reason of the only rule that denied."""
    assert decision.outcome is Outcome.DENY
    (denied,) = [rule for rule in decision.children if rule.outcome is Outcome.DENY]
    assert decision.reason == denied.reason
    return denied.rule, denied.reason


def test_a_declared_limit_needs_one_approval():
    """All rules are listed with their reasons, the approvals last."""
    decision = decide(deciding(), config(), ONSET)
    assert (decision.outcome, decision.approvals_needed, decision.permission) == (
        Outcome.REQUIRE_APPROVAL,
        1,
        "write",
    )
    assert [rule.rule for rule in decision.children] == PASSED
    assert all(rule.reason.endswith(".") for rule in decision.children)
    assert decision.reason == (
        "The risk is low, because one number changes, within the maximum that its owners declared: "
        "1 person with write permission must approve."
    )


def test_a_commit_that_is_gone_is_denied_by_its_own_rule_beside_the_others():
    """Nothing can be said of its files either; the whole is a decision of the policy."""
    decision = decide(reverting(recalled=EXACT), config(), ONSET, None)
    assert (decision.rule, [rule.rule for rule in decision.children]) == ("policy", PASSED[:-1])
    denied = [rule.rule for rule in decision.children if rule.outcome is Outcome.DENY]
    assert denied == ["revert", "files"]


def test_without_configuration_nothing_may_be_changed():
    """Whatever the diagnosis."""
    assert denial(decide(deciding(), None, ONSET)) == (
        "configuration",
        "The repository has no configuration, so nothing may be changed.",
    )


LOW = "The risk is low, because one number changes, within the maximum that its owners declared: "


@pytest.mark.parametrize(
    ("level", "rule", "reason"),
    [
        ("dry-run", "The repository's autonomy is dry-run: the fix is shown, and nothing is changed.", "would have to"),
        ("propose", "The repository's autonomy is propose.", "must"),
        ("approve", "The repository's autonomy is approve.", "must"),
    ],
)
def test_more_autonomy_than_observe_lets_fixes_be_made(level, rule, reason):
    """The levels differ in what becomes of them; all other rules are asked all the same."""
    decision = decide(deciding(), parse(with_autonomy(level)), ONSET)
    assert (decision.outcome, decision.approvals_needed) == (Outcome.REQUIRE_APPROVAL, 1)
    assert [found.rule for found in decision.children] == PASSED
    assert decision.children[1].reason == rule
    assert decision.reason == f"{LOW}1 person with write permission {reason} approve."


def test_autonomy_observe_denies():
    """People make the changes."""
    assert denial(decide(deciding(), parse(with_autonomy("observe")), ONSET)) == (
        "autonomy",
        "The repository's autonomy is observe: SRE-Space explains, people make the changes.",
    )


@pytest.mark.parametrize("level", ["dry-run", "propose", "approve"])
def test_what_policy_denies_is_denied_at_every_level(level):
    """A dry run shows nothing that could not be proposed."""
    remedy = POOL_FIX.model_copy(update={"target": 50})
    assert denial(decide(deciding(remedy), parse(with_autonomy(level)), ONSET))[0] == "maximum"


def test_without_a_remedy_there_is_nothing_to_allow():
    """Brain found none."""
    assert denial(decide(deciding(None), config(), ONSET)) == (
        "remedy",
        "No remedy is known that SRE-Space could carry out.",
    )


def test_an_unknown_service_is_denied_with_its_name_made_plain():
    """Names come from telemetry."""
    remedy = POOL_FIX.model_copy(update={"service": "quo\u202ete\n"})
    assert denial(decide(deciding(remedy), config(), ONSET)) == (
        "service",
        "The configuration does not name the service quote.",
    )


@pytest.mark.parametrize(
    ("verdict", "recalled", "outcome"),
    [
        (Verdict.CONFIRMED, None, Outcome.REQUIRE_APPROVAL),
        (Verdict.LIKELY, NEAR, Outcome.REQUIRE_APPROVAL),
        (Verdict.INCONCLUSIVE, EXACT, Outcome.REQUIRE_APPROVAL),
        (Verdict.INCONCLUSIVE, NEAR, Outcome.DENY),
        (Verdict.INCONCLUSIVE, None, Outcome.DENY),
    ],
)
def test_an_inconclusive_cause_allows_only_what_was_verified_on_exactly_this_failure(verdict, recalled, outcome):
    """Anything else would be a guess, and a near match is one."""
    decision = decide(deciding(diagnosis=diagnosis(verdict), recalled=recalled), config(), ONSET)
    assert decision.outcome is outcome


def test_without_a_diagnosis_only_an_exact_memory_allows():
    """The same, before Brain has spoken."""
    assert denial(decide(deciding(diagnosis=None), config(), ONSET)) == ("verdict", "There is no diagnosis yet.")
    assert decide(deciding(diagnosis=None, recalled=EXACT), config(), ONSET).outcome is Outcome.REQUIRE_APPROVAL


async def test_a_second_plan_beside_an_open_one_is_denied():
    """One at a time."""
    waiting = await proposed(Shop())
    rule, reason = denial(decide(waiting, config(), ONSET))
    assert (rule, reason) == ("one plan", f"The plan {waiting.plan.id} of this incident is still open.")


@pytest.mark.parametrize(
    ("changes", "rule", "reason"),
    [
        (
            {"target": 21, "maximum": 1000},
            "maximum",
            "Going from 2 to 21 passes the declared maximum, which is 20.",
        ),
        ({"target": 2}, "maximum", "Going from 2 to 2 would not raise the limit."),
        ({"target": 1}, "maximum", "Going from 2 to 1 would not raise the limit."),
    ],
)
def test_a_limit_only_goes_up_and_never_above_its_maximum(changes, rule, reason):
    """The maximum that counts is the configuration's, not the remedy's."""
    assert denial(decide(deciding(POOL_FIX.model_copy(update=changes)), config(), ONSET)) == (rule, reason)


def test_scaling_at_most_doubles():
    """Replicas cost money, and may bring down what they call."""
    text = CONFIG.replace("database.pool_size", "spec.replicas")
    for target, outcome in ((4, Outcome.REQUIRE_APPROVAL), (5, Outcome.DENY)):
        remedy = POOL_FIX.model_copy(update={"path": "spec.replicas", "target": target})
        decision = decide(deciding(remedy), parse(text), ONSET)
        assert decision.outcome is outcome
    assert decision.reason == "Scaling from 2 to 5 is more than the +100 % that are allowed at once."


def test_a_knob_must_be_declared_for_this_place_and_this_cause():
    """Another number of the same file, and another cause for the same number, are denied."""
    elsewhere = POOL_FIX.model_copy(update={"path": "database.max_overflow"})
    decision = decide(deciding(elsewhere), config(), ONSET)
    assert decision.reason.startswith(
        "The configuration names no knob database.max_overflow in services/quote/settings.yaml for quote."
    )
    other = deciding(diagnosis=diagnosis(kind=CauseKind.MEMORY_SATURATION))
    assert denial(decide(other, config(), ONSET)) == (
        "knob",
        (
            "The knob database.pool_size in services/quote/settings.yaml is not declared as a remedy for "
            "memory_saturation."
        ),
    )


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("services/pricing/settings.yaml", "None of the files is within the paths that the configuration gives quote."),
        (
            ".github/workflows/ci.yml",
            ".github/workflows/ci.yml is protected (.github/**): SRE-Space never edits it.",
        ),
    ],
)
def test_a_remembered_limit_in_a_file_of_others_is_denied(file, reason):
    """Remedies from memory are checked as strictly as new ones."""
    decision = decide(deciding(POOL_FIX.model_copy(update={"file": file}), recalled=EXACT), config(), ONSET)
    assert decision.outcome is Outcome.DENY
    assert reason in decision.reason


def test_a_recent_small_commit_of_the_service_may_be_reverted_at_low_risk():
    """Documentation that it changed along does not count."""
    decision = decide(reverting(), config(), ONSET, commit(DISCOUNTS_FILE, "CHANGELOG.md", "docs/discounts.md"))
    assert (decision.rule, [rule.rule for rule in decision.children]) == ("policy", PASSED)
    assert (decision.outcome, decision.approvals_needed, decision.permission) == (
        Outcome.REQUIRE_APPROVAL,
        1,
        "write",
    )


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (commit(DISCOUNTS_FILE, "shop/http.py"), "the revert also touches shop/http.py, outside the service's paths"),
        (commit(DISCOUNTS_FILE, lines=501), "the revert is large (1 files, 501 lines)"),
        (
            commit(*(f"services/quote/{number}.py" for number in range(11))),
            "the revert is large (11 files, 11 lines)",
        ),
        (commit(DISCOUNTS_FILE, age=timedelta(days=8)), "the commit is more than 7 days old"),
    ],
)
def test_a_wide_large_or_older_revert_is_of_high_risk(found, why):
    """Two people with maintain permission must agree."""
    decision = decide(reverting(), config(), ONSET, found)
    assert decision.reason == f"The risk is high, because {why}: 2 people with maintain permission must approve."
    assert (decision.approvals_needed, decision.permission) == (2, "maintain")


SHORT = BAD[:9]


@pytest.mark.parametrize(
    ("found", "rule", "reason"),
    [
        (
            commit(DISCOUNTS_FILE, age=timedelta(days=31)),
            "revert",
            f"Commit {SHORT} is 31 days old; the limit is 30.",
        ),
        (
            commit(DISCOUNTS_FILE, lines=2001),
            "revert",
            f"Commit {SHORT} changed 1 files and 2001 lines; the limits are 50 files and 2000 lines.",
        ),
        (
            commit(DISCOUNTS_FILE, parents=2),
            "revert",
            f"Commit {SHORT} is a merge; reverting that is for people.",
        ),
        (
            commit(DISCOUNTS_FILE, parents=0),
            "revert",
            f"Commit {SHORT} is the first of the repository; reverting that is for people.",
        ),
        (
            commit("services/pricing/app.py"),
            "files",
            "None of the files is within the paths that the configuration gives quote.",
        ),
        (
            commit(DISCOUNTS_FILE, "poetry.lock"),
            "files",
            "poetry.lock is protected (**/*.lock): SRE-Space never edits it.",
        ),
    ],
)
def test_a_commit_that_is_not_for_reverting_is_denied(found, rule, reason):
    """Old, huge, merged, first, foreign or touching what is protected."""
    assert denial(decide(reverting(), config(), ONSET, found)) == (rule, reason)


def test_a_commit_that_does_not_exist_is_denied():
    """Deploys can be of other repositories."""
    decision = decide(reverting(), config(), ONSET, None)
    assert decision.outcome is Outcome.DENY
    assert decision.reason.startswith(f"Commit {SHORT} does not exist in this repository.")


def test_a_renamed_protected_file_is_found_under_its_old_name():
    """Reverting the rename would write to it."""
    moved = CommitFile(path=DISCOUNTS_FILE, status="renamed", previous_path=".github/workflows/ci.yml")
    found = commit(DISCOUNTS_FILE).model_copy(update={"files": (moved,)})
    assert decide(reverting(), config(), ONSET, found).outcome is Outcome.DENY


def test_all_reasons_are_given_at_once():
    """People see everything that is in the way."""
    remedy = POOL_FIX.model_copy(update={"target": 50, "path": "database.max_overflow"})
    decision = decide(deciding(remedy, diagnosis=diagnosis(Verdict.INCONCLUSIVE)), config(), ONSET)
    denied = [rule.rule for rule in decision.children if rule.outcome is Outcome.DENY]
    assert denied == ["verdict", "knob", "maximum"]


async def test_the_step_hands_an_allowed_remedy_to_fixer():
    """With the decision on the incident and in the timeline."""
    shop = Shop()
    decided = await guardrail(shop.forge, shop.github.now)(deciding())
    assert (decided.stage, decided.decision.outcome) == (Stage.ACTING, Outcome.REQUIRE_APPROVAL)
    entry = decided.timeline[-1]
    assert (entry.agent, entry.note) == (Agent.GUARDRAIL, decided.decision.reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "The configuration cannot be used: .github/sre-space.yml does not exist on the default branch."),
        (
            "version: 2\n",
            (
                "The configuration cannot be used: .github/sre-space.yml, line 1: `version` must be 1, not `2`; "
                ".github/sre-space.yml, line 1: the file needs `services`."
            ),
        ),
        (
            CONFIG.replace("services:", "autonomy: observe\nservices:", 1),
            "The repository's autonomy is observe: SRE-Space explains, people make the changes.",
        ),
    ],
)
async def test_the_step_hands_a_denied_remedy_to_people_with_the_reason(text, reason):
    """The comment on the issue says why."""
    shop = Shop(text)
    denied = await guardrail(shop.forge, shop.github.now)(deciding())
    assert (denied.stage, denied.decision.outcome) == (Stage.ESCALATED, Outcome.DENY)
    (comment,) = [write for write in denied.outgoing if isinstance(write, PostComment)]
    assert (comment.topic, comment.note) == (Topic.ESCALATION, reason)


async def test_the_step_reads_the_commit_that_would_be_reverted():
    """Its age and size come from GitHub, not from the remedy."""
    shop = Shop()
    shop.github.clock = ONSET
    sha = shop.break_discounts()
    step = guardrail(shop.forge, shop.github.now)
    found = deciding(revert_of(shop, sha), diagnosis=diagnosis(kind=CauseKind.BAD_DEPLOY))
    assert (await step(found)).stage is Stage.ACTING
    shop.github.tick(timedelta(days=31))
    assert (await step(found)).stage is Stage.ESCALATED
