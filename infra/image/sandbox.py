"""`python -m infra.image.sandbox`: what SRE-Space and the shop need to know of the GitHub stand-in, in docker compose.

It reads the stand-in's `app.json` and writes the settings of SRE-Space, the clone URL for the deployer, and the world
of the fault injector. The folders are volumes; every program in them runs as the same user.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from infra.sandbox.demo.people import MAINTAINER
from infra.sandbox.demo.world import DEVELOPERS
from infra.sandbox.errors import SandboxError
from infra.sandbox.injector import write_sandbox
from infra.sandbox.scenarios.model import Person, Sandbox
from infra.sandbox.serving import LOOPBACK, load_token

LOAD_PORT: Final = 8111
PROXY_PORT: Final = 8112
_WITHIN_S: Final = 60.0


def push_url(login: str, app: dict[str, Any]) -> str:
    """Returns the repository's URL with a seeded user's token in it."""
    parts = urlsplit(str(app["clone_url"]))
    return urlunsplit(parts._replace(netloc=f"{login}:{app['users'][login]}@{parts.netloc}"))


def settings_of(app: dict[str, Any], key_file: Path) -> dict[str, str]:
    """Returns the variables with which SRE-Space is the stand-in's App."""
    return {
        "SRE_SPACE_REPOSITORY": f"{app['owner']}/{app['repo']}",
        "GITHUB_API_URL": str(app["api_url"]),
        "GITHUB_APP_ID": str(app["app_id"]),
        "GITHUB_PRIVATE_KEY_FILE": str(key_file),
        "GITHUB_WEBHOOK_SECRET": str(app["webhook_secret"]),
    }


def write_settings(app: dict[str, Any], folder: Path) -> None:
    """Writes `.env`, which every process reads from its working directory, and the App's key."""
    key_file = folder / "app.pem"
    _write(key_file, str(app["private_key"]))
    lines = [f"{name}={value}\n" for name, value in settings_of(app, key_file).items()]
    _write(folder / ".env", "".join(lines))


def write_shop(app: dict[str, Any], folder: Path) -> None:
    """Writes what deployer and fault injector read, and the token that the shop's programs share."""
    _write(folder / "clone-url", push_url(MAINTAINER, app))
    sandbox = Sandbox(
        people=tuple(_person(login, app) for login in DEVELOPERS),
        deployed_file=folder / "deployed.json",
        flag_file=folder / "flags.json",
        load_control_url=f"http://{LOOPBACK}:{LOAD_PORT}",
        proxy_control_url=f"http://{LOOPBACK}:{PROXY_PORT}",
        control_token=load_token(folder / "control-token"),
    )
    write_sandbox(sandbox, folder / "world.json")


def _person(login: str, app: dict[str, Any]) -> Person:
    return Person(
        login=login,
        name=login.capitalize(),
        email=f"{login}@users.noreply.github.example",
        push_url=push_url(login, app),
    )


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def read_app(path: Path) -> dict[str, Any]:
    """Returns what the stand-in wrote, as soon as it has.

    Raises:
        SandboxError: it has written nothing in time.
    """
    deadline = time.monotonic() + _WITHIN_S
    while not path.exists():
        if time.monotonic() > deadline:
            raise SandboxError(f"{path} was not written within {_WITHIN_S:.0f} s")
        time.sleep(0.2)
    return json.loads(path.read_text())


def main() -> None:
    """Reads the command line and writes."""
    parser = argparse.ArgumentParser(prog="python -m infra.image.sandbox", description=__doc__)
    parser.add_argument("--app", type=Path, required=True, help="app.json of the stand-in")
    parser.add_argument("--settings", type=Path, required=True, help="working directory of SRE-Space's processes")
    parser.add_argument("--shop", type=Path, required=True, help="folder of deployer, load and injector")
    given = parser.parse_args()
    app = read_app(given.app)
    write_settings(app, given.settings)
    write_shop(app, given.shop)


if __name__ == "__main__":
    main()
