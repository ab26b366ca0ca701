"""What an error's type and message say about where its cause lies."""

import pytest

from agents.rca.errors import ErrorClass, dominant_error, error_class, find_errors
from agents.rca.parameters import DEFAULTS
from agents.testing.builders import bundle, edge, error_signature
from agents.testing.observe import failing, view
from telemetry.model import EdgeEvidence, SignatureEvidence

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


FAILED, WELL = (edge("s", "d", *failing(share)) for share in (0.5, 0.0))


def exception(count: int = 40, before: int = 0, message: str = "x", frames: tuple = FRAMES) -> SignatureEvidence:
    """Return an error of the service's own code."""
    return error_signature("s", "op", "KeyError", message, frames, count=count, count_before=before)


TIMEOUT = error_signature("s", "op", "ReadTimeout", "", FRAMES)


@pytest.mark.parametrize(
    ("items", "parts"),
    [
        ([exception()], ["40 times", "find (a/store.py)", "KeyError: x", "never before"]),
        ([exception(before=5)], ["40 times", "find (a/store.py)", "KeyError: x", "5 times before"]),
        ([exception(message="", frames=())], ["40 times with KeyError, never before"]),
        ([exception(30), exception(70, message="worse")], ["100 times", "KeyError: worse", "never before"]),
        ([exception(), exception(40, before=300)], ["40 times", "KeyError: x", "never before"]),
        ([error_signature("s", "op", "500", "")], ["500", "40 times", "never before", "nothing that it calls fails"]),
        ([TIMEOUT, WELL], ["ReadTimeout", "40 times", "never before", "everything that it calls is well"]),
        ([TIMEOUT, FAILED], ["40 calls from s", "waiting for d"]),
        ([error_signature("s", "op", "ConnectError", "", FRAMES), FAILED], ["40 calls from s", "could not reach d"]),
        ([error_signature("s", "op", "TimeoutError", "QueuePool limit", FRAMES)], ["40", "TimeoutError: QueuePool"]),
    ],
)
def test_a_claim_says_how_often_what_failed_and_whether_it_did_before(items, parts):
    """Errors that have not grown are left out, and of several the most frequent one is named."""
    (found,) = find_errors(view(DEFAULTS, *items))
    assert [part for part in parts if part not in found.claim.text] == []


def test_errors_that_have_not_grown_are_no_findings():
    """Two hits are too few, and eight of sixty before are no more than before."""
    assert list(find_errors(view(DEFAULTS, exception(2), exception(8, before=60)))) == []


def test_a_claim_about_errors_cites_three_of_them_at_most_and_the_call_that_it_blames():
    """The ids are those of the bundle."""
    waited: list[SignatureEvidence | EdgeEvidence] = [
        error_signature("s", f"op{number}", "ReadTimeout", f"t{number}", FRAMES) for number in range(4)
    ]
    (found,) = find_errors(view(DEFAULTS, *waited, FAILED))
    assert found.claim.evidence == ("E1", "E2", "E3", "E5")
    assert found.service == "d"
