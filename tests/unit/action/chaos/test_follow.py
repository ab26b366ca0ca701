"""The wait for SRE-Space, over a GitHub that changes from look to look."""

from datetime import UTC, datetime, timedelta

from action.chaos.follow import Follower, Terms
from action.chaos.hub import Comment, Head, HubError, Issue, Pull, User
from action.chaos.milestones import Milestones, Stopped
from action.settings import Until
from tests.requirements import ROOT

GOLDEN = ROOT / "tests/unit/bot/comments/golden"
START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BOT = User(login="sre-space[bot]", type="Bot")
MARIA = User(login="maria")
BODY = (
    GOLDEN / "issue.md"
).read_text() + "\n<!-- sre-space:issue:inc-1:open_issue 00000000000000000000000000000000 -->"
ANALYSIS = (GOLDEN / "sticky_waiting.md").read_text()


def issue(number=5, after_s=20, **changes):
    """Return an incident's issue."""
    made = {"number": number, "html_url": "u", "state": "open", "user": BOT, "body": BODY}
    return Issue(**{**made, "created_at": START + timedelta(seconds=after_s), **changes})


class FakeHub:
    """GitHub at a moment; `later` changes it when a look is over."""

    def __init__(self):
        self.open, self.said, self.proposed, self.broken = [], [], [], 0

    def issues(self, label, state):
        if self.broken:
            self.broken -= 1
            raise HubError("GitHub answered 502", retry_after_s=7)
        return tuple(self.open)

    def issue(self, number):
        return next(found for found in self.open if found.number == number)

    def comments(self, number):
        return tuple(self.said)

    def pulls(self):
        return tuple(self.proposed)


class World:
    """A clock that moves when the follower sleeps, and what happens meanwhile."""

    def __init__(self, *happens, **terms):
        self.hub, self.slept, self.noted = FakeHub(), [], []
        self._happens, self._now = list(happens), START
        given = {"until": Until.RECOVERY, "label": "incident", "bot_login": "", "blast_radius": {"quote", "gateway"}}
        limits = {"detection_timeout_s": 60, "max_duration_s": 300, "poll_s": 5}
        self.terms = Terms(**{**given, **limits, **terms})

    def sleep(self, seconds):
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)
        if self._happens:
            self._happens.pop(0)(self.hub)

    def follow(self):
        follower = Follower(self.hub, self.terms, lambda: self._now, self.sleep, self.noted.append)
        return follower.follow(Milestones(armed_at=START, onset=START), START)


def opens(hub):
    """The incident's issue is opened."""
    hub.open = [issue()]


def explains(hub):
    """The analysis is posted."""
    hub.said = [Comment(body=ANALYSIS, user=BOT, updated_at=START + timedelta(seconds=22))]


def proposes(hub):
    """The pull request is opened."""
    made = START + timedelta(seconds=23)
    hub.proposed = [Pull(number=6, html_url="p", head=Head(ref="sre-space/inc-1/abc"), created_at=made)]


def closes(hub, by=BOT, reason="completed"):
    """The issue is closed."""
    ended = START + timedelta(seconds=90)
    hub.open = [issue(state="closed", state_reason=reason, closed_by=by, closed_at=ended)]


def test_all_milestones_are_seen_in_turn():
    """From nothing to the close by the bot; each look is noted down."""
    world = World(opens, explains, proposes, closes)
    found = world.follow()
    assert found.stopped is Stopped.REACHED
    assert (found.incident, found.pull_request, found.cause_service) == (5, 6, "quote")
    assert found.recovered_at == START + timedelta(seconds=90)
    assert [noted.incident for noted in world.noted] == [None, 5, 5, 5, 5]


def test_the_wait_ends_with_what_was_asked_for():
    """Until the analysis: the pull request is not waited for."""
    found = World(opens, explains, until=Until.ANALYSIS).follow()
    assert (found.stopped, found.pull_request) == (Stopped.REACHED, None)


def test_a_close_by_a_person_is_no_recovery():
    """Only what SRE-Space has proven counts, and only as completed."""
    by_person = World(opens, lambda hub: closes(hub, by=MARIA)).follow()
    not_planned = World(opens, lambda hub: closes(hub, reason="not_planned")).follow()
    assert (by_person.stopped, by_person.recovered_at) == (Stopped.CLOSED_UNRESOLVED, None)
    assert (not_planned.stopped, not_planned.recovered_at) == (Stopped.CLOSED_UNRESOLVED, None)


def test_nothing_in_time_is_not_detected():
    """The wait for the incident has its own limit."""
    world = World()
    assert world.follow().stopped is Stopped.NOT_DETECTED
    assert sum(world.slept) < 70


def test_an_incident_that_does_not_end_times_out():
    """The whole wait has a limit."""
    assert World(opens).follow().stopped is Stopped.TIMED_OUT


def test_issues_of_people_older_ones_and_those_of_other_bots_are_no_detection():
    """A person's report, yesterday's incident and somebody else's bot do not count."""

    def noise(hub):
        other = User(login="other[bot]", type="Bot")
        hub.open = [issue(1, user=MARIA), issue(2, after_s=-60), issue(3, user=other), issue(4, body="no mark")]

    assert World(noise, bot_login="SRE-space[bot]").follow().stopped is Stopped.NOT_DETECTED


def test_a_service_outside_the_blast_radius_stops_the_run():
    """Also when a second incident names it."""

    def spreads(hub):
        hub.open = [issue(), issue(7, body=BODY.replace("| quote |", "| billing |"))]

    found = World(opens, spreads).follow()
    assert found.stopped is Stopped.BLAST_RADIUS
    assert (found.services, found.other_incidents) == (("billing", "quote"), (7,))


def test_a_handover_to_people_stops_the_run():
    """An escalated incident will not be resolved by itself."""

    def hands_over(hub):
        hub.said = [Comment(body=(GOLDEN / "sticky_escalated.md").read_text(), user=BOT, updated_at=START)]

    assert World(opens, hands_over).follow().stopped is Stopped.ESCALATED


def test_what_github_does_not_answer_is_asked_again_after_the_wait_that_it_asks_for():
    """A failed look is neither a detection nor its absence."""

    def breaks(hub):
        hub.broken = 1

    world = World(breaks, opens, explains, proposes, closes)
    assert world.follow().stopped is Stopped.REACHED
    assert 7 in world.slept
