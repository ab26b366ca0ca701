"""What is read from a webhook, and the key of its content."""

import json

import pytest

from bot.web.payload import delivery
from telemetry.errors import DecodeError

COMMENT = {
    "action": "created",
    "issue": {"number": 5, "id": 50, "updated_at": "2030-01-01T00:00:00Z"},
    "comment": {"id": 500, "body": "/approve", "updated_at": "2030-01-01T00:00:00Z"},
    "repository": {"id": 7, "full_name": "acme/shop", "open_issues_count": 1},
    "installation": {"id": 3},
    "sender": {"login": "ann", "id": 1},
}


def read(content: object, **changes: str):
    """Return the delivery of a body that holds `content`."""
    return delivery(json.dumps(content).encode(), **{"event": "issue_comment", "guid": "g", **changes})


def key(**changes: object) -> str | None:
    """Return the key of the comment with `changes`."""
    return read({**COMMENT, **changes}).semantic_key


def test_what_routes_a_delivery_is_read():
    """Action, repository, installation, number and sender; the body itself as it came."""
    found = read(COMMENT)
    assert (found.action, found.repo_id, found.installation_id, found.number, found.sender) == (
        "created",
        7,
        3,
        5,
        "ann",
    )
    assert json.loads(found.payload) == COMMENT


def test_the_number_of_a_pull_request_is_read():
    """Where there is no issue."""
    assert read({"pull_request": {"number": 8}}).number == 8


def test_an_event_about_nothing_in_particular_has_no_number():
    """An installation event, for instance."""
    found = read({"action": "created", "installation": {"id": 3}})
    assert (found.number, found.repo_id, found.sender) == (None, None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"installation": {"id": 4}},
        {"sender": {"login": "ann", "id": 1, "extra": True}},
        {"repository": {"id": 7, "full_name": "acme/shop", "open_issues_count": 2}},
        {"organization": {"id": 9}},
    ],
)
def test_the_key_is_of_the_content_alone(changes):
    """What stands around it may differ between two deliveries of the same."""
    assert key(**changes) == key()


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "edited"},
        {"comment": {"id": 501, "body": "/approve", "updated_at": "2030-01-01T00:00:00Z"}},
        {"comment": {"id": 500, "body": "/approve", "updated_at": "2030-01-01T00:00:01Z"}},
        {"label": {"name": "incident"}},
        {"repository": {"id": 8}},
    ],
)
def test_other_content_has_another_key(changes):
    """Two labels set within one second, another comment, another repository: none of them is a repetition."""
    assert key(**changes) != key()


def test_the_key_does_not_depend_on_headers_or_spelling():
    """Guid and event name are not signed, and neither is the order of keys meaningful."""
    turned = dict(reversed(COMMENT.items()))
    assert read(turned, event="issues", guid="other").semantic_key == key()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"payload=%7B%7D", "not JSON"),
        (b'{"a":', "not JSON"),
        (b"[]", "not a webhook"),
        (b'"text"', "not a webhook"),
        (b"null", "not a webhook"),
        (b'{"issue": 5}', "not a webhook"),
        (b'{"repository": {"id": "seven"}}', "not a webhook"),
        (b'{"repository": {}}', "not a webhook"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"[" * 100_000, "nested too deeply|not a webhook"),
        (b'{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_webhook_is_refused_in_words(body, says):
    """Every kind of rubbish ends as a DecodeError, none as a crash."""
    with pytest.raises(DecodeError, match=says):
        delivery(body, event="issues", guid="g")
