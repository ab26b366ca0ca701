"""What `sre-space status` shows."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from bot.status import ProcessStatus, ScoutHealth, health_table, table
from telemetry.steps import whole
from telemetry.testing import Chain


@pytest.mark.parametrize(
    ("name", "rss_mb", "marked"), [("scout", 600.0, True), ("scout", 500.0, False), ("web", 600.0, False)]
)
def test_a_guarded_process_above_the_limit_is_marked(name, rss_mb, marked):
    """The web process takes webhooks whatever its size."""
    one = ProcessStatus(name=name, state="running", pid=1, url=None, rss_mb=rss_mb, restarts=0, log=None)
    console = Console(width=200, file=io.StringIO())
    console.print(table((one,), 512))
    assert ("over the limit of 512 MB" in console.file.getvalue()) is marked


def test_scouts_own_health_is_shown_in_numbers():
    """Rate, totals, drops by reason, lag and keys, as Scout tells them."""
    chain = Chain(rate_rps=6.0)
    chain.run(200)
    chain.state._drops.count("late", 1200)
    status = whole(chain.scout.status())
    health = ScoutHealth.of(status, status.watermark + timedelta(seconds=7))
    assert health.spans_per_s == pytest.approx(30, rel=0.2)  # 6 requests a second, 5 spans each
    assert (health.series, health.baselines, health.lag_s) == (3, 3, 7.0)
    console = Console(width=120, file=io.StringIO())
    console.print(health_table(health))
    shown = console.file.getvalue()
    assert "1,200 late" in shown
    assert "7 s behind" in shown
    assert f"{status.spans_total:,} in all" in shown


def test_a_scout_without_telemetry_says_so():
    """No lag of zero is made up."""
    health = ScoutHealth.of(whole(Chain().scout.status()))
    console = Console(width=120, file=io.StringIO())
    console.print(health_table(health))
    assert health.lag_s is None
    assert "no telemetry yet" in console.file.getvalue()
