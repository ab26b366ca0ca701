"""GitHub's addresses as routes: what differs from one resource to the next is left out, so that few remain."""

from typing import Final

# Words of GitHub's REST API that say what is asked for; every other segment is a name, a number or a SHA.
_WORDS: Final = frozenset(
    {
        "access_tokens",
        "api",
        "app",
        "attempts",
        "blobs",
        "branches",
        "check-runs",
        "collaborators",
        "comments",
        "commits",
        "compare",
        "contents",
        "deliveries",
        "files",
        "git",
        "graphql",
        "heads",
        "hook",
        "installation",
        "installations",
        "issues",
        "labels",
        "merge",
        "merges",
        "orgs",
        "permission",
        "protection",
        "pulls",
        "rate_limit",
        "reactions",
        "ref",
        "refs",
        "releases",
        "repos",
        "repositories",
        "requested_reviewers",
        "reviews",
        "search",
        "tags",
        "teams",
        "timeline",
        "trees",
        "user",
        "users",
        "v3",
    }
)
_TAILS: Final = frozenset({"contents", "heads", "compare", "tags", "labels"})
_NAME: Final = "{}"
_OWNER_AND_NAME: Final = 2


def route_of(path: str) -> str:
    """Return the route of a path, as `/repos/{}/{}/issues/{}`; what follows a tail (a file's path) is one name."""
    route: list[str] = []
    names = 0
    for segment in path.strip("/").split("/"):
        if route and route[-1] == _NAME and route[-2:-1] and route[-2] in _TAILS:
            continue
        if names or segment not in _WORDS or (route and route[-1] in _TAILS):
            route.append(_NAME)
            names = max(0, names - 1)
            continue
        route.append(segment)
        names = _OWNER_AND_NAME if segment == "repos" else 0
    return "/" + "/".join(route)
