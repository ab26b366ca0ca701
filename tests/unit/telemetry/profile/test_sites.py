"""Log sites: the same place in the code is the same site, whatever the record says."""

import pytest

from telemetry.profile.sites import site_of


@pytest.mark.parametrize(
    ("body", "site"),
    [
        ("16:43:17.120 ERROR  c.s.ContactsServiceImpl#37 TraceID: dc7db5 [none]", "c.s.ContactsServiceImpl#37"),
        ("2023-01-29 app/main.py:42 started", "app/main.py:42"),
        ('{"severity":"info","message":"TraceID: 2bbb4d7b7d41b8652c4c5b23a10cd5f7 Getting data"}', "Getting data"),
        ('{"level": broken', ""),
        ("Query product 9SIQT8TOJO", "Query product *"),
        ("retry 3 of 5 for user=alice", "retry * of * for user"),
        ("", ""),
    ],
)
def test_site_is_where_it_was_written_or_the_words_that_stay(body, site):
    """A logger with its line, a file with its line, else masked words of the message."""
    assert site_of(body) == site
