"""The Bernoulli CUSUM: how strongly a stream of good and bad events speaks for a raised bad ratio."""

from dataclasses import dataclass
from math import log

from telemetry.detect.config import DetectConfig

_WEEK_S = 604_800
_RATE_MIN_RPS = 0.01


@dataclass(frozen=True, slots=True)
class Weights:
    """Log-likelihood ratio of one bad event (positive) and of one good event (negative)."""

    bad: float
    good: float


def alternative(p0: float, config: DetectConfig) -> float:
    """Return the bad ratio p1 to tell from p0, both in (0, 1).

    p1 = min(0.95, max(p0 + 0.05, 5·p0 / (1 + 4·p0))): five percentage points or five times the odds, whichever
    is further away.
    """
    odds = config.odds_factor
    raised = max(p0 + config.ratio_step, odds * p0 / (1 + (odds - 1) * p0))
    return max(min(config.ratio_max, raised), min(0.99, p0 + 0.01))


def weights(p0: float, config: DetectConfig) -> Weights:
    """Return the weights ln(p1/p0) and ln((1 - p1)/(1 - p0)) of Wald's likelihood-ratio test."""
    p1 = alternative(p0, config)
    return Weights(bad=log(p1 / p0), good=log((1 - p1) / (1 - p0)))


def threshold(rate_rps: float, series: int, config: DetectConfig) -> float:
    """Return h = ln(604800·λ / a): at most a = 0.05 false alarms a week if events are independent.

    Lorden, "Procedures for reacting to a change in distribution" (1971): a CUSUM with threshold h runs at least
    e^h events, on average, between false alarms. They are divided over the `series` of one service.
    """
    events_per_week = _WEEK_S * max(rate_rps, _RATE_MIN_RPS)
    return log(events_per_week * max(1, series) / config.false_alarms_per_week)


def ratio_threshold(rate_rps: float, p0: float, series: int, config: DetectConfig) -> float:
    """Return the threshold for bad ratios, h = ln(604800·λ·D / a): still at most a false alarms a week.

    Lorden's bound counts every normal event as a new chance of an alarm. In truth about e^h / D events lie between
    false alarms, at least, where D is the divergence of p0 from p1, by which the score falls per normal event
    (Reynolds and Stoumbos, "A CUSUM chart for monitoring a proportion when inspecting continuously", Journal of
    Quality Technology 31, 1999, without their correction for the overshoot, which would lower h further).
    """
    return threshold(rate_rps, series, config) + log(divergence(p0, config))


def divergence(p0: float, config: DetectConfig) -> float:
    """Return the Kullback-Leibler divergence p0·ln(p0/p1) + (1 - p0)·ln((1 - p0)/(1 - p1)) in nats per event."""
    weight = weights(p0, config)
    return -p0 * weight.bad - (1 - p0) * weight.good


def advance(score: float, requests: int, bad: int, p0: float, limit: float, config: DetectConfig) -> float:
    """Return the next CUSUM score after a tick: min(1.2·h, max(0, S + log-likelihood ratio of the tick))."""
    return min(config.score_cap * limit, max(0.0, score + likelihood_ratio(requests, bad, p0, config)))


def likelihood_ratio(requests: int, bad: int, p0: float, config: DetectConfig) -> float:
    """Return the log-likelihood ratio of `bad` among `requests` events for p1 against p0."""
    weight = weights(p0, config)
    return bad * weight.bad + (requests - bad) * weight.good
