"""`mode: respond` to the end of an incident: reported, explained, approved, merged, verified, closed; no server."""

import asyncio
import time
from datetime import datetime

import pytest

from infra.sandbox.demo.world import SEED
from infra.sandbox.github.testing import stand_in
from tests.support_respond import Recording, Workflow, commented, opened, read

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(240)]

HEALTHY_S = 50
"""Well over the four windows of five seconds that the shop asks for: a slow job notes the merge later than GitHub."""


async def test_a_schedule_closes_the_incident_once_telemetry_shows_the_deployed_fix(tmp_path):
    """Three jobs: an issue, `/approve`, and a schedule that finds newer telemetry from the merge commit."""
    recording = Recording()
    with stand_in(tmp_path / "github", "--seed", str(SEED)) as github:
        workflow = Workflow(tmp_path, github)
        event = opened(github)
        number = event["issue"]["number"]
        workflow.on("issues", event, recorded=recording.requests)
        approval = commented(github, number, "/approve")
        second = workflow.on("issue_comment", approval, recorded=recording.requests, max_wait_s="2")
        assert second.results["reason-code"] == "verifying", second.log

        pull = read(github, f"/pulls/{second.results['pull-request']}")
        merged_s = int(datetime.fromisoformat(pull["merged_at"]).timestamp())
        await asyncio.sleep(max(0, merged_s + HEALTHY_S + 3 - time.time()))
        recording.recovers(pull["merge_commit_sha"], merged_s + 1, HEALTHY_S)
        third = workflow.on("schedule", {}, recorded=recording.requests, max_wait_s="60")
        assert third.succeeded, third.log
        assert third.results["reason-code"] == "resolved", third.log
        issue = read(github, f"/issues/{number}")
        assert (issue["state"], issue["state_reason"]) == ("closed", "completed")
        assert "Post-mortem" in read(github, f"/issues/{number}/comments")[-1]["body"]
