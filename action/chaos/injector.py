"""The client of a fault injector, which puts faults in place, each with a time to live (docs/action.md)."""

from http import HTTPStatus
from typing import TypeVar

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError

from action.errors import InjectorError

TIMEOUT_S = 150.0
"""Some faults are a deploy: the injector answers when they are in force."""


class Lease(BaseModel):
    """A fault in force until `expires_at`; `onset` is when it began to hurt."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    expires_at: AwareDatetime
    onset: AwareDatetime | None = None
    description: str = ""


class _Faults(BaseModel):
    faults: tuple[Lease, ...]


T = TypeVar("T")

_LEASE = TypeAdapter(Lease)
_LISTED = TypeAdapter(_Faults)


class Injector:
    """Faults by name, over HTTP."""

    def __init__(self, url: str, token: SecretStr, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token.get_secret_value() else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S, transport=transport)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def start(self, name: str, ttl_s: float) -> Lease:
        """Put a fault in place for at most `ttl_s` seconds and return its lease, once it is in force.

        Raises:
            InjectorError: the injector refused, or did not answer; the fault may be in force until its time is up.
        """
        answer = self._ask("PUT", f"/faults/{name}", json={"ttl_s": ttl_s})
        return self._read(answer, _LEASE)

    def stop(self, name: str) -> None:
        """End a fault; one that is not in force has ended already. Raises InjectorError."""
        self._ask("DELETE", f"/faults/{name}")

    def faults(self) -> tuple[Lease, ...]:
        """Return the faults in force. Raises InjectorError."""
        return self._read(self._ask("GET", "/faults"), _LISTED).faults

    def _ask(self, method: str, path: str, json: dict[str, float] | None = None) -> httpx.Response:
        try:
            answer = self._client.request(method, path, json=json)
        except httpx.HTTPError as error:
            raise InjectorError(f"the fault injector did not answer {method} {path}: {error!r}") from error
        if not answer.is_success and not (method == "DELETE" and answer.status_code == HTTPStatus.NOT_FOUND):
            said = answer.text[:300]
            raise InjectorError(f"the fault injector answered {answer.status_code} to {method} {path}: {said}")
        return answer

    def _read(self, answer: httpx.Response, adapter: TypeAdapter[T]) -> T:
        try:
            return adapter.validate_json(answer.content)
        except ValidationError as error:
            raise InjectorError("the fault injector's answer could not be read") from error
