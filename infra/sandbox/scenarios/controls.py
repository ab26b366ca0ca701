"""Load, flags and deployments of the running sandbox."""

import asyncio
import json
import time
from typing import Any

import httpx

from infra.sandbox.errors import ScenarioError
from infra.sandbox.scenarios.model import Sandbox

_POLL_S = 0.2
_TIMEOUT_S = 5.0


async def set_load(sandbox: Sandbox, rate_rps: float) -> None:
    """Changes how many requests a second the customers send.

    Raises:
        ScenarioError: The load generator does not answer, or refuses.
    """
    headers = {"Authorization": f"Bearer {sandbox.control_token}"}
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False, headers=headers) as client:
        try:
            response = await client.put(f"{sandbox.load_control_url}/rate", json={"rps": rate_rps})
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise ScenarioError("load", str(error)) from error


def set_flag(sandbox: Sandbox, name: str, *, on: bool) -> None:
    """Turns a flag of the live flag file on or off."""
    document: dict[str, Any] = json.loads(sandbox.flag_file.read_text(encoding="utf-8"))
    document["flags"][name]["defaultVariant"] = "on" if on else "off"
    draft = sandbox.flag_file.with_suffix(".tmp")
    draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    draft.replace(sandbox.flag_file)


async def wait_until_deployed(sandbox: Sandbox, service: str, revision: str) -> None:
    """Returns once the service runs at the revision.

    Raises:
        ScenarioError: It does not within `deploy_timeout_s`.
    """
    ends_s = time.monotonic() + sandbox.deploy_timeout_s
    while deployed_revision(sandbox, service) != revision:
        if time.monotonic() > ends_s:
            raise ScenarioError("deploy", f"{service} is not at {revision} yet")
        await asyncio.sleep(_POLL_S)


def deployed_revision(sandbox: Sandbox, service: str) -> str | None:
    """Returns the revision a service runs at, or None where it does not run."""
    try:
        state: dict[str, Any] = json.loads(sandbox.deployed_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    running = state["services"].get(service)
    return None if running is None else str(running["revision"])
