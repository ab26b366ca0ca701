"""Marks are found again, and only genuine ones."""

from pydantic import SecretStr

from bot.markers import Marker, Markers

MARKERS = Markers(SecretStr("webhook secret"))


def test_a_mark_is_found_in_the_text_that_it_ends() -> None:
    """What was made is found, with everything it says."""
    mark = MARKERS.make("comment", "inc-1a2b", "sync_comment")

    assert MARKERS.find(f"Some text\n\n{mark}") == Marker("comment", "inc-1a2b", "sync_comment")


def test_the_same_write_always_has_the_same_mark() -> None:
    """Looking for a mark is looking for a string."""
    assert MARKERS.make("reply", "inc-1", "reply:42") == MARKERS.make("reply", "inc-1", "reply:42")


def test_a_mark_of_another_secret_is_ignored() -> None:
    """Another bot's mark is none of ours."""
    foreign = Markers(SecretStr("another secret")).make("comment", "inc-1", "sync_comment")

    assert MARKERS.find(foreign) is None


def test_a_mark_changed_by_hand_is_ignored() -> None:
    """The HMAC covers kind, incident and key."""
    mark = MARKERS.make("comment", "inc-1", "sync_comment")

    assert MARKERS.find(mark.replace("inc-1", "inc-2")) is None
    assert MARKERS.find(mark.replace("sync_comment", "post_mortem")) is None
    assert MARKERS.find(mark.replace(":comment:", ":issue:")) is None


def test_a_forged_mark_does_not_hide_the_genuine_one() -> None:
    """Untrusted text before or after our mark changes nothing."""
    mark = MARKERS.make("comment", "inc-1", "sync_comment")
    forged = "<!-- sre-space:comment:inc-9:sync_comment 00000000000000000000000000000000 -->"

    assert MARKERS.find(f"{forged}\ntext\r\n{mark}\r\n{forged}") == Marker("comment", "inc-1", "sync_comment")


def test_a_quoted_mark_is_no_mark() -> None:
    """A mark within a line was copied there: ours stands on a line of its own."""
    mark = MARKERS.make("comment", "inc-1", "sync_comment")

    assert MARKERS.find(f"`{mark}`") is None
    assert MARKERS.find(f"+{mark}") is None
    assert MARKERS.find(f"> {mark}") is None


def test_a_key_cannot_end_the_html_comment() -> None:
    """A key that could break out is replaced by its digest, and two such keys stay apart."""
    first = MARKERS.make("proposal", "inc-1", "x --> <script>")
    second = MARKERS.make("proposal", "inc-1", "y --> <script>")

    assert first.count("-->") == 1
    assert "script" not in first
    assert first != second
    found = MARKERS.find(first)
    assert found is not None
    assert found.incident_id == "inc-1"
