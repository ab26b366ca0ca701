"""Guardrail's numbers: what is still allowed, and the first value that is not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agents import policy
from agents.config import Autonomy, RepoConfig, parse
from agents.diagnosis import CauseKind
from agents.guardrail import decide
from agents.incident import Incident
from agents.plan import Outcome, RevertCommit, Risk
from agents.policy import Facts
from agents.ports import Commit, CommitFile
from agents.testing.builders import ONSET
from agents.testing.flow import POOL_FIX, deciding, diagnosis
from agents.testing.shop import CONFIG, DISCOUNTS_FILE, SETTINGS_FILE

SECOND = timedelta(seconds=1)
REVERT = RevertCommit(service="quote", sha="8ab64c1e5f7d20b93a48e6c7d1f02b5a9c3e4d7f", title="Change")
SCALED = CONFIG.replace("database.pool_size", "spec.replicas")


def commit(*, age: timedelta = timedelta(hours=1), files: int = 1, lines: int | None = None) -> Commit:
    """Return a commit of the service quote with `lines` changed lines in all, without: one per file."""
    counts = [lines - files + 1 if lines is not None and number == 0 else 1 for number in range(files)]
    return Commit(
        sha=REVERT.sha,
        message="Change",
        author="dana",
        committed_at=ONSET - age,
        parents=("p" * 40,),
        files=tuple(
            CommitFile(path=f"services/quote/{number}.py", status="modified", patch="@@ -1 +1 @@\n" + "+x\n" * count)
            for number, count in enumerate(counts)
        ),
    )


def reverting(**changes: object) -> Incident:
    """Return an incident whose remedy reverts a commit."""
    return deciding(REVERT, diagnosis=diagnosis(kind=CauseKind.BAD_DEPLOY), **changes)


def outcome(found: Commit) -> Outcome:
    """Return what Guardrail says about reverting this commit."""
    return decide(reverting(), parse(CONFIG), ONSET, found).outcome


def facts(config: RepoConfig, **changes: object) -> Facts:
    """Return the facts about a raised limit of quote."""
    service = config.services["quote"]
    return Facts(deciding(), POOL_FIX.model_copy(update=changes), config, service, None, ONSET)


@pytest.mark.parametrize(
    ("at_most", "above"),
    [
        pytest.param({"age": timedelta(days=30)}, {"age": timedelta(days=30) + SECOND}, id="MAX_AGE"),
        pytest.param({"files": 50}, {"files": 51}, id="MAX_FILES"),
        pytest.param({"lines": 2000}, {"lines": 2001}, id="MAX_LINES"),
        pytest.param({"files": 50, "lines": 2000}, {"files": 50, "lines": 2001}, id="both limits reached"),
    ],
)
def test_a_commit_exactly_at_the_limit_may_be_reverted_and_one_above_may_not(at_most, above):
    """The limits themselves are allowed."""
    assert outcome(commit(**at_most)) is Outcome.REQUIRE_APPROVAL
    assert outcome(commit(**above)) is Outcome.DENY


@pytest.mark.parametrize(
    ("at_most", "above"),
    [
        pytest.param({"age": timedelta(days=7)}, {"age": timedelta(days=7) + SECOND}, id="FRESH"),
        pytest.param({"files": 10}, {"files": 11}, id="FEW_FILES"),
        pytest.param({"lines": 500}, {"lines": 501}, id="FEW_LINES"),
    ],
)
def test_a_revert_exactly_at_the_limit_is_of_low_risk_and_one_above_of_high(at_most, above):
    """Two people with maintain permission are needed above."""
    for found, level, people in ((at_most, Risk.LOW, 1), (above, Risk.HIGH, 2)):
        decision = decide(reverting(), parse(CONFIG), ONSET, commit(**found))
        assert decision.approvals_needed == people
        assert f"The risk is {level}, because" in decision.reason


@pytest.mark.parametrize(
    ("config", "changes", "allowed"),
    [
        pytest.param(CONFIG, {"current": 2, "target": 1}, False, id="below the present value"),
        pytest.param(CONFIG, {"current": 2, "target": 2}, False, id="the present value"),
        pytest.param(CONFIG, {"current": 2, "target": 3}, True, id="one above the present value"),
        pytest.param(CONFIG, {"current": 2, "target": 19}, True, id="one below the maximum"),
        pytest.param(CONFIG, {"current": 2, "target": 20}, True, id="exactly the maximum"),
        pytest.param(CONFIG, {"current": 2, "target": 21}, False, id="one above the maximum"),
        pytest.param(SCALED, {"path": "spec.replicas", "current": 5, "target": 9}, True, id="less than double"),
        pytest.param(SCALED, {"path": "spec.replicas", "current": 5, "target": 10}, True, id="exactly double"),
        pytest.param(SCALED, {"path": "spec.replicas", "current": 5, "target": 11}, False, id="one above double"),
        pytest.param(CONFIG, {"current": 5, "target": 11}, True, id="above double of what does not scale"),
    ],
)
def test_a_limit_is_raised_up_to_its_maximum_and_what_scales_up_to_double(config, changes, allowed):
    """The numbers at the edge are allowed, the next ones are not."""
    remedy = POOL_FIX.model_copy(update=changes)
    decision = decide(deciding(remedy), parse(config), ONSET)
    assert (decision.outcome is Outcome.REQUIRE_APPROVAL) is allowed
    assert (decision.outcome is Outcome.DENY) is not allowed


@pytest.mark.parametrize("key", ["replicas", "replicaCount", "minReplicas", "maxReplicas", "instances", "maxInstances"])
def test_every_key_that_scales_a_service_at_most_doubles_however_it_is_written(key):
    """In capitals and in quotes too."""
    for path in (f"spec.{key}", f"spec.{key.upper()}", f'spec."{key}"', key):
        config = parse(CONFIG.replace("path: database.pool_size", f"path: '{path}'"))
        assert policy.within_maximum(facts(config, path=path, target=4)).outcome is Outcome.ALLOW
        assert policy.within_maximum(facts(config, path=path, target=5)).outcome is Outcome.DENY


def test_the_maximum_is_that_of_the_knob_with_this_file_and_this_path():
    """A higher maximum of another knob of the service does not count."""
    other = "      - {name: other, file: services/quote/settings.yaml, path: a.b, maximum: 99, remedies: [exception]}\n"
    text = CONFIG.replace("    knobs:\n", "    knobs:\n" + other)
    last = CONFIG.replace("  pricing: {", other + "  pricing: {")
    for config in (parse(text), parse(last)):
        assert len(config.services["quote"].knobs) == 2
        assert policy.within_maximum(facts(config, target=20)).outcome is Outcome.ALLOW
        assert policy.within_maximum(facts(config, target=21)).outcome is Outcome.DENY
        assert "which is 20" in policy.within_maximum(facts(config, target=21)).reason


@pytest.mark.parametrize("changes", [{"path": "database.other"}, {"file": "services/quote/other.yaml"}])
def test_a_limit_without_a_declared_maximum_is_not_raised(changes):
    """Neither another path of the file nor another file with the path is the knob."""
    decision = policy.within_maximum(facts(parse(CONFIG), **changes))
    assert (decision.outcome, decision.reason) == (
        Outcome.DENY,
        "Going from 2 to 4 passes the declared maximum, which is not declared.",
    )
    assert policy.knob(facts(parse(CONFIG), **changes)).outcome is Outcome.DENY


@pytest.mark.parametrize(
    ("parents", "allowed", "kind"), [(0, False, "the first of the repository"), (1, True, ""), (2, False, "a merge")]
)
def test_only_a_commit_with_exactly_one_parent_is_reverted(parents, allowed, kind):
    """The first commit and merges are for people."""
    found = commit().model_copy(update={"parents": tuple("p" * 40 for _ in range(parents))})
    decision = decide(reverting(), parse(CONFIG), ONSET, found)
    assert (decision.outcome is Outcome.REQUIRE_APPROVAL) is allowed
    assert allowed or f"is {kind};" in decision.reason


@pytest.mark.parametrize(
    ("patch", "lines"),
    [
        ("", 0),
        ("@@ -1,2 +1,2 @@\n x\n-y\n+z", 2),
        ("@@ -1 +1 @@\n-y\n+z\n y", 2),
        ("@@ -1 +0,0 @@\n-y", 1),
        ("@@ -0,0 +1 @@\n+a\rb\x85c", 1),
    ],
)
def test_changed_lines_are_those_that_are_added_or_removed(patch, lines):
    """Context does not count, and other ends of line do not split a line."""
    found = commit().model_copy(update={"files": (CommitFile(path=DISCOUNTS_FILE, status="modified", patch=patch),)})
    assert policy.changed_lines(found) == lines


@pytest.mark.parametrize(
    ("remedy", "found", "level"),
    [
        (POOL_FIX, None, Risk.LOW),
        (POOL_FIX, commit(files=11), Risk.LOW),
        (REVERT, commit(), Risk.LOW),
        (REVERT, commit(files=11), Risk.HIGH),
        (REVERT, None, Risk.HIGH),
    ],
)
def test_the_commit_makes_a_revert_risky_and_no_raised_limit(remedy, found, level):
    """A limit within its declared maximum is of low risk, whatever commit stands beside it; an unknown one is high."""
    config = parse(CONFIG)
    seen = Facts(deciding(remedy), remedy, config, config.services["quote"], found, ONSET)
    assert policy.risk(seen)[0] is level


@pytest.mark.parametrize(
    ("path", "level"),
    [
        ("services/quote/b.py", Risk.LOW),
        ("README.MD", Risk.LOW),
        ("a/b.rst", Risk.LOW),
        ("docs/x.txt", Risk.LOW),
        ("a/docs/x.txt", Risk.LOW),
        ("services/pricing/b.py", Risk.HIGH),
        ("docs.py", Risk.HIGH),
    ],
)
def test_a_revert_that_reaches_outside_the_service_is_risky_but_for_documentation(path, level):
    """Both conditions are needed: outside the service, and not documentation."""
    more = CommitFile(path=path, status="modified", patch="+x")
    found = commit().model_copy(update={"files": (*commit().files, more)})
    config = parse(CONFIG)
    seen = Facts(reverting(), REVERT, config, config.services["quote"], found, ONSET)
    assert policy.risk(seen)[0] is level


@pytest.mark.parametrize(("autonomy", "allowed"), [("observe", False), ("propose", True), ("approve", True)])
def test_autonomy_observe_is_the_only_one_that_denies(autonomy, allowed):
    """The other two differ in who merges."""
    config = parse(CONFIG).model_copy(update={"autonomy": Autonomy(autonomy)})
    assert (policy.autonomy(config).outcome is Outcome.ALLOW) is allowed


def test_files_of_a_limit_and_of_a_revert_are_allowed_in_their_own_words():
    """A limit names its one file, a revert its service."""
    config = parse(CONFIG)
    limit = facts(config)
    assert policy.files(limit).reason == f"{SETTINGS_FILE} belongs to quote and is not protected."
    revert = replace(limit, remedy=REVERT, commit=commit())
    assert policy.files(revert).reason == "No file is protected, and the change is about quote."


def test_a_revert_that_touches_one_file_of_the_service_is_about_it():
    """Not every file has to be the service's, but one must."""
    config = parse(CONFIG)
    theirs = CommitFile(path="services/pricing/b.py", status="modified", patch="+x")
    for files, allowed in (((*commit().files, theirs), True), ((theirs,), False), ((), False)):
        found = commit().model_copy(update={"files": files})
        seen = Facts(reverting(), REVERT, config, config.services["quote"], found, ONSET)
        assert (policy.files(seen).outcome is Outcome.ALLOW) is allowed
