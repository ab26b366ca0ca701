#!/usr/bin/env bash
# Finds a Python that can run the Action, or makes a virtual environment with exactly the locked packages.
# In: SRE_SPACE_PYTHON (may be empty), GITHUB_ACTION_PATH, RUNNER_TEMP. Out: `python` in GITHUB_OUTPUT.
set -euo pipefail

fail() {
  echo "::error title=SRE-Space::$1"
  exit 1
}

python="${SRE_SPACE_PYTHON:-}"
if [ -z "$python" ]; then
  command -v python3 >/dev/null || fail "python3 is not on PATH. Use a runner that has it, or actions/setup-python before."
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$(python3 --version) is too old: Python 3.11 or newer is needed. Use ubuntu-24.04, or actions/setup-python before."
  home="$RUNNER_TEMP/sre-space/venv"
  python="$home/bin/python"
  if [ ! -e "$home/ready" ]; then
    python3 -m venv "$home"
    "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$GITHUB_ACTION_PATH/action/requirements.lock"
    # The sources are used where they are: nothing is built, and nothing that is not locked is fetched.
    site="$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
    echo "$GITHUB_ACTION_PATH" >"$site/sre_space.pth"
    touch "$home/ready"
  fi
fi
"$python" -c 'import action, bot, chaoslib' || fail "$python cannot import SRE-Space."
echo "python=$python" >>"$GITHUB_OUTPUT"
