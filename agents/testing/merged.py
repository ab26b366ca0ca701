"""A world in which a fix was just merged: a repository, Scout, memory and a clock around one Curator."""

from datetime import datetime, timedelta

from agents.curator import curator
from agents.incident import Incident, Merge, Stage, Verification
from agents.testing.builders import ONSET, anomaly, bundle, incident, red, signal, summary
from agents.testing.flow import POOL_FIX, diagnosis
from agents.testing.forge import FakeForge
from agents.testing.github import GitHub
from agents.testing.memory import FakeMemory
from agents.testing.telemetry import FakeTelemetry
from telemetry.model import Detector, Health, RevisionSeen, SeriesKey, SliReport, SliWindow

MERGED = ONSET + timedelta(minutes=10)
OP = "GET /quote"
CONFIG = """\
version: 1
services: {quote: {paths: ["services/quote/**"]}}
verification: {window_s: 5, windows: 3, min_requests: 10, deploy_timeout_s: 60, recovery_timeout_s: 90}
"""
EVIDENCE = bundle(
    red("quote", OP, summary(100, 0, 10), summary(100, 50, 10)),
    red("pricing", "GET /price", summary(100, 0, 10), summary(100, 0, 10)),
)
SIGNAL = signal(EVIDENCE, anomaly("quote", OP, Detector.ERRORS, "50 % of requests failed"))


class MergedWorld:
    """A repository, Scout, memory and a clock around one curator; `asked` holds the questions about SLIs."""

    def __init__(self, config: str = CONFIG) -> None:
        self.github = GitHub()
        self.before = self.github.pushes("main", {"README.md": "before"}, login="maria")
        self.fix = self.github.pushes("main", {".github/sre-space.yml": config}, login="maria")
        self.telemetry = FakeTelemetry()
        self.memory = FakeMemory()
        self.time = MERGED
        self.asked: list[tuple[str, datetime, str | None]] = []
        self.step = curator(FakeForge(self.github), self.telemetry, self.memory, lambda: self.time)

    def merged(self, **changes: object) -> Incident:
        """Return an incident whose fix was merged."""
        merge = Merge(sha=self.fix, at=MERGED)
        values = {"merge": merge, "remedy": POOL_FIX, "diagnosis": diagnosis(), **changes}
        return incident(SIGNAL, Stage.VERIFYING, **values)

    def deployed(self, good: int = 0, **changes: object) -> Incident:
        """Return an incident whose fix has been running since the merge."""
        check = Verification(
            window_s=5,
            windows=3,
            min_requests=10,
            deploy_deadline=MERGED + timedelta(seconds=60),
            recovery_timeout_s=90,
            deployed_at=MERGED,
            deployed_revision=self.fix,
            healthy_windows=good,
        )
        return self.merged(verification=check, **changes)

    def shows(self, revision: str | None, version: str | None = None, *, last_seen: datetime = MERGED) -> None:
        """Let telemetry show one version of quote."""
        first = MERGED - timedelta(minutes=1)
        seen = RevisionSeen(service="quote", version=version, revision=revision, first_seen=first, last_seen=last_seen)
        self.telemetry.revisions["quote"] = (*self.telemetry.revisions.get("quote", ()), seen)

    def reports(self, windows: int, health: Health = Health.HEALTHY) -> None:
        """Let every series answer with so many windows of 5 s."""

        def told(key: SeriesKey, since: datetime, revision: str | None) -> SliReport:
            self.asked.append((key.service, since, revision))
            found = tuple(
                SliWindow(
                    start=since + timedelta(seconds=5 * n),
                    end=since + timedelta(seconds=5 * n + 5),
                    health=health,
                    requests=100,
                    errors=0,
                )
                for n in range(windows)
            )
            return SliReport(key=key, revision=revision, baseline_error_ratio=0.0, windows=found)

        self.telemetry.answers = {"quote": told, "pricing": told}
