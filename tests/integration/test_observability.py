"""SRE-Space's real processes as an operator sees them: one trace per incident, metrics, health."""

import asyncio
import json
import os
import signal
import sys
from importlib.metadata import version

import httpx
import psutil
import pytest

from bot.observability.ids import ids_of
from tests.support_redis import free_port
from tests.support_sink import running_sink, tree
from tests.support_world import running_site, until

pytestmark = pytest.mark.timeout(180)

WEB_LIMIT_MB = 150


def pid_of(site, name):
    """Return the id of a process that the supervisor runs."""
    return json.loads((site.state_dir / "run" / f"{name}.json").read_text())["pid"]


async def test_an_incident_is_one_whole_trace_across_processes_and_a_killed_worker(tmp_path):
    """From the signal to `/reject`, with a SIGKILL in between: one trace, one root, no span without its parent."""
    port = free_port()
    async with running_sink() as sink:
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
            "SRE_SPACE_WORKER_PORT": str(port),
            "SRE_SPACE_LOG_JSON": "true",
        }
        async with running_site(tmp_path, settings) as site:
            await site.signal()
            waiting = await site.until_stage("awaiting_approval")
            trace_id = ids_of("incident", waiting["id"]).trace_id.to_bytes(16)
            await _answers_as_operators_ask(site, port)
            await asyncio.sleep(1)  # spans leave every 100 ms; SIGKILL loses those that have not left
            os.kill(pid_of(site, "worker"), signal.SIGKILL)
            comment = await site.post(f"/issues/{waiting['issue']}/comments", {"body": "/reject"})
            await site.until_stage("escalated")

            async def rooted():
                return any(not span.parent_span_id for _, span in sink.of_trace(trace_id))

            await until(rooted, "the root span")
            await asyncio.sleep(1)
        spans = sink.of_trace(trace_id)
    sys.stdout.write(tree(spans))
    names = [span.name for _, span in spans]
    assert {service for service, _ in spans} == {"sre-space-worker"}
    assert names.count("incident") == 1
    for step in ("Scout observing", "CAG recalling", "Brain orienting", "Guardrail deciding", "Fixer acting"):
        assert names.count(step) == 1
    for once in ("delivery signal", "write open_issue", "write propose_change", "delivery issue_comment"):
        assert once in names
    assert any(name.startswith("GitHub POST /repos/{}/{}/pulls") for name in names)
    _links_lead_to_arrivals(sink, spans)
    logs = (site.state_dir / "log" / "worker.log").read_text()
    assert f'"trace_id": "{trace_id.hex()}"' in logs
    assert {"sre-space-scout", "sre-space-web", "sre-space-worker"} == set(sink.services)
    assert set(sink.services.values()) == {version("sre-space")}
    assert ("sre-space-web", "sre_space.outbox.pending") in sink.metrics
    assert ("sre-space-worker", "sre_space.step.duration") in sink.metrics
    assert ("sre-space-scout", "sre_space.scout.spans") in sink.metrics
    assert comment["id"]


def _links_lead_to_arrivals(sink, spans):
    """Every delivery's span links to the span of a webhook in web; the signal of this test came without Scout."""
    arrived = {(span.trace_id, span.span_id): span.name for _, span in sink.spans if span.name.startswith("webhook ")}
    linked = [
        (link.trace_id, link.span_id) for _, span in spans for link in span.links if span.name != "delivery signal"
    ]
    assert linked
    assert {arrived[link] for link in linked} <= {"webhook issues", "webhook issue_comment", "webhook pull_request"}


async def _answers_as_operators_ask(site, worker_port):
    """Health and metrics of all three; the web process is still small with all of it."""
    scout_url = json.loads((site.state_dir / "run" / "scout.json").read_text())["url"]
    urls = {"web": site.web_url, "scout": scout_url, "worker": f"http://127.0.0.1:{worker_port}"}
    metrics = {}
    async with httpx.AsyncClient(timeout=5) as client:
        for name, url in urls.items():
            assert (await client.get(f"{url}/healthz")).json() == {"status": "ok"}
            ready = await client.get(f"{url}/readyz")
            assert (ready.status_code, ready.json()["status"]) == (200, "ready"), name
            metrics[name] = (await client.get(f"{url}/metrics")).text
        facts = (await client.get(f"{scout_url}/readyz")).json()["facts"]
    assert facts == {"watermark_age_s": None, "memory": "ok"}
    assert 'sre_space_incidents{stage="awaiting_approval"} 1.0' in metrics["web"]
    assert "sre_space_inbox_pending " in metrics["web"]
    assert 'sre_space_github_call_duration_seconds_count{method="POST",status="201"}' in metrics["worker"]
    assert 'sre_space_github_rate_limit_remaining{resource="core"}' in metrics["worker"]
    assert "sre_space_scout_series " in metrics["scout"]
    rss_mb = psutil.Process(pid_of(site, "web")).memory_info().rss / 1024 / 1024
    sys.stdout.write(f"web process with metrics and tracing: {rss_mb:.0f} MB\n")
    assert rss_mb < WEB_LIMIT_MB
