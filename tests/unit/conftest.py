"""Unit tests touch no network: sockets are blocked, but for the pair that an event loop wakes itself with."""

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def _no_sockets():
    """Block sockets for the length of one test."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
