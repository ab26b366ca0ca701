"""Deliveries are read as far as they are used."""

import json

import pytest

from agents.testing.scenarios import pool_signal
from bot.events import IssuesEvent, SignalEvent, read_event
from telemetry.errors import DecodeError
from tests.unit.bot.handlers.webhooks import issue, webhook


def test_a_signal_is_read_whole():
    """What Scout wrote comes back the same."""
    signal = pool_signal()

    assert read_event("signal", None, signal.model_dump_json()) == SignalEvent(signal=signal)


@pytest.mark.parametrize(
    ("event", "action"),
    [("push", None), ("issues", "assigned"), ("check_run", "created"), ("pull_request", "opened"), ("ping", None)],
)
def test_what_is_not_used_is_not_read(event: str, action: str | None):
    """Events and actions without a handler are none, whatever their payload."""
    assert read_event(event, action, "not even JSON") is None


def test_a_missing_field_is_named():
    """The error says which field of which event is wrong, and quotes nothing of the payload."""
    with pytest.raises(DecodeError, match=r"^issues opened: sender: Field required$"):
        read_event("issues", "opened", json.dumps({"action": "opened", "secret": "hush"}))


def test_an_account_that_was_deleted_is_a_ghost():
    """GitHub sends null for it."""
    found = webhook("issues", "opened", issue=issue(user=None))

    assert isinstance(found, IssuesEvent)
    assert found.issue.author.login == "ghost"


@pytest.mark.parametrize(("kind", "person"), [("User", True), ("Bot", False), ("Organization", False)])
def test_only_users_are_persons(kind: str, *, person: bool):
    """What Apps and organizations do is never taken for an order."""
    sender = {"login": "x", "id": 1, "type": kind}
    found = webhook("issues", "opened", sender=sender, issue=issue())

    assert isinstance(found, IssuesEvent)
    assert found.by_person is person
