"""A repository's workflow with `mode: respond`: jobs on event files, recorded telemetry, people on the stand-in."""

import json
import struct
import time

import zstandard

from telemetry.testing import Chain, Fault
from tests.support_action import Job

POOL = Fault(
    error_ratio=0.45,
    error="sqlalchemy.exc.TimeoutError",
    extra_ms=250,
    pool_used=2.0,
    pool_pending=6.0,
)
CALM_S, FAULT_S = 400, 60
WELL = Fault(pool_used=0.5)


class Recording:
    """A shop whose pool of quote runs dry, now or from `start_s` on: what Scout sees and what a Collector writes."""

    def __init__(self, start_s=None):
        self.requests = {"traces": [], "metrics": []}
        self.chain = Chain()
        self.chain.now_s = start_s or int(time.time()) - CALM_S - FAULT_S - 5
        state = self.chain.state
        state.add_traces = self._recorded("traces", state.add_traces)
        state.add_metrics = self._recorded("metrics", state.add_metrics)
        self.chain.run(CALM_S, {"quote": WELL})
        assert self.chain.run(FAULT_S, {"quote": POOL}), "Scout sees the fault when it is live"

    def _recorded(self, kind, take):
        def taken(tenant, request):
            self.requests[kind].append(request)
            return take(tenant, request)

        return taken

    def recovers(self, revision, since_s, seconds):
        """Go on from `since_s` with a healthy quote that runs `revision`."""
        self.chain.now_s = since_s
        self.chain.deploy("quote", revision)
        self.chain.run(seconds, {"quote": WELL})


def write_files(folder, recorded):
    """Write telemetry as the Collector's file exporter does: length-prefixed protobuf in zstd frames."""
    folder.mkdir(parents=True)
    packer = zstandard.ZstdCompressor()
    for kind, requests in recorded.items():
        frames = [packer.compress(request.SerializeToString()) for request in requests]
        content = b"".join(struct.pack(">I", len(frame)) + frame for frame in frames)
        (folder / f"{kind}.otlp.zst").write_bytes(content)


class Workflow:
    """A repository's workflow: one job for each event, with the state that a cache would carry over."""

    def __init__(self, folder, site):
        self._folder, self._site, self._jobs = folder, site, 0
        self.inputs = {"mode": "respond", "bot-login": "sre-space-sandbox[bot]", "state": str(folder / "state")}

    def on(self, event, payload, *, recorded=None, **inputs):
        """Run the Action on an event file, with recorded telemetry in the workspace, and return the job."""
        self._jobs += 1
        folder = self._folder / f"job-{self._jobs}"
        folder.mkdir()
        (folder / "event.json").write_text(json.dumps(payload))
        environment = {
            "GITHUB_API_URL": self._site.api_url,
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "TOKEN_OF_THE_JOB": self._site.installation_token(),
        }
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        job = Job(folder, environment, {**self.inputs, **given})
        if recorded is not None:
            write_files(folder / "workspace" / "otel", recorded)
            job.inputs["telemetry"] = "otel/*.zst"
        job.succeeded = job.run()
        return job


def opened(github, login="maria", title="Quotes fail", body="Customers of quote see errors."):
    """Open an incident as a person does and return the event that a workflow gets; it has no installation."""
    with github.user(login) as client:
        issue = client.post("/issues", json={"title": title, "body": body, "labels": ["incident"]}).json()
        repository = client.get(github.repo_url).json()
    return {"action": "opened", "issue": issue, "repository": repository, "sender": issue["user"]}


def commented(github, number, body, login="maria"):
    """Comment as a person does and return the event that a workflow gets."""
    with github.user(login) as client:
        comment = client.post(f"/issues/{number}/comments", json={"body": body}).json()
        issue, repository = client.get(f"/issues/{number}").json(), client.get(github.repo_url).json()
    event = {"action": "created", "issue": issue, "comment": comment, "repository": repository}
    return {**event, "sender": comment["user"]}


def read(github, path):
    """Return a resource of the repository."""
    with github.user("otto") as client:
        return client.get(path).raise_for_status().json()
