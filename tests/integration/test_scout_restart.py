"""Scout's real process, stopped and killed: what it has learned and what it holds open are still there."""

import asyncio
import os
import signal
import sys
import time
from contextlib import asynccontextmanager
from datetime import datetime

import httpx
import pytest

from bot.topics import arrived
from telemetry.bus import RedisStreamsBus
from telemetry.model import Signal
from telemetry.testing import Chain, Fault
from tests.support_redis import free_port, running_redis
from tests.support_world import until

pytestmark = pytest.mark.timeout(120)

CALM_S, FAULT_S, HEALED_S = 400, 60, 350
FAILING = {"quote": Fault(error_ratio=0.9)}


class ScoutProcess:
    """A scout process on a state folder, which a simulated shop sends its spans to."""

    def __init__(self, folder, redis_url):
        self.log = folder / "scout.log"
        self._port = free_port()
        self._environment = os.environ | {
            "SRE_SPACE_STATE_DIR": str(folder / "state"),
            "SRE_SPACE_SCOUT_PORT": str(self._port),
            "REDIS_URL": redis_url,
        }
        self.chain = Chain(rate_rps=6.0, send=self._send)
        self.chain.now_s = int(time.time()) - CALM_S - 2 * FAULT_S - HEALED_S - 5

    def _send(self, request):
        headers = {"content-type": "application/x-protobuf"}
        self.client.post("/v1/traces", content=request.SerializeToString(), headers=headers).raise_for_status()

    @asynccontextmanager
    async def running(self, end):
        """Run the process, and end it by the signal `end`."""
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", timeout=10)
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot.scout_process", env=self._environment, stdout=log, stderr=log
            )
        try:

            async def answers():
                try:
                    return (await asyncio.to_thread(self.client.get, "/healthz")).is_success
                except httpx.TransportError:
                    assert process.returncode is None, self.log.read_text()
                    return False

            await until(answers, "Scout")
            yield
        finally:
            process.send_signal(end)
            await process.wait()
            self.client.close()

    async def sees(self, seconds, faults=None):
        """Let the shop run for some seconds of event time, and wait until Scout has come that far."""
        await asyncio.to_thread(self.chain.run, seconds, faults)

        async def arrived():
            watermark = self.get("/scout/v1/status")["watermark"]
            return watermark is not None and datetime.fromisoformat(watermark).timestamp() >= self.chain.now_s - 11

        await until(arrived, "event time")
        await asyncio.sleep(2.5)  # two ticks of the process

    def get(self, path):
        """Return what the query API answers."""
        return self.client.get(path).raise_for_status().json()

    def baseline(self):
        """Return the limits of quote."""
        report = self.get("/scout/v1/sli?service=quote&operation=GET%20/quote&since=2024-01-01T00:00:00Z")
        return report["baseline_error_ratio"], report["baseline_p99_ms"]


async def test_a_killed_scout_goes_on_with_its_baseline_and_its_incident(tmp_path):
    """Stopped after calm, killed in the fault, started again: one incident, judged by what was learned before."""
    with running_redis(tmp_path) as url:
        scout = ScoutProcess(tmp_path, url)
        bus = RedisStreamsBus(url)
        came: list[Signal] = []

        async def listen():
            async for message in bus.subscribe("signals", "test", "one"):
                came.append(Signal.model_validate_json(arrived(message.value).payload))
                await message.ack()

        listening = asyncio.create_task(listen())

        async def told():
            return came

        async with scout.running(signal.SIGTERM):
            await scout.sees(CALM_S)
            learned = scout.baseline()
        async with scout.running(signal.SIGKILL):
            await scout.sees(FAULT_S, FAILING)
            await until(told, "the signal")
        assert learned[1] is not None
        first = came[0]
        async with scout.running(signal.SIGKILL):
            assert scout.baseline() == pytest.approx(learned, rel=1e-3)
            assert scout.get(f"/scout/v1/groups/{first.group_id}")["open"]
            await scout.sees(FAULT_S, FAILING)
            await scout.sees(HEALED_S)
            assert not scout.get(f"/scout/v1/groups/{first.group_id}")["open"]

            async def closed():
                return [s for s in came if all(a.closed for a in s.anomalies)]

            await until(closed, "the end of the incident")
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await bus.close()
    assert {s.group_id for s in came} == {first.group_id}
    sequences = [s.sequence for s in came]
    assert sorted(set(sequences)) == list(range(1, max(sequences) + 1))


async def test_a_scout_with_a_damaged_memory_starts_and_says_so(tmp_path):
    """Never a crash: the file is set aside under a name of its own."""
    folder = tmp_path / "state" / "scout"
    folder.mkdir(parents=True)
    (folder / "normal.zst").write_bytes(b"\x28\xb5\x2f\xfd garbage")
    with running_redis(tmp_path) as url:
        scout = ScoutProcess(tmp_path, url)
        async with scout.running(signal.SIGTERM):
            assert scout.get("/scout/v1/status")["series"] == 0
    assert (folder / "normal.zst.unusable").exists()
    assert "scout_memory_unusable" in scout.log.read_text()
