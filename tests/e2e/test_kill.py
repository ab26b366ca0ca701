"""Killing the worker at every step loses nothing and doubles nothing."""

import json
import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.support_world import Site, running_site, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

KILL_AT = ("issue", "comment", "branch", "pull")


async def state(site: Site):
    """Return how much of each there is: issues, root-cause comments, all comments, our branches, pull requests."""
    issues = [item for item in await site.get("/issues?state=all&per_page=100") if "pull_request" not in item]
    comments = [comment for issue in issues for comment in await site.comments(issue["number"])]
    return {
        "issue": len(issues),
        "comment": sum("Root cause" in comment["body"] for comment in comments),
        "comments": len(comments),
        "branch": len(await site.get("/git/matching-refs/heads/sre-space/")),
        "pull": len(await site.get("/pulls?state=all")),
    }


async def kill_worker(state_dir: Path):
    """SIGKILL the worker that runs now and return once another has taken its place."""
    run_file = state_dir / "run" / "worker.json"
    pid = json.loads(run_file.read_text())["pid"]
    os.kill(pid, signal.SIGKILL)

    async def another():
        run = json.loads(run_file.read_text())
        return run["pid"] not in {pid, None} and psutil.pid_exists(run["pid"])

    await until(another, "another worker")


async def test_killing_the_worker_at_every_step_leaves_one_of_everything(tmp_path):
    """SIGKILL after the issue, the root-cause comment, the branch and the pull request: one of each remains."""
    async with running_site(tmp_path) as site:
        await site.signal()
        for what in KILL_AT:

            async def there(what=what):
                return (await state(site))[what]

            await until(there, what)
            await kill_worker(site.state_dir)
        await site.until_stage("awaiting_approval")
        await site.until_idle()
        assert await state(site) == {"issue": 1, "comment": 1, "comments": 1, "branch": 1, "pull": 1}
