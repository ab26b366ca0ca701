"""What `sre-space status` shows."""

import io

import pytest
from rich.console import Console

from bot.status import ProcessStatus, table


@pytest.mark.parametrize(
    ("name", "rss_mb", "marked"), [("scout", 600.0, True), ("scout", 500.0, False), ("web", 600.0, False)]
)
def test_a_guarded_process_above_the_limit_is_marked(name, rss_mb, marked):
    """The web process takes webhooks whatever its size."""
    one = ProcessStatus(name=name, state="running", pid=1, url=None, rss_mb=rss_mb, restarts=0, log=None)
    console = Console(width=200, file=io.StringIO())
    console.print(table((one,), 512))
    assert ("over the limit of 512 MB" in console.file.getvalue()) is marked
