"""The stand-in as githubkit, the client of the bot, sees it: App auth, typed models, errors, auto-paging."""

from collections.abc import Iterator

import pytest
from githubkit import AppAuthStrategy, AppInstallationAuthStrategy, GitHub, TokenAuthStrategy
from githubkit.exception import RequestFailed

from infra.sandbox.github.testing import StandIn, stand_in


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One stand-in for all."""
    with stand_in(tmp_path_factory.mktemp("gh")) as running:
        yield running


@pytest.fixture
def github(site: StandIn) -> GitHub[AppInstallationAuthStrategy]:
    """A client authenticated as the installation; githubkit fetches its token by itself."""
    auth = AppInstallationAuthStrategy(
        site.credentials["app_id"], site.credentials["private_key"], site.credentials["installation_id"]
    )
    return GitHub(auth, base_url=site.api_url, trust_env=False, auto_retry=False)


def test_the_app_and_its_installation_are_typed(site: StandIn) -> None:
    """App endpoints by JWT."""
    auth = AppAuthStrategy(site.credentials["app_id"], site.credentials["private_key"])
    github = GitHub(auth, base_url=site.api_url, trust_env=False)
    assert github.rest.apps.get_authenticated().parsed_data.slug == "sre-space-sandbox"
    found = github.rest.apps.get_repo_installation("acme", "shop").parsed_data
    assert found.id == site.credentials["installation_id"]
    assert found.permissions.issues == "write"
    assert github.rest.apps.list_webhook_deliveries().parsed_data == []


def test_the_way_of_a_fix_is_typed(github: GitHub[AppInstallationAuthStrategy], site: StandIn) -> None:
    """Every answer of the bot's main path parses into githubkit's models."""
    at, rest = ("acme", "shop"), github.rest
    repository = rest.repos.get(*at).parsed_data
    issue = rest.issues.create(*at, title="pool", body="dry", labels=["incident"]).parsed_data
    comment = rest.issues.create_comment(*at, issue.number, body="**RCA**").parsed_data
    assert comment.performed_via_github_app
    assert comment.performed_via_github_app.id == site.credentials["app_id"]
    assert rest.issues.update_comment(*at, comment.id, body="**RCA 2**").parsed_data.body == "**RCA 2**"
    assert rest.reactions.create_for_issue_comment(*at, comment.id, content="eyes").parsed_data.content == "eyes"
    head = rest.git.get_ref(*at, f"heads/{repository.default_branch}").parsed_data.object_.sha
    base = rest.git.get_commit(*at, head).parsed_data.tree.sha
    entry = {"path": "conf/app.yaml", "mode": "100644", "type": "blob", "content": "pool: 4\n"}
    tree = rest.git.create_tree(*at, base_tree=base, tree=[entry]).parsed_data
    commit = rest.git.create_commit(*at, message="Raise", tree=tree.sha, parents=[head]).parsed_data
    assert commit.verification.verified
    rest.git.create_ref(*at, ref="refs/heads/sre-space/1/a", sha=commit.sha)
    pull = rest.pulls.create(*at, title="Raise", head="sre-space/1/a", base="main").parsed_data
    assert [row.filename for row in rest.pulls.list_files(*at, pull.number).parsed_data] == ["conf/app.yaml"]
    check = {"name": "sre-space", "head_sha": commit.sha, "status": "completed", "conclusion": "success"}
    assert rest.checks.create(*at, data=check).parsed_data.conclusion == "success"
    assert rest.repos.get_collaborator_permission_level(*at, "maria").parsed_data.role_name == "maintain"
    assert rest.pulls.merge(*at, pull.number, sha=commit.sha, merge_method="squash").parsed_data.merged
    content = rest.repos.get_content(*at, "conf/app.yaml").parsed_data
    assert getattr(content, "path", None) == "conf/app.yaml"
    events = [row.event for row in rest.issues.list_events_for_timeline(*at, pull.number).parsed_data]
    assert "merged" in events
    query = "repo:acme/shop is:pr is:merged"
    assert rest.search.issues_and_pull_requests(q=query).parsed_data.total_count == 1


def test_paging_goes_through_all(github: GitHub[AppInstallationAuthStrategy]) -> None:
    """The paginator of githubkit stops where the stand-in's pages end."""
    for number in range(3):
        github.rest.issues.create("acme", "shop", title=f"p{number}", labels=["paged"])
    rows = github.rest.paginate(github.rest.issues.list_for_repo, owner="acme", repo="shop", labels="paged", per_page=2)
    assert [row.title for row in rows] == ["p2", "p1", "p0"]


def test_refusals_carry_status_and_message(github: GitHub[AppInstallationAuthStrategy], site: StandIn) -> None:
    """The client raises with the body at hand."""
    with pytest.raises(RequestFailed) as missing:
        github.rest.issues.get("acme", "shop", 4711)
    assert missing.value.response.status_code == 404
    eve = GitHub(TokenAuthStrategy(site.credentials["users"]["eve"]), base_url=site.api_url, trust_env=False)
    with pytest.raises(RequestFailed) as denied:
        eve.rest.issues.update("acme", "shop", 1, state="closed")
    assert denied.value.response.status_code == 403
