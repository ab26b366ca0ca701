"""Fixer: from an allowed remedy to a plan with real edits, and back again when it did not help."""

from datetime import timedelta

import pytest

from agents.config import CONFIG_PATH
from agents.fixer import fixer
from agents.incident import Agent, Incident, Merge, Stage
from agents.plan import Outcome, RevertCommit, Risk
from agents.plans import branch, digest
from agents.testing.builders import ONSET
from agents.testing.flow import POOL_FIX, carried_out, deciding, proposed, revert_of
from agents.testing.repository import blob_sha
from agents.testing.shop import CONFIG, QUOTE_SETTINGS, SETTINGS_FILE, Shop, with_autonomy
from agents.writes import PostComment, ProposeChange, SyncComment, Topic


@pytest.fixture
def shop() -> Shop:
    """The shop on the day of the incident."""
    found = Shop()
    found.github.clock = ONSET
    return found


def acting(remedy=POOL_FIX) -> Incident:
    """Return an incident at Fixer."""
    return deciding(remedy).evolve(stage=Stage.ACTING)


async def acted(shop: Shop, incident: Incident) -> Incident:
    """Run Fixer's step."""
    return await fixer(shop.forge, shop.github.now)(incident)


def escalation(incident: Incident) -> str:
    """Return the reason with which the incident was handed to people."""
    assert incident.stage is Stage.ESCALATED
    (comment,) = [write for write in incident.outgoing if isinstance(write, PostComment)]
    return comment.note


async def test_a_raised_limit_becomes_a_plan_with_a_one_line_diff(shop):
    """Everything that an approval is bound to is in it."""
    found = await acted(shop, acting())
    plan = found.plan
    assert (found.stage, found.timeline[-1].agent) == (Stage.PROPOSING, Agent.FIXER)
    assert found.timeline[-1].note == (
        f"Plan {plan.id}: Raise database pool of quote from 2 to 4. It edits services/quote/settings.yaml."
    )
    assert (plan.base_ref, plan.base_sha, plan.risk) == ("main", shop.head, Risk.LOW)
    assert (plan.config_sha, plan.branch) == (blob_sha(CONFIG), f"sre-space/inc-1/{plan.id}")
    assert plan.expires_at == ONSET + timedelta(hours=24)
    assert plan.diff == (
        f"diff --git a/{SETTINGS_FILE} b/{SETTINGS_FILE}\n--- a/{SETTINGS_FILE}\n+++ b/{SETTINGS_FILE}\n"
        "@@ -1,5 +1,5 @@\n # Settings of the quote service.\n database:\n   # Connections to the quote database.\n"
        "-  pool_size: 2\n+  pool_size: 4\n   pool_timeout_s: 0.25\n"
    )
    (write,) = [write for write in found.outgoing if isinstance(write, ProposeChange)]
    assert (write.key, write.revert) == (f"propose:{plan.id}", False)


@pytest.fixture
def dry() -> Shop:
    """The shop on the day of the incident, with autonomy `dry-run`."""
    found = Shop(with_autonomy("dry-run"))
    found.github.clock = ONSET
    return found


async def test_a_dry_run_makes_the_same_plan_and_hands_it_to_people(shop, dry):
    """The plan is stored where nothing carries it out, and the only writes are comments."""
    found, would_be = await acted(dry, acting()), (await acted(shop, acting())).plan
    shown = found.dry_run_plan
    assert (found.stage, found.plan, found.pull_request) == (Stage.ESCALATED, None, None)
    assert (shown.edits, shown.diff, shown.risk) == (would_be.edits, would_be.diff, would_be.risk)
    assert (shown.base_sha, shown.config_sha) == (dry.head, blob_sha(with_autonomy("dry-run")))
    assert found.decision.outcome is Outcome.REQUIRE_APPROVAL
    assert (found.timeline[-1].agent, found.timeline[-1].note) == (
        Agent.FIXER,
        (
            "Dry run: a pull request “Raise database pool of quote from 2 to 4” would have been opened, "
            "and nothing was changed."
        ),
    )
    assert found.outgoing == (
        SyncComment(),
        PostComment(key="dry_run", topic=Topic.DRY_RUN, note=found.timeline[-1].note),
    )


async def test_what_a_dry_run_cannot_make_is_handed_to_people_in_words(dry):
    """As in earnest: there is no plan to show."""
    found = await acted(dry, acting(POOL_FIX.model_copy(update={"current": 3})))
    assert escalation(found).startswith("The fix could not be made: database.pool_size")
    assert found.dry_run_plan is None


@pytest.mark.parametrize(
    ("level", "stage"),
    [
        ("observe", Stage.ESCALATED),
        ("dry-run", Stage.ESCALATED),
        ("propose", Stage.PROPOSING),
        ("approve", Stage.PROPOSING),
    ],
)
async def test_only_propose_and_approve_ask_for_a_pull_request(shop, level, stage):
    """The level counts that stands on the commit the plan is based on, whatever Guardrail read before."""
    shop.commit("Set autonomy", {CONFIG_PATH: with_autonomy(level)})
    found = await acted(shop, acting())
    proposals = [write for write in found.outgoing if isinstance(write, ProposeChange)]
    assert (found.stage, len(proposals)) == (stage, 1 if stage is Stage.PROPOSING else 0)


@pytest.mark.parametrize("level", ["observe", "dry-run", "propose"])
async def test_a_merged_fix_is_taken_back_whatever_the_autonomy_is_now(shop, level):
    """It was merged when it was allowed; people get the pull request that undoes it, and decide about it."""
    found = await merged(shop)
    shop.commit("Set autonomy", {CONFIG_PATH: with_autonomy(level)})
    back = await acted(shop, found)
    assert escalation(back) == (
        "Not recovered in time. A pull request that takes it back follows; people decide about it."
    )
    assert [write.revert for write in back.outgoing if isinstance(write, ProposeChange)] == [True]


async def test_running_the_step_again_makes_the_same_plan(shop):
    """A worker that dies before it could store the plan proposes nothing twice."""
    assert (await acted(shop, acting())).plan == (await acted(shop, acting())).plan


async def test_a_plan_is_based_on_the_head_of_the_default_branch(shop):
    """The repository goes on while an incident is thought about."""
    before = shop.head
    after = shop.write_docs()
    assert (await acted(shop, acting())).plan.base_sha == after != before


async def test_a_commit_of_the_incident_is_reverted(shop):
    """The pull request's branch holds the old file again."""
    sha = shop.break_discounts()
    waiting = await proposed(shop, revert_of(shop, sha))
    assert waiting.plan.title == 'Revert "Take the discount from a table (#12)"'
    head = shop.github.git.trees[waiting.pull_request.head_sha]
    assert head == shop.github.git.trees[shop.first]


async def test_a_title_from_a_hostile_commit_message_is_one_short_line(shop):
    """Titles of pull requests are read in mails and chats."""
    sha = shop.commit("Fix\n\u202e\x00 `x` " + "y" * 500, {"services/quote/app.py": "x\n"})
    title = (await acted(shop, acting(revert_of(shop, sha)))).plan.title
    assert title.startswith('Revert "Fix `x` yyy')
    assert len(title) <= 120
    assert title.isprintable()


@pytest.mark.parametrize(
    ("remedy", "why"),
    [
        (None, "There is no remedy to carry out."),
        (
            POOL_FIX.model_copy(update={"current": 3}),
            (
                "The fix could not be made: database.pool_size in services/quote/settings.yaml is 2 now, not 3: "
                "somebody changed it meanwhile."
            ),
        ),
        (
            POOL_FIX.model_copy(update={"target": 50}),
            "The fix could not be made: Going from 2 to 50 passes the declared maximum, which is 20.",
        ),
    ],
)
async def test_what_cannot_be_made_is_handed_to_people_in_words(shop, remedy, why):
    """Policy is asked again too: the step does not trust the decision that it was handed."""
    assert escalation(await acted(shop, acting(remedy))) == why


async def test_a_configuration_that_broke_meanwhile_stops_the_fix(shop):
    """It is read again at the commit that the plan is based on."""
    shop.commit("Oops", {CONFIG_PATH: None})
    assert escalation(await acted(shop, acting())) == (
        "The fix could not be made: .github/sre-space.yml does not exist on the default branch."
    )


async def test_a_commit_whose_edits_touch_a_protected_file_is_refused_on_the_edits(shop, monkeypatch):
    """Even if policy had not noticed."""
    sha = shop.commit("Two", {"services/quote/app.py": "x\n", "services/quote/go.sum": "y\n"})
    monkeypatch.setattr("agents.policy.protected", lambda _: None)
    assert escalation(await acted(shop, acting(revert_of(shop, sha)))) == (
        "The fix could not be made: services/quote/go.sum is protected (**/go.sum): SRE-Space never edits it."
    )


async def merged(shop: Shop) -> Incident:
    """Return an incident whose fix was merged and did not help."""
    waiting = await proposed(shop)
    result = await shop.forge.merge(waiting.repo, 1, head_sha=waiting.pull_request.head_sha, title="Merge")
    failed = waiting.evolve(stage=Stage.VERIFYING).move(Stage.REVERTING, Agent.CURATOR, "Not recovered in time.", ONSET)
    return failed.evolve(merge=Merge(sha=result.sha, at=ONSET), outgoing=())


async def test_a_fix_that_did_not_help_is_taken_back_by_a_pull_request(shop):
    """The files are as before the fix, the incident is in the hands of people, and the issue stays open."""
    found = await merged(shop)
    back = await acted(shop, found)
    assert escalation(back) == (
        "Not recovered in time. A pull request that takes it back follows; people decide about it."
    )
    plan = back.revert_plan
    assert (back.plan, plan.id != back.plan.id) == (found.plan, True)
    assert plan.remedy == RevertCommit(service="quote", sha=found.merge.sha, title=found.plan.title)
    assert plan.title == 'Revert "Raise database pool of quote from 2 to 4"'
    (write,) = [write for write in back.outgoing if isinstance(write, ProposeChange)]
    assert (write.key, write.revert) == (f"propose:{plan.id}", True)
    done = await carried_out(back, shop)
    assert (done.stage, done.revert_pull_request.number) == (Stage.ESCALATED, 2)
    assert shop.github.git.trees[done.revert_pull_request.head_sha][SETTINGS_FILE] == QUOTE_SETTINGS


async def test_taking_back_keeps_what_was_changed_since(shop):
    """Other lines of the same file stay."""
    found = await merged(shop)
    settings = shop.github.git.trees[shop.head][SETTINGS_FILE]
    shop.commit("Log", {SETTINGS_FILE: settings + "logging: info\n"})
    back = await acted(shop, found)
    assert back.revert_plan.edits[0].content == QUOTE_SETTINGS + "logging: info\n"


async def test_taking_back_works_without_a_usable_configuration(shop):
    """A broken file must not keep a bad fix in place."""
    found = await merged(shop)
    shop.commit("Oops", {CONFIG_PATH: "version: ["})
    assert (await acted(shop, found)).revert_plan is not None


async def test_a_fix_that_cannot_be_taken_back_is_said_so(shop):
    """Somebody has changed the same line, or taken it back already."""
    found = await merged(shop)
    shop.set_pool(2)
    assert escalation(await acted(shop, found)) == (
        "Not recovered in time. It could not be taken back: its changes are already gone from the default branch."
    )
    shop.set_pool(9)
    assert escalation(await acted(shop, found)) == (
        f"Not recovered in time. It could not be taken back: later changes of {SETTINGS_FILE} touch the same lines."
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"base_sha": "0" * 40},
        {"base_ref": "trunk"},
        {"risk": Risk.HIGH},
        {"config_sha": "0" * 40},
        {"policy_version": "x"},
        {"expires_at": ONSET},
        {"edits": ()},
        {"remedy": POOL_FIX.model_copy(update={"target": 5})},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_the_digest_covers_everything_that_is_approved(shop, changes):
    """Any of it changed is another plan."""
    found = await acted(shop, acting())
    assert digest(found, found.plan) == found.plan.id
    assert len(found.plan.id) == 12
    assert digest(found, found.plan.model_copy(update=changes)) != found.plan.id


async def test_the_digest_is_of_one_issue_in_one_repository(shop):
    """The same edits for another incident are another plan."""
    found = await acted(shop, acting())
    other_repo = found.repo.model_copy(update={"id": 1})
    assert digest(found.evolve(issue=8), found.plan) != found.plan.id
    assert digest(found.evolve(repo=other_repo), found.plan) != found.plan.id


def test_branches_are_named_by_incident_and_plan():
    """One branch per plan."""
    assert branch("inc-1", "3f9a2c81d07e") == "sre-space/inc-1/3f9a2c81d07e"
