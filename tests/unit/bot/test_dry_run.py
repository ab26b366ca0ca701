"""With `autonomy: dry-run` people are told what would be done, and no repository is ever written to."""

import pytest

from agents.config import CONFIG_PATH
from agents.incident import Incident, Stage
from agents.ports import Case
from agents.testing.scenarios import pool_signal
from agents.testing.shop import CONFIG, Shop, with_autonomy
from bot.dashboard_detail import detail
from bot.events import IssuesEvent
from bot.handlers import issues
from tests.unit.bot.handlers.webhooks import issue, labels, webhook
from tests.unit.bot.story import Story

SPOKEN = {"open_issue", "upsert_comment", "react"}
READ = {"file", "default_branch", "commits", "commit", "compare", "pull", "permission", "comment", "issue"}
COMMENT = """\
## Dry run: with `autonomy: propose` I would have opened this pull request

- **Title:** Raise database pool of quote from 2 to 6
- **What it does:** Raise `database.pool_size` in `services/quote/settings.yaml` from 2 to 6 (its declared \
maximum is 20).
- **Files:** `services/quote/settings.yaml`
- **Risk and approval:** The risk is low, because one number changes, within the maximum that its owners declared: \
1 person with write permission would have to approve.

<details>
<summary>Diff (1 file)</summary>

```diff
diff --git a/services/quote/settings.yaml b/services/quote/settings.yaml
--- a/services/quote/settings.yaml
+++ b/services/quote/settings.yaml
@@ -1,5 +1,5 @@
 # Settings of the quote service.
 database:
   # Connections to the quote database.
-  pool_size: 2
+  pool_size: 6
   pool_timeout_s: 0.25
```

</details>

Nothing was changed in this repository, because its autonomy is `dry-run`. People take over now.

### What you can do

- Start from the cause and the evidence in the comment above, and make this change yourself if it helps.
- Close this issue when the incident is over.
- To have me open such pull requests, set `autonomy: propose` (you merge them) or `autonomy: approve` (I merge them \
once they are approved) in `.github/sre-space.yml`. It counts from the next incident on; while telemetry still shows \
this fault, open a new issue with the label `incident` that names the service.
"""
NOTHING = (
    "There is nothing to {}: this was a dry run, and no pull request was opened. **Next:** make the change yourself if "
    "it helps. For pull requests from the next incident on, set `autonomy: propose` or `autonomy: approve` in "
    "`.github/sre-space.yml`."
)


@pytest.fixture
def story() -> Story:
    """A shop in which nothing may be changed, and its maintainer Maria."""
    return Story(Shop(with_autonomy("dry-run")))


@pytest.fixture
async def shown(story: Story) -> Incident:
    """An incident whose fix was shown."""
    return await story.signalled(pool_signal())


def said(story: Story) -> list[str]:
    """Return all comments without their marks, oldest first."""
    return [body.rpartition("\n<!-- ")[0] or body for body in story.bodies()]


def untouched(story: Story) -> None:
    """Make sure that the bot has only read and spoken, and that no branch or pull request is new."""
    assert set(story.shop.forge.calls) <= SPOKEN | READ
    assert set(story.github.git.branches) == {story.github.default_branch}
    assert story.github.pulls == {}


async def test_a_dry_run_ends_with_people_and_one_comment_that_says_all(story: Story, shown: Incident):
    """From the signal to the hand-over: the sticky comment, and the one about the dry run, word for word."""
    assert (shown.stage, shown.plan, shown.outgoing) == (Stage.ESCALATED, None, ())
    sticky, comment = said(story)
    assert comment == COMMENT
    assert sticky.startswith("## Handed over to people\n")
    assert "This was a dry run: nothing was changed." in sticky
    assert "The repository's autonomy is dry-run: the fix is shown, and nothing is changed." in sticky
    assert "```diff" not in sticky
    untouched(story)


@pytest.mark.parametrize("verb", ["approve", "reject"])
async def test_there_is_nothing_to_approve_or_reject_after_a_dry_run(story: Story, shown: Incident, verb: str):
    """Whoever writes it, and however the plan is named."""
    plan = shown.dry_run_plan
    assert plan is not None
    for command in (f"/{verb}", f"/{verb} {plan.id}"):
        after = await story.says(shown, "maria", command)
        assert (after.stage, after.plan, after.approvals) == (Stage.ESCALATED, None, ())
        assert said(story)[-1] == f"{NOTHING.format(verb)}\n"
    untouched(story)


async def test_raising_the_autonomy_afterwards_does_not_revive_the_plan(story: Story, shown: Incident):
    """What was shown under one configuration is not carried out under another."""
    story.shop.commit("Trust it", {CONFIG_PATH: CONFIG})
    after = await story.says(shown, "maria", "/approve")
    assert said(story)[-1] == f"{NOTHING.format('approve')}\n"
    assert await story.goes_on(after) == after
    untouched(story)


async def test_closing_the_issue_of_a_dry_run_closes_no_pull_request(story: Story, shown: Incident):
    """There is none."""
    closed = webhook("issues", "closed", issue=issue(shown.issue or 0))
    assert isinstance(closed, IssuesEvent)
    assert await issues.handle(shown, closed, story.deps) == shown


@pytest.mark.parametrize("signature", ["the same", "another"])
async def test_a_fix_from_memory_is_only_shown_as_well(story: Story, shown: Incident, signature: str):
    """Both ways from memory, CAG's exact one and Brain's near one, come to the same rules and the same Fixer."""
    assert shown.diagnosis is not None
    assert shown.remedy is not None
    await story.memory.remember(
        Case(
            id="inc-0",
            incident_id="inc-0",
            tenant="default",
            installation_id=shown.repo.installation_id,
            repo=shown.repo.full_name,
            issue=3,
            service="quote",
            kind=shown.diagnosis.kind,
            signature=shown.signature if signature == "the same" else "x",
            text=shown.diagnosis.summary,
            remedy=shown.remedy,
            summary=shown.diagnosis.summary,
            verified_at=story.github.now(),
        )
    )
    again = await story.signalled(pool_signal().model_copy(update={"group_id": "g2"}))
    assert again.recalled is not None
    assert (again.recalled.distance is None) is (signature == "the same")
    assert (again.stage, again.plan) == (Stage.ESCALATED, None)
    assert again.dry_run_plan is not None
    assert said(story)[-1].startswith("## Dry run: ")
    untouched(story)


async def test_the_comment_is_right_about_the_next_step(story: Story, shown: Incident):
    """With more autonomy, a new issue that names the service leads to the pull request that was shown."""
    assert shown.dry_run_plan is not None
    story.shop.commit("Trust it", {CONFIG_PATH: CONFIG})
    story.telemetry.open_signals.append(pool_signal())
    opened = story.github.opens("maria", "quote fails", labels=("incident",))
    event = webhook("issues", "opened", issue=issue(opened.number, title="quote fails", labels=labels("incident")))
    assert isinstance(event, IssuesEvent)
    reported = await issues.handle(None, event, story.deps)
    assert reported is not None
    waiting = await story.goes_on(reported)
    assert waiting.stage is Stage.AWAITING_APPROVAL
    assert waiting.plan is not None
    assert waiting.plan.edits == shown.dry_run_plan.edits


async def test_a_plan_that_waits_is_withdrawn_and_only_shown_anew_once_autonomy_is_dry_run():
    """The open pull request is closed by the next `/approve`; nothing takes its place, and nothing is merged."""
    story = Story()
    waiting = await story.signalled(pool_signal())
    story.shop.commit("Be careful", {CONFIG_PATH: with_autonomy("dry-run")})
    head = story.shop.head
    after = await story.says(waiting, "maria", "/approve")
    assert (after.stage, after.plan, after.pull_request) == (Stage.ESCALATED, None, None)
    assert after.dry_run_plan is not None
    calls = story.shop.forge.calls
    assert (calls.count("propose_change"), calls.count("close_pull"), calls.count("merge")) == (1, 1, 0)
    assert story.shop.head == head


async def test_the_dashboard_shows_the_plan_of_a_dry_run_as_one(shown: Incident):
    """With its diff, and marked, so that nobody takes it for open."""
    page = detail(shown)
    assert page.plan is not None
    assert (page.plan.dry_run, page.plan.title) == (True, "Raise database pool of quote from 2 to 6")
    assert page.diff is not None
    assert "+  pool_size: 6" in page.diff
    assert page.card.pull_request is None
    waiting = detail(await Story().signalled(pool_signal()))
    assert waiting.plan is not None
    assert waiting.plan.dry_run is False
