"""What objectives, traffic and forecasts have learned survives a restart, and so do their anomalies."""

import msgspec

from telemetry.detect import Closing, DetectConfig
from telemetry.detect.gauge_watch import GaugeWatch
from telemetry.detect.memory import BurnMemory, TrafficMemory, WatchAnomaly
from telemetry.detect.objectives import ObjectiveWatch
from telemetry.detect.traffic_watch import TrafficWatch
from telemetry.model import AnomalyState, SeriesKey
from telemetry.rules import Slo
from telemetry.state import Cell, GaugePoint, GaugeSeries, Series
from telemetry.steps import whole

CONFIG = DetectConfig()
QUOTE = SeriesKey(service="quote", operation="GET /quote")
OTHER = SeriesKey(service="pricing", operation="GET /price")
SLO = Slo(service="quote", objective=0.99)
TICK_S = CONFIG.tick_s


def closing_of(_service):
    """Return the usual closing."""
    return Closing(CONFIG.close_after_s)


def key_of(_service, _operation):
    """Return the series under which everything is told here."""
    return QUOTE


def stored(memories, kind):
    """Return memories as they come back from a file."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(memories), type=list[kind])


def by_key(memories):
    """Return memories with the series that they name."""
    return [(SeriesKey(service=m.service, operation=m.operation), m) for m in memories]


def burn(watch, start_s, seconds, bad):
    """Let 100 requests a tick come, `bad` of which fail."""
    for at_s in range(start_s, start_s + seconds, TICK_S):
        watch.advance(at_s, [(QUOTE, Cell(at_s, 100, bad))], closing_of)
    return list(watch.findings(key_of))


def flow(watch, start_s, seconds, requests):
    """Let `requests` a tick come to quote, and others to pricing."""
    whole(watch.follow([Series(QUOTE), Series(OTHER)]))
    for at_s in range(start_s, start_s + seconds, TICK_S):
        whole(watch.advance(at_s, [Cell(at_s, requests) if requests else None, Cell(at_s, 50)], closing_of))
    return list(watch.findings())


def test_spent_budget_counts_after_a_restart():
    """What burned before is in the long window; without memory the same minutes are not enough."""
    before = ObjectiveWatch([SLO], CONFIG)
    assert burn(before, 0, 3000, 14) == []
    after, forgetful = ObjectiveWatch([SLO], CONFIG), ObjectiveWatch([SLO], CONFIG)
    after.load(stored(before.dump(), BurnMemory))
    (found,) = burn(after, 3000, 900, 20)
    assert found.state is AnomalyState.CONFIRMED
    assert burn(forgetful, 3000, 900, 20) == []


def test_a_burning_objective_is_the_same_anomaly_after_a_restart_and_closes():
    """Its id and row stay, so that no second incident is opened and the first can end."""
    before = ObjectiveWatch([SLO], CONFIG)
    (known,) = burn(before, 0, 4000, 30)
    after = ObjectiveWatch([SLO], CONFIG)
    after.load(stored(before.dump(), BurnMemory))
    after.load_anomalies(by_key(stored(before.dump_anomalies(), WatchAnomaly)))
    (found,) = burn(after, 4000, 60, 30)
    assert (found.id, found.state, found.reason) == (known.id, AnomalyState.CONFIRMED, known.reason)
    (ended,) = burn(after, 4060, 1200, 0)
    assert (ended.id, ended.state) == (known.id, AnomalyState.CLOSED)


def test_an_objective_that_is_not_declared_any_more_is_forgotten():
    """Nor does a ring of another length fit."""
    before = ObjectiveWatch([SLO], CONFIG)
    burn(before, 0, 600, 50)
    other = ObjectiveWatch([Slo(service="pricing", objective=0.99)], CONFIG)
    other.load(stored(before.dump(), BurnMemory))
    other.load_anomalies(by_key(stored(before.dump_anomalies(), WatchAnomaly)))
    assert list(other.findings(key_of)) == []
    shorter = ObjectiveWatch([SLO], DetectConfig(burn_rows=CONFIG.burn_rows[:1]))
    shorter.load(before.dump())
    assert shorter.dump()[0].first is None


def test_a_drop_right_after_a_restart_is_measured_against_what_was_usual():
    """Also when the series does not send in the first tick; what is not used yet is kept for the next restart."""
    before = TrafficWatch(CONFIG)
    assert flow(before, 0, 7200, 100) == []
    after = TrafficWatch(CONFIG)
    after.load(by_key(stored(whole(before.dump()), TrafficMemory)))
    whole(after.follow([Series(OTHER)]))
    whole(after.advance(7200, [Cell(7200, 50)], closing_of))
    assert {memory.service for memory in whole(after.dump())} == {"quote", "pricing"}
    (found,) = flow(after, 7205, 300, 20)
    assert (found.key, found.state) == (QUOTE, AnomalyState.CONFIRMED)
    assert flow(TrafficWatch(CONFIG), 7205, 300, 20) == []


def test_a_drop_is_the_same_anomaly_after_a_restart_and_closes_when_traffic_is_back():
    """One incident, not two."""
    before = TrafficWatch(CONFIG)
    flow(before, 0, 7200, 100)
    (known,) = flow(before, 7200, 300, 20)
    after = TrafficWatch(CONFIG)
    after.load(by_key(stored(whole(before.dump()), TrafficMemory)))
    after.load_anomalies(by_key(stored(before.dump_anomalies(), WatchAnomaly)))
    (found,) = flow(after, 7500, 60, 20)
    assert (found.id, found.state) == (known.id, AnomalyState.CONFIRMED)
    (ended,) = [f for f in flow(after, 7560, 900, 100) if f.id == known.id]
    assert ended.state is AnomalyState.CLOSED


def leak(watch, start_s, seconds):
    """Let the heap fill a percent of its limit a minute, from half of it at 0."""
    for now_s in range(start_s, start_s + seconds, CONFIG.forecast_every_s):
        points = tuple(GaugePoint(at, 50 + at / 60) for at in range(max(0, now_s - 1800), now_s, 30))
        watch.advance(now_s, [GaugeSeries("quote", "jvm.memory.used", {}, "By", points, 100.0)], closing_of)
    return [found for found in watch.findings(key_of) if "forecast" in found.reason or "will be there" in found.reason]


def test_an_announced_leak_is_the_same_anomaly_after_a_restart():
    """The forecast goes on under its id."""
    before = GaugeWatch(CONFIG)
    (known,) = leak(before, 600, 1500)
    after = GaugeWatch(CONFIG)
    after.load_anomalies(by_key(stored(before.dump_anomalies(), WatchAnomaly)))
    (found,) = leak(after, 2100, 120)
    assert (found.id, found.state) == (known.id, AnomalyState.CONFIRMED)


def test_a_series_that_was_silent_for_longer_than_telemetry_is_kept_is_still_known():
    """A nightly job that comes back with a fifth of its requests is noticed at once."""
    watch = TrafficWatch(CONFIG)
    assert flow(watch, 0, 7200, 100) == []
    whole(watch.follow([Series(OTHER)]))
    assert {memory.service for memory in whole(watch.dump())} == {"quote", "pricing"}
    (found,) = flow(watch, 50_000, 300, 20)
    assert (found.key, found.state) == (QUOTE, AnomalyState.CONFIRMED)
