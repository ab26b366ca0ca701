"""The operator's rules for Scout, read from a YAML file: objectives and maintenance."""

from pathlib import Path

from pydantic import ValidationError

from agents.config_problems import explain
from agents.config_yaml import Document
from agents.errors import ConfigError
from bot.setting_names import PREFIX, SettingsError
from telemetry.rules import ScoutConfig

_VARIABLE = f"{PREFIX}SCOUT_CONFIG"
_REMEDY = "docs/detection.md shows what such a file may hold"


def load_rules(path: Path | None, named_by: str = _VARIABLE) -> ScoutConfig:
    """Return the rules in the file at `path`, which `named_by` names; none without a path or in an empty file.

    Raises:
        SettingsError: it cannot be read, or does not hold what it may; says what is wrong on which line.
    """
    if path is None:
        return ScoutConfig()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(named_by, f"names a file that cannot be read ({error})", _REMEDY) from error
    try:
        return parse_rules(text)
    except ConfigError as error:
        raise SettingsError(named_by, f"names {path}, where {'; '.join(error.problems)}", _REMEDY) from error


def parse_rules(text: str) -> ScoutConfig:
    """Return the rules in a YAML text.

    Raises:
        ConfigError: one sentence per problem, with its line.
    """
    document = Document(text)
    if document.data is None:
        return ScoutConfig()
    try:
        return ScoutConfig.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError(explain(error, document, ScoutConfig.model_json_schema())) from None
