"""`mode: respond`: the steps of action.yml handle event files against the stand-in; recorded telemetry, no server."""

import pytest

from infra.sandbox.demo.world import SEED
from infra.sandbox.github.testing import stand_in
from tests.support_respond import Recording, Workflow, commented, opened, read

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def recorded():
    """Export requests of a shop with a fault that is there now."""
    return Recording().requests


@pytest.fixture
def github(tmp_path):
    """The stand-in with the shop's repository."""
    with stand_in(tmp_path / "github", "--seed", str(SEED)) as site:
        yield site


@pytest.fixture
def workflow(tmp_path, github):
    """The workflow of the shop."""
    return Workflow(tmp_path, github)


def test_an_issue_becomes_a_pull_request_and_approve_merges_it_from_event_files_alone(workflow, github, recorded):
    """Two jobs, two event files, one state folder: analysis, fix and merge; then it waits for the deploy."""
    event = opened(github)
    number = event["issue"]["number"]
    first = workflow.on("issues", event, recorded=recorded)
    assert first.succeeded, first.log
    pull = int(first.results["pull-request"])
    assert first.results["reason-code"] == "awaiting-approval"
    assert (first.results["decision"], first.results["incident"]) == ("pass", str(number))
    assert f"[#{number}]" in first.summary
    analysis = read(github, f"/issues/{number}/comments")[0]
    assert analysis["user"]["login"] == "sre-space-sandbox[bot]"
    assert "Root cause" in analysis["body"]
    assert "db pool exhaustion" in analysis["body"]
    changed = read(github, f"/pulls/{pull}/files")[0]["patch"]
    assert "-  pool_size: 2\n+  pool_size: " in changed

    refused = workflow.on("issue_comment", commented(github, number, "/approve", login="rita"), recorded=recorded)
    assert refused.results["reason-code"] == "awaiting-approval", "who only reads cannot approve"
    assert not read(github, f"/pulls/{pull}")["merged"]

    approval = commented(github, number, "/approve")
    second = workflow.on("issue_comment", approval, recorded=recorded, max_wait_s="3")
    assert second.succeeded, second.log
    assert read(github, f"/pulls/{pull}")["merged"]
    assert second.results["reason-code"] == "verifying"
    assert read(github, f"/issues/{number}")["state"] == "open", "a merge without a deploy never closes"
    reactions = read(github, f"/issues/comments/{approval['comment']['id']}/reactions")
    assert {found["content"] for found in reactions} == {"eyes", "rocket"}


def test_without_telemetry_the_issue_is_handed_over_and_says_why_once(workflow, github):
    """Nothing is made up: the comment names the inputs that are missing. A job that is run again changes nothing."""
    event = opened(github)
    job = workflow.on("issues", event)
    assert job.succeeded, job.log
    assert job.results["reason-code"] == "escalated"
    comments = read(github, f"/issues/{event['issue']['number']}/comments")
    said = "\n".join(found["body"] for found in comments)
    assert "this workflow gives me no telemetry" in said
    assert "Handed over to people" in said
    again = workflow.on("issues", event)
    assert again.succeeded
    assert again.results == {"decision": "pass", "reason-code": "nothing-to-do"}
    assert read(github, f"/issues/{event['issue']['number']}/comments") == comments


def test_an_event_that_is_not_handled_fails_with_a_plain_sentence(workflow):
    """The workflow's author is told which events there are."""
    job = workflow.on("push", {"ref": "refs/heads/main"})
    assert not job.succeeded
    assert job.results, job.log
    assert job.results["decision"] == "abort"
    assert "::error title=SRE-Space::`mode: respond` handles issue_comment, issues" in job.log
