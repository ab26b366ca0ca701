"""Who may do what: Apps, installations, users, and git itself."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.sandbox.github.testing import StandIn, WebhookSink, stand_in, webhook_sink
from tests.requirements import need


@pytest.fixture(scope="module")
def sink() -> Iterator[WebhookSink]:
    """Where the webhooks go."""
    with webhook_sink() as running:
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sink: WebhookSink) -> Iterator[StandIn]:
    """One stand-in for tests that only look or touch things of their own."""
    with stand_in(tmp_path_factory.mktemp("gh"), "--webhook-url", sink.url) as running:
        yield running


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({}, 200),
        ({"exp": int(time.time()) - 5}, 401),
        ({"exp": int(time.time()) + 3600}, 401),
        ({"iat": int(time.time()) + 3600}, 401),
        ({"iss": "12"}, 404),
    ],
)
def test_the_apps_jwt_is_verified(site: StandIn, claims: dict[str, object], status: int) -> None:
    """Expired, too long-lived, from the future, or of an unknown App: refused."""
    with site.client(f"Bearer {site.app_jwt(**claims)}") as client:
        assert client.get(f"{site.api_url}/app").status_code == status


def test_a_jwt_signed_by_another_key_is_refused(site: StandIn) -> None:
    """The signature counts, not the claims."""
    head, body, signature = site.app_jwt().split(".")
    forged = ".".join([head, body, signature[::-1]])
    with site.client(f"Bearer {forged}") as client:
        answer = client.get(f"{site.api_url}/app")
    assert (answer.status_code, answer.json()["message"]) == (401, "A JSON web token could not be decoded")


@pytest.mark.parametrize(
    ("authorization", "message"),
    [("", "Requires authentication"), ("token ghs_wrong", "Bad credentials"), ("Digest x", "Bad credentials")],
)
def test_nobody_reads_without_a_valid_token(site: StandIn, authorization: str, message: str) -> None:
    """401 with GitHub's words."""
    with site.client(authorization) as client:
        answer = client.get("/issues")
    assert (answer.status_code, answer.json()["message"]) == (401, message)


def test_an_installation_token_has_the_permissions_it_was_narrowed_to(site: StandIn) -> None:
    """Issues may be written, contents not; more than is granted is not given."""
    token = site.installation_token(permissions={"issues": "write"}, repositories=["shop"])
    with site.client(f"token {token}") as narrow, site.app() as app:
        assert narrow.post("/issues", json={"title": "x"}).status_code == 201
        refused = narrow.put("/contents/x", json={"message": "x", "content": ""})
        tokens = f"{site.api_url}/app/installations/{site.credentials['installation_id']}/access_tokens"
        greedy = app.post(tokens, json={"permissions": {"administration": "write"}})
        elsewhere = app.post(tokens, json={"repositories": ["other"]})
        assert narrow.get(f"{site.api_url}/app").status_code == 401
        assert app.get("/issues").status_code == 403
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")
    assert (greedy.status_code, elsewhere.status_code) == (422, 422)


@pytest.mark.parametrize(
    ("login", "permission", "role"),
    [
        ("otto", "admin", "admin"),
        ("maria", "write", "maintain"),
        ("wim", "write", "write"),
        ("rita", "read", "read"),
        ("eve", "read", "read"),
    ],
)
def test_permissions_of_users_are_told_as_on_a_public_repository(
    site: StandIn, login: str, permission: str, role: str
) -> None:
    """The old word and the role."""
    with site.installation() as bot:
        answer = bot.get(f"/collaborators/{login}/permission").json()
    assert (answer["permission"], answer["role_name"]) == (permission, role)


def test_readers_may_speak_but_not_act(site: StandIn) -> None:
    """A reader comments on a public repository; closing, labelling and writing files are refused."""
    with site.user("maria") as maria, site.user("eve") as eve:
        at = f"/issues/{maria.post('/issues', json={'title': 'x'}).json()['number']}"
        assert eve.post(f"{at}/comments", json={"body": "/approve"}).status_code == 201
        assert eve.patch(at, json={"state": "closed"}).status_code == 403
        assert eve.post(f"{at}/labels", json={"labels": ["x"]}).status_code == 403
        assert eve.put("/contents/x", json={"message": "x", "content": ""}).status_code == 404
        assert eve.post("/check-runs", json={"name": "x", "head_sha": "0" * 40}).status_code == 403
        assert eve.get("/collaborators/maria/permission").status_code == 403
        assert maria.get(at).json()["state"] == "open"


def test_a_private_repository_is_hidden_from_strangers(tmp_path: Path) -> None:
    """404, and the permission is none."""
    with stand_in(tmp_path / "gh", "--private") as site, site.user("eve") as eve, site.installation() as bot:
        assert eve.get("/issues").status_code == 404
        assert bot.get("/collaborators/eve/permission").json()["permission"] == "none"


def test_teams_are_told_to_those_who_may_know(site: StandIn) -> None:
    """Membership of a team; 404 for who is not in it."""
    with site.installation() as bot, site.user("eve") as eve:
        teams = f"{site.api_url}/orgs/acme/teams/sre/memberships"
        assert bot.get(f"{teams}/maria").json()["state"] == "active"
        assert bot.get(f"{teams}/wim").status_code == 404
        assert eve.get(f"{teams}/maria").status_code == 404


def git(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Git, told who it is and to ask nobody."""
    options = ["-c", "user.name=Maria", "-c", "user.email=m@example.org", "-c", "credential.helper="]
    environment = {"PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0", "HOME": str(folder)}
    command = ["git", *options, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_git_clones_pushes_and_is_refused_by_rights_and_protection(
    site: StandIn, sink: WebhookSink, tmp_path: Path
) -> None:
    """A real git client over HTTP; a push by hand is told as a webhook with its commits."""
    users, address = site.credentials["users"], site.credentials["clone_url"].removeprefix("http://")

    def remote(login: str) -> str:
        return f"http://{login}:{users[login]}@{address}"

    assert git("clone", "--quiet", f"http://{address}", "none", folder=tmp_path).returncode != 0
    assert git("clone", "--quiet", remote("maria"), "work", folder=tmp_path).returncode == 0
    work = tmp_path / "work"
    (work / "new.txt").write_text("new\n")
    git("add", ".", folder=work)
    git("commit", "--quiet", "--message", "Add new.txt", folder=work)
    assert "denied to rita" in git("push", remote("rita"), "HEAD:main", folder=work).stderr
    assert git("push", "--quiet", remote("maria"), "HEAD:main", folder=work).returncode == 0
    site.settle()
    push = next(hook.payload for hook in reversed(sink.caught) if hook.name == "push")
    assert (push["ref"], push["sender"]["login"]) == ("refs/heads/main", "maria")
    assert push["commits"][0]["added"] == ["new.txt"]
    site.control("POST", "/protection", {"branch": "main", "required_approvals": 1})
    git("commit", "--quiet", "--allow-empty", "--message", "Direct", folder=work)
    refused = git("push", remote("wim"), "HEAD:main", folder=work)
    site.control("DELETE", "/protection/main")
    assert "GH006: Protected branch update failed for refs/heads/main" in refused.stderr


def test_a_signature_of_the_api_is_one_that_git_itself_verifies(site: StandIn, tmp_path: Path) -> None:
    """`git verify-commit` takes the commit made by the App with the stand-in's public key."""
    need("ssh-keygen", Path("/usr/bin/ssh-keygen").exists(), "apt install openssh-client")
    with site.installation() as bot:
        text = {"message": "Signed", "content": "", "branch": "main"}
        sha = bot.put("/contents/signed.txt", json=text).raise_for_status().json()["commit"]["sha"]
    secret = site.credentials["users"]["maria"]
    address = site.credentials["clone_url"].replace("http://", f"http://maria:{secret}@")
    git("clone", "--quiet", address, "work", folder=tmp_path)
    key = httpx.get(f"{site.api_url}/_sandbox/signing-key", trust_env=False).text
    (tmp_path / "allowed").write_text(f"noreply@github.com {key}\n")
    option = f"gpg.ssh.allowedSignersFile={tmp_path / 'allowed'}"
    verified = git("-c", option, "verify-commit", "--raw", sha, folder=tmp_path / "work")
    assert 'Good "git" signature for noreply@github.com' in verified.stderr + verified.stdout
