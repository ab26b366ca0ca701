"""GitHub when it misbehaves or refuses, through the adapter and the stand-in: no double and no blind retry."""

import socket
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest

from agents.errors import ForgeRefusedError, ForgeUnavailableError
from agents.plan import FileEdit, Plan
from agents.writes import Done, Refused
from bot.adapters.github import connect, counting
from tests.contract.forge_worlds import HOOK, SETTINGS, StandInWorld, access, plan_for

Fault = Callable[..., None]


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def fault(github: StandInWorld) -> Fault:
    """Orders a fault of the stand-in."""

    def order(kind: str, **details: object) -> None:
        github.site.control("POST", "/faults", {"kind": kind, **details})

    return order


def asked(github: StandInWorld) -> list[tuple[str, str]]:
    """Methods and paths that the stand-in was asked for since the log was cleared."""
    found = github.site.control("GET", "/requests").json()["requests"]
    return [(request["method"], request["path"]) for request in found]


async def test_an_issue_whose_answer_was_lost_is_found_again(github: StandInWorld, fault: Fault, name: str):
    """GitHub wrote the issue and answered 502: the next try returns that issue."""
    arguments = {"title": name, "body": "text", "labels": ("incident",), "marker": f"<!-- {name} -->"}
    fault("502-after-write", method="POST", path="/issues$")

    with pytest.raises(ForgeUnavailableError, match="502"):
        await github.forge.open_issue(github.repo, **arguments)
    again = await github.forge.open_issue(github.repo, **arguments)

    assert isinstance(again, Done)
    assert github.issues(name) == [again.number]


async def test_a_comment_whose_answer_was_lost_is_found_again(github: StandInWorld, fault: Fault, name: str):
    """One comment, though the first try did not see its answer."""
    issue = github.opens("rita", name, "Help")
    arguments = {"body": "text", "marker": f"<!-- {name} -->", "comment_id": None}
    fault("502-after-write", method="POST", path="/comments$")

    with pytest.raises(ForgeUnavailableError):
        await github.forge.upsert_comment(github.repo, issue, **arguments)
    await github.forge.upsert_comment(github.repo, issue, **arguments)

    assert len(github.comments(issue)) == 1


@pytest.mark.parametrize("lost", ["/git/trees$", "/git/commits$", "/git/refs$", "/pulls$"])
async def test_a_proposal_goes_on_where_an_answer_was_lost(github: StandInWorld, fault: Fault, name: str, lost: str):
    """Whichever write lost its answer, there is one branch with one commit and one pull request in the end."""
    plan = await plan_for(github, name, f"database:\n  pool_size: 4 # {name}\n")
    fault("502-after-write", method="POST", path=lost)

    with pytest.raises(ForgeUnavailableError):
        await github.forge.propose_change(github.repo, plan, message=plan.title, body="")
    made = await github.forge.propose_change(github.repo, plan, message=plan.title, body="")

    assert isinstance(made, Done)
    with github.site.user("otto") as client:
        pulls = client.get("/pulls", params={"state": "all", "head": f"acme:{plan.branch}"}).json()
        commits = client.get(f"/pulls/{made.number}/commits").json()
    assert [pull["number"] for pull in pulls] == [made.number]
    assert [commit["sha"] for commit in commits] == [made.sha]


async def test_a_merge_whose_answer_was_lost_is_the_same_success(github: StandInWorld, fault: Fault, name: str):
    """The merge happened: the next try names its commit instead of failing."""
    plan = await plan_for(github, name, f"database:\n  pool_size: 7 # {name}\n")
    made = await github.forge.propose_change(github.repo, plan, message=plan.title, body="")
    assert isinstance(made, Done)
    fault("502-after-write", method="PUT", path="/merge$")

    with pytest.raises(ForgeUnavailableError):
        await github.forge.merge(github.repo, made.number or 0, head_sha=made.sha or "", title=name)
    merged = await github.forge.merge(github.repo, made.number or 0, head_sha=made.sha or "", title=name)

    assert isinstance(merged, Done)
    assert merged.sha == (await github.forge.default_branch(github.repo))[1]


async def test_a_check_whose_answer_was_lost_is_found_again(github: StandInWorld, fault: Fault, name: str):
    """One Check Run per commit."""
    sha = github.pushes("maria", name, {f"{name}.txt": "new\n"})
    arguments = {"conclusion": "success", "title": "Verified", "summary": "-"}
    fault("502-after-write", method="POST", path="/check-runs$")

    with pytest.raises(ForgeUnavailableError):
        await github.forge.complete_check(github.repo, sha, **arguments)
    await github.forge.complete_check(github.repo, sha, **arguments)

    assert github.check(sha) == [("success", "Verified")]


async def test_a_post_is_never_repeated_by_itself(github: StandInWorld, fault: Fault, name: str):
    """A 500 on a POST is one POST; who asked decides about another."""
    issue = github.opens("rita", name, "Help")
    fault("500", method="POST", path="/comments$", count=3)
    github.site.control("DELETE", "/requests")

    with pytest.raises(ForgeUnavailableError):
        await github.forge.upsert_comment(github.repo, issue, body="x", marker=f"<!-- {name} -->", comment_id=None)

    assert [method for method, path in asked(github) if path.endswith("/comments")].count("POST") == 1


async def test_a_read_is_repeated_a_bounded_number_of_times(github: StandInWorld, fault: Fault, name: str):
    """Two failures are bridged, three are not."""
    issue = github.opens("rita", name, "Help")
    fault("500", method="GET", path=f"/issues/{issue}$", count=2)
    found = await github.forge.issue(github.repo, issue)
    assert found is not None

    fault("500", method="GET", path=f"/issues/{issue}$", count=3)
    with pytest.raises(ForgeUnavailableError):
        await github.forge.issue(github.repo, issue)


async def test_a_secondary_limit_says_how_long_to_wait(github: StandInWorld, fault: Fault, name: str):
    """GitHub's Retry-After is handed on, and nothing sleeps or tries again meanwhile."""
    issue = github.opens("rita", name, "Help")
    fault("403-secondary", method="POST", path="/comments$", seconds=37)

    with pytest.raises(ForgeUnavailableError) as limited:
        await github.forge.upsert_comment(github.repo, issue, body="x", marker=f"<!-- {name} -->", comment_id=None)

    assert limited.value.retry_after_s == 37
    assert github.comments(issue) == []


async def test_a_refused_token_is_renewed_once(github: StandInWorld, fault: Fault, name: str):
    """A 401 on a good-looking token costs one new token, and the POST that it refused happens once."""
    issue = github.opens("rita", name, "Help")
    await github.forge.issue(github.repo, issue)
    fault("401", method="POST", path="/comments$")
    github.site.control("DELETE", "/requests")

    await github.forge.upsert_comment(github.repo, issue, body="x", marker=f"<!-- {name} -->", comment_id=None)

    assert len(github.comments(issue)) == 1
    assert [path.endswith("/access_tokens") for _, path in asked(github)].count(True) == 1


async def test_a_token_that_is_refused_again_is_an_error(github: StandInWorld, fault: Fault, name: str):
    """There is one renewal, no loop."""
    issue = github.opens("rita", name, "Help")
    fault("401", method="POST", path="/comments$", count=2)

    with pytest.raises(ForgeRefusedError) as refused:
        await github.forge.upsert_comment(github.repo, issue, body="x", marker=f"<!-- {name} -->", comment_id=None)

    assert refused.value.status == 401


async def test_a_slow_answer_is_no_answer(github: StandInWorld, fault: Fault, name: str):
    """A time-out is transient."""
    issue = github.opens("rita", name, "Help")
    hurried = connect(replace(access(github.site), timeout_s=2))
    fault("slow", method="POST", path="/comments$", seconds=4)

    with pytest.raises(ForgeUnavailableError, match="in time"):
        await hurried.upsert_comment(github.repo, issue, body="x", marker=f"<!-- {name} -->", comment_id=None)

    await hurried.aclose()


async def test_an_unreachable_github_is_transient(github: StandInWorld):
    """A refused connection may be taken later."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = f"http://127.0.0.1:{free.getsockname()[1]}"
    forge = connect(replace(access(github.site), api_url=closed))

    with pytest.raises(ForgeUnavailableError, match="could not be reached"):
        await forge.resolve("acme/shop")

    await forge.aclose()


async def test_a_file_that_changed_since_the_plan_is_not_overwritten(github: StandInWorld, name: str):
    """The edit was made on another blob: it is refused, and nothing is left behind."""
    plan = await plan_for(github, name, "x: 1\n")
    stale = plan.model_copy(update={"edits": (FileEdit(path=SETTINGS, blob_sha="0" * 40, content="x: 1\n"),)})

    with pytest.raises(ForgeRefusedError, match="has changed"):
        await github.forge.propose_change(github.repo, stale, message=stale.title, body="")

    assert plan.branch not in github.branches()


async def test_an_executable_file_stays_one(github: StandInWorld, name: str):
    """The mode of an edited file is kept; a deleted file is gone."""
    plan = await plan_for(github, name, f"#!/bin/sh\n# {name}\n", path=HOOK)
    made = await github.forge.propose_change(github.repo, plan, message=plan.title, body="")

    assert isinstance(made, Done)
    with github.site.user("otto") as client:
        tree = client.get(f"/git/trees/{made.sha}", params={"recursive": 1}).json()["tree"]
    assert [entry["mode"] for entry in tree if entry["path"] == HOOK] == ["100755"]


async def test_a_branch_with_somebody_elses_commits_is_left_alone(github: StandInWorld, name: str):
    """A branch of our name that holds another commit is refused, not overwritten."""
    plan = await plan_for(github, name, f"database:\n  pool_size: 4 # {name}\n")
    theirs = github.pushes("maria", plan.branch, {f"{name}.txt": "theirs\n"})

    made = await github.forge.propose_change(github.repo, plan, message=plan.title, body="")

    assert made == Refused(reason=f"the branch {plan.branch} exists and holds other commits than the planned one")
    commit = await github.forge.commit(github.repo, plan.branch)
    assert commit is not None
    assert commit.sha == theirs


async def test_no_branch_outside_ours_is_written_or_deleted(github: StandInWorld, name: str):
    """A plan for the default branch is refused before anything is sent."""
    plan: Plan = (await plan_for(github, name, "x: 1\n")).model_copy(update={"branch": "main"})

    assert isinstance(await github.forge.propose_change(github.repo, plan, message="x", body=""), Refused)
    assert isinstance(await github.forge.close_pull(github.repo, 1, branch="main"), Refused)
    assert "main" in github.branches()


async def test_our_commit_is_signed(github: StandInWorld, name: str):
    """Made through the API without an author, it is verified and authored by the App's bot."""
    plan = await plan_for(github, name, f"database:\n  pool_size: 4 # {name}\n")
    made = await github.forge.propose_change(github.repo, plan, message=plan.title, body="")

    assert isinstance(made, Done)
    with github.site.user("otto") as client:
        commit = client.get(f"/commits/{made.sha}").json()
    assert commit["commit"]["verification"]["verified"]
    assert commit["author"]["login"] == "sre-space-sandbox[bot]"


async def test_a_protected_branch_says_what_is_missing(github: StandInWorld, name: str):
    """The refusal names the review and the check, and asks for another try; with both there it is merged."""
    plan = await plan_for(github, name, f"database:\n  pool_size: 8 # {name}\n")
    made = await github.forge.propose_change(github.repo, plan, message=plan.title, body="")
    assert isinstance(made, Done)
    order = {"branch": "main", "required_approvals": 1, "required_checks": ["ci"]}
    github.site.control("POST", "/protection", order)
    try:
        refused = await github.forge.merge(github.repo, made.number or 0, head_sha=made.sha or "", title=name)
        assert isinstance(refused, Refused)
        assert refused.retry
        assert "approving review" in refused.reason
        assert "`ci` has not started" in refused.reason
        with github.site.user("otto") as client:
            client.post(f"/pulls/{made.number}/reviews", json={"event": "APPROVE"}).raise_for_status()
            client.post(f"/statuses/{made.sha}", json={"state": "success", "context": "ci"}).raise_for_status()
        merged = await github.forge.merge(github.repo, made.number or 0, head_sha=made.sha or "", title=name)
        assert isinstance(merged, Done)
    finally:
        github.site.control("DELETE", "/protection/main")


async def test_conflicts_are_refused_for_good(github: StandInWorld, name: str):
    """Waiting does not solve a conflict, so no other try is asked for."""
    plan = await plan_for(github, name, f"database:\n  pool_size: 9 # {name}\n")
    made = await github.forge.propose_change(github.repo, plan, message=plan.title, body="")
    assert isinstance(made, Done)
    github.pushes("maria", "main", {SETTINGS: f"database:\n  pool_size: 99 # {name}\n"})

    refused = await github.forge.merge(github.repo, made.number or 0, head_sha=made.sha or "", title=name)

    assert refused == Refused(reason=f"#{made.number} conflicts with main.")


async def test_an_issue_with_our_mark_by_a_person_is_not_ours(github: StandInWorld, name: str):
    """A person who copied the mark does not keep us from opening the incident's issue."""
    theirs = github.opens("maria", "copied", f"<!-- {name} -->", labels=("incident",))

    ours = await github.forge.open_issue(
        github.repo, title=name, body="text", labels=("incident",), marker=f"<!-- {name} -->"
    )

    assert isinstance(ours, Done)
    assert ours.number != theirs


async def test_the_app_is_found_by_repository(github: StandInWorld):
    """The repository with its installation; where the App is not installed, the refusal says what to do."""
    repo = await github.forge.resolve("acme/shop")

    assert (repo.full_name, repo.installation_id) == ("acme/shop", github.site.credentials["installation_id"])
    assert repo.id == github.site.credentials["repository_id"]
    with pytest.raises(ForgeRefusedError, match="not installed on acme/other: install it from"):
        await github.forge.resolve("acme/other")


async def test_calls_are_counted_for_whoever_asks(github: StandInWorld, name: str):
    """Every HTTP request counts, and what is read again unchanged is answered by 304."""
    issue = github.opens("rita", name, "Help")
    await github.forge.issue(github.repo, issue)
    github.site.control("DELETE", "/requests")

    with counting() as calls:
        first = await github.forge.issue(github.repo, issue)

    assert calls.count == 1 == len(asked(github))
    found = github.site.control("GET", "/requests").json()["requests"]
    assert [request["status"] for request in found] == [304]
    assert first is not None
    assert first.title == name
