"""Reading OTLP attributes: only the keys that are wanted, as text."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


def text_of(value: AnyValue) -> str:
    """Return a scalar attribute value as text; arrays, maps and bytes are not wanted anywhere and give ''."""
    text = value.string_value
    if text:  # most are texts, and asking protobuf which kind is set costs more than looking
        return text
    match value.WhichOneof("value"):
        case "int_value":
            return str(value.int_value)
        case "bool_value":
            return str(value.bool_value).lower()
        case "double_value":
            return str(value.double_value)
        case _:
            return ""


def read(attributes: Iterable[KeyValue], wanted: AbstractSet[str]) -> dict[str, str]:
    """Return the wanted attributes that are there."""
    return {key: text_of(pair.value) for pair in attributes if (key := pair.key) in wanted}


def first(attributes: Mapping[str, str], *names: str) -> str:
    """Return the first non-empty value among aliases, stable name first; '' when there is none."""
    return next((value for name in names if (value := attributes.get(name, ""))), "")
