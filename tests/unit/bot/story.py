"""Whole incidents in a fake world: real handlers, agents, texts and delivery over FakeForge and fake telemetry."""

from datetime import timedelta

from pydantic import SecretStr

from agents.incident import Incident, RepoRef
from agents.results import apply
from agents.stages import ACTS
from agents.testing.builders import ONSET, REPO
from agents.testing.memory import FakeMemory
from agents.testing.shop import Shop
from agents.testing.telemetry import FakeTelemetry
from bot.app.work import build_steps
from bot.comments import Texts
from bot.delivery import deliver
from bot.events import Event, IssueCommentEvent, SignalEvent
from bot.handlers import issue_comment, signals
from bot.handlers.deps import Deps
from bot.markers import Markers
from telemetry.model import Health, RevisionSeen, SeriesKey, Signal, SliReport, SliWindow

STEPS = 50


class Story:
    """A shop, its people and its bot. Time stands still but for `wait`, and moves by two seconds per step."""

    def __init__(self, shop: Shop | None = None) -> None:
        self.shop = shop or Shop()
        self.github = self.shop.github
        self.github.clock = ONSET + timedelta(seconds=16)
        self.github.grant("maria", "maintain")
        self.memory = FakeMemory()
        self.telemetry = FakeTelemetry()
        self.markers = Markers(SecretStr("secret"))
        self.texts = Texts(self.markers, dashboard_url="https://sre.example")
        self.deps = Deps(self.shop.forge, self.github.now, self.markers, "incident", self._repo)
        self.steps = build_steps(self.shop.forge, self.telemetry, self.memory, self.github.now)

    async def _repo(self, _: Signal) -> RepoRef:
        return REPO

    async def signalled(self, signal: Signal) -> Incident:
        """Return the incident of a signal, as far as it goes without people."""
        opened = await signals.handle(None, SignalEvent(signal=signal), self.deps)
        assert opened is not None
        return await self.goes_on(opened)

    async def says(self, incident: Incident, login: str, body: str) -> Incident:
        """Return the incident after somebody commented on its issue."""
        comment = self.github.says(incident.issue or 0, login, body)
        payload = {
            "action": "created",
            "sender": {"login": login, "id": comment.author_id},
            "repository": {"id": REPO.id, "name": REPO.name, "owner": {"login": REPO.owner, "id": 1}},
            "installation": {"id": REPO.installation_id},
            "issue": {"number": incident.issue, "created_at": comment.created_at, "updated_at": comment.created_at},
            "comment": {
                "id": comment.id,
                "body": body,
                "user": {"login": login, "id": comment.author_id},
                "created_at": comment.created_at,
            },
        }
        event: Event = IssueCommentEvent.model_validate(payload)
        answered = await issue_comment.handle(incident, event, self.deps)
        assert answered is not None
        return await self.goes_on(answered)

    async def goes_on(self, incident: Incident) -> Incident:
        """Deliver writes and take steps until the incident waits."""
        for _ in range(STEPS):
            if incident.outgoing:
                incident = await self.delivered(incident)
            elif incident.stage in ACTS and (incident.wake_at is None or incident.wake_at <= self.github.now()):
                self.wait(2)
                incident = await self.steps[ACTS[incident.stage]](incident.evolve(wake_at=None))
            else:
                return incident
        raise AssertionError(incident.stage)

    async def delivered(self, incident: Incident) -> Incident:
        """Carry out the first write."""
        write, *others = incident.outgoing
        incident = incident.evolve(outgoing=tuple(others))
        result = await deliver(incident, write, self.shop.forge, self.texts)
        return apply(incident, write, result, self.github.now())

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.github.tick(timedelta(seconds=seconds))

    def deploys(self, service: str) -> None:
        """Show the head of the default branch in telemetry."""
        now = self.github.now()
        seen = RevisionSeen(service=service, version=None, revision=self.shop.head, first_seen=now, last_seen=now)
        self.telemetry.revisions[service] = (seen,)

    def recovers(self, *services: str, windows: int = 5) -> None:
        """Show healthy windows of every operation of these services from now on."""
        start = self.github.now()

        def answer(key: SeriesKey, _: object, revision: str | None) -> SliReport:
            return SliReport(
                key=key,
                revision=revision,
                baseline_error_ratio=0.001,
                windows=tuple(_healthy(start + timedelta(minutes=number), number) for number in range(windows)),
            )

        for service in services:
            self.telemetry.answers[service] = answer

    def bodies(self) -> list[str]:
        """Return all comments, oldest first."""
        return [comment.body for _, comment in self.github.comments.values()]


def _healthy(start: object, number: int) -> SliWindow:
    return SliWindow.model_validate(
        {
            "requests": 1500 + number,
            "errors": 1,
            "p50_ms": 200,
            "p95_ms": 257,
            "p99_ms": 280,
            "start": start,
            "end": start + timedelta(minutes=1),  # type: ignore[operator]
            "health": Health.HEALTHY,
        }
    )
