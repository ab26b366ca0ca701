"""Own frames of stack traces: innermost first, libraries left out, places that survive a deploy."""

import pytest

from telemetry.model import Frame
from telemetry.state.stacktrace import own_frames, place_of

PYTHON = """Traceback (most recent call last):
  File "/srv/x/abc/services/quote/app.py", line 40, in get_quote
    price = discounted(sku)
            ^^^^^^^^^^^^^^^
  File "/usr/lib/python3.11/contextlib.py", line 81, in inner
    return func(*args, **kwds)
  File "/srv/x/abc/services/quote/discounts.py", line 12, in discounted
    with engine.connect() as connection:
  File "/srv/venv/lib/python3.11/site-packages/sqlalchemy/pool/impl.py", line 177, in _do_get
    raise exc.TimeoutError(
  File "<frozen importlib._bootstrap>", line 1147, in _find_and_load
sqlalchemy.exc.TimeoutError: QueuePool limit of size 2 overflow 0 reached
"""

CHAINED = """Traceback (most recent call last):
  File "/app/db.py", line 3, in query
    connect()
OSError: refused

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/api.py", line 9, in handle
    raise Unavailable from error
app.Unavailable: no database
"""

JAVA = """java.lang.IllegalStateException: outer
\tat com.shop.web.QuoteController.get(QuoteController.java:31)
\tat org.springframework.web.Dispatcher.run(Dispatcher.java:8)
Caused by: java.sql.SQLTransientConnectionException: HikariPool-1
\tat com.zaxxer.hikari.pool.HikariPool.getConnection(HikariPool.java:197)
\tat com.shop.quote.Discounts.apply(Discounts.java:12)
\tat app//com.shop.quote.Quotes.lambda$find$0(Quotes.java:77)
\tat java.base/java.lang.Thread.run(Thread.java:840)
"""

NODE = """TypeError: Cannot read properties of undefined (reading 'price')
    at discount (/app/src/discounts.js:12:18)
    at async Quote.get (file:///app/src/quote.mjs:40:9)
    at /app/node_modules/express/lib/router/layer.js:95:5
    at node:internal/process/task_queues:95:5
    at /app/src/server.js:3:1
"""

GO = """goroutine 7 [running]:
runtime/debug.Stack()
\t/usr/local/go/src/runtime/debug/stack.go:24 +0x5e
github.com/shop/quote/discounts.(*Service).Apply(0xc000010000, {0x1, 0x2})
\t/build/discounts/discounts.go:12 +0x1d
main.handler(...)
\t/build/main.go:40
github.com/lib/pq.(*conn).query(0x0)
\t/root/go/pkg/mod/github.com/lib/pq@v1.10.9/conn.go:100 +0x11
"""


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        (
            PYTHON,
            [
                ("/srv/x/abc/services/quote/discounts.py", "discounted", 12),
                ("/srv/x/abc/services/quote/app.py", "get_quote", 40),
            ],
        ),
        (CHAINED, [("/app/api.py", "handle", 9)]),
        (
            JAVA,
            [
                ("com/shop/quote/Discounts.java", "Discounts.apply", 12),
                ("com/shop/quote/Quotes.java", "Quotes.lambda$find$0", 77),
            ],
        ),
        (
            NODE,
            [
                ("/app/src/discounts.js", "discount", 12),
                ("/app/src/quote.mjs", "Quote.get", 40),
                ("/app/src/server.js", "<anonymous>", 3),
            ],
        ),
        (
            GO,
            [
                ("/build/discounts/discounts.go", "discounts.(*Service).Apply", 12),
                ("/build/main.go", "main.handler", 40),
            ],
        ),
        ("panic: something else entirely", []),
        ("", []),
    ],
    ids=["python", "python-chained", "java", "node", "go", "unknown", "empty"],
)
def test_own_frames_are_innermost_first_without_libraries(text: str, frames: list[tuple[str, str, int | None]]) -> None:
    """Packages, the standard library and frozen modules are not the service's code."""
    assert [(frame.path, frame.function, frame.line) for frame in own_frames(text)] == frames


def test_a_python_trace_with_windows_line_ends_is_read() -> None:
    """Line ends do not decide what is found."""
    assert len(own_frames(PYTHON.replace("\n", "\r\n"))) == 2


def test_a_huge_stack_is_read_at_its_innermost_end_and_capped() -> None:
    """A recursion without end costs bounded work and keeps ten frames."""
    line = '  File "/app/a.py", line 1, in again\n    again()\n'
    text = f"Traceback (most recent call last):\n{line * 50_000}"
    frames = own_frames(f'{text}  File "/app/b.py", line 2, in last\nRecursionError: deep')
    assert (len(frames), frames[0].function) == (10, "last")


def test_secrets_in_frames_are_scrubbed() -> None:
    """A frame is text from outside like any other."""
    (frame,) = own_frames('Traceback (most recent call last):\n  File "/home/jo@example.com/a.py", line 1, in f\n')
    assert frame.path == "/home/[redacted:email]/a.py"


def test_the_place_of_a_frame_survives_another_checkout_and_another_line() -> None:
    """A signature names module and function, not where a deploy unpacked them."""
    before = Frame(path="/srv/1/services/quote/discounts.py", function="apply", line=3)
    after = Frame(path="/srv/2/services/quote/discounts.py", function="apply", line=9)
    assert place_of(before) == place_of(after) == "quote/discounts:apply"
