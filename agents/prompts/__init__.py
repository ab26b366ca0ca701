"""Prompts are files; the catalog beside them says what each is for and what is filled in."""

import hashlib
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from string import Template

from telemetry.model import Frozen


class PromptTemplate(Frozen):
    """One prompt of the catalog. `version` changes whenever its text does."""

    name: str
    purpose: str
    system: str
    user: str
    system_fields: tuple[str, ...]
    user_fields: tuple[str, ...]
    version: str

    def fill(self, values: Mapping[str, str]) -> tuple[str, str]:
        """Return system and user message.

        Raises:
            KeyError: a value is missing.
        """
        return Template(self.system).substitute(values), Template(self.user).substitute(values)


def catalog() -> dict[str, PromptTemplate]:
    """Return every prompt by its name."""
    folder = files(__name__)
    entries = tomllib.loads((folder / "catalog.toml").read_text("utf-8"))
    found: dict[str, PromptTemplate] = {}
    for name, entry in entries.items():
        system, user = ((folder / entry[part]).read_text("utf-8") for part in ("system", "user"))
        version = hashlib.sha256(f"{system}\0{user}".encode()).hexdigest()[:8]
        found[name] = PromptTemplate.model_validate(
            {**entry, "name": name, "system": system, "user": user, "version": version}
        )
    return found
