"""Columns of spans: the traces of one export request field by field, which is how the state reads them.

What holds of a whole column is found at once, not span by span.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

Row = tuple[int, bytes, bytes, bytes, str, int, int, int, bool]
"""A span: its place in the columns, then an item of each."""


@dataclass(frozen=True, slots=True)
class SpanColumns:
    """Spans of a resource: the n-th item of every column is of the n-th span. Times are Unix times in nanoseconds."""

    trace_ids: Sequence[bytes]
    span_ids: Sequence[bytes]
    parent_ids: Sequence[bytes]
    """Empty for spans without a parent."""
    names: Sequence[str]
    kinds: Sequence[int]
    starts_ns: Sequence[int]
    ends_ns: Sequence[int]
    failed: Sequence[bool]
    """Whether the status is ERROR (OpenTelemetry trace API, "Set Status")."""
    whole: Callable[[int], Span]
    """Returns the n-th span with attributes, events and all that came with it."""

    def __len__(self) -> int:
        """Return how many spans there are."""
        return len(self.span_ids)

    def rows(self) -> Iterator[Row]:
        """Iterate over the spans."""
        return zip(
            range(len(self)),
            self.trace_ids,
            self.span_ids,
            self.parent_ids,
            self.names,
            self.kinds,
            self.starts_ns,
            self.ends_ns,
            self.failed,
            strict=True,
        )

    def only(self, places: Sequence[int]) -> "SpanColumns":
        """Return the spans at some places."""
        return SpanColumns(
            [self.trace_ids[at] for at in places],
            [self.span_ids[at] for at in places],
            [self.parent_ids[at] for at in places],
            [self.names[at] for at in places],
            [self.kinds[at] for at in places],
            [self.starts_ns[at] for at in places],
            [self.ends_ns[at] for at in places],
            [self.failed[at] for at in places],
            lambda at: self.whole(places[at]),
        )


class ResourceColumns(NamedTuple):
    """The spans of one resource, by scope."""

    resource: ResourceMessage
    scopes: Sequence[SpanColumns]


def columns_of(request: ExportTraceServiceRequest) -> list[ResourceColumns]:
    """Return the spans of a message, or of what reads like one."""
    return [
        ResourceColumns(group.resource, [_of_spans(scope.spans) for scope in group.scope_spans])
        for group in request.resource_spans
    ]


def _of_spans(spans: Sequence[Span]) -> SpanColumns:
    return SpanColumns(
        [span.trace_id for span in spans],
        [span.span_id for span in spans],
        [span.parent_span_id for span in spans],
        [span.name for span in spans],
        [span.kind for span in spans],
        [span.start_time_unix_nano for span in spans],
        [span.end_time_unix_nano for span in spans],
        [span.status.code == Status.STATUS_CODE_ERROR for span in spans],
        spans.__getitem__,
    )
