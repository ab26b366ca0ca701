"""The clock of the stand-in, stopped and moved on."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from infra.sandbox.github.testing import StandIn, stand_in

STOPPED = "2026-03-02T09:30:16Z"
LATER = "2026-03-02T11:00:00Z"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[StandIn]:
    """A stand-in whose clock stands still from the start."""
    with stand_in(tmp_path, "--now", STOPPED) as running:
        yield running


def test_a_stopped_clock_dates_everything_until_it_is_moved_or_runs_again(site: StandIn) -> None:
    """Commits, issues and comments bear its time; who has a token keeps it for a real hour."""
    token = site.installation_token()
    with site.user("maria") as maria, site.client(f"token {token}") as app:
        (first,) = maria.get("/commits").json()
        issue = maria.post("/issues", json={"title": "x"}).json()
        assert (first["commit"]["author"]["date"], issue["created_at"]) == (STOPPED, STOPPED)

        assert site.control("POST", "/clock", {"now": LATER}).json() == {"now": LATER}
        said = app.post(f"/issues/{issue['number']}/comments", json={"body": "y"}).raise_for_status().json()
        assert said["created_at"] == LATER

        assert site.control("POST", "/clock", {"now": None}).is_success
        last = maria.post("/issues", json={"title": "z"}).json()
    assert datetime.now(UTC) - datetime.fromisoformat(last["created_at"]) < timedelta(minutes=5)


def test_the_clock_is_set_to_a_moment_with_its_offset(site: StandIn) -> None:
    """Another offset means the same moment; a time without one is refused."""
    assert site.control("POST", "/clock", {"now": "2026-03-02T12:00:00+01:00"}).json() == {"now": LATER}
    with pytest.raises(httpx.HTTPStatusError, match="422"):
        site.control("POST", "/clock", {"now": "2026-03-02T12:00:00"})
