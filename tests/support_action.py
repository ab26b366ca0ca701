"""Runs the steps of action.yml as GitHub's runner does: bash, the step's env, and the files for outputs and summary."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML

from tests.requirements import ROOT

ACTION = ROOT / "action.yml"
_EXPRESSION = re.compile(r"\$\{\{(.+?)\}\}")
_CLEAN = ("INPUT_", "GITHUB_", "RUNNER_", "SRE_SPACE_")


def action():
    """Return action.yml."""
    return YAML(typ="safe").load(ACTION.read_text(encoding="utf-8"))


@dataclass
class Job:
    """One job on a runner: a workspace, a temporary folder, and what its steps wrote."""

    folder: Path
    environment: dict[str, str]
    inputs: dict[str, str]
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    log: str = ""

    def __post_init__(self):
        for name in ("workspace", "temp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        declared = action()["inputs"]
        assert set(self.inputs) <= set(declared), "an input that action.yml does not declare"
        defaults = {name: str(item.get("default", "")) for name, item in declared.items()}
        self.inputs = {**defaults, "python": sys.executable, **self.inputs}

    def run(self):
        """Run every step whose condition holds; return whether the job succeeded."""
        for number, step in enumerate(action()["runs"]["steps"]):
            name = step.get("id", f"step-{number}")
            if self._holds(step.get("if", "success()")):
                self._step(name, step)
            else:
                self.outcomes[name] = "skipped"
        return "failure" not in self.outcomes.values()

    def only(self, name):
        """Run one step."""
        self._step(name, self._named(name))

    def clean_up(self):
        """Run the last step, as a runner does whatever happened before."""
        step = action()["runs"]["steps"][-1]
        assert self._holds(step["if"])
        self._step("clean-up", step)

    def start(self, name):
        """Start one step and return its process: for tests that kill it."""
        step = self._named(name)
        return subprocess.Popen(self._command(name, step), env=self._env(name, step), cwd=self.folder / "workspace")

    @staticmethod
    def _named(name):
        return next(step for step in action()["runs"]["steps"] if step.get("id") == name)

    def _step(self, name, step):
        done = subprocess.run(
            self._command(name, step),
            env=self._env(name, step),
            cwd=self.folder / "workspace",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        )
        self.log += f"--- {step['name']}\n{done.stdout}"
        self.outcomes[name] = "failure" if done.returncode else "success"
        written = self.folder / f"{name}.output"
        lines = written.read_text().splitlines() if written.exists() else []
        self.outputs[name] = dict(line.split("=", 1) for line in lines)

    def _command(self, name, step):
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an expression in a script is code that others can write"
        script = self.folder / f"{name}.sh"
        script.write_text(step["run"])
        return ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]

    def _env(self, name, step):
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(_CLEAN)}
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_WORKSPACE": str(self.folder / "workspace"),
            "GITHUB_OUTPUT": str(self.folder / f"{name}.output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "RUNNER_TEMP": str(self.folder / "temp"),
        }
        given = {key: self.text(str(value)) for key, value in step.get("env", {}).items()}
        return {**inherited, **runner, **self.environment, **given}

    def text(self, template):
        """Return a text with its expressions replaced."""
        return _EXPRESSION.sub(lambda found: self._value(found[1].strip()), template)

    def _value(self, expression):
        if expression.startswith("inputs."):
            return self.text(self.inputs[expression.removeprefix("inputs.")])
        if expression == "github.token":
            return self.environment["TOKEN_OF_THE_JOB"]
        if expression.startswith("'"):
            return expression.strip("'")
        _, step, what, *rest = expression.split(".")
        return self.outcomes[step] if what == "outcome" else self.outputs[step].get(rest[0], "")

    def _holds(self, condition):
        terms = condition.removeprefix("${{").removesuffix("}}").split("&&")
        if not any("always()" in term for term in terms) and "failure" in self.outcomes.values():
            return False
        return all(self._term(term.strip()) for term in terms)

    def _term(self, term):
        if term in {"always()", "success()"}:
            return True
        left, right = (self._value(side.strip()) for side in term.split("=="))
        return left == right

    @property
    def results(self):
        """Return the outputs of the Action, with those that are empty left out."""
        declared = {name: self.text(item["value"]) for name, item in action()["outputs"].items()}
        return {name: value for name, value in declared.items() if value}

    @property
    def summary(self):
        """Return the job summary."""
        file = self.folder / "summary.md"
        return file.read_text() if file.exists() else ""
