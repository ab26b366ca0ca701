"""Names of operations: of low cardinality, from route, RPC method or span name."""

import re
from collections.abc import Mapping

from telemetry.scrub import scrub_name
from telemetry.state.attributes import first

WANTED = frozenset({"http.route", "http.request.method", "http.method", "rpc.service", "rpc.method"})
"""Attributes that `operation_of` reads."""

_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY", "HTTP")
AMBIGUOUS = frozenset({*_METHODS, *(f"HTTP {method}" for method in _METHODS), ""})
"""Span names that say nothing about the operation: attributes are needed for each such span."""

_IDENTIFIER = re.compile(
    r"(?<=/)(?:\d+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{12,}|[\w-]*\d[\w-]{15,})(?=/|$)", re.IGNORECASE
)


def operation_of(name: str, attributes: Mapping[str, str]) -> str:
    """Return the operation of a SERVER or CONSUMER span, scrubbed.

    `METHOD /route` for HTTP and `service/method` for RPC where those attributes are given (semantic conventions
    for HTTP and RPC spans), else the span's name without query and with identifiers in its path as `{id}`.
    """
    route = attributes.get("http.route", "")
    method = first(attributes, "http.request.method", "http.method")
    if route and (method or route not in name):
        return scrub_name(f"{method} {route}".strip())
    service, call = attributes.get("rpc.service", ""), attributes.get("rpc.method", "")
    if service and call:
        return scrub_name(f"{service}/{call}")
    path = name.partition("?")[0] if "/" in name else name
    return scrub_name(_IDENTIFIER.sub("{id}", path)) or "(unnamed)"
