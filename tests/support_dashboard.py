"""Incidents for the dashboard: made by the real agents in a fake world, then moved in time and multiplied."""

import json
import re
from datetime import datetime, timedelta
from random import Random

from agents.incident import Agent, Incident, Stage
from agents.testing.builders import ONSET
from agents.testing.scenarios import deploy_signal, latency_signal, pool_signal
from agents.testing.shop import Shop, with_autonomy
from telemetry.model import Health, RedEvidence, RedPoint, Signal
from tests.support_store import TestClock, open_store
from tests.unit.bot.story import Story

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
LONG = "a-service-with-a-very-long-name-that-nobody-would-choose-" * 3
XSS = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


def with_series(signal: Signal, seed: int = 1) -> Signal:
    """Return the signal with a point per tick in its RED evidence, as Scout sends it."""
    random = Random(seed)
    items = []
    for item in signal.evidence.items:
        if not isinstance(item, RedEvidence):
            items.append(item)
        else:
            points = []
            for number in range(24):
                red = item.after if number >= 16 else item.before
                ticks = 8 if number >= 16 else 60
                requests = round(red.requests / ticks * random.uniform(0.9, 1.1))
                errors = round(requests * red.errors / max(1, red.requests))
                at = ONSET + timedelta(seconds=5 * (number - 16))
                points.append(RedPoint(at=at, requests=requests, errors=errors, p95_ms=red.p95_ms))
            items.append(item.model_copy(update={"series": tuple(points)}))
    return signal.model_copy(update={"evidence": signal.evidence.model_copy(update={"items": tuple(items)})})


async def waiting_for_approval() -> Incident:
    """Return pool exhaustion whose fix waits for a person."""
    return await Story().signalled(with_series(pool_signal()))


async def bad_deploy() -> Incident:
    """Return a bad deploy with a suspect commit that is too old to be reverted without people."""
    shop = Shop()
    shop.break_discounts()
    bad = shop.head
    signal = deploy_signal()
    evidence = json.loads(signal.evidence.model_dump_json())
    for item in evidence["items"]:
        if item["kind"] == "version":
            item |= {"revision_after": bad, "revision_before": shop.first}
    moved = signal.model_copy(update={"evidence": type(signal.evidence).model_validate(evidence)})
    return await Story(shop).signalled(with_series(moved, 2))


async def dry_run() -> Incident:
    """Return pool exhaustion in a repository where the fix is only shown."""
    return await Story(Shop(with_autonomy("dry-run"))).signalled(with_series(pool_signal()))


async def latency_escalated() -> Incident:
    """Return a latency spike that people take over."""
    return await Story().signalled(with_series(latency_signal(), 3))


async def resolved() -> Incident:
    """Return pool exhaustion that was approved, merged, deployed and verified."""
    story = Story()
    found = await story.signalled(with_series(pool_signal(), 4))
    story.wait(41)
    found = await story.says(found, "maria", "/approve")
    story.wait(9)
    story.deploys("quote")
    story.recovers("quote", "gateway", "pricing")
    found = await story.goes_on(found)
    story.wait(62)
    return await story.goes_on(found)


async def verifying() -> Incident:
    """Return a merged and deployed fix that is being watched: good, bad and missing windows."""
    found = await resolved()
    entries = [entry for entry in found.timeline if entry.stage not in {Stage.LEARNING, Stage.EVOLVING, Stage.RESOLVED}]
    assert found.verification is not None
    kinds = (Health.UNHEALTHY, Health.NO_DATA, Health.UNHEALTHY, Health.HEALTHY, Health.HEALTHY)
    reports = tuple(
        report.model_copy(
            update={
                "windows": tuple(
                    window.model_copy(update={"health": health, "errors": 400 if health is Health.UNHEALTHY else 0})
                    for window, health in zip(report.windows, kinds, strict=False)
                )
            }
        )
        for report in found.verification.reports
    )
    check = found.verification.model_copy(update={"reports": reports, "healthy_windows": 2})
    clock = found.clock.model_copy(update={"mitigated": None, "resolved": None})
    return found.evolve(stage=Stage.VERIFYING, timeline=tuple(entries), verification=check, clock=clock)


def moved(incident: Incident, onset: datetime, number: int, **changes: object) -> Incident:
    """Return the incident as if it had begun at `onset`, with another id, issue and pull request."""
    delta = onset - incident.clock.onset

    def shift(match: re.Match[str]) -> str:
        return (datetime.fromisoformat(match[0]) + delta).isoformat()

    found = Incident.model_validate_json(_MOMENT.sub(shift, incident.model_dump_json()))
    url = f"https://github.example/acme/shop/issues/{number}"
    pull = found.pull_request
    renamed = found.evolve(id=f"inc-{number:06d}", issue=number, issue_url=url, outgoing=(), wake_at=None, **changes)
    if pull is None:
        return renamed
    return renamed.evolve(pull_request=pull.model_copy(update={"number": number + 1, "url": f"{url}-fix"}))


async def fill(url: str, incidents: list[Incident]) -> None:
    """Store incidents, oldest first, each as of its detection."""
    clock = TestClock()
    async with open_store(url, clock) as store:
        for incident in sorted(incidents, key=lambda each: each.clock.detected):
            clock.time = incident.clock.detected
            await store.save(incident, 0)


async def few(now: datetime) -> list[Incident]:
    """Return one incident in each interesting state, begun in the last hours."""
    made = [
        await resolved(),
        await latency_escalated(),
        await bad_deploy(),
        await verifying(),
        await waiting_for_approval(),
    ]
    ages_s = (9000, 5200, 3300, 700, 150)
    return [
        moved(incident, now - timedelta(seconds=age_s), 10 + 2 * number)
        for number, (incident, age_s) in enumerate(zip(made, ages_s, strict=True))
    ]


async def many(now: datetime, count: int) -> list[Incident]:
    """Return `count` incidents over the last 28 days, most of them over."""
    random = Random(7)
    ended = [await resolved(), await latency_escalated(), await resolved()]
    found: list[Incident] = []
    for number in range(count):
        age_s = random.uniform(20_000, 28 * 86400)
        incident = moved(random.choice(ended), now - timedelta(seconds=age_s), 100 + 2 * number)
        stretch = random.uniform(0.6, 2.2)
        times = {
            name: incident.clock.onset + (at - incident.clock.onset) * stretch
            for name in ("detected", "owned", "mitigated", "resolved")
            if (at := getattr(incident.clock, name)) is not None
        }
        found.append(incident.evolve(clock=incident.clock.model_copy(update=times)))
    return found


def hostile(now: datetime, incident: Incident) -> Incident:
    """Return an incident whose title, notes and names are made to break a page."""
    found = moved(incident, now - timedelta(seconds=30), 900, title=f"{XSS} {LONG}", service=LONG)
    note = found.timeline[-1].model_copy(update={"note": f"{XSS} {LONG}", "agent": Agent.HUMAN})
    return found.evolve(timeline=(*found.timeline, note), issue_url="javascript:document.title='owned'")
