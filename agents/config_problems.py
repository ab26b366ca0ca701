"""Pydantic's findings about `.github/sre-space.yml` in words, with lines and suggestions."""

import difflib
import re
from collections.abc import Callable, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from agents.config_yaml import Document, Location

_SHOWN = 60  # characters of a wrong value that are repeated
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")

_KINDS = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of names",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
}


def explain(error: ValidationError, document: Document, schema: Mapping[str, object]) -> tuple[str, ...]:
    """Return one sentence per finding, in the order of their lines, without repetitions."""
    details = error.errors()
    found = [
        (document.line(detail["loc"]), _words(detail, schema))
        for detail in details
        if not _follows_from_another(detail, details)
    ]
    return tuple(dict.fromkeys(f"line {line}: {words}" for line, words in sorted(found)))


def suggest(word: str, known: list[str]) -> str:
    """Return `; did you mean …?` for the nearest known word, or an empty string."""
    lowered = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    near = near or [name for name in lowered if word and name.startswith(word.lower())]
    return f"; did you mean `{lowered[near[0]]}`?" if near else ""


def _follows_from_another(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Return whether a list only counts as too short because Pydantic left out its wrong members."""
    place = detail["loc"]
    return detail["type"] == "too_short" and any(
        other["loc"][: len(place)] == place and other["loc"] != place for other in details
    )


def _words(detail: ErrorDetails, schema: Mapping[str, object]) -> str:
    """Return what is wrong, in words."""
    location, kind = detail["loc"], detail["type"]
    place, context = _place(location), detail.get("ctx", {})
    given = _given(detail["input"])
    special: dict[str, Callable[[], str]] = {
        "extra_forbidden": lambda: _unknown_key(location, schema),
        "missing": lambda: f"{_place(location[:-1])} needs `{location[-1]}`",
        "enum": lambda: _not_one_of(location, str(detail["input"]), schema),
        "literal_error": lambda: f"{place} must be {context.get('expected')}, not {given}",
        "greater_than_equal": lambda: f"{place} must be at least {_limit(context.get('ge'))}, not {given}",
        "greater_than": lambda: f"{place} must be more than {_limit(context.get('gt'))}, not {given}",
        "less_than_equal": lambda: f"{place} must be at most {_limit(context.get('le'))}, not {given}",
        "less_than": lambda: f"{place} must be less than {_limit(context.get('lt'))}, not {given}",
        "too_short": lambda: f"{place} must not be empty",
        "too_long": lambda: f"{place} may have at most {context.get('max_length')} entries",
        "string_too_short": lambda: f"{place} must not be empty",
        "string_too_long": lambda: f"{place} may have at most {context.get('max_length')} characters",
        "path": lambda: f"{place} {given} {detail['msg']}",
    }
    if kind in special:
        return special[kind]()
    if kind in _KINDS:
        return f"{place} {_KINDS[kind]}, not {given}"
    return f"{place} {detail['msg']}"


def _place(location: Location) -> str:
    """Return a location as people write it: `services.quote.knobs[0].maximum`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return f"`{text.removeprefix('.')}`" if text else "the file"


def _given(value: object) -> str:
    """Return what was written instead, short."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            text = f'"{value}"' if isinstance(value, str) and _NUMBER.fullmatch(value) else str(value)
            return f"`{text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}`"


def _limit(value: object) -> str:
    """Return a limit as people write it: 1, not 1.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _unknown_key(location: Location, schema: Mapping[str, object]) -> str:
    parent, key = location[:-1], str(location[-1])
    known = _properties(_schema_at(parent, schema))
    where = f" in {_place(parent)}" if parent else ""
    return f"unknown key {_given(key)}{where}{suggest(key, known) or f'; known are {_listed(known)}'}"


def _not_one_of(location: Location, given: str, schema: Mapping[str, object]) -> str:
    found = _schema_at(location, schema).get("enum")
    known = [str(value) for value in found] if isinstance(found, list) else []
    words = f"{_place(location)} must be one of {_listed(known)}, not {_given(given)}"
    return words + suggest(given, known)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _properties(schema: Mapping[str, object]) -> list[str]:
    found = schema.get("properties")
    return list(found) if isinstance(found, dict) else []


def _schema_at(location: Location, root: Mapping[str, object]) -> Mapping[str, object]:
    """Return the part of a JSON Schema that describes `location`."""
    current: object = root
    for part in location:
        current = _resolved(current, root)
        properties = current.get("properties")
        if isinstance(part, int):
            current = current.get("items")
        elif isinstance(properties, dict) and part in properties:
            current = properties[part]
        else:
            current = current.get("additionalProperties")
    return _resolved(current, root)


def _resolved(schema: object, root: Mapping[str, object]) -> Mapping[str, object]:
    if not isinstance(schema, dict):
        return {}
    reference = schema.get("$ref")
    definitions = root.get("$defs")
    if isinstance(reference, str) and isinstance(definitions, dict):
        return definitions[reference.rpartition("/")[2]]
    return schema
