"""Paths and globs, and what no remedy may touch."""

import pytest

from agents.paths import matches, path_problem
from agents.remedies.protected import protected


@pytest.mark.parametrize("path", ["a", "services/quote/settings.yaml", ".env", "a/.hidden/b", "ünï/cödé", "a..b/c"])
def test_paths_of_a_repository_are_fine(path):
    """Dots in names, hidden files and letters of every language."""
    assert path_problem(path) is None


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", "is empty"),
        ("/etc/passwd", "is not relative to the root of the repository"),
        ("~/x", "is not relative to the root of the repository"),
        ("C:/x", "is not relative to the root of the repository"),
        ("../x", "leaves the repository with `..`"),
        ("a/../../x", "leaves the repository with `..`"),
        ("a\\..\\x", "contains a backslash; paths are written with `/`"),
        ("a//b", "has an empty part or a `.` in it"),
        ("./a", "has an empty part or a `.` in it"),
        ("a/", "has an empty part or a `.` in it"),
        (".git/config", "is inside `.git`"),
        ("a/.GIT/hooks", "is inside `.git`"),
        ("a\x00b", "contains control or invisible characters"),
        ("a\u202eb", "contains control or invisible characters"),
        ("a\nb", "contains control or invisible characters"),
        ("x" * 501, "is longer than 500 characters"),
    ],
)
def test_what_is_no_path_of_a_repository_is_named(path, problem):
    """Whatever leaves it or hides in it."""
    assert path_problem(path) == problem


@pytest.mark.parametrize(
    ("path", "glob", "expected"),
    [
        ("services/quote/a.py", "services/quote/**", True),
        ("services/quote/x/y.py", "services/quote/**", True),
        ("services/quote", "services/quote/**", False),
        ("services/quoter/a.py", "services/quote/**", False),
        ("a.py", "**/*.py", True),
        ("x/y/a.py", "**/*.py", True),
        ("x/a.py", "*.py", False),
        ("x/a.py", "x/?.py", True),
        ("x/ab.py", "x/?.py", False),
        ("a/b/c/d", "a/**/d", True),
        ("a/d", "a/**/d", True),
        ("a.b", "a?b", True),
        ("axb", "a.b", False),
        ("anything/at/all", "**", True),
    ],
)
def test_globs_match_whole_paths(path, glob, expected):
    """`**` is any number of folders; `*` and `?` stay within one name."""
    assert matches(path, glob) is expected


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        ".github/workflows/../workflows/x.yml",
        ".GitHub/Workflows/ci.yml",
        ".github/actions/deploy/action.yml",
        ".github/sre-space.yml",
        ".github/CODEOWNERS",
        "CODEOWNERS",
        "docs/CODEOWNERS",
        "sub/.github/workflows/ci.yml",
        ".gitmodules",
        "services/auth/login.py",
        "policy/quota.yaml",
        "deploy/rbac/role.yaml",
        "opa/main.rego",
        "poetry.lock",
        "web/package-lock.json",
        "web/pnpm-lock.yaml",
        "web/yarn.lock",
        "go.sum",
        "Cargo.lock",
        "requirements-dev.lock",
        "certs/server.key",
        "config/secrets/db.yaml",
    ],
)
def test_protected_files_are_found_in_every_folder_and_case(path):
    """Workflows, ownership, our own configuration, policy, auth, keys and lock files."""
    assert protected(path) is not None


@pytest.mark.parametrize(
    "path", ["services/quote/settings.yaml", "deploy/values.yaml", "author.py", "lock.py", ".env", "package.json"]
)
def test_ordinary_files_are_not_protected(path):
    """Names that only resemble protected ones are free."""
    assert protected(path) is None
