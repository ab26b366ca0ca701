"""The hourly budget of requests, counted for each user, installation and App."""

import time
from dataclasses import dataclass

from infra.sandbox.github.auth import authenticate
from infra.sandbox.github.errors import ApiError
from infra.sandbox.github.site import Site

WINDOW_S = 3600


@dataclass
class RateState:
    """One subject's hour."""

    limit: int
    reset: int
    used: int = 0

    @property
    def remaining(self) -> int:
        """How many requests are left, never below 0."""
        return max(0, self.limit - self.used)

    def view(self) -> dict[str, int]:
        """A `rate-limit`."""
        return {"limit": self.limit, "used": self.used, "remaining": self.remaining, "reset": self.reset}

    def headers(self) -> dict[str, str]:
        """The `X-RateLimit-*` headers."""
        named = {f"X-RateLimit-{key.capitalize()}": str(value) for key, value in self.view().items()}
        return {**named, "X-RateLimit-Resource": "core"}


class RateLimits:
    """The budgets of all subjects."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._states: dict[str, RateState] = {}

    def state(self, subject: str) -> RateState:
        """The subject's current hour, a new one when the last is over."""
        now = int(time.time())
        state = self._states.get(subject)
        if state is None or state.reset <= now:
            state = self._states[subject] = RateState(self._limit, now + WINDOW_S)
        return state


def subject_of(site: Site, authorization: str | None) -> str:
    """Whose budget a request draws on."""
    try:
        actor = authenticate(site, authorization)
    except ApiError:
        return "anonymous"
    if actor.installation_id is not None:
        return f"installation {actor.installation_id}"
    return f"app {actor.app.id}" if actor.app else f"user {actor.user.id}"
