"""`sre-space replay`: what it sends where, what it prints, and with which exit code it ends."""

import httpx
import pytest
from typer.testing import CliRunner

from bot import replay_cli
from telemetry.testing.otlp import Call, Where, traces
from telemetry.testing.recording import framed


@pytest.fixture
def file(tmp_path):
    """A file with one message of two spans."""
    calls = [Call(n + 1, n + 1, 0, "GET /", 2, 1_700_000_000, 1_700_000_001) for n in range(2)]
    path = tmp_path / "traces.zst"
    path.write_bytes(framed([traces(Where("quote"), calls).SerializeToString()]))
    return str(path)


@pytest.fixture
def receiver(monkeypatch):
    """A receiver behind httpx: its answer can be set, and what it got is kept."""

    class Receiver:
        """Answers 200 until it is told otherwise."""

        def __init__(self):
            self.got, self.status, self.client = [], 200, httpx.Client

        def open(self, **options):
            """Return a client of it."""
            return self.client(transport=httpx.MockTransport(self.answer), **options)

        def answer(self, request):
            """Note and answer a request."""
            self.got.append(request)
            return httpx.Response(self.status)

    found = Receiver()
    monkeypatch.setattr(replay_cli.httpx, "Client", found.open)
    return found


def replay(*arguments):
    """Return what the command made of some arguments."""
    return CliRunner().invoke(replay_cli.replay_app, arguments, env={"COLUMNS": "100"})


def test_what_was_accepted_is_a_table_and_the_exit_code_is_0(file, receiver):
    """The token goes along as bearer; a slash at the end of the address does no harm."""
    result = replay(file, "--to", "http://receiver:4318/", "--token", "s3cret", "--speed", "max")
    assert result.exit_code == 0, result.output
    (request,) = receiver.got
    assert str(request.url) == "http://receiver:4318/v1/traces"
    assert request.headers["authorization"] == "Bearer s3cret"
    (row,) = [line for line in result.stdout.splitlines() if "traces" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["traces", "2", "0", "0"]
    assert "0 retries" in result.stdout


def test_without_a_token_none_is_sent_and_the_default_is_this_machines_scout(file, receiver):
    """Scout on loopback wants none."""
    assert replay(file, "--speed", "10").exit_code == 0
    (request,) = receiver.got
    assert (str(request.url), "authorization" in request.headers) == ("http://127.0.0.1:4318/v1/traces", False)


def test_what_was_lost_is_named_and_the_exit_code_is_1(file, receiver):
    """The table comes all the same."""
    receiver.status = 400
    result = replay(file, "--speed", "max")
    assert result.exit_code == 1
    assert result.stderr.strip() == f"{file}, message 1 at byte 0: HTTP 400: Bad Request"
    (row,) = [line for line in result.stdout.splitlines() if "traces" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["traces", "0", "0", "2"]


@pytest.mark.parametrize(
    ("to", "said"), [("receiver:4318", "unsupported protocol"), ("http://receiver:none", "Invalid port")]
)
def test_an_address_that_is_none_is_one_line(file, monkeypatch, capsys, to, said):
    """Exit code 1, no traceback."""
    monkeypatch.setattr("sys.argv", ["sre-space replay", file, "--to", to, "--speed", "max"])
    with pytest.raises(SystemExit) as caught:
        replay_cli.main()
    assert caught.value.code == 1
    shown = capsys.readouterr().err.strip().splitlines()
    assert said in shown[-1]
    assert "Traceback" not in "".join(shown)
