"""Experiment files: ours are sound, and what cannot be used is refused before anything is broken."""

import json

import pytest
from chaoslib.experiment import ensure_experiment_is_valid
from chaoslib.loader import load_experiment

from action.chaos.experiment import built_in, find, load
from action.errors import ExperimentError


def test_the_two_experiments_are_there():
    """Their names are what the input takes."""
    assert set(built_in()) >= {"db-pool-exhaustion", "latency-spike"}


@pytest.mark.parametrize("name", ["db-pool-exhaustion", "latency-spike"])
def test_ours_are_valid_for_chaos_toolkit_and_take_back_what_they_start(name, tmp_path):
    """Functions and their arguments exist; the fault of the clean-up, of the start and of the roll-back is one."""
    path = find(name, tmp_path)
    document = load_experiment(str(path))
    ensure_experiment_is_valid(document)
    start, stop = document["method"][0], document["rollbacks"][0]
    faults = {start["provider"]["arguments"]["name"], stop["provider"]["arguments"]["name"], load(path).spec.fault}
    assert faults == {name}


@pytest.mark.parametrize("given", ["", "no-such", "../secret.yaml", "/etc/passwd", "notes.txt"])
def test_a_path_that_is_no_experiment_of_the_repository_is_refused(given, tmp_path):
    """Nothing outside the workspace is read."""
    (tmp_path / "work").mkdir()
    (tmp_path / "secret.yaml").write_text("title: x")
    (tmp_path / "work" / "notes.txt").write_text("title: x")
    with pytest.raises(ExperimentError, match="db-pool-exhaustion"):
        find(given, tmp_path / "work")


def test_a_link_out_of_the_workspace_is_refused(tmp_path):
    """A link is judged by where it leads."""
    (tmp_path / "work").mkdir()
    (tmp_path / "secret.yaml").write_text("title: x")
    (tmp_path / "work" / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    with pytest.raises(ExperimentError):
        find("link.yaml", tmp_path / "work")


GOOD = {"title": "t", "rollbacks": [{}], "extensions": [{"name": "sre-space", "fault": "f", "blast_radius": ["a"]}]}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"rollbacks": []}, "rollbacks"),
        ({"extensions": []}, "no extension `sre-space`"),
        ({"extensions": [{"name": "sre-space", "fault": "../x", "blast_radius": ["a"]}]}, "fault"),
        ({"extensions": [{"name": "sre-space", "fault": "f", "blast_radius": []}]}, "blast_radius"),
        ({"extensions": [{"name": "sre-space", "fault": "f", "blast_radius": ["a"], "oops": 1}]}, "oops"),
    ],
)
def test_an_experiment_without_its_safeguards_is_refused(change, problem, tmp_path):
    """No roll-back, no blast radius, or a misspelt word: nothing is started."""
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(ExperimentError, match=problem):
        load(find("mine.json", tmp_path))


def test_an_experiment_of_the_repository_is_read(tmp_path):
    """Any Chaos Toolkit file with our extension will do."""
    (tmp_path / "mine.json").write_text(json.dumps(GOOD))
    assert load(find("mine.json", tmp_path)).spec.blast_radius == {"a"}
