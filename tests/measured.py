"""A plugin of pytest that measures coverage in its own process and in each of xdist's, not in programs of tests."""

from coverage import Coverage

_measured = Coverage(data_suffix=True)
_measured.start()  # before anything imports the bot


def pytest_unconfigure() -> None:
    """Write what was measured beside what other processes have."""
    _measured.stop()
    _measured.save()
