"""All parameters of detection in one frozen place; the defaults are those that were simulated."""

from dataclasses import dataclass


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

    # New error signatures
    signature_hits: int = 3
    signature_window_s: int = 60
    signature_traces: int = 2
    signature_quiet_s: int = 20
    signature_new_s: int = 1800

    # Grouping
    group_within_s: int = 120
    group_hops: int = 2
    settle_s: int = 5

    # Evidence
    normal_s: int = 600
    version_near_s: int = 1800
    evidence_bytes_max: int = 256 * 1024
