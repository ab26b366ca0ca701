"""Numbers in settings files: read one, or set one so that nothing else in the file changes."""

import re
import tomllib
from collections.abc import Callable

import tomlkit
from tomlkit.exceptions import TOMLKitError

from agents.errors import RemedyError
from agents.remedies.settings_yaml import Path, span_in_json, span_in_yaml

MAX_CHARACTERS = 256 * 1024
_MAX_DIGITS = 16
_KEY = r"""(?:"(?P<quoted>[^"]+)"|(?P<key>[^.\[\]"\s]+))"""
_INDEX = r"\[(?P<index>[0-9]{1,6})\]"
_FIRST = re.compile(f"{_KEY}|{_INDEX}")
_NEXT = re.compile(f"\\.{_KEY}|{_INDEX}")
_NUMBER = re.compile(r"""(["']?)(0|[1-9][0-9]*)\1""")
_ENV_LINE = r"""^[ \t]*(?:export[ \t]+)?{key}[ \t]*=[ \t]*(?P<value>"[^"\r\n]*"|'[^'\r\n]*'|[^\s]*)"""


def read_number(text: str, file: str, path: str) -> int:
    """Return the whole number at `path` (keys with dots, list indexes, `"quoted.keys"`) of the file `file`.

    Raises:
        RemedyError: the format is not known, the file is broken, or no whole number ≥ 0 is at `path`.
    """
    try:
        return _locator(text, file, path)[0]
    except RemedyError as error:
        raise RemedyError(f"{path} in {file} cannot be read: {error}") from error


def set_number(text: str, file: str, path: str, value: int) -> str:
    """Return `text` with the number at `path` set to `value` and every other character as it was.

    Raises:
        RemedyError: as `read_number`, or the change would touch more than one line.
    """
    try:
        _, replace = _locator(text, file, path)
        changed = replace(value)
        _check(text, changed, took=_locator(changed, file, path)[0] == value)
    except RemedyError as error:
        raise RemedyError(f"{path} in {file} cannot be set: {error}") from error
    return changed


def _locator(text: str, file: str, path: str) -> tuple[int, Callable[[int], str]]:
    """Return the number at `path`, and what makes the text with another number there."""
    if len(text) > MAX_CHARACTERS:
        raise RemedyError(f"the file is larger than {MAX_CHARACTERS // 1024} KiB")
    name = file.rpartition("/")[2].lower()
    if name.endswith((".yaml", ".yml")):
        return _by_span(text, span_in_yaml(text, _parts(path)))
    if name.endswith(".json"):
        return _by_span(text, span_in_json(text, _parts(path)))
    if name.endswith(".toml"):
        return _in_toml(text, _parts(path))
    if name.endswith(".env") or name.startswith(".env"):
        return _by_span(text, _span_in_env(text, path))
    raise RemedyError("only YAML, JSON, TOML and .env files can be edited")


def _parts(path: str) -> Path:
    """Return `a.b[0].c` or `a.b.0."c.d"` as keys and indexes."""
    parts: list[str | int] = []
    position = 0
    while position < len(path):
        found = (_NEXT if parts else _FIRST).match(path, position)
        if found is None:
            break
        quoted, key, index = found["quoted"], found["key"], found["index"]
        if index is None and key is not None and key.isascii() and key.isdigit():
            index = key
        parts.append(quoted or key or "" if index is None else int(index))
        position = found.end()
    if not parts or position != len(path):
        raise RemedyError("the path is not written as keys with dots between them")
    return tuple(parts)


def _by_span(text: str, span: tuple[int, int]) -> tuple[int, Callable[[int], str]]:
    start, end = span
    found = _NUMBER.fullmatch(text[start:end])
    if found is None or len(found[2]) > _MAX_DIGITS:
        raise RemedyError("no plain whole number is there")
    return int(found[2]), lambda value: f"{text[:start]}{found[1]}{value}{found[1]}{text[end:]}"


def _span_in_env(text: str, key: str) -> tuple[int, int]:
    found = list(re.finditer(_ENV_LINE.format(key=re.escape(key)), text, re.MULTILINE))
    if not found:
        raise RemedyError("nothing is there")
    if len(found) > 1:
        raise RemedyError(f"{key} is set twice")
    return found[0].span("value")


def _in_toml(text: str, path: Path) -> tuple[int, Callable[[int], str]]:
    """Use tomlkit, which keeps format; the other reader confirms what the file says."""
    try:
        data: object = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RemedyError("the file is not valid TOML") from error
    value = _walk(data, path)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise RemedyError("no plain whole number is there")

    def replace(new: int) -> str:
        try:
            document = tomlkit.parse(text)
            holder = _walk(document, path[:-1])
            _put(holder, path[-1], new)
            return tomlkit.dumps(document)
        except TOMLKitError as error:
            raise RemedyError("the file cannot be edited without changing its format") from error

    return value, replace


def _walk(data: object, path: Path) -> object:
    for part in path:
        if isinstance(data, dict) and str(part) in data:
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            raise RemedyError("nothing is there")
    return data


def _put(holder: object, part: str | int, value: int) -> None:
    if isinstance(holder, dict):
        holder[str(part)] = value
    elif isinstance(holder, list) and isinstance(part, int):
        holder[part] = value
    else:
        raise RemedyError("nothing is there")


def _check(before: str, after: str, *, took: bool) -> None:
    """Raise RemedyError unless the new value took and at most one line differs."""
    old, new = before.split("\n"), after.split("\n")
    differing = sum(a != b for a, b in zip(old, new, strict=False))
    if not took or len(old) != len(new) or differing > 1:
        raise RemedyError("the change would touch more than that one line")
