"""A subscription on Redis Streams ends when it is cancelled."""

import asyncio
import contextlib
from typing import Any

import pytest

from telemetry.bus.streams import RedisStreamsBus


class _Deaf:
    """A Redis client that loses a cancellation, as `asyncio.wait_for` may before Python 3.12."""

    async def xgroup_create(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    async def xautoclaim(self, *_: Any, **__: Any) -> tuple[bytes, list[Any], list[Any]]:
        """Find nothing."""
        return b"0", [], []

    async def xreadgroup(self, *_: Any, **__: Any) -> list[Any]:
        """Find nothing after a while, or at once when cancelled."""
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.01)
        return []


async def test_a_cancellation_that_the_client_lost_ends_the_subscription(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a consumer that is to stop would wait for a message first."""
    bus = RedisStreamsBus("redis://localhost:1")
    monkeypatch.setattr(bus, "_redis", _Deaf())
    waiting = asyncio.ensure_future(anext(bus.subscribe("signals", "worker", "a")))  # type: ignore[arg-type]
    await asyncio.sleep(0.005)
    waiting.cancel()
    done, _ = await asyncio.wait([waiting], timeout=5)
    assert done
    assert waiting.cancelled()
