"""`sre-space detect`: Scout over files gives what Scout gives live, every time the same."""

import gzip
import json
from datetime import datetime

import pytest
from typer.testing import CliRunner

from bot import detect_cli
from bot.detect_cli import detect_app
from bot.setting_names import SettingsError
from telemetry.testing import Chain, Fault, Where, gauges
from telemetry.testing.recording import framed, json_line

FIELDS = [
    "service",
    "operation",
    "environment",
    "detector",
    "state",
    "onset",
    "confirmed",
    "closed",
    "severity",
    "reason",
]


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A fault of 60 s on quote that heals, recorded as two files; and what the live Scout told at the end."""
    requests = []
    chain = Chain(rate_rps=4.0)
    take = chain._take

    def send(request):
        requests.append(request)
        take(request)

    chain._send = send
    chain.run(200)
    chain.run(60, {"quote": Fault(error_ratio=0.7)})
    chain.run(400)
    folder = tmp_path_factory.mktemp("recording")
    (folder / "one.zst").write_bytes(framed(request.SerializeToString() for request in requests[::2]))
    (folder / "two.jsonl.gz").write_bytes(gzip.compress(b"".join(map(json_line, requests[1::2]))))
    return [str(folder / "two.jsonl.gz"), str(folder / "one.zst")], chain.signals[-1]


def test_each_anomaly_is_one_line_as_scout_told_it_live(recording):
    """Same series, onset, confirmation and closing, whatever the order of the files; closing comes from event time."""
    files, live = recording
    result = CliRunner().invoke(detect_app, ["--json", *files])
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert [list(line) for line in lines] == [FIELDS] * len(lines)
    told = {(a.key.service, a.detector, a.onset, a.confirmed, a.closed) for a in live.anomalies}
    found = {
        (line["service"], line["detector"], *(moment(line[name]) for name in ("onset", "confirmed", "closed")))
        for line in lines
    }
    assert found == told
    assert {line["state"] for line in lines} == {"closed"}
    assert all(line["onset"].endswith("Z") for line in lines)
    assert CliRunner().invoke(detect_app, ["--json", *reversed(files)]).output == result.output


def moment(text):
    """Return a time of a line as the model has it."""
    return datetime.fromisoformat(text)


def test_without_json_it_is_a_table_for_people(recording):
    """With the same rows."""
    files, live = recording
    result = CliRunner().invoke(detect_app, files, env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert all(anomaly.key.service in result.output for anomaly in live.anomalies)


def test_a_calm_recording_says_so(tmp_path):
    """No news is said, not left out."""
    (tmp_path / "calm").write_bytes(json_line(gauges(Where("quote"), 1_700_000_000.0, {"jvm.cpu": 0.5})))
    result = CliRunner().invoke(detect_app, [str(tmp_path / "calm")])
    assert (result.exit_code, result.output) == (0, "Scout confirms no anomaly in these files.\n")


def test_a_file_that_cannot_be_read_is_one_line(tmp_path, capsys, monkeypatch):
    """Exit code 1, no traceback."""
    (tmp_path / "notes.txt").write_text("nothing of the kind")
    monkeypatch.setattr("sys.argv", ["sre-space detect", str(tmp_path / "notes.txt")])
    with pytest.raises(SystemExit) as caught:
        detect_cli.main()
    assert caught.value.code == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_objectives_of_a_file_are_watched(recording, tmp_path):
    """D3 is among the findings only with a file that declares an objective."""
    files, _ = recording
    rules = tmp_path / "scout.yaml"
    rules.write_text("slos:\n  - {service: quote, objective: 0.9999}\n")
    found = {}
    for arguments in ([], ["--config", str(rules)]):
        result = CliRunner().invoke(detect_app, ["--json", *arguments, *files])
        assert result.exit_code == 0, result.output
        found[len(arguments)] = {json.loads(line)["detector"] for line in result.output.splitlines()}
    assert "D3" not in found[0]
    assert found[2] == found[0] | {"D3"}


def test_a_mistake_in_the_rules_is_named_with_its_line(recording, tmp_path):
    """As at the start of Scout, but by the option."""
    rules = tmp_path / "scout.yaml"
    rules.write_text("slos:\n  - {service: quote, objektive: 0.99}\n")
    result = CliRunner().invoke(detect_app, ["--config", str(rules), *recording[0]])
    assert isinstance(result.exception, SettingsError)
    assert str(result.exception).startswith(f"--config names {rules}, where line 2")
