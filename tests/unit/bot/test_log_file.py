"""Log files that keep to their size."""

from bot.log_file import LogFile


def test_a_full_file_is_kept_beside_the_new_one(tmp_path):
    """No line is torn, and only one older file is kept."""
    log = LogFile(tmp_path / "log" / "web.log", max_bytes=10)
    for word in (b"first", b"second", b"third", b"4"):
        log.write(word)
    log.close()
    assert (tmp_path / "log" / "web.log").read_text() == "third\n4\n"
    assert (tmp_path / "log" / "web.log.1").read_text() == "second\n"


def test_what_was_there_is_added_to_and_its_end_can_be_read(tmp_path):
    """A restart of the supervisor does not empty the log."""
    for word in (b"one", b"two"):
        log = LogFile(tmp_path / "web.log")
        log.write(word)
        log.close()
    log = LogFile(tmp_path / "web.log")
    assert log.tail(1) == "two"
    assert log.tail(5) == "one\ntwo"
    log.close()
