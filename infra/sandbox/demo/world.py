"""Everything the demo needs, started on free ports: GitHub, SRE-Space itself, the shop, its traffic and deployer."""

import asyncio
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from infra.sandbox.demo.fleet import Fleet
from infra.sandbox.demo.people import MAINTAINER
from infra.sandbox.errors import SandboxError
from infra.sandbox.scenarios.model import BASE_RPS, Person, Sandbox
from infra.sandbox.serving import LOOPBACK

SEED = Path(__file__).parents[1] / "seed"
READY_S = 60.0
DEVELOPERS = ("otto", "wim")
"""People who push to the shop; the maintainer of the demo is another, so that nobody approves what they broke."""
PORTS = ("github", "web", "scout", "gateway", "load", "proxy", "tax", "tax_proxy")


class NotReadyError(SandboxError):
    """A program did not become ready in time; the message names it and its log."""


@dataclass(frozen=True)
class World:
    """The running demo: where everything is and who may do what."""

    folder: Path
    ports: dict[str, int]
    app: dict[str, Any]
    sandbox: Sandbox

    def url(self, name: str) -> str:
        """Return the address of a program."""
        return f"http://{LOOPBACK}:{self.ports[name]}"

    @property
    def repository(self) -> str:
        """Return the shop's repository as `owner/name`."""
        return f"{self.app['owner']}/{self.app['repo']}"

    @property
    def token(self) -> str:
        """Return the maintainer's token."""
        return str(self.app["users"][MAINTAINER])


def free_ports() -> dict[str, int]:
    """Return a free port for every program; all are held while they are chosen, so that they differ."""
    held = [socket.create_server((LOOPBACK, 0)) for _ in PORTS]
    ports = {name: int(listener.getsockname()[1]) for name, listener in zip(PORTS, held, strict=True)}
    for listener in held:
        listener.close()
    return ports


async def start_world(fleet: Fleet, folder: Path) -> World:
    """Start every program and wait until each is ready.

    Raises:
        NotReadyError: a program is not ready in time.
        ProgramEndedError: a program ended.
    """
    ports = free_ports()
    app = await start_github(fleet, folder / "github", ports)
    await start_service(fleet, folder, ports, app)
    sandbox = await _start_shop(fleet, folder, ports, app)
    return World(folder=folder, ports=ports, app=app, sandbox=sandbox)


async def start_github(fleet: Fleet, data: Path, ports: dict[str, int]) -> dict[str, Any]:
    """Start GitHub's stand-in and return its App, users and addresses."""
    webhooks = f"http://{LOOPBACK}:{ports['web']}/webhooks/github"
    fleet.start(
        "github",
        [
            *("infra.sandbox.github", "--data", str(data), "--port", str(ports["github"])),
            *("--seed", str(SEED), "--webhook-url", webhooks),
        ],
    )
    await _until(fleet, (data / "app.json").exists, "github")
    await _answers(fleet, f"http://{LOOPBACK}:{ports['github']}/", "github")
    return json.loads((data / "app.json").read_text())


async def start_service(
    fleet: Fleet, folder: Path, ports: dict[str, int], app: dict[str, Any], also: Mapping[str, str] | None = None
) -> None:
    """Start SRE-Space as `sre-space up` does, with `also` in its environment, and wait until it is ready."""
    key = folder / "app.pem"
    key.touch(mode=0o600)
    key.write_text(app["private_key"])
    fleet.start(
        "sre-space",
        ["bot", "up"],
        {
            "SRE_SPACE_STATE_DIR": str(folder / "state"),
            "SRE_SPACE_REPOSITORY": f"{app['owner']}/{app['repo']}",
            "SRE_SPACE_WEB_PORT": str(ports["web"]),
            "SRE_SPACE_SCOUT_PORT": str(ports["scout"]),
            "SRE_SPACE_SCOUT_GRPC_PORT": "0",  # the shop sends by HTTP; worlds may run side by side
            "GITHUB_API_URL": app["api_url"],
            "GITHUB_APP_ID": str(app["app_id"]),
            "GITHUB_PRIVATE_KEY_FILE": str(key),
            "GITHUB_WEBHOOK_SECRET": app["webhook_secret"],
            **(also or {}),
        },
    )
    await _answers(fleet, f"http://{LOOPBACK}:{ports['web']}/readyz", "sre-space")
    await _answers(fleet, f"http://{LOOPBACK}:{ports['scout']}/scout/v1/status", "sre-space")


async def _start_shop(fleet: Fleet, folder: Path, ports: dict[str, int], app: dict[str, Any]) -> Sandbox:
    shop, token_file = folder / "shop", folder / "control-token"
    shop.mkdir(exist_ok=True)
    control = ("--control-port", "{port}", "--token-file", str(token_file))
    proxy = f"tax:{ports['tax_proxy']}:{ports['tax']}"
    fleet.start("tax", ["infra.sandbox.tax", "--port", str(ports["tax"])])
    fleet.start(
        "proxy",
        ["infra.sandbox.faultproxy", "--proxy", proxy, *(part.format(port=ports["proxy"]) for part in control)],
    )
    fleet.start("deployer", _deployer(shop, ports, app))
    await _until(fleet, lambda: _running_services(shop) == 3, "deployer")  # noqa: PLR2004 - gateway, quote, pricing
    gateway = f"http://{LOOPBACK}:{ports['gateway']}"
    limits = ("--rps", str(BASE_RPS), "--max-run-s", "3600")
    fleet.start(
        "load",
        ["infra.sandbox.load", "--url", gateway, *limits, *(part.format(port=ports["load"]) for part in control)],
    )
    await _until(fleet, token_file.exists, "load")
    return Sandbox(
        people=tuple(_person(login, app) for login in DEVELOPERS),
        deployed_file=shop / "deployed.json",
        flag_file=shop / "flags.json",
        load_control_url=f"http://{LOOPBACK}:{ports['load']}",
        proxy_control_url=f"http://{LOOPBACK}:{ports['proxy']}",
        control_token=token_file.read_text().strip(),
    )


def _deployer(shop: Path, ports: dict[str, int], app: dict[str, Any]) -> list[str]:
    return [
        *("infra.sandbox.deployer", "--clone-url", _push_url(MAINTAINER, app), "--data", str(shop)),
        *("--otlp", f"http://{LOOPBACK}:{ports['scout']}", "--tax-url", f"http://{LOOPBACK}:{ports['tax_proxy']}"),
        *("--gateway-port", str(ports["gateway"])),
    ]


def _push_url(login: str, app: dict[str, Any]) -> str:
    return str(app["clone_url"]).replace("http://", f"http://{login}:{app['users'][login]}@", 1)


def _person(login: str, app: dict[str, Any]) -> Person:
    return Person(
        login=login,
        name=login.capitalize(),
        email=f"{login}@users.noreply.github.example",
        push_url=_push_url(login, app),
    )


def _running_services(shop: Path) -> int:
    deployed = shop / "deployed.json"
    return len(json.loads(deployed.read_text())["services"]) if deployed.exists() else 0


async def _until(fleet: Fleet, ready: Any, name: str) -> None:
    deadline = time.monotonic() + READY_S
    while not ready():
        fleet.check()
        if time.monotonic() > deadline:
            raise NotReadyError(f"{name} was not ready within {READY_S:.0f} s:\n{fleet.tail(name)}")
        await asyncio.sleep(0.1)


async def _answers(fleet: Fleet, url: str, name: str) -> None:
    deadline = time.monotonic() + READY_S
    async with httpx.AsyncClient(timeout=2, trust_env=False, follow_redirects=True) as client:
        while True:
            fleet.check()
            try:
                if (await client.get(url)).is_success:
                    return
            except httpx.HTTPError:
                pass
            if time.monotonic() > deadline:
                raise NotReadyError(f"{name} does not answer {url}:\n{fleet.tail(name)}")
            await asyncio.sleep(0.1)
