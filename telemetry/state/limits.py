"""Bounds of what the state keeps; whatever exceeds one is dropped and counted under the name of the drop."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers of things kept, per state unless it says otherwise."""

    retention_s: int = 3900
    """How long cells, gauges, hits and edges are kept."""
    lateness_s: int = 5
    """How long the watermark waits for spans that were exported late (SDKs batch for 5 s)."""
    future_s: int = 60
    """Spans and points further ahead of the wall clock are dropped as `future`."""
    pair_ttl_s: int = 30
    """How long one half of a client/server pair waits for the other."""
    max_resources: int = 4_096
    max_cells: int = 400_000
    """Of all series and edges together; about half a kilobyte each."""
    max_series: int = 20_000
    max_operations_per_service: int = 200
    max_names_per_resource: int = 2_000
    """Span names of one resource whose operation is remembered; others are looked up again."""
    max_edges: int = 10_000
    max_pairs: int = 50_000
    max_span_ids: int = 42_000
    """Of each tenant, to know a span that comes again. A table of up to 21,845 (half of them) stays in the processor's
    cache: beyond, looking up three ids costs more than decoding the span."""
    max_span_batches: int = 8_192
    """Of each tenant, to know a request that comes again."""
    max_buffered_spans: int = 60_000
    """Recent spans kept for exemplar traces."""
    max_kept_spans: int = 30_000
    """Spans of error and slow traces kept for the retention."""
    max_spans_per_trace: int = 300
    profile_s: int = 2_460
    """How long the profile of a minute is kept: ten minutes of normal time before a fault of half an hour."""
    max_profiled_spans: int = 6_000
    """By minute and environment; of more, whole traces are sampled."""
    max_profile_keys: int = 4_000
    """Times, steps and calls that the profile of a minute tells apart."""
    max_profile_keys_kept: int = 60_000
    """Of all minutes; then the oldest minute goes. About 330 bytes each."""
    max_span_logs: int = 40_000
    """Log records with a span id, and traces that have some, that wait for their trace."""
    max_span_logs_per_trace: int = 500
    max_signatures: int = 2_000
    max_gauges: int = 10_000
    max_gauges_per_service: int = 2_500
    max_versions_per_service: int = 50
    ignored_service_prefix: str = ""
    """Telemetry of services whose name begins like this is counted as `ignored_resources` and not looked at."""
