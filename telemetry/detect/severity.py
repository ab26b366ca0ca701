"""How much an anomaly hurts, as one documented rule.

| detector | critical | high | medium | low |
|---|---|---|---|---|
| D1 errors | ≥ 50 % of requests fail | ≥ 10 % | less | |
| D2 latency | | ≥ 50 % of requests are slow | less | |
| D3 burn rate | 14.4 × budget | 6 × | 3 × | 1 × |
| D4 traffic | | silence | a drop | a surge |
| D5 saturation | | requests wait for the pool | at the limit | |
| D5 forecast | | full in ≤ 10 min | full in ≤ 30 min | an outlier (suspect only) |
| D6 new signature | | | | always |

The severity of a group is that of its worst anomaly, one step lower when neither an entry service (one that no
other service calls) is among its services nor an objective burns: then users do not see it yet. It is one step
higher when the blast radius is wide: at least three services, and half of all that report.
"""

from collections.abc import Iterable

from telemetry.detect.windows import Window
from telemetry.model import Severity

_ORDER = tuple(Severity)
_CRITICAL_RATIO = 0.5
_HIGH_RATIO = 0.1


def of_errors(window: Window) -> Severity:
    """Return the severity of D1 from its worst window."""
    if window.bad_ratio >= _CRITICAL_RATIO:
        return Severity.CRITICAL
    return Severity.HIGH if window.bad_ratio >= _HIGH_RATIO else Severity.MEDIUM


def of_latency(window: Window) -> Severity:
    """Return the severity of D2 from its worst window."""
    return Severity.HIGH if window.bad_ratio >= _CRITICAL_RATIO else Severity.MEDIUM


def worst(severities: Iterable[Severity]) -> Severity:
    """Return the worst of some severities, low when there are none."""
    return min(severities, key=_ORDER.index, default=Severity.LOW)


def raised(severity: Severity) -> Severity:
    """Return the severity one step higher."""
    return _ORDER[max(0, _ORDER.index(severity) - 1)]


def lowered(severity: Severity) -> Severity:
    """Return the severity one step lower."""
    return _ORDER[min(len(_ORDER) - 1, _ORDER.index(severity) + 1)]
