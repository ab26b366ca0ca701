"""The root of all stored records."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen row with a number of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int

    def evolve(self, **changes: Any) -> Self:
        """A copy with the changes, validated again."""
        return type(self).model_validate({**self.model_dump(), **changes})
