"""The seeded users who may push, as the GitHub stand-in introduces them."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from infra.sandbox.errors import ScenarioError
from infra.sandbox.scenarios.model import Person

PUSHERS = ("wim", "maria", "otto")
READER = "rita"
_TIMEOUT_S = 5.0


async def seeded_people(credentials: dict[str, Any]) -> tuple[Person, ...]:
    """Returns the people who may push, with the names and e-mails of their accounts.

    Args:
        credentials: The content of the stand-in's `app.json`.

    Raises:
        ScenarioError: The stand-in does not answer, or does not know them.
    """
    people: list[Person] = []
    async with httpx.AsyncClient(base_url=credentials["api_url"], timeout=_TIMEOUT_S, trust_env=False) as client:
        for login in PUSHERS:
            headers = {"Authorization": f"Bearer {credentials['users'][login]}"}
            try:
                response = await client.get(f"/users/{login}", headers=headers)
                response.raise_for_status()
            except httpx.HTTPError as error:
                raise ScenarioError("people", f"{login}: {error}") from error
            account: dict[str, Any] = response.json()
            email = account.get("email") or f"{account['id']}+{login}@users.noreply.github.com"
            people.append(Person(login, account.get("name") or login, email, clone_url_as(credentials, login)))
    return tuple(people)


def clone_url_as(credentials: dict[str, Any], login: str = READER) -> str:
    """Returns the repository's URL with a user's credentials; the reader's are enough for the deployer."""
    parts = urlsplit(str(credentials["clone_url"]))
    token = credentials["users"][login]
    return urlunsplit(parts._replace(netloc=f"{login}:{token}@{parts.netloc}"))
