"""A workflow's event becomes the delivery that the webhook would have been."""

import json

import pytest

from action.errors import EventError
from action.respond.event import read_delivery
from bot.events import IssuesEvent, read_event

ISSUE = {
    "action": "opened",
    "issue": {
        "number": 4,
        "title": "quote fails",
        "created_at": "2026-03-02T09:30:00Z",
        "updated_at": "2026-03-02T09:30:00Z",
    },
    "repository": {"id": 1, "name": "shop", "owner": {"login": "acme", "id": 2}},
    "sender": {"login": "maria", "id": 3, "type": "User"},
}


def written(tmp_path, content):
    """Return the path of an event file."""
    path = tmp_path / "event.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_event_is_read_by_the_bots_own_reader(tmp_path):
    """The missing installation is filled in; everything else is GitHub's."""
    found = read_delivery("issues", written(tmp_path, ISSUE))
    event = read_event(found.event, found.action, found.payload)
    assert isinstance(event, IssuesEvent)
    assert (event.repo.full_name, event.issue.number, event.by_person) == ("acme/shop", 4, True)
    assert (found.repo_id, found.number) == (1, 4)


def test_the_same_content_has_the_same_guid_and_other_content_another(tmp_path):
    """A job that is run again handles the same delivery."""
    first = read_delivery("issues", written(tmp_path, ISSUE))
    assert read_delivery("issues", written(tmp_path, ISSUE)).guid == first.guid
    assert read_delivery("issues", written(tmp_path, {**ISSUE, "action": "edited"})).guid != first.guid


@pytest.mark.parametrize("name", ["schedule", "workflow_dispatch"])
def test_a_schedule_is_about_no_incident(name):
    """Whatever is due is taken up, and no file is needed."""
    assert read_delivery(name, None) is None


@pytest.mark.parametrize("content", ["", "[]", "{", json.dumps({"issue": {"number": "x"}})])
def test_a_file_that_is_no_event_is_refused_in_plain_words(tmp_path, content):
    """Whatever is wrong with it, the step ends with one sentence."""
    with pytest.raises(EventError, match="cannot be read"):
        read_delivery("issues", written(tmp_path, content))


def test_other_events_and_a_missing_file_are_refused():
    """The message says which events are handled."""
    with pytest.raises(EventError, match="issue_comment"):
        read_delivery("push", None)
    with pytest.raises(EventError, match="GITHUB_EVENT_PATH"):
        read_delivery("issues", None)
