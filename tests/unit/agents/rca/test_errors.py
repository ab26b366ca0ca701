"""What an error's type and message say about where its cause lies."""

import pytest

from agents.rca.errors import ErrorClass, dominant_error, error_class
from agents.testing.builders import bundle, error_signature

FRAMES = (("a/store.py", "find"),)
CASES = [
    ("sqlalchemy.exc.TimeoutError", "QueuePool limit of size <n> overflow <n> reached", FRAMES, ErrorClass.POOL),
    (
        "java.sql.SQLTransientConnectionException",
        "HikariPool-<n> - Connection is not available, request timed out after <n>ms.",
        FRAMES,
        ErrorClass.POOL,
    ),
    ("psycopg_pool.PoolTimeout", "couldn't get a connection after <n> sec", FRAMES, ErrorClass.POOL),
    ("asyncpg.exceptions.TooManyConnectionsError", "sorry, too many clients already", FRAMES, ErrorClass.POOL),
    ("httpx.PoolTimeout", "", FRAMES, ErrorClass.WAITING),
    ("httpx.ReadTimeout", "", FRAMES, ErrorClass.WAITING),
    ("grpc.RpcError", "DEADLINE_EXCEEDED", FRAMES, ErrorClass.WAITING),
    ("httpx.ConnectError", "All connection attempts failed", FRAMES, ErrorClass.REFUSED),
    ("java.net.ConnectException", "Connection refused", FRAMES, ErrorClass.REFUSED),
    ("redis.exceptions.ConnectionError", "Error <n> connecting to cache", FRAMES, ErrorClass.REFUSED),
    ("500", "", (), ErrorClass.STATUS),
    ("504", "", (), ErrorClass.STATUS),
    ("UNAVAILABLE", "", (), ErrorClass.STATUS),
    ("starlette.exceptions.HTTPException", "quote did not answer", (), ErrorClass.STATUS),
    ("TypeError", "unsupported operand type(s)", FRAMES, ErrorClass.EXCEPTION),
    ("KeyError", "'internal'", FRAMES, ErrorClass.EXCEPTION),
    ("ValueError", "a swimming pool is not a product", FRAMES, ErrorClass.EXCEPTION),
]


@pytest.mark.parametrize(("error_type", "message", "frames", "expected"), CASES)
def test_error_is_classed_by_what_it_says(error_type, message, frames, expected):
    """Texts of widespread libraries."""
    assert error_class(error_signature("s", "op", error_type, message, frames)) is expected


def test_an_exception_dominates_bare_status_codes():
    """Status codes come more often, but say less."""
    exception = error_signature("s", "op", "KeyError", "x", FRAMES, count=30)
    found = dominant_error(bundle(error_signature("s", "op", "500", "", count=200), exception), "s")
    assert found is not None
    assert found.error_type == "KeyError"


def test_an_error_as_frequent_as_before_dominates_nothing():
    """What was there before the fault at the same rate is not what happened."""
    steady = error_signature("s", "op", "KeyError", "x", FRAMES, count=8, count_before=60)
    assert dominant_error(bundle(steady), "s") is None
