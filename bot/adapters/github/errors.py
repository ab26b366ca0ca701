"""Turns what githubkit raises into the errors of the port."""

from datetime import timedelta
from typing import Any

from githubkit.exception import GitHubException, RateLimitExceeded, RequestError, RequestFailed, RequestTimeout

from agents.errors import ForgeRefusedError, ForgeUnavailableError

SERVER_ERROR = 500
RATE_LIMITED = frozenset({403, 429})
SECONDARY_WAIT_S = 60.0
MAX_REASON_CHARS = 500


def translated(error: GitHubException) -> ForgeUnavailableError | ForgeRefusedError:
    """Return the port's error for githubkit's.

    Rate limits (docs.github.com: "Rate limits for the REST API") carry how long to wait; 5xx, time-outs and network
    failures may work later; every other 4xx is a refusal with GitHub's own words.
    """
    match error:
        case RateLimitExceeded():
            return _limited(error.retry_after)
        case RequestFailed():
            return _failed(error)
        case RequestTimeout():
            return ForgeUnavailableError("GitHub did not answer in time")
        case RequestError():
            return ForgeUnavailableError(f"GitHub could not be reached: {type(error.exc).__name__}")
        case _:
            return ForgeUnavailableError(f"The call to GitHub failed: {type(error).__name__}")


def _limited(wait: timedelta) -> ForgeUnavailableError:
    wait_s = max(wait.total_seconds(), 1.0)
    return ForgeUnavailableError(f"GitHub's rate limit asks to wait {wait_s:.0f} s", retry_after_s=wait_s)


def _failed(error: RequestFailed) -> ForgeUnavailableError | ForgeRefusedError:
    status = error.response.status_code
    if status >= SERVER_ERROR:
        return ForgeUnavailableError(f"GitHub answered {status}")
    reason = reason_of(error)
    if status in RATE_LIMITED and "rate limit" in reason.lower():
        return _limited(timedelta(seconds=SECONDARY_WAIT_S))
    return ForgeRefusedError(status, reason)


def reason_of(error: RequestFailed) -> str:
    """Return GitHub's message with its field errors, capped."""
    try:
        body: Any = error.response.json()
    except ValueError:
        return error.response.reason_phrase or "no reason given"
    if not isinstance(body, dict):
        return error.response.reason_phrase or "no reason given"
    message = str(body.get("message") or "no reason given")
    details = "; ".join(filter(None, (_detail(item) for item in _listed(body.get("errors")))))
    return f"{message}: {details}"[:MAX_REASON_CHARS] if details else message[:MAX_REASON_CHARS]


def _listed(errors: Any) -> list[Any]:
    return errors if isinstance(errors, list) else []


def _detail(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    words = (item.get("message"), item.get("resource"), item.get("field"), item.get("code"))
    return str(words[0]) if words[0] else " ".join(str(word) for word in words[1:] if word)
