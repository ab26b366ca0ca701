"""The log of webhook deliveries."""

from infra.sandbox.github.records.base import Record


class Delivery(Record):
    """One attempt to deliver one webhook."""

    guid: str
    app_id: int
    delivered_at: str
    redelivery: bool
    duration_s: float
    status: str
    status_code: int
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None
    url: str
    request_headers: dict[str, str]
    request_body: str
    response_headers: dict[str, str]
    response_body: str
