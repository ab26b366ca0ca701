"""What a webhook is about: the few fields that are used, and a key for its content."""

import hashlib
from typing import Any, Final

import msgspec

from bot.db.rows import Delivery
from telemetry.errors import DecodeError

# What GitHub adds around the content and may differ between two deliveries of it.
_AROUND: Final = frozenset({"installation", "organization", "enterprise", "hook", "hook_id", "sender"})


class _HasId(msgspec.Struct):
    id: int


class _HasNumber(msgspec.Struct):
    number: int


class _HasLogin(msgspec.Struct):
    login: str


class _Body(msgspec.Struct):
    """The fields of all events together; whatever else is in a webhook is skipped without being built."""

    action: str | None = None
    repository: _HasId | None = None
    installation: _HasId | None = None
    issue: _HasNumber | None = None
    pull_request: _HasNumber | None = None
    sender: _HasLogin | None = None


_WHOLE: Final = msgspec.json.Decoder(dict[str, Any])
_CANONICAL: Final = msgspec.json.Encoder(order="deterministic")


def delivery(body: bytes, *, event: str, guid: str) -> Delivery:
    """Return the delivery that a webhook's body makes.

    Raises:
        DecodeError: the body is not UTF-8, not JSON, not an object, or not shaped as GitHub's webhooks are.
    """
    try:
        text = body.decode("utf-8")
        whole = _WHOLE.decode(text)
        known = msgspec.convert(whole, _Body)
    except UnicodeDecodeError as error:
        raise DecodeError("the body is not UTF-8") from error
    except msgspec.ValidationError as error:
        raise DecodeError(f"the body is not a webhook of GitHub: {error}") from error
    except msgspec.DecodeError as error:
        raise DecodeError(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise DecodeError("the body is nested too deeply") from error
    subject = known.issue or known.pull_request
    return Delivery(
        guid=guid,
        semantic_key=semantic_key(whole),
        source="github",
        event=event,
        action=known.action,
        repo_id=known.repository and known.repository.id,
        installation_id=known.installation and known.installation.id,
        number=subject and subject.number,
        sender=known.sender and known.sender.login,
        payload=text,
    )


def semantic_key(content: dict[str, Any]) -> str:
    """Return a digest that is the same for the same content, whoever delivers it, under whichever headers.

    GitHub signs the body only, so a recorded delivery could be sent again under a new guid or another event's
    name. The key covers the action, the object with its id and `updated_at`, and the label, review, change and
    so on that the event is about; of the repository, whose counters move by themselves, only the id.
    """
    kept = {name: value for name, value in content.items() if name not in _AROUND}
    repository = kept.get("repository")
    if isinstance(repository, dict):
        kept["repository"] = msgspec.convert(repository, _HasId).id
    return hashlib.sha256(_CANONICAL.encode(kept)).hexdigest()
