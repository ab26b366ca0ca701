"""action.yml: nothing is interpolated into scripts, and inputs, settings and documentation name the same things."""

import json
import re

import pytest

from action.errors import InputError
from action.settings import Inputs, load_context
from tests.requirements import ROOT
from tests.support_action import action

DOCS = (ROOT / "docs/action.md").read_text(encoding="utf-8")
NOT_FOR_THE_PROGRAM = {"python"}


def steps():
    """Return the steps."""
    return action()["runs"]["steps"]


def test_no_expression_reaches_a_script():
    """What people write in inputs arrives as environment, never as code; no other action is used."""
    for step in steps():
        assert "${{" not in step["run"]
        assert "uses" not in step


def test_every_input_reaches_the_program_and_every_setting_is_an_input():
    """`detection-timeout-s` is `INPUT_DETECTION_TIMEOUT_S` is `detection_timeout_s`."""
    run = next(step for step in steps() if step.get("id") == "run")
    passed = {name: value for name, value in run["env"].items() if name.startswith("INPUT_")}
    for name, value in passed.items():
        assert value == f"${{{{ inputs.{name.removeprefix('INPUT_').lower().replace('_', '-')} }}}}"
    fields = {f"INPUT_{name.upper()}" for name in Inputs.model_fields}
    assert set(passed) == fields
    declared = {f"INPUT_{name.upper().replace('-', '_')}" for name in set(action()["inputs"]) - NOT_FOR_THE_PROGRAM}
    assert declared == fields


def test_defaults_of_inputs_are_those_of_the_program():
    """An input that is left out means the same in both."""
    for name, item in action()["inputs"].items():
        field = Inputs.model_fields.get(name.replace("-", "_"))
        if field is None or item.get("required") or name == "token" or not str(item["default"]):
            continue
        assert str(field.default) in {str(item["default"]), f"{item['default']}.0"}, name


def test_the_clean_up_runs_whatever_happened():
    """Its condition begins with always()."""
    clean_up = steps()[-1]
    assert clean_up["if"].startswith("${{ always() &&")
    assert clean_up["run"].endswith("-m action clean-up")


@pytest.mark.parametrize("part", ["inputs", "outputs"])
def test_the_documentation_names_every_input_and_output(part):
    """Each has a row in docs/action.md, and there is none for what does not exist."""
    section = DOCS.split(f"## {part.capitalize()}")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z-]+)`", section, re.MULTILINE)) == set(action()[part])


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "mode"),
        ({"INPUT_MODE": "sleep", "INPUT_TOKEN": "t", "GITHUB_REPOSITORY": "a/b"}, "mode"),
        ({"INPUT_MODE": "chaos", "INPUT_TOKEN": "t", "GITHUB_REPOSITORY": "a/b", "INPUT_POLL_S": "no"}, "poll-s"),
        ({"INPUT_MODE": "chaos", "INPUT_TOKEN": "t", "GITHUB_REPOSITORY": "../x"}, "repository"),
    ],
)
def test_a_wrong_input_is_named_and_its_value_is_not(environment, named, monkeypatch):
    """The message is one line for the workflow's author."""
    for name in ("INPUT_MODE", "INPUT_TOKEN", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError) as caught:
        load_context()
    assert caught.value.name == named
    assert json.dumps("sleep") not in str(caught.value)


def pinned(lock):
    """Return the packages of a lock file with their versions."""
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_the_actions_lock_holds_all_of_the_programs_and_chaos_toolkit():
    """The Action runs the worker's code: a package that is new there must not be missing here (`make lock`)."""
    ours = pinned("action/requirements.lock")
    assert pinned("requirements.lock").items() <= ours.items()
    assert ours["chaostoolkit-lib"].startswith("1.44.")
