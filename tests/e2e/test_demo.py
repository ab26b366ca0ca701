"""The demo as a newcomer runs it: real processes, a real fault, a real fix."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

SETTINGS = "services/quote/settings.yaml"


def left_over(folder: Path):
    """Return the processes that still have something to do with a demo's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and str(folder) in " ".join(
                [*process.cmdline(), *process.environ().values()]
            ):
                found.append(process.cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def demo(folder: Path, *arguments, code=0):
    """Run the demo to its end and return its incidents; nothing that it started is left."""
    report = folder / "report.json"
    command = [sys.executable, "-m", "bot", "demo", "--yes", "--json", "--report", str(report)]
    done = subprocess.run(
        [*command, "--state", str(folder / "state"), *arguments],
        capture_output=True,
        text=True,
        timeout=850,
        check=False,
    )
    assert done.returncode == code, done.stderr[-3000:]
    assert json.loads(done.stdout) == json.loads(report.read_text())
    assert left_over(folder / "state") == []
    return json.loads(done.stdout)["incidents"]


def changed_lines(diff):
    """Return the lines that a unified diff takes away and adds."""
    return [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}]


def assert_pool_raised(incident):
    """The fix of the pool changes one line of one file, and every duration is there and in order."""
    assert incident["outcome"] == "resolved"
    assert (incident["cause_service"], incident["cause_kind"]) == ("quote", "db_pool_exhaustion")
    before, after = changed_lines(incident["fix_diff"])
    assert (before.strip(), after.split(":")[0]) == ("-  pool_size: 2", "+  pool_size")
    assert incident["fix_diff"].count("+++ b/") == incident["fix_diff"].count(f"+++ b/{SETTINGS}") == 1
    assert 0 < incident["ttd_s"] < incident["ttm_s"] <= incident["ttr_s"]
    assert incident["merge_commit"]
    assert incident["approved_by"] == ["maria"]


def test_a_dry_pool_is_found_explained_fixed_and_verified(tmp_path):
    """The main job: from a fault to a verified recovery, in one command."""
    (incident,) = demo(tmp_path)
    assert_pool_raised(incident)
    assert not incident["from_memory"]


@pytest.mark.long
def test_every_scenario_ends_resolved_with_the_right_culprit(tmp_path):
    """The pool, the commit that broke a code path, and the setting that made pricing slow."""
    pool, deploy, latency = demo(tmp_path, "--scenario", "all")
    assert_pool_raised(pool)
    log = subprocess.run(
        ["git", "--git-dir", str(next((tmp_path / "state" / "github").rglob("HEAD")).parent), "log", "--format=%H %s"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    subjects = dict(line.split(" ", 1) for line in log.splitlines())
    assert (deploy["outcome"], deploy["cause_service"]) == ("resolved", "quote")
    assert "discount" in subjects[deploy["suspect_commit"]].lower()
    assert (latency["outcome"], latency["cause_service"]) == ("resolved", "pricing")
    assert "tax" in subjects[latency["suspect_commit"]].lower()
    assert "services/pricing/settings.yaml" in latency["fix_diff"]


@pytest.mark.long
def test_the_second_time_the_fix_comes_from_memory_and_still_needs_its_approval(tmp_path):
    """Same signature, same remedy, marked as remembered, approved by a person again."""
    first, second = demo(tmp_path, "--times", "2")
    assert_pool_raised(first)
    assert_pool_raised(second)
    assert [first["from_memory"], second["from_memory"]] == [False, True]


@pytest.mark.long
def test_a_fix_that_does_not_help_is_taken_back(tmp_path):
    """The incident is not closed: a revert pull request and an escalation appear."""
    (incident,) = demo(tmp_path, "--never-recover")
    assert incident["outcome"] == "escalated"
    assert incident["merge_commit"]
    assert incident["revert_pull_request"]
    assert incident["ttr_s"] is None


def test_ctrl_c_stops_every_process(tmp_path):
    """SIGINT in the middle ends with 130 and leaves nothing behind."""
    state = tmp_path / "state"
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "demo", "--yes", "--state", str(state), "--report", str(tmp_path / "r.json")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    started = datetime.now(UTC)
    while not (state / "shop" / "deployed.json").exists():
        assert process.poll() is None
        assert (datetime.now(UTC) - started).total_seconds() < 90
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert left_over(state) == []
