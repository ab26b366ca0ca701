"""Routes of GitHub's API."""

import pytest

from bot.observability.routes import route_of


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/repos/acme/shop/issues/3/comments", "/repos/{}/{}/issues/{}/comments"),
        ("/api/v3/repos/issues/repos/contents/a/b/c.yaml", "/api/v3/repos/{}/{}/contents/{}"),
        ("/repos/a/b/compare/x...y", "/repos/{}/{}/compare/{}"),
        ("/repos/a/b/git/refs/heads/sre-space/inc-1/issues", "/repos/{}/{}/git/refs/heads/{}"),
        ("/app/installations/3/access_tokens", "/app/installations/{}/access_tokens"),
        ("/repos/a/b/collaborators/issues-maria/permission", "/repos/{}/{}/collaborators/{}/permission"),
        ("/", "/{}"),
    ],
)
def test_names_numbers_and_paths_are_left_out(path, route):
    """Even where a repository is called like a word of the API."""
    assert route_of(path) == route
