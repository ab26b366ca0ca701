"""YAML of `.github/sre-space.yml` as plain data with the line of every key, refusing aliases and other bombs."""

import re
from collections.abc import Iterator

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from agents.errors import ConfigError

MAX_BYTES = 64 * 1024
_MAX_DEPTH = 12
_INTEGER = re.compile(r"[-+]?(0x[0-9a-fA-F_]+|0o[0-7_]+|[0-9][0-9_]*)")
_MAX_DIGITS = 18

Location = tuple[str | int, ...]


class Document:
    """A parsed document: `data` of dicts, lists and scalars, and the line of each location in it."""

    def __init__(self, text: str) -> None:
        """Parse `text`.

        Raises:
            ConfigError: it is no YAML, uses aliases or tags, repeats a key, or is too big or too deep.
        """
        self.lines: dict[Location, int] = {}
        self.problems: list[str] = []
        self.data: object = None
        root = _compose(text)
        if root is not None:
            self.data = self._value(root, ())
        if self.problems:
            raise ConfigError(tuple(self.problems))

    def line(self, location: Location) -> int:
        """Return the line (from 1) of `location`, or of the nearest thing around it that has one."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def _value(self, node: Node, location: Location) -> object:
        self.lines.setdefault(location, node.start_mark.line + 1)
        match node:
            case MappingNode():
                return dict(self._entries(node, location))
            case SequenceNode():
                return [self._value(child, (*location, index)) for index, child in enumerate(node.value)]
            case ScalarNode():
                return self._scalar(node)
            case _:
                raise TypeError(f"unknown node {node!r}")

    def _entries(self, node: MappingNode, location: Location) -> Iterator[tuple[str, object]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self.problems.append(f"line {line}: a key must be a plain word")
                continue
            key = str(key_node.value)
            if key in seen:
                self.problems.append(f"line {line}: `{key}` is written twice, first on line {seen[key]}")
                continue
            seen[key] = line
            self.lines[*location, key] = line
            yield key, self._value(value_node, (*location, key))

    def _scalar(self, node: ScalarNode) -> object:
        text = str(node.value)
        match str(node.tag).removeprefix("tag:yaml.org,2002:"):
            case "str" | "timestamp":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int" if _INTEGER.fullmatch(text) and len(text) <= _MAX_DIGITS:
                digits = text.replace("_", "")
                return int(digits, 0) if digits.lstrip("+-")[:2] in {"0x", "0o"} else int(digits)
            case "float" if re.search(r"\d", text) and len(text) <= 2 * _MAX_DIGITS:
                return float(text.replace("_", ""))
            case kind:
                line = node.start_mark.line + 1
                self.problems.append(f"line {line}: this value cannot be read as {_word(kind)}")
                return None


def _word(kind: str) -> str:
    """Return the name of a YAML tag for people."""
    return {"int": "a whole number", "float": "a number"}.get(kind, f"`{kind}`: tags are not supported here")


def _compose(text: str) -> Node | None:
    """Return the root node of the only document in `text`, or None when it is empty."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ConfigError((f"the file is larger than {MAX_BYTES // 1024} KiB",))
    yaml = YAML(pure=True)
    try:
        _refuse_bombs(yaml, text)
        return yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise ConfigError((f"{where}this is not valid YAML: {error.problem or error.context}",)) from error
    except ReaderError as error:
        line = text[: int(error.position)].count("\n") + 1
        raise ConfigError((f"line {line}: this is not valid YAML: a character is not allowed",)) from error
    except YAMLError as error:
        raise ConfigError(("line 1: this is not valid YAML",)) from error


def _refuse_bombs(yaml: YAML, text: str) -> None:
    """Raise ConfigError for aliases and for nesting that no configuration of ours needs."""
    depth = 0
    for event in yaml.parse(text):
        line = event.start_mark.line + 1
        if isinstance(event, AliasEvent):
            raise ConfigError((f"line {line}: aliases (`*{event.anchor}`) are not supported here",))
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise ConfigError((f"line {line}: nested more than {_MAX_DEPTH} levels deep",))
