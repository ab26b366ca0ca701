"""Building the site from a folder: everything is made here, and nothing at import."""

import json
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from fastapi import FastAPI

from infra.sandbox.github import clock, events, seed
from infra.sandbox.github.deliveries import Dispatcher
from infra.sandbox.github.errors import SandboxError
from infra.sandbox.github.faults import FaultBox
from infra.sandbox.github.git.repository import GitRepository
from infra.sandbox.github.git.signing import CommitSigner
from infra.sandbox.github.records.accounts import Installation
from infra.sandbox.github.server import create_app
from infra.sandbox.github.site import Site
from infra.sandbox.github.store import Store


@dataclass(frozen=True)
class Options:
    """How the stand-in is started."""

    data: Path
    port: int
    host: str = "127.0.0.1"
    webhook_url: str | None = None
    seed: Path | None = None
    public_url: str | None = None
    private: bool = False
    rate_limit: int = 5000
    now: datetime | None = None

    @property
    def base_url(self) -> str:
        """The address that clients use, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


async def build(options: Options) -> FastAPI:
    """The application over the state in the folder, which is made when there is none."""
    clock.stop_at(options.now)
    options.data.mkdir(parents=True, exist_ok=True)
    store = Store(options.data / "github.sqlite3")
    signer = CommitSigner(_signing_key(options.data / "signing.pem"))
    git = GitRepository(options.data / seed.OWNER / f"{seed.REPOSITORY}.git", signer)
    new: Installation | None = None
    if not len(store.repositories):
        new = seed.first_state(store, options.base_url, options.webhook_url, private=options.private)
        await seed.first_commit(store, git, options.seed, clock.now())
    elif options.webhook_url:
        app = next(iter(store.apps))
        store.apps.put(app.evolve(hook=app.hook.model_copy(update={"url": options.webhook_url})))
    faults = FaultBox()
    site = Site(options.base_url, store, git, Dispatcher(store, faults), faults)
    _write_credentials(options.data / "app.json", site)

    async def ready() -> None:
        if new and options.webhook_url:
            events.ping(site, new)
        sys.stdout.write(f"ready {site.repo_html} app.json={options.data / 'app.json'}\n")
        sys.stdout.flush()

    return create_app(site, options.rate_limit, ready)


def _signing_key(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        path.touch(mode=0o600)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return key
    loaded = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(loaded, Ed25519PrivateKey):
        raise SandboxError(f"{path} is not an Ed25519 key")
    return loaded


def _write_credentials(path: Path, site: Site) -> None:
    """Writes what the bot and the tests need to connect, readable by the owner alone."""
    app = next(iter(site.store.apps))
    installation = site.store.installations.first(lambda row: row.app_id == app.id)
    tokens = {
        site.store.users.get(token.user_id).login: token.value
        for token in site.store.tokens
        if token.user_id is not None
    }
    credentials = {
        "api_url": site.base_url,
        "html_url": site.base_url,
        "app_id": app.id,
        "app_slug": app.slug,
        "client_id": app.client_id,
        "private_key": app.private_key,
        "webhook_secret": app.hook.secret,
        "installation_id": installation.id if installation else None,
        "owner": site.owner.login,
        "repo": site.repository.name,
        "repository_id": site.repository.id,
        "clone_url": f"{site.repo_html}.git",
        "users": tokens,
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(credentials, indent=2) + "\n")
