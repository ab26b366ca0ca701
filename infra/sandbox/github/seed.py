"""The state of the very first start: an App, people, and a repository with one commit."""

import os
import secrets
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from infra.sandbox.github import clock
from infra.sandbox.github.domain.idents import ident_of
from infra.sandbox.github.errors import SandboxError
from infra.sandbox.github.git.model import ZERO_SHA
from infra.sandbox.github.git.repository import GitRepository
from infra.sandbox.github.records.accounts import App, HookConfig, Installation, Repository, Role, Team, Token, User
from infra.sandbox.github.store import Store

APP_SLUG = "sre-space-sandbox"
OWNER, REPOSITORY = "acme", "shop"
PEOPLE = (
    ("otto", "Otto Berg", Role.ADMIN, "MEMBER"),
    ("maria", "Maria Costa", Role.MAINTAIN, "MEMBER"),
    ("wim", "Wim de Vries", Role.WRITE, "MEMBER"),
    ("rita", "Rita Novak", Role.READ, "COLLABORATOR"),
    ("eve", "Eve Stone", Role.NONE, "NONE"),
)
PERMISSIONS = {
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "members": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "read",
}
AUTHOR = "maria"
TEAM = "sre"
EVENTS = ["check_run", "issue_comment", "issues", "pull_request", "pull_request_review", "push"]
SKIPPED = {".git", "__pycache__", ".pytest_cache", ".ruff_cache", ".venv", "node_modules"}


def key_pair() -> tuple[str, str]:
    """A new RSA key pair as PEM: private (PKCS#1, as GitHub gives it), public."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def add_user(store: Store, login: str, **fields: object) -> User:
    """A new account; people get an e-mail address of GitHub's no-reply kind."""
    user_id = store.next_id()
    values = {"created_at": clock.now_iso(), "email": f"{user_id}+{login}@users.noreply.github.com", **fields}
    return store.users.put(User.model_validate({"id": user_id, "login": login, **values}))


def add_app(
    store: Store,
    *,
    slug: str,
    name: str,
    owner_id: int,
    url: str,
    hook_url: str | None,
    permissions: dict[str, str],
    events: list[str],
) -> App:
    """A new App with its bot, keys and secrets."""
    private, public = key_pair()
    now = clock.now_iso()
    bot = add_user(store, f"{slug}[bot]", type="Bot")
    return store.apps.put(
        App(
            id=store.next_id(),
            slug=slug,
            name=name,
            client_id=f"Iv23li{secrets.token_hex(7)}",
            client_secret=secrets.token_hex(20),
            owner_id=owner_id,
            bot_id=bot.id,
            external_url=url,
            private_key=private,
            public_key=public,
            permissions=permissions,
            events=events,
            hook=HookConfig(id=store.next_id(), url=hook_url, secret=secrets.token_hex(20)),
            created_at=now,
            updated_at=now,
        )
    )


def install(store: Store, app: App, account_id: int) -> Installation:
    """The App installed on an account, with all it asks for."""
    now = clock.now_iso()
    return store.installations.put(
        Installation(
            id=store.next_id(),
            app_id=app.id,
            account_id=account_id,
            permissions=app.permissions,
            events=app.events,
            created_at=now,
            updated_at=now,
        )
    )


def first_state(store: Store, base_url: str, webhook_url: str | None, *, private: bool) -> Installation:
    """Fills an empty store and returns the installation."""
    now = clock.now_iso()
    owner = add_user(store, OWNER, type="Organization", name="Acme", email=None)
    for login, name, role, association in PEOPLE:
        person = add_user(store, login, name=name, role=role, association=association)
        token = f"ghp_{secrets.token_urlsafe(27)}"
        store.tokens.put(Token(id=store.next_id(), value=token, user_id=person.id))
    maintainers = store.users.where(lambda row: row.role.rank >= Role.MAINTAIN.rank)
    store.teams.put(Team(id=store.next_id(), slug=TEAM, members=[row.id for row in maintainers]))
    add_user(store, "web-flow", name="GitHub", email="noreply@github.com")
    store.repositories.put(
        Repository(
            id=store.next_id(),
            owner_id=owner.id,
            name=REPOSITORY,
            private=private,
            description="The shop that the sandbox breaks and SRE-Space repairs",
            created_at=now,
            updated_at=now,
            pushed_at=now,
        )
    )
    app = add_app(
        store,
        slug=APP_SLUG,
        name="SRE-Space Sandbox",
        owner_id=owner.id,
        url=base_url,
        hook_url=webhook_url,
        permissions=PERMISSIONS,
        events=EVENTS,
    )
    return install(store, app, owner.id)


def seed_files(folder: Path) -> list[tuple[str, str, bytes]]:
    """Path, mode and content of every file below a folder, caches left out."""
    files: list[tuple[str, str, bytes]] = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if SKIPPED & set(inside.parts) or not path.is_file():
            continue
        mode = "100755" if os.access(path, os.X_OK) else "100644"
        files.append((inside.as_posix(), mode, path.read_bytes()))
    return files


async def first_commit(store: Store, git: GitRepository, seed: Path | None, when: datetime) -> str:
    """Commits every file below the seed folder to the default branch and returns the sha."""
    branch = next(iter(store.repositories)).default_branch
    await git.create(branch)
    files = seed_files(seed) if seed else [("README.md", "100644", b"# shop\n")]
    changes = [(path, mode, await git.write_blob(content)) for path, mode, content in files]
    tree = await git.write_tree(None, changes)
    maria = store.users.first(lambda row: row.login == AUTHOR)
    if maria is None:
        raise SandboxError("the seeded users are missing")
    ident = replace(ident_of(maria), when=when)
    commit = await git.write_commit(tree, [], "Initial commit\n", ident)
    await git.update_ref(f"refs/heads/{branch}", commit.sha, ZERO_SHA)
    return commit.sha
