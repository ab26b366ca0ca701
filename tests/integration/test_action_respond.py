"""`mode: respond`: the steps of action.yml handle event files against the stand-in; recorded telemetry, no server."""

import json
import struct
import time

import pytest
import zstandard

from infra.sandbox.demo.world import SEED
from infra.sandbox.github.testing import stand_in
from telemetry.testing import Chain, Fault
from tests.support_action import Job

pytestmark = pytest.mark.timeout(120)

POOL = Fault(
    error_ratio=0.45,
    error="sqlalchemy.exc.TimeoutError",
    extra_ms=250,
    pool_used=2.0,
    pool_pending=6.0,
)
CALM_S, FAULT_S = 400, 60


@pytest.fixture(scope="module")
def recorded():
    """Export requests of a shop whose pool of quote runs dry, up to now, as the Collector would have written them."""
    spans, points = [], []
    chain = Chain()
    chain.now_s = int(time.time()) - CALM_S - FAULT_S - 5
    take_spans, take_points = chain.state.add_traces, chain.state.add_metrics

    def spans_too(tenant, request):
        spans.append(request)
        return take_spans(tenant, request)

    def points_too(tenant, request):
        points.append(request)
        return take_points(tenant, request)

    chain.state.add_traces, chain.state.add_metrics = spans_too, points_too
    chain.run(CALM_S, {"quote": Fault(pool_used=0.5)})
    signals = chain.run(FAULT_S, {"quote": POOL})
    assert signals, "Scout sees the fault when it is live"
    return {"traces": spans, "metrics": points}


@pytest.fixture
def github(tmp_path):
    """The stand-in with the shop's repository."""
    with stand_in(tmp_path / "github", "--seed", str(SEED)) as site:
        yield site


def write_files(folder, recorded):
    """Write telemetry as the Collector's file exporter does: length-prefixed protobuf in zstd frames."""
    folder.mkdir(parents=True)
    packer = zstandard.ZstdCompressor()
    for kind, requests in recorded.items():
        frames = [packer.compress(request.SerializeToString()) for request in requests]
        content = b"".join(struct.pack(">I", len(frame)) + frame for frame in frames)
        (folder / f"{kind}.otlp.zst").write_bytes(content)


class Workflow:
    """A repository's workflow: one job for each event, with the state that a cache would carry over."""

    def __init__(self, folder, site):
        self._folder, self._site, self._jobs = folder, site, 0
        self.inputs = {"mode": "respond", "bot-login": "sre-space-sandbox[bot]", "state": str(folder / "state")}

    def on(self, event, payload, *, recorded=None, **inputs):
        """Run the Action on an event file, with recorded telemetry in the workspace, and return the job."""
        self._jobs += 1
        folder = self._folder / f"job-{self._jobs}"
        folder.mkdir()
        (folder / "event.json").write_text(json.dumps(payload))
        environment = {
            "GITHUB_API_URL": self._site.api_url,
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "TOKEN_OF_THE_JOB": self._site.installation_token(),
        }
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        job = Job(folder, environment, {**self.inputs, **given})
        if recorded is not None:
            write_files(folder / "workspace" / "otel", recorded)
            job.inputs["telemetry"] = "otel/*.zst"
        job.succeeded = job.run()
        return job


@pytest.fixture
def workflow(tmp_path, github):
    """The workflow of the shop."""
    return Workflow(tmp_path, github)


def opened(github, login="maria", title="Quotes fail", body="Customers of quote see errors."):
    """Open an incident as a person does and return the event that a workflow gets; it has no installation."""
    with github.user(login) as client:
        issue = client.post("/issues", json={"title": title, "body": body, "labels": ["incident"]}).json()
        repository = client.get(github.repo_url).json()
    return {"action": "opened", "issue": issue, "repository": repository, "sender": issue["user"]}


def commented(github, number, body, login="maria"):
    """Comment as a person does and return the event that a workflow gets."""
    with github.user(login) as client:
        comment = client.post(f"/issues/{number}/comments", json={"body": body}).json()
        issue, repository = client.get(f"/issues/{number}").json(), client.get(github.repo_url).json()
    event = {"action": "created", "issue": issue, "comment": comment, "repository": repository}
    return {**event, "sender": comment["user"]}


def read(github, path):
    """Return a resource of the repository."""
    with github.user("otto") as client:
        return client.get(path).raise_for_status().json()


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
