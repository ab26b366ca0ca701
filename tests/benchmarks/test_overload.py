"""Ten times what Scout can take, for a minute: bounded memory, 503 with Retry-After, recovery, counts that add up."""

import json
import os
import re
import subprocess
import sys
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.benchmarks.overload_client import SPANS, body
from tests.requirements import ROOT
from tests.support_redis import running_redis
from tests.support_scout import ScoutProcess, running_scout

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]

OVERLOAD_S = float(os.environ.get("SRE_SPACE_BENCH_OVERLOAD_S", "60"))
CAPACITY_S = 5.0
TIMES = 10
MEMORY_LIMIT_MB = 400
IN_FLIGHT_MB = 64
"""Bytes in flight, as `ReceiverLimits` bounds them; the guard looks at memory twice a second and misses those."""
SETTLED_S = 2.0
"""The figures of `/metrics` are those of the last tick."""


def start_load(way: str, scout: ScoutProcess, seconds: float, rate: float) -> "subprocess.Popen[str]":
    """Start the client in a process of its own."""
    host, _, port = (urlsplit(scout.url).netloc if way == "http" else scout.target).rpartition(":")
    command = [sys.executable, "-m", "tests.benchmarks.overload_client", way, host, port]
    return subprocess.Popen(
        [*command, str(seconds), str(rate)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def load(way: str, scout: ScoutProcess, seconds: float, rate: float) -> tuple[dict[str, Any], float]:
    """Return what came of the client's requests, and the peak of Scout's resident memory in MB."""
    peak_mb, process = 0.0, psutil.Process(scout.process.pid)
    with start_load(way, scout, seconds, rate) as client:
        while client.poll() is None:
            peak_mb = max(peak_mb, process.memory_info().rss / 1024 / 1024)
            time.sleep(0.1)
        assert client.returncode == 0
        assert client.stdout is not None
        return json.loads(client.stdout.read()), peak_mb


def figure(url: str, metric: str) -> float:
    """Return the sum of a metric over its labels."""
    text = httpx.get(f"{url}/metrics", timeout=30).text
    return sum(float(value) for value in re.findall(rf"^{metric}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


def recovery_s(url: str) -> float:
    """Return how long it takes until a request is taken; the test's timeout ends a wait in vain."""
    started, headers = time.monotonic(), {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
    packed = body(10_000)
    while httpx.post(f"{url}/v1/traces", content=packed, headers=headers, timeout=60).status_code != 200:
        time.sleep(0.1)
    return time.monotonic() - started


@pytest.mark.parametrize("way", ["http", "grpc"])
def test_ten_times_what_scout_can_take(tmp_path, way):
    """Nothing is lost without being counted, on either side."""
    with running_redis(tmp_path) as redis_url:
        limit = {"MEMORY_LIMIT_MB": str(MEMORY_LIMIT_MB)}
        with running_scout(tmp_path, redis_url, **limit) as scout:
            _overload(way, scout)


def _overload(way: str, scout: ScoutProcess) -> None:
    before_mb = psutil.Process(scout.process.pid).memory_info().rss / 1024 / 1024
    able, _ = load(way, scout, CAPACITY_S, 0)
    capacity = able["statuses"]["200"] / CAPACITY_S
    found, peak_mb = load(way, scout, OVERLOAD_S, TIMES * capacity)
    recovered_s = recovery_s(scout.url)
    time.sleep(SETTLED_S)
    statuses = found["statuses"]
    taken, refused = statuses.get("200", 0), statuses.get("503", 0)
    spans = figure(scout.url, "sre_space_scout_spans_total") / SPANS - able["statuses"]["200"] - 1
    counted = figure(scout.url, "sre_space_scout_refused_total")
    offered = found["sent"] + found["held"]
    sys.stdout.write(
        f"\nover {way}\n"
        f"capacity      {capacity:8.0f} requests/s of {SPANS} spans = {capacity * SPANS:,.0f} spans/s (closed loop)\n"
        f"offered       {offered / OVERLOAD_S:8.0f} requests/s for {OVERLOAD_S:g} s, "
        f"of which the client held {found['held']} back\n"
        f"taken         {taken:8} = {taken / OVERLOAD_S:.0f}/s, in {_ms(found, '200')}\n"
        f"503           {refused:8} = {refused / OVERLOAD_S:.0f}/s, in {_ms(found, '503')}; "
        f"Retry-After {found['retry_after']}\n"
        f"unanswered    {found['unanswered']:8}\n"
        f"Scout counted {spans:8.0f} requests taken, {counted:.0f} refused\n"
        f"resident      {before_mb:8.0f} MB before, {peak_mb:.0f} MB peak\n"
        f"recovered in  {recovered_s:8.2f} s\n"
    )
    assert set(statuses) == {"200", "503"}
    assert set(found["retry_after"]) <= {"1", "2", "3", "4", "5"}
    assert found["sent"] == taken + refused + found["unanswered"]
    assert taken <= spans <= taken + found["unanswered"]
    assert refused <= counted <= refused + found["unanswered"]
    assert peak_mb < MEMORY_LIMIT_MB + IN_FLIGHT_MB


def _ms(found: dict[str, Any], status: str) -> str:
    waits_ms = found["waits_ms"].get(status, {"median": 0.0, "max": 0.0})
    return f"{waits_ms['median']:.0f} ms median, {waits_ms['max']:.0f} ms at most"
