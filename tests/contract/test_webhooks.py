"""The stand-in's webhooks, which are checked against GitHub's description, are what our slim events read."""

from pathlib import Path

import pytest

from bot.events import IssueCommentEvent, IssuesEvent, PullRequestEvent, PullRequestReviewEvent, read_event
from infra.sandbox.github.testing import stand_in, webhook_sink
from tests.contract.forge_worlds import StandInWorld, adapter, plan_for


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """A repository with the file that plans edit."""
    path = tmp_path / "seed" / "services/quote/settings.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("database:\n  pool_size: 2\n")
    return tmp_path / "seed"


async def test_every_webhook_that_is_used_is_read(seed: Path, tmp_path: Path):
    """Issue, label, comment, push, review, merge: each becomes its event, with who did it and what."""
    with webhook_sink() as sink, stand_in(tmp_path / "github", "--seed", str(seed), "--webhook-url", sink.url) as site:
        forge = adapter(site)
        world = StandInWorld(site, await forge.resolve("acme/shop"), forge)
        number = world.opens("maria", "quote is slow", "text", labels=("incident",))
        world.says("wim", number, "/status")
        plan = await plan_for(world, "t1", "database:\n  pool_size: 4\n")
        made = await forge.propose_change(world.repo, plan, message="m", body="")
        assert made.ok
        with site.user("otto") as otto:
            otto.post(f"/pulls/{made.number}/reviews", json={"event": "APPROVE"}).raise_for_status()
        head = world.pushes("maria", plan.branch, {"more.txt": "x\n"})
        with site.user("otto") as otto:
            otto.put(f"/pulls/{made.number}/merge", json={"sha": head}).raise_for_status()
            otto.patch(f"/issues/{number}", json={"state": "closed"}).raise_for_status()
        site.settle()
        await forge.aclose()
        read = [
            read_event(hook.headers["x-github-event"], hook.payload.get("action"), hook.body.decode())
            for hook in sink.caught
        ]
    events = [event for event in read if event is not None]

    issues = [(event.action, event.sender.login) for event in events if isinstance(event, IssuesEvent)]
    assert issues == [("opened", "maria"), ("labeled", "maria"), ("closed", "otto")]
    comment = next(event for event in events if isinstance(event, IssueCommentEvent))
    assert (comment.comment.body, comment.sender.login, comment.by_person) == ("/status", "wim", True)
    assert comment.repo == world.repo
    review = next(event for event in events if isinstance(event, PullRequestReviewEvent))
    assert (review.review.state.lower(), review.review.commit_id) == ("approved", made.sha)
    pulls = [event for event in events if isinstance(event, PullRequestEvent)]
    assert [(event.action, event.pull_request.head.sha) for event in pulls] == [("synchronize", head), ("closed", head)]
    assert pulls[-1].pull_request.merged
    assert pulls[-1].pull_request.merge_commit_sha
