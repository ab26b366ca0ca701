"""The install step: a Python that will do, or one plain sentence."""

import os
import subprocess
import sys

import pytest

from tests.requirements import ROOT


def install(folder, python="", **environment):
    """Run the script as the step does; return it with what it wrote as output."""
    output = folder / "output"
    env = {**os.environ, "GITHUB_ACTION_PATH": str(ROOT), "RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(output)}
    done = subprocess.run(
        ["bash", str(ROOT / "action/install.sh")],
        env={**env, "SRE_SPACE_PYTHON": python, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, output.read_text() if output.exists() else ""


def test_a_python_that_is_given_is_used(tmp_path):
    """It has SRE-Space and Chaos Toolkit; nothing is installed."""
    done, output = install(tmp_path, sys.executable)
    assert (done.returncode, output) == (0, f"python={sys.executable}\n")


def test_a_python_without_sre_space_is_refused(tmp_path):
    """The message names it."""
    empty = tmp_path / "python"
    empty.write_text("#!/bin/sh\nexit 1\n")
    empty.chmod(0o755)
    done, output = install(tmp_path, str(empty))
    assert (done.returncode, output) == (1, "")
    assert f"::error title=SRE-Space::{empty} cannot import SRE-Space." in done.stdout


@pytest.mark.parametrize(("version", "problem"), [("3.10.12", "Python 3.10.12 is too old")])
def test_an_old_python_is_refused_with_a_remedy(tmp_path, version, problem):
    """The runner's image decides which python3 there is."""
    old = tmp_path / "bin" / "python3"
    old.parent.mkdir()
    old.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "Python {version}" && exit 0\nexit 1\n')
    old.chmod(0o755)
    done, output = install(tmp_path, PATH=f"{old.parent}:{os.environ['PATH']}")
    assert (done.returncode, output) == (1, "")
    assert problem in done.stdout
    assert "actions/setup-python" in done.stdout
