"""The names of settings: how a variable is called, documented, and named in an error."""

import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, cast

from pydantic import AliasChoices, SecretStr
from pydantic_settings import BaseSettings

from telemetry.errors import SreSpaceError
from telemetry.model import Frozen

PREFIX: Final = "SRE_SPACE_"


class SettingsError(SreSpaceError):
    """A setting is missing or wrong; `variable` names it and `remedy` says what to do about it."""

    def __init__(self, variable: str, problem: str, remedy: str) -> None:
        super().__init__(f"{variable} {problem}. {remedy}")
        self.variable = variable
        self.problem = problem
        self.remedy = remedy


class SettingRow(Frozen):
    """One row of the configuration table."""

    name: str
    default: str
    meaning: str


def known_as(name: str) -> Any:
    """Return the names under which a well-known variable is read: with our prefix, and as it is."""
    return AliasChoices(PREFIX + name, name)


def _variables(model: type[BaseSettings]) -> Iterator[tuple[str, str]]:
    """Yield (field, variable), the variable by its shortest accepted name."""
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        choices = [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else []
        yield name, choices[-1] if choices else PREFIX + name.upper()


def variable_of(model: type[BaseSettings], located: str) -> str:
    """Return the variable for a field's name, or for any name under which it is read."""
    for name, variable in _variables(model):
        if located.upper() in {name.upper(), variable, PREFIX + variable}:
            return variable
    return located


def rows(model: type[BaseSettings]) -> list[SettingRow]:
    """Return one row per setting, in the order of the model."""
    found: list[SettingRow] = []
    for name, variable in _variables(model):
        field = model.model_fields[name]
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = "" if default is None or default == {} else str(default)
        found.append(SettingRow(name=variable, default=shown, meaning=field.description or ""))
    return found


def environment(settings: BaseSettings) -> dict[str, str]:
    """Return the environment in which a child process reads exactly these settings."""
    own = {
        variable: _as_text(value)
        for name, variable in _variables(type(settings))
        if (value := getattr(settings, name)) is not None
    }
    return {**os.environ, **own}


def _as_text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, object]", value)
        return ",".join(f"{name}={_as_text(part)}" for name, part in pairs.items())
    return value.value if isinstance(value, StrEnum) else str(value)


def reachable(host: str) -> str:
    """Return the address at which a server bound to `host` is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
