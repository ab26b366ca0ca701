"""`sre-space rca`: recorded faults named, whatever the names, clocks, order and damage of the files."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from agents.diagnosis import CauseKind, Verdict
from bot.cli import app
from bot.rca_cli import stretch
from bot.recorded_cases import Case, analyse, case_of
from tests.support_recorded import FAULT, NORMAL, START_NS, S, Shop

FAULTS = {
    ("cart", "network"): CauseKind.NETWORK_DELAY,
    ("store", "network"): CauseKind.NETWORK_DELAY,
    ("cart", "cpu"): CauseKind.CPU_CONTENTION,
    ("stock", "exception"): CauseKind.EXCEPTION,
    ("stock", "return"): CauseKind.MISSING_WORK,
}
SERVICES = ("front", "cart", "stock", "store")


def answered(folder):
    """Return the analysis of a folder with its own case."""
    return analyse(folder, case_of(folder))


def run(*arguments):
    """Return what the command line made of some arguments."""
    return CliRunner().invoke(app, ["rca", *map(str, arguments)])


@pytest.mark.parametrize("fault", FAULTS)
def test_each_kind_of_fault_is_named_with_its_service(fault, tmp_path):
    """The first candidate is the faulty service, and the kind is right."""
    found = answered(Shop(fault).write(tmp_path / "case"))
    assert (found.candidates[0].service, found.kind) == (fault[0], FAULTS[fault])
    assert found.verdict is not Verdict.INCONCLUSIVE


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fault=st.sampled_from(sorted(FAULTS)),
    names=st.lists(st.text("abcxyz0123456789-", min_size=1, max_size=12), min_size=4, max_size=4, unique=True),
    later_s=st.integers(-10_000_000, 10_000_000),
    seed=st.integers(2, 1000),
)
def test_names_ids_clock_and_order_change_no_ranking(fault, names, later_s, seed, tmp_path_factory):
    """Everything renamed, shifted and shuffled ranks the same services with the same scores and kinds."""
    plain = answered(Shop(fault).write(tmp_path_factory.mktemp("plain")))
    called = dict(zip(SERVICES, names, strict=True))
    other = answered(Shop(fault, called, later_s * S, seed).write(tmp_path_factory.mktemp("other")))
    assert [(called[c.service], c.kind, c.score) for c in plain.candidates] == [
        (c.service, c.kind, c.score) for c in other.candidates
    ]
    assert plain.verdict is other.verdict


def test_two_normal_stretches_rank_nobody(tmp_path):
    """Without a fault there is no candidate, and the verdict is INCONCLUSIVE."""
    found = answered(Shop().write(tmp_path / "case"))
    assert (found.candidates, found.verdict) == ((), Verdict.INCONCLUSIVE)


def test_json_has_a_line_for_each_folder_with_evidence_for_each_claim(tmp_path):
    """Case, ranking, kind, inner cause, pod and the items that claims cite are there; folders keep their order."""
    one = Shop(("stock", "exception")).write(tmp_path / "one")
    two = Shop(("cart", "cpu")).write(tmp_path / "two")
    result = run("--json", one, two)
    first, second = map(json.loads, result.stdout.splitlines())
    assert (result.exit_code, first["case"], second["case"]) == (0, "one", "two")
    assert (first["ranking"][0], first["kind"], first["inner"]) == ("stock", "exception", "Stock#10_Stock#12")
    assert (first["operation"], first["candidates"][0]["pod"]) == ("GET /stock", "stock-7d9f-x2x")
    assert second["inner"] == "k8s.pod.cpu_limit_utilization"
    cited = {number for claim in first["candidates"][0]["speaks_for"] for number in claim["evidence"]}
    assert cited == {item["id"] for item in first["candidates"][0]["evidence"]}


def test_report_says_who_how_sure_and_why(tmp_path):
    """The readable report has verdict, cause, pod, and claims with their evidence."""
    text = run(Shop(("cart", "network")).write(tmp_path / "case")).stdout
    assert "the way to cart has become slow" in text
    assert "1. cart (cart-7d9f-x2x): network_delay" in text
    assert "ms before [E" in text


def test_stretches_on_the_command_line_need_no_case(tmp_path):
    """--normal and --fault do what cases.jsonl does, in nanoseconds as well as in ISO 8601."""
    folder = Shop(("cart", "network")).write(tmp_path / "case")
    (folder / "cases.jsonl").unlink()
    normal = [f"--normal={a}..{b}" for a, b in NORMAL]
    result = run("--json", *normal, f"--fault={FAULT[0]}..{FAULT[1]}", folder)
    assert json.loads(result.stdout)["ranking"][0] == "cart"
    assert stretch("2023-11-14T22:13:20Z..1700000060") == (START_NS, START_NS + 60 * S)


@pytest.mark.parametrize("text", ["1..x", "5", "9..3", "..", "2023-13-01..2024-01-01"])
def test_a_stretch_that_is_none_is_refused_with_an_example(text, tmp_path):
    """A wrong stretch is a usage error without a traceback."""
    result = run(f"--normal={text}", "--fault=1..2", tmp_path)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
def test_one_signal_alone_is_answered(signal, tmp_path):
    """Any file may be missing; what is there is used, and nothing fails."""
    folder = Shop(("cart", "network")).write(tmp_path / "case")
    for path in folder.glob("*.zst"):
        if signal not in path.name:
            path.unlink()
    found = json.loads(run("--json", folder).stdout)
    assert found["ranking"][:1] == (["cart"] if signal == "traces" else [])


@pytest.mark.parametrize("keep", [0, 3, 200])
def test_damage_is_one_line_and_the_other_folders_are_answered(keep, tmp_path):
    """A file cut off says so and counts as failed, an empty one is empty; neither is a traceback."""
    good = Shop(("cart", "network")).write(tmp_path / "good")
    bad = Shop(("cart", "network")).write(tmp_path / "bad")
    path = bad / "traces.otlp.zst"
    path.write_bytes(path.read_bytes()[:keep])
    result = run("--json", bad, good)
    first, second = map(json.loads, result.stdout.splitlines())
    assert (first["verdict"], second["ranking"][0]) == ("inconclusive", "cart")
    assert result.exit_code == (1 if keep else 0)
    assert ("is cut off" in first.get("problem", "")) == bool(keep)


def test_a_folder_without_a_case_says_what_to_do(tmp_path):
    """No cases.jsonl and no stretches: the answer names both ways out; a damaged one is named."""
    assert "say --normal" in json.loads(run("--json", tmp_path).stdout)["problem"]
    (tmp_path / "cases.jsonl").write_text(json.dumps({"case": tmp_path.name, "fault": "soon"}))
    assert "damaged line" in json.loads(run("--json", tmp_path).stdout)["problem"]


def test_a_missing_folder_is_an_answer_too(tmp_path):
    """A folder that is not there is a problem of that folder alone."""
    result = run("--json", "--normal=1..2", "--fault=2..3", tmp_path / "none")
    assert "cannot be read" in json.loads(result.stdout)["problem"]


def test_one_file_may_stand_for_a_folder(tmp_path):
    """A single traces file is analysed as it is."""
    folder = Shop(("store", "network")).write(tmp_path / "case")
    found = analyse(folder / "traces.otlp.zst", Case("dump", FAULT, NORMAL))
    assert found.candidates[0].service == "store"
