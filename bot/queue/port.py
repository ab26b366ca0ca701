"""What the rest asks of a queue."""

from typing import Protocol

from telemetry.errors import TransientError

Argument = str | int


class QueueUnavailableError(TransientError):
    """The queue does not answer. What was to be woken is in the database and will be found by the sweeper."""


class Queue(Protocol):
    """Jobs by name with arguments that JSON can carry. Each runs at least once, in no particular order."""

    async def enqueue(self, name: str, *args: Argument, delay_s: float = 0.0, job_id: str | None = None) -> bool:
        """Ask for a job, not before `delay_s` seconds from now.

        Returns False, and does nothing, while a job with the same `job_id` waits or runs.

        Raises:
            QueueUnavailableError: the queue does not answer.
        """
        ...

    async def ping(self) -> None:
        """Return when the queue answers.

        Raises:
            QueueUnavailableError: it does not.
        """
        ...

    async def aclose(self) -> None:
        """Give back connections."""
        ...
