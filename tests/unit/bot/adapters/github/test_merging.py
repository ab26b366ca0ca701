"""Merging at the head that was approved: what GitHub refuses is told with what is missing."""

import pytest

from agents.writes import Done, Refused
from tests.unit.bot.adapters.github.wire import REPO, Wire, reply

HEAD = "a" * 40
REPOSITORY = {
    "id": 1,
    "name": "shop",
    "full_name": "acme/shop",
    "owner": {"login": "acme", "id": 2, "type": "Organization"},
    "default_branch": "main",
    "html_url": "https://ghe.example/acme/shop",
}
BLOCKED = {"message": "Required status check is expected"}


def pull(**changes):
    """Return an open pull request at the approved head."""
    sides = {"head": {"ref": "sre-space/fix", "sha": HEAD}, "base": {"ref": "main", "sha": "b" * 40}}
    return reply({"number": 4, "html_url": "https://ghe.example/pull/4", "state": "open", **sides, **changes})


def wire(*pulls, allowed=None, merge=None):
    """Return a GitHub with one pull request."""
    made = Wire().on("GET", "/pulls/4", *(pulls or (pull(),))).on("GET", "", reply({**REPOSITORY, **(allowed or {})}))
    return made.on("PUT", "/pulls/4/merge", merge or reply({"sha": "c" * 40, "merged": True}))


async def merged(made):
    """Merge it."""
    return await made.forge.merge(REPO, 4, head_sha=HEAD, title="Raise the pool of quote")


@pytest.mark.parametrize(
    ("allowed", "method"),
    [
        ({"allow_squash_merge": True, "allow_merge_commit": True}, "squash"),
        ({"allow_squash_merge": False, "allow_merge_commit": True}, "merge"),
        ({"allow_squash_merge": False, "allow_merge_commit": False}, "rebase"),
    ],
)
async def test_it_is_merged_in_the_first_way_that_the_repository_allows(allowed, method):
    """One commit is easiest to take back; the head is part of the order."""
    made = wire(allowed=allowed)
    assert await merged(made) == Done(number=4, sha="c" * 40)
    assert made.body() == {"sha": HEAD, "commit_title": "Raise the pool of quote", "merge_method": method}


async def test_a_merge_that_happened_before_is_the_same_success_without_another_order():
    """The answer to the first try was lost."""
    made = wire(pull(state="closed", merged=True, merged_at="2026-03-02T09:00:00Z", merge_commit_sha="c" * 40))
    assert await merged(made) == Done(number=4, sha="c" * 40)
    assert "PUT /pulls/4/merge" not in made.paths()


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (reply({"message": "Not Found"}, 404), "pull request #4 does not exist."),
        (pull(head={"ref": "x", "sha": "d" * 40}), "the branch of #4 was pushed to after the approval."),
        (pull(state="closed"), "pull request #4 is closed."),
    ],
)
async def test_what_cannot_be_merged_is_refused_before_github_is_asked(found, reason):
    """For good: nobody tries again by himself."""
    made = wire(found)
    assert await merged(made) == Refused(reason=reason)
    assert "PUT /pulls/4/merge" not in made.paths()


async def test_a_push_in_the_last_moment_is_refused_by_github():
    """409: what nobody approved is not merged."""
    made = wire(merge=reply({"message": "Head branch was modified. Review and try the merge again."}, 409))
    assert await merged(made) == Refused(
        reason="Head branch was modified. Review and try the merge again. Only the commit that was approved may be "
        "merged."
    )


async def test_conflicts_are_named_with_the_branch():
    """People must solve them: no retry."""
    made = wire(pull(), pull(), pull(mergeable_state="dirty"), merge=reply({"message": "Not mergeable"}, 405))
    assert await merged(made) == Refused(reason="#4 conflicts with main.")


async def test_a_merge_by_somebody_else_meanwhile_is_a_success():
    """GitHub answers 405 to a second merge."""
    done = pull(state="closed", merged=True, merge_commit_sha="c" * 40)
    made = wire(pull(), done, merge=reply({"message": "Pull Request is not mergeable"}, 405))
    assert await merged(made) == Done(number=4, sha="c" * 40)


@pytest.mark.parametrize(
    ("state", "hint"),
    [
        ("behind", " The branch is behind main, and main demands that it is up to date."),
        ("draft", " The pull request is a draft."),
        ("unknown", " GitHub is still working out whether it can be merged."),
        ("blocked", ""),
    ],
)
async def test_what_a_person_can_do_is_said_and_it_is_tried_again(state, hint):
    """GitHub's own words first."""
    made = wire(pull(mergeable_state=state), merge=reply(BLOCKED, 405))
    made.on("GET", "/branches/main", reply({"name": "main", "commit": {"sha": "b" * 40}}))
    assert await merged(made) == Refused(reason=f"Required status check is expected.{hint}", retry=True)


def protected(*contexts):
    """Return a branch that demands checks."""
    protection = {"required_status_checks": {"contexts": list(contexts)}}
    return reply({"name": "main", "commit": {"sha": "b" * 40}, "protection": protection})


async def test_each_required_check_that_has_not_passed_is_named():
    """Check runs and statuses; of several runs the newest counts."""
    runs = [
        {"id": 2, "name": "unit", "status": "completed", "conclusion": "success"},
        {"id": 1, "name": "unit", "status": "completed", "conclusion": "failure"},
        {"id": 3, "name": "lint", "status": "in_progress", "conclusion": None},
        {"id": 4, "name": "docs", "status": "completed", "conclusion": "skipped"},
    ]
    statuses = [{"context": "deploy", "state": "failure"}, {"context": "scan", "state": "success"}]
    made = wire(pull(mergeable_state="blocked"), merge=reply(BLOCKED, 405))
    made.on("GET", "/branches/main", protected("unit", "lint", "docs", "deploy", "scan", "legal"))
    made.on("GET", f"/commits/{HEAD}/check-runs", reply({"check_runs": runs}))
    made.on("GET", f"/commits/{HEAD}/status", reply({"statuses": statuses}))
    result = await merged(made)
    assert result == Refused(
        reason="Required status check is expected. The check `lint` is still running. The check `deploy` ended as "
        "failure. The check `legal` has not started.",
        retry=True,
    )


@pytest.mark.parametrize("status", [403, 404])
async def test_checks_that_we_may_not_see_are_left_out(status):
    """The permission is optional."""
    made = wire(pull(mergeable_state="blocked"), merge=reply(BLOCKED, 405))
    made.on("GET", "/branches/main", reply({"message": "Resource not accessible by integration"}, status))
    assert await merged(made) == Refused(reason="Required status check is expected.", retry=True)


async def test_another_refusal_is_told_in_githubs_words():
    """With a full stop."""
    made = wire(merge=reply({"message": "Squash merges are not allowed on this repository"}, 422))
    result = await merged(made)
    assert isinstance(result, Refused)
    assert (result.retry, result.reason) == (False, "Squash merges are not allowed on this repository.")
