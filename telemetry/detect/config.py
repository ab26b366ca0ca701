"""All parameters of detection in one frozen place; the defaults are those that were simulated."""

from dataclasses import dataclass

from telemetry.model import Severity


@dataclass(frozen=True, slots=True)
class BurnRow:
    """One multi-window burn-rate alert: `factor` × the error budget's pace over both windows, in minutes."""

    factor: float
    long_min: int
    short_min: int
    severity: Severity


BURN_ROWS = (
    BurnRow(14.4, 60, 5, Severity.CRITICAL),
    BurnRow(6.0, 6 * 60, 30, Severity.HIGH),
    BurnRow(3.0, 24 * 60, 120, Severity.MEDIUM),
    BurnRow(1.0, 3 * 24 * 60, 6 * 60, Severity.LOW),
)
"""Two pages and two tickets, worst first (Google, "The Site Reliability Workbook", ch. 5, table 5-8)."""


@dataclass(frozen=True, slots=True)
class DetectConfig:
    """Parameters of Scout's detectors and of grouping.

    Quick learning: a series is judged from its first tick. Until much has been seen, its bad ratio is the mean
    of a Beta(`prior_bad`, `prior_requests` - `prior_bad`) prior updated with what was seen, which starts at 5 %
    and is below 1 % after 200 clean requests. Latency is judged once `latency_requests_min` requests were
    learned after `warmup_s`, against *upper confidence bounds* of the quantiles (`quantile_z` standard errors),
    so that a short history makes the limits wide, never tight.
    """

    tick_s: int = 5

    # Alternative and threshold of the CUSUM
    false_alarms_per_week: float = 0.05
    error_ratio_floor: float = 0.001
    slow_ratio_floor: float = 0.01
    ratio_step: float = 0.05
    odds_factor: float = 5.0
    ratio_max: float = 0.95
    score_cap: float = 1.2
    suspect_bad_min: int = 5

    # Persistence gate
    window_min_s: int = 10
    window_max_s: int = 300
    window_requests: int = 5
    window_bad_ratio_min: float = 0.02
    window_lone_requests: int = 7
    severe_ratio: float = 0.5
    severe_ratio_before: float = 0.4
    severe_ratio_newest: float = 0.7
    error_windows: tuple[int, int] = (3, 4)
    slow_windows: tuple[int, int] = (4, 5)

    # Latency: a window is bad only if its p95 is this far above the baseline's
    p95_factor: float = 1.5
    p95_step_ms: float = 50.0

    # Baseline
    prior_bad: float = 2.0
    prior_requests: float = 40.0
    ratio_window_s: int = 60
    ratio_window_requests: int = 200
    ratio_windows_kept: int = 7 * 24 * 60
    ratio_windows_many: int = 500
    noise_z: float = 2.0
    """Standard errors by which the spread of the windows is raised before sampling noise is taken off it."""
    latency_requests_min: int = 60
    latency_generation_s: int = 86_400
    quantile_z: float = 2.0
    warmup_s: int = 10
    verdict_wait_s: int = 1800

    # Life of an anomaly
    close_after_s: int = 300
    close_after_deploy_s: int = 30
    reopen_within_s: int = 1800
    healthy_requests_min: int = 3

    # Saturation
    pool_ratio: float = 0.9
    memory_ratio: float = 0.9
    saturated_for_s: int = 30
    gauge_stale_s: int = 90

    # Burn rate (D3): neither window says anything with fewer events
    burn_rows: tuple[BurnRow, ...] = BURN_ROWS
    burn_requests_min: int = 20
    burn_bad_min: int = 3

    # Traffic (D4): alternatives of the Poisson CUSUM as multiples of the usual rate (Lucas, "Counted data CUSUM's",
    # Technometrics 1985), and how long a drop or surge must have lasted to be confirmed
    traffic_drop: float = 0.5
    traffic_surge: float = 2.0
    traffic_drop_lasts_s: int = 60
    traffic_surge_lasts_s: int = 300
    traffic_window_s: int = 60
    traffic_expected_min: float = 5.0
    """Requests that a window must usually have: busier series only are judged (0.083 rps for one of 60 s)."""
    traffic_alive_s: int = 30
    """Silence is told from a broken pipeline by another service that sent something so lately."""
    traffic_recent_s: int = 300
    traffic_recent_kept: int = 12
    traffic_weeks_kept: int = 6
    traffic_hour_seen: float = 0.75
    """Share of an hour that must have been undisturbed for it to be learned."""
    traffic_dispersion_memory: int = 720
    traffic_new_normal_s: int = 6 * 3600

    # Forecast (D5): time to the limit by Theil and Sen, if the trend is monotone (Mann and Kendall)
    forecast_windows_s: tuple[int, ...] = (1800, 600)
    forecast_bins: int = 30
    forecast_bins_min: int = 8
    forecast_span_min_s: int = 360
    forecast_within_s: int = 1800
    forecast_every_s: int = 30
    forecast_lasts_s: int = 30
    forecast_ratio_min: float = 0.3
    forecast_z: float = 3.09
    """One-sided 0.1 % of the normal distribution, for the statistic of Mann and Kendall."""
    forecast_pace_min: float = 0.85
    """Slope of the newer half over that of the older: below it a rise is levelling off."""
    forecast_record: float = 0.02
    """By how much of the limit a rise must exceed what the gauge has fallen back from before."""

    # Outliers of gauges: modified z-score (Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993)
    outlier_score: float = 6.0
    outlier_ticks: int = 3
    outlier_history_min: int = 30
    outlier_mad_floor: float = 0.05
    """Smallest MAD, as a share of the median."""

    # New error signatures
    signature_hits: int = 3
    signature_window_s: int = 60
    signature_traces: int = 2
    signature_quiet_s: int = 20
    signature_new_s: int = 1800
    signature_alone_s: int = 60
    """So long after it is confirmed a new signature must still come to open an incident of its own."""

    # Blast radius: so many disturbed services, and such a share of all, make an incident one step more severe
    wide_services: int = 3
    wide_share: float = 0.5

    # Grouping
    group_within_s: int = 120
    group_hops: int = 2
    settle_s: int = 5
    anomalies_max: int = 500
    """In one signal: a message must stay below what brokers take, which is 1 MB by default in Kafka."""

    # Evidence
    normal_s: int = 600
    version_near_s: int = 1800
    evidence_bytes_max: int = 256 * 1024
