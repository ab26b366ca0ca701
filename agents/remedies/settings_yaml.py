"""Where a number stands in YAML or JSON, by the parser's own marks, so that only its digits are replaced."""

import json

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from agents.errors import RemedyError

Path = tuple[str | int, ...]
_MAX_DEPTH = 100


def span_in_yaml(text: str, path: Path) -> tuple[int, int]:
    """Return start and end of the value at `path`, in the one document of `text` that has it.

    Raises:
        RemedyError: it is no YAML, nothing or more than one thing is there, or it is shared by an anchor.
    """
    yaml = YAML(pure=True)
    try:
        _check_depth(yaml, text)
        documents: list[Node | None] = list(yaml.compose_all(text))
    except YAMLError as error:
        raise RemedyError("the file is not valid YAML") from error
    found = [node for root in documents if root is not None and (node := _at(root, path)) is not None]
    if not found:
        raise RemedyError("nothing is there")
    if len(found) > 1:
        raise RemedyError("more than one document of the file has it")
    node = found[0]
    if not isinstance(node, ScalarNode):
        raise RemedyError("a mapping or list is there")
    return int(node.start_mark.index), int(node.end_mark.index)


def span_in_json(text: str, path: Path) -> tuple[int, int]:
    """Return start and end of the value at `path`. JSON is YAML to a parser that only looks for places.

    Raises:
        RemedyError: it is no JSON, or nothing of use is at `path`.
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RemedyError("the file is not valid JSON") from error
    return span_in_yaml(text, path)


def _check_depth(yaml: YAML, text: str) -> None:
    depth = 0
    for event in yaml.parse(text):
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise RemedyError("the file is nested too deep")


def _at(root: Node, path: Path) -> Node | None:
    """Return the node at `path` below `root`, refusing what stands in more than one place."""
    node: Node | None = root
    for part in path:
        node = _child(node, part)
        if node is None:
            return None
        if node.anchor:
            raise RemedyError(f"the value is shared by the YAML anchor &{node.anchor}")
    return node


def _child(node: Node | None, part: str | int) -> Node | None:
    if isinstance(node, SequenceNode) and isinstance(part, int):
        children: list[Node] = node.value
        return children[part] if part < len(children) else None
    if not isinstance(node, MappingNode):
        return None
    found: list[Node] = [
        value for key, value in node.value if isinstance(key, ScalarNode) and str(key.value) == str(part)
    ]
    if len(found) > 1:
        raise RemedyError(f"the key {part} is written twice")
    return found[0] if found else None
