"""/approve and its kin: whose word counts, for what, and what everybody else is told."""

from datetime import timedelta

import pytest

from agents import texts
from agents.commands import Invocation
from agents.config import CONFIG_PATH
from agents.human import answer, human, pushed, review
from agents.incident import Incident, Stage
from agents.plan import Risk
from agents.testing.builders import ONSET
from agents.testing.events import REVOKING, change_file, crew
from agents.testing.flow import carried_out, invoked, proposed, revert_of, says
from agents.testing.github import APP
from agents.testing.repository import blob_sha
from agents.testing.shop import CONFIG, SETTINGS_FILE, Shop, with_autonomy
from agents.writes import ClosePull, CompleteCheck, MergePull, React, Reaction, Reply

TWO_PEOPLE = CONFIG + "approvals: {low: {count: 2, permission: write}}\n"


@pytest.fixture
def shop() -> Shop:
    """The shop, where one person with write permission is enough."""
    return crew()


@pytest.fixture
async def waiting(shop: Shop) -> Incident:
    """An incident whose fix waits for approval."""
    return await proposed(shop)


def reply(incident: Incident) -> str:
    """Return the text of the only reply."""
    (found,) = [write for write in incident.outgoing if isinstance(write, Reply)]
    return found.text


def reactions(incident: Incident) -> list[Reaction]:
    """Return the reactions that were asked for, in order."""
    return [write.reaction for write in incident.outgoing if isinstance(write, React)]


def refused(incident: Incident, before: Incident) -> str:
    """Return the reply, having made sure that nothing was approved and nothing will be merged."""
    assert incident.stage == before.stage
    assert incident.approvals == before.approvals
    assert not [write for write in incident.outgoing if isinstance(write, MergePull)]
    assert reactions(incident) == [Reaction.SEEN, Reaction.REFUSED]
    return reply(incident)


async def test_a_person_with_write_permission_approves_and_the_fix_is_merged(shop, waiting):
    """The way it should go: approved, checked again, merged with the expected head."""
    approved = await says(shop, waiting, "will", "/approve")
    assert approved.stage is Stage.APPROVED
    assert reactions(approved) == [Reaction.SEEN, Reaction.DONE]
    assert reply(approved) == (
        f"will approved plan `{waiting.plan.id}` (1 of 1). I check everything once more and merge #1."
    )
    (approval,) = approved.approvals
    assert (approval.login, approval.plan_id, approval.head_sha, approval.via) == (
        "will",
        waiting.plan.id,
        waiting.pull_request.head_sha,
        "command",
    )
    merging = await human(shop.forge, shop.github.now)(approved.evolve(outgoing=()))
    assert merging.stage is Stage.MERGING
    (merge,) = [write for write in merging.outgoing if isinstance(write, MergePull)]
    assert (merge.number, merge.head_sha) == (1, waiting.pull_request.head_sha)
    merged = await carried_out(merging, shop)
    assert merged.stage is Stage.VERIFYING
    assert "pool_size: 4" in shop.github.git.trees[shop.head][SETTINGS_FILE]


@pytest.mark.parametrize("written", ["{full}", "{prefix}", "`{full}`", "{upper}"])
async def test_the_plan_may_be_named_in_full_or_by_seven_characters(shop, waiting, written):
    """The id counts as it is shown, shortened to seven, in backticks or in capitals."""
    plan = waiting.plan.id
    named = written.format(full=plan, prefix=plan[:7], upper=plan.upper())
    assert (await says(shop, waiting, "will", f"/approve {named}")).stage is Stage.APPROVED


@pytest.mark.parametrize(
    ("login", "permission"), [("rita", "read"), ("tom", "triage"), ("mallory", "none")], ids=["read", "triage", "none"]
)
async def test_less_than_write_permission_is_refused_with_the_reason(shop, waiting, login, permission):
    """Permission is asked live, and the answer names what is missing."""
    shop.github.grant(login, permission)
    assert refused(await says(shop, waiting, login, "/approve"), waiting) == (
        f"{login} has {permission} permission on this repository; `/approve` needs write. "
        "**Next:** ask somebody with write permission."
    )


async def test_permission_that_was_taken_away_no_longer_counts(shop, waiting):
    """Somebody who could write a minute ago cannot approve now."""
    shop.github.grant("will", "read")
    assert "needs write" in refused(await says(shop, waiting, "will", "/approve"), waiting)


async def test_the_configured_permission_is_needed_not_just_write():
    """Where maintain is configured, write is not enough, and admin is more than enough."""
    shop = crew(CONFIG + "approvals: {low: {count: 1, permission: maintain}}\n")
    waiting = await proposed(shop)
    assert refused(await says(shop, waiting, "will", "/approve"), waiting) == (
        "will has write permission on this repository; this fix needs maintain. "
        "**Next:** ask somebody with maintain permission."
    )
    assert (await says(shop, waiting, "adam", "/approve")).stage is Stage.APPROVED


async def test_who_opened_the_pull_request_cannot_approve_it(shop, waiting):
    """Nobody approves their own change, in whatever case GitHub writes the login."""
    shop.github.pulls[1].opener = "Will"
    assert refused(await says(shop, waiting, "will", "/approve"), waiting) == (
        "will opened #1, and nobody approves their own change. **Next:** somebody else has to approve it."
    )


async def test_who_pushed_to_the_pull_request_cannot_approve_it(shop, waiting):
    """A pusher stays one even when the branch is back at the plan's commit."""
    shop.github.pulls[1].pushers.append("WILL")
    assert refused(await says(shop, waiting, "will", "/approve"), waiting) == (
        "will has commits on #1, and nobody approves their own change. **Next:** somebody else has to approve it."
    )


async def test_a_bot_is_told_once_per_incident_that_it_cannot_command(shop, waiting):
    """Two bots that answer each other would never stop, so the answer's key is per bot, not per comment."""
    shop.github.grant("helper[bot]", "admin")
    keys = set()
    for _ in range(2):
        comment = shop.github.says(7, "helper[bot]", "/approve", author_type="Bot", by_app=True)
        told = await answer(waiting, invoked(comment, waiting), shop.forge, shop.github.now)
        assert (told.stage, told.approvals, reactions(told)) == (Stage.AWAITING_APPROVAL, (), [])
        assert reply(told) == texts.BY_BOT
        keys |= {write.key for write in told.outgoing if isinstance(write, Reply)}
    assert keys == {"reply:bot:helper[bot]"}


@pytest.mark.parametrize("command", ["/approve", "/reject"])
async def test_a_comment_that_an_app_wrote_for_a_person_changes_nothing(shop, waiting, command):
    """A token of a person in the hands of an app is not that person."""
    comment = shop.github.says(7, "will", command, by_app=True)
    told = await answer(waiting, invoked(comment, waiting), shop.forge, shop.github.now)
    assert refused(told, waiting) == texts.BY_APP


async def test_an_edited_comment_is_refused_even_if_it_says_the_same_now(shop, waiting):
    """Whoever can edit comments of others could otherwise approve in their name."""
    comment = shop.github.says(7, "will", "/approve")
    invocation = invoked(comment, waiting)
    shop.github.edits(comment.id, "/approve")
    told = await answer(waiting, invocation, shop.forge, shop.github.now)
    assert refused(told, waiting) == texts.EDITED


async def test_a_comment_that_says_something_else_when_refetched_is_refused(shop, waiting):
    """The webhook's word does not count, the comment's does, even if its times look untouched."""
    comment = shop.github.says(7, "will", "Looks wrong to me")
    forged = invoked(comment.model_copy(update={"body": "/approve"}), waiting)
    told = await answer(waiting, forged, shop.forge, shop.github.now)
    assert refused(told, waiting) == texts.EDITED


async def test_a_comment_of_somebody_else_is_refused(shop, waiting):
    """Author and id in the webhook must be those of the comment."""
    comment = shop.github.says(7, "rita", "/approve")
    forged = invoked(comment, waiting).model_copy(update={"login": "will"})
    assert refused(await answer(waiting, forged, shop.forge, shop.github.now), waiting) == texts.EDITED


async def test_a_deleted_comment_is_neither_obeyed_nor_answered(shop, waiting):
    """There is nothing left to answer."""
    invocation = invoked(shop.github.says(7, "will", "/approve"), waiting)
    shop.github.comments.clear()
    assert await answer(waiting, invocation, shop.forge, shop.github.now) == waiting


@pytest.mark.parametrize(
    "argument", ["please", "deadbee", "abc", "{plan}0", "\u202e{plan}", "{plan} now", "g" * 12, ""]
)
async def test_only_the_open_plan_can_be_named(shop, waiting, argument):
    """Anything after /approve that is not this plan's id is refused; nothing after it is fine for low risk."""
    written = argument.format(plan=waiting.plan.id)
    told = await says(shop, waiting, "will", f"/approve {written}")
    if not argument:
        assert told.stage is Stage.APPROVED
    else:
        assert refused(told, waiting).endswith(f"**Next:** read #1 and write `/approve {waiting.plan.id}`.")


async def test_a_prefix_of_six_characters_is_too_short(shop, waiting):
    """Six characters could be guessed or mistyped into another plan."""
    text = refused(await says(shop, waiting, "will", f"/approve {waiting.plan.id[:6]}"), waiting)
    assert text.startswith("`/approve` takes nothing but the id of a plan, at least 7 of its 12 characters")


async def test_a_comment_older_than_the_plan_counts_only_if_it_names_it(shop, waiting):
    """Somebody who approved the plan before this one did not see this one."""
    shop.github.clock -= timedelta(minutes=1)
    comment = shop.github.says(7, "will", "/approve")
    shop.github.clock += timedelta(minutes=1)
    told = await answer(waiting, invoked(comment, waiting), shop.forge, shop.github.now)
    assert refused(told, waiting).startswith(f"This comment is older than plan `{waiting.plan.id}`")


async def test_two_people_are_needed_where_two_are_configured():
    """The first approval is counted and shown, the second one suffices."""
    shop = crew(TWO_PEOPLE)
    waiting = await proposed(shop)
    once = await says(shop, waiting, "will", "/approve")
    assert once.stage is Stage.AWAITING_APPROVAL
    assert reply(once).endswith("(1 of 2). **Next:** 1 person more must approve #1.")
    twice = await says(shop, once.evolve(outgoing=()), "mia", "/approve")
    assert (twice.stage, len(twice.approvals)) == (Stage.APPROVED, 2)


async def test_one_person_counts_once_however_often_they_approve():
    """Twice by comment, by review as well, or under a new login: one person is one approval."""
    shop = crew(TWO_PEOPLE)
    once = (await says(shop, await proposed(shop), "will", "/approve")).evolve(outgoing=())
    again = await says(shop, once, "will", "/approve")
    assert refused(again, once) == (
        f"You have approved plan `{once.plan.id}` already (1 of 2). **Next:** 1 person more must approve #1."
    )
    head = once.pull_request.head_sha
    assert await review(once, "will", shop.github.user_id("will"), head, shop.forge, shop.github.now) == once
    shop.github.grant("william", "write")
    shop.github.user_ids["william"] = shop.github.user_id("will")
    refused(await says(shop, once, "william", "/approve"), once)


async def test_high_risk_needs_two_people_with_maintain_who_name_the_plan(shop):
    """A revert that reaches outside the service is of high risk."""
    sha = shop.commit("Change two things", {"services/quote/app.py": "x = 1\n", "shop/http.py": "y = 2\n"})
    waiting = await proposed(shop, revert_of(shop, sha))
    assert waiting.plan.risk is Risk.HIGH
    named = f"/approve {waiting.plan.id}"
    assert refused(await says(shop, waiting, "mia", "/approve"), waiting) == (
        f"This fix is of high risk, so an approval has to name its plan. **Next:** read #1 and write `{named}`."
    )
    assert "needs maintain" in refused(await says(shop, waiting, "will", named), waiting)
    once = (await says(shop, waiting, "mia", named)).evolve(outgoing=())
    assert once.stage is Stage.AWAITING_APPROVAL
    assert (await says(shop, once, "adam", named)).stage is Stage.APPROVED


@pytest.mark.parametrize("stage", sorted(set(Stage) - {Stage.AWAITING_APPROVAL}))
async def test_approving_when_nothing_waits_for_it_answers_with_the_state(shop, waiting, stage):
    """Every other stage, the ended ones included, says what is going on instead."""
    elsewhere = waiting.evolve(stage=stage)
    text = refused(await says(shop, elsewhere, "will", "/approve"), elsewhere)
    assert text == f"There is nothing to approve now. {texts.STATES[stage]}"


async def test_a_plan_is_claimed_once(shop, waiting):
    """An approval while the merge is on its way changes nothing any more."""
    approved = (await says(shop, waiting, "will", "/approve")).evolve(outgoing=())
    merging = (await human(shop.forge, shop.github.now)(approved)).evolve(outgoing=())
    refused(await says(shop, merging, "mia", "/approve"), merging)


async def test_a_head_that_is_not_the_plans_cannot_be_approved(shop, waiting):
    """Commits that somebody added are not what was planned."""
    shop.github.pushes(waiting.plan.branch, {"services/quote/app.py": "evil()\n"}, login="mallory")
    assert refused(await says(shop, waiting, "will", "/approve"), waiting) == (
        f"#1 holds commits that are not part of plan `{waiting.plan.id}`. **Next:** take them off again (the plan's "
        f"commit is `{waiting.pull_request.head_sha[:9]}`), or review and merge #1 yourself, or `/reject` it."
    )


@pytest.mark.parametrize(("merged", "said"), [(False, "#1 is closed."), (True, "#1 is merged already.")])
async def test_a_pull_request_that_is_not_open_cannot_be_approved(shop, waiting, merged, said):
    """Closed or merged by hand: the answer says which."""
    shop.github.pulls[1].open = False
    shop.github.pulls[1].merge_sha = shop.head if merged else None
    assert refused(await says(shop, waiting, "will", "/approve"), waiting).startswith(said)


@pytest.mark.parametrize(
    ("level", "does"),
    [
        ("observe", "I explain incidents, and change nothing."),
        ("dry-run", "I say what I would do, and change nothing."),
        ("propose", "I propose fixes, but do not merge them."),
    ],
)
async def test_with_less_autonomy_than_approve_people_merge(shop, waiting, level, does):
    """The answer says how far the bot goes, and leaves the merge to GitHub's own button."""
    shop.commit("Set autonomy", {CONFIG_PATH: with_autonomy(level)})
    plan = waiting.plan.model_copy(update={"config_sha": blob_sha(with_autonomy(level))})
    waiting = waiting.evolve(plan=plan)
    assert refused(await says(shop, waiting, "will", "/approve"), waiting) == (
        f"The repository's autonomy is {level}: {does} **Next:** review and merge #1 on GitHub yourself."
    )


@pytest.mark.parametrize("happens", REVOKING)
async def test_a_revoked_plan_is_replaced_instead_of_approved(shop, waiting, happens):
    """Its pull request is closed, Guardrail decides anew, and the answer says why."""
    why = happens(shop, waiting)
    told = await says(shop, waiting, "will", "/approve")
    assert (told.stage, told.plan, told.pull_request, told.approvals) == (Stage.DECIDING, None, None, ())
    assert not [write for write in told.outgoing if isinstance(write, MergePull)]
    (close,) = [write for write in told.outgoing if isinstance(write, ClosePull)]
    assert (close.number, close.branch) == (1, waiting.plan.branch)
    (check,) = [write for write in told.outgoing if isinstance(write, CompleteCheck)]
    assert (check.key, check.head_sha) == (f"check:{waiting.plan.id}:replaced", waiting.pull_request.head_sha)
    assert (check.conclusion, check.title) == ("neutral", "Replaced")
    assert check.summary == f"Plan `{waiting.plan.id}` no longer holds. A new plan takes its place."
    assert waiting.decision is not None
    assert told.decision is None
    assert reply(told).startswith(f"Plan `{waiting.plan.id}` no longer holds: {why} I close its pull request")


@pytest.mark.parametrize("happens", REVOKING)
async def test_what_revokes_a_plan_also_stops_an_approved_one(shop, waiting, happens):
    """Between the approval and the merge the same things count."""
    approved = (await says(shop, waiting, "will", "/approve")).evolve(outgoing=())
    why = happens(shop, waiting)
    stopped = await human(shop.forge, shop.github.now)(approved)
    assert (stopped.stage, stopped.plan, stopped.approvals) == (Stage.DECIDING, None, ())
    assert not [write for write in stopped.outgoing if isinstance(write, MergePull)]
    assert stopped.timeline[-1].note == f"Plan {waiting.plan.id} no longer holds: {why} A new plan is made."


async def test_a_new_policy_version_revokes(shop, waiting, monkeypatch):
    """A plan that an older SRE-Space decided about is decided about again."""
    monkeypatch.setattr("agents.gate.POLICY_VERSION", "2")
    told = await says(shop, waiting, "will", "/approve")
    assert told.stage is Stage.DECIDING


async def test_people_without_write_permission_cannot_have_plans_replaced(shop, waiting):
    """A stranger's /approve must not cost a pull request each time."""
    change_file(shop, waiting)
    refused(await says(shop, waiting, "rita", "/approve"), waiting)


async def test_unrelated_commits_on_the_base_do_not_revoke(shop, waiting):
    """On a busy repository nothing could ever be approved otherwise."""
    shop.write_docs()
    shop.set_pool(7)
    shop.set_pool(2)
    assert (await says(shop, waiting, "will", "/approve")).stage is Stage.APPROVED


async def test_the_last_check_drops_who_may_no_longer_approve(shop, waiting):
    """Permission lost between approval and merge: back to waiting, and the note says whose approval fell."""
    approved = (await says(shop, waiting, "will", "/approve")).evolve(outgoing=())
    shop.github.grant("will", "read")
    back = await human(shop.forge, shop.github.now)(approved)
    assert (back.stage, back.approvals) == (Stage.AWAITING_APPROVAL, ())
    assert back.timeline[-1].note == "No longer approved: the approval by will does not hold any more."


@pytest.mark.parametrize("how", ["edited", "deleted"])
async def test_the_last_check_drops_an_approval_whose_comment_changed(shop, waiting, how):
    """Who edits or deletes the command before the merge has taken it back."""
    approved = (await says(shop, waiting, "will", "/approve")).evolve(outgoing=())
    comment_id = approved.approvals[0].comment_id
    if how == "edited":
        shop.github.edits(comment_id, "Wait, no")
    else:
        del shop.github.comments[comment_id]
    back = await human(shop.forge, shop.github.now)(approved)
    assert (back.stage, back.approvals) == (Stage.AWAITING_APPROVAL, ())


async def test_the_last_check_sees_a_push_whose_webhook_was_lost(shop, waiting):
    """The head is compared live, whatever events came or did not."""
    approved = (await says(shop, waiting, "will", "/approve")).evolve(outgoing=())
    shop.github.pushes(waiting.plan.branch, {"services/quote/app.py": "evil()\n"}, login="mallory")
    back = await human(shop.forge, shop.github.now)(approved)
    assert (back.stage, back.approvals) == (Stage.AWAITING_APPROVAL, ())
    assert back.timeline[-1].note == (
        f"Approved, but not merged: #1 holds commits that are not part of plan `{waiting.plan.id}`."
    )


async def test_approvals_of_another_head_or_plan_do_not_count_for_this_one(shop, waiting):
    """Even if they were still stored: each is bound to its plan and head."""
    approved = (await says(shop, waiting, "will", "/approve")).evolve(outgoing=())
    for changes in ({"plan_id": "0" * 12}, {"head_sha": "0" * 40}):
        stale = approved.approvals[0].model_copy(update=changes)
        back = await human(shop.forge, shop.github.now)(approved.evolve(approvals=(stale,)))
        assert back.stage is Stage.AWAITING_APPROVAL


async def test_a_merge_that_github_puts_off_is_asked_for_again_without_filling_the_timeline(shop, waiting):
    """Branch protection may take hours; the timeline says it once, and every check is made each time."""
    approved = (await says(shop, waiting, "will", "/approve")).evolve(outgoing=())
    shop.github.merge_blocked = "A required review is missing."
    step = human(shop.forge, shop.github.now)
    found, keys, lengths = approved, set(), []
    for _ in range(4):
        merging = await step(found)
        keys |= {write.key for write in merging.outgoing if isinstance(write, MergePull)}
        found = await carried_out(merging, shop)
        lengths.append(len(found.timeline))
        assert found.stage is Stage.APPROVED
        shop.github.tick(timedelta(seconds=20))
    assert len(keys) == 4
    assert lengths[1:] == [lengths[1]] * 3
    shop.github.merge_blocked = ""
    assert (await carried_out(await step(found), shop)).stage is Stage.VERIFYING


async def test_a_pull_request_that_was_merged_meanwhile_goes_on(shop, waiting):
    """Somebody pressed the button after approving: the merge is recorded, not asked for in vain."""
    approved = (await says(shop, waiting, "will", "/approve")).evolve(outgoing=())
    await shop.forge.merge(waiting.repo, 1, head_sha=waiting.pull_request.head_sha, title="By hand")
    gone_on = await carried_out(await human(shop.forge, shop.github.now)(approved), shop)
    assert gone_on.stage is Stage.VERIFYING
    assert gone_on.merge.sha == shop.github.pulls[1].merge_sha


async def test_a_push_drops_approvals_and_is_said_once():
    """The second delivery of the same push changes nothing."""
    shop = crew(TWO_PEOPLE)
    once = (await says(shop, await proposed(shop), "will", "/approve")).evolve(outgoing=())
    sha = shop.github.pushes(once.plan.branch, {"services/quote/app.py": "x\n"}, login="mallory")
    dropped = pushed(once, "mallory", sha, shop.github.now())
    assert (dropped.stage, dropped.approvals) == (Stage.AWAITING_APPROVAL, ())
    assert dropped.timeline[-1].note == (
        f"mallory pushed {sha[:9]} to #1, which is not part of the plan: 1 approval no longer holds."
    )
    again = pushed(dropped, "mallory", sha, shop.github.now())
    assert pushed(again, "mallory", sha, shop.github.now()) == again


async def test_our_own_commit_drops_nothing(waiting):
    """GitHub tells of the plan's own commit too."""
    assert pushed(waiting, APP, waiting.pull_request.head_sha, ONSET) == waiting


async def test_a_native_review_counts_like_approve(shop, waiting):
    """On the plan's head, by somebody who may."""
    head = waiting.pull_request.head_sha
    approved = await review(waiting, "will", shop.github.user_id("will"), head, shop.forge, shop.github.now)
    assert (approved.stage, approved.approvals[0].via) == (Stage.APPROVED, "review")
    merging = await human(shop.forge, shop.github.now)(approved.evolve(outgoing=()))
    assert merging.stage is Stage.MERGING


@pytest.mark.parametrize(
    ("login", "head", "why"),
    [
        ("rita", "{head}", "rita has read permission on this repository; this fix needs write."),
        ("will", "0" * 40, "It is not about the commit that is on the branch now."),
        ("helper[bot]", "{head}", "Only people can approve."),
    ],
)
async def test_a_review_that_does_not_count_is_told_why(shop, waiting, login, head, why):
    """Without rights, of another commit, or by a bot with every right."""
    shop.github.grant("helper[bot]", "admin")
    head = head.format(head=waiting.pull_request.head_sha)
    told = await review(waiting, login, shop.github.user_id(login), head, shop.forge, shop.github.now)
    assert (told.stage, told.approvals) == (Stage.AWAITING_APPROVAL, ())
    assert reply(told).startswith(f"This review does not count as `/approve`: {why}")


async def test_a_review_when_nothing_waits_for_approval_is_left_alone(shop, waiting):
    """People review pull requests for their own reasons."""
    elsewhere = waiting.evolve(stage=Stage.VERIFYING)
    head = waiting.pull_request.head_sha
    assert await review(elsewhere, "rita", 5, head, shop.forge, shop.github.now) == elsewhere


async def test_reject_closes_the_pull_request_and_hands_over(shop, waiting):
    """The reason is shown with its Markdown made harmless."""
    told = await says(shop, waiting, "will", "/reject use **bigger** @all <b>")
    assert told.stage is Stage.ESCALATED
    assert reply(told) == (
        "will rejected the fix: use \\*\\*bigger\\*\\* @\u200ball &lt;b\\>\n\n"
        "#1 is closed, and the incident is in the hands of people."
    )
    (close,) = [write for write in told.outgoing if isinstance(write, ClosePull)]
    assert (close.number, close.branch) == (1, waiting.plan.branch)
    assert told.timeline[-1].note == "will rejected the fix: use **bigger** @all <b>"
    (check,) = [write for write in told.outgoing if isinstance(write, CompleteCheck)]
    assert (check.key, check.head_sha) == (f"check:{waiting.plan.id}:rejected", waiting.pull_request.head_sha)
    assert (check.conclusion, check.title) == ("failure", "Rejected")
    assert check.summary == f"Plan `{waiting.plan.id}` was rejected. People take over."


async def test_a_fix_may_be_rejected_without_a_reason(shop, waiting):
    """Then none is told."""
    told = await says(shop, waiting, "will", "/reject")
    assert told.timeline[-1].note == "will rejected the fix."
    assert reply(told) == "will rejected the fix.\n\n#1 is closed, and the incident is in the hands of people."


@pytest.mark.parametrize(("length", "kept"), [(300, "x" * 300), (301, "x" * 299 + "…")])
async def test_a_long_reason_is_cut_in_the_timeline(shop, waiting, length, kept):
    """It has three hundred characters at most."""
    told = await says(shop, waiting, "will", f"/reject {'x' * length}")
    assert told.timeline[-1].note == f"will rejected the fix: {kept}"


async def test_an_approved_fix_can_still_be_rejected_before_it_is_merged(shop, waiting):
    """While GitHub's own conditions hold the merge up, for example."""
    approved = (await says(shop, waiting, "will", "/approve")).evolve(outgoing=())
    told = await says(shop, approved, "mia", "/reject")
    assert (told.stage, told.approvals) == (Stage.ESCALATED, ())


@pytest.mark.parametrize("stage", [Stage.MERGING, Stage.VERIFYING, Stage.RESOLVED, Stage.ORIENTING])
async def test_there_is_nothing_to_reject_elsewhere(shop, waiting, stage):
    """The answer says where the incident is."""
    elsewhere = waiting.evolve(stage=stage)
    text = refused(await says(shop, elsewhere, "will", "/reject"), elsewhere)
    assert text == f"There is nothing to reject now. {texts.STATES[stage]}"


async def test_reject_needs_write_permission(shop, waiting):
    """A reader cannot stop a fix."""
    assert refused(await says(shop, waiting, "rita", "/reject"), waiting) == (
        "rita has read permission on this repository; `/reject` needs write. "
        "**Next:** ask somebody with write permission."
    )


@pytest.mark.parametrize("command", ["/status", "/help"])
@pytest.mark.parametrize("stage", sorted(Stage))
async def test_status_and_help_answer_everybody_in_every_stage(shop, waiting, command, stage):
    """They change nothing."""
    elsewhere = waiting.evolve(stage=stage)
    told = await says(shop, elsewhere, "rita", command)
    assert reactions(told) == [Reaction.SEEN, Reaction.DONE]
    assert told.evolve(outgoing=()) == elsewhere
    assert reply(told)


async def test_a_misspelt_command_is_answered_with_the_nearest(shop, waiting):
    """And nothing happens."""
    assert refused(await says(shop, waiting, "will", "/aprove"), waiting) == (
        "I know no command `/aprove`. **Next:** if you meant `/approve`, write it in a new comment; "
        "`/help` lists all commands."
    )


async def test_a_comment_is_answered_once(shop, waiting):
    """The same delivery again asks for writes of the same keys, which the outbox keeps once."""
    comment = shop.github.says(7, "rita", "/status")
    told = await answer(waiting, invoked(comment, waiting), shop.forge, shop.github.now)
    again = await answer(told, invoked(comment, told), shop.forge, shop.github.now)
    assert [write.key for write in again.outgoing] == [write.key for write in told.outgoing]


async def test_what_the_webhook_calls_a_bot_is_none_of_our_business(shop, waiting):
    """The type of author counts on both sides."""
    invocation = invoked(shop.github.says(7, "will", "/approve"), waiting).model_copy(update={"author_type": "Bot"})
    told = await answer(waiting, invocation, shop.forge, shop.github.now)
    assert (told.stage, told.approvals) == (Stage.AWAITING_APPROVAL, ())


@pytest.mark.parametrize("body", ["/approve abc", "/aprove"])
def test_an_invocation_keeps_its_command_through_json(shop, waiting, body):
    """Queues and databases carry invocations as JSON."""
    invocation = invoked(shop.github.says(7, "will", body), waiting)
    assert Invocation.model_validate_json(invocation.model_dump_json()) == invocation
