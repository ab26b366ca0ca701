"""The deploy files agree with the program and with each other; their schemas are checked by `make deploy-files`."""

import json
import re

import pytest
from ruamel.yaml import YAML

from bot.settings import document
from infra.sandbox.scenarios.catalog import SCENARIOS
from tests.requirements import ROOT

SETTINGS = {row.name for row in document()}
OURS = {"web", "scout", "worker"}
SANDBOX = {"github", "credentials", "shop", "tax", "proxy", "load", "injector"}
COMING = {"CHROMA_URL"}
"""Settings that the adapter of a Chroma server brings with it."""
PLATFORM = {"PORT"}
"""Variables that a platform reads, not we."""


def load(name: str) -> dict:
    """Return a YAML file of the repository."""
    return YAML(typ="safe").load((ROOT / name).read_text())


@pytest.fixture(scope="module")
def compose():
    """The services of docker-compose.yml."""
    return load("docker-compose.yml")["services"]


@pytest.fixture(scope="module")
def collector():
    """The Collector's configuration."""
    return load("infra/otel-collector.yaml")


@pytest.fixture(scope="module")
def render():
    """The services of the Render Blueprint, by name."""
    return {service["name"]: service for service in load("infra/render.yaml")["services"]}


def test_compose_has_every_part_of_the_stack(compose):
    """What the issue names, and nothing that nobody knows."""
    servers = {"redis", "kafka", "postgres", "chroma", "collector", "jaeger"}
    assert set(compose) == OURS | SANDBOX | servers


@pytest.mark.parametrize("name", sorted(OURS))
def test_compose_sets_only_variables_that_are_settings(compose, name):
    """A misspelt variable would silently do nothing."""
    assert set(compose[name]["environment"]) <= SETTINGS | COMING


def test_compose_pins_the_image_of_every_server(compose):
    """A tag with a full version: what runs tomorrow is what ran today."""
    images = {name: service["image"] for name, service in compose.items() if name not in OURS | SANDBOX}
    assert {name for name, image in images.items() if not re.search(r":\d+\.\d+\.\d+|:\d+\.\d+-", image)} == set()


def test_compose_publishes_on_loopback_only(compose):
    """Nothing of the stack is open to the network that the machine is in."""
    published = [port for service in compose.values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_compose_mounts_nothing_of_the_host_but_the_collectors_configuration(compose):
    """No secrets, no sockets, no home directories."""
    mounts = [mount for service in compose.values() for mount in service.get("volumes", [])]
    assert [mount for mount in mounts if mount.startswith((".", "/", "~")) and ":" in mount] == [
        "./infra/otel-collector.yaml:/etc/otelcol/config.yaml:ro"
    ]


@pytest.mark.parametrize("name", sorted(OURS | SANDBOX))
def test_compose_gives_our_containers_no_rights(compose, name):
    """Root cannot be had, and the root file system cannot be written."""
    service = compose[name]
    assert (service["cap_drop"], service["read_only"]) == (["ALL"], True)
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_compose_waits_only_for_what_can_tell(compose):
    """A dependency on health needs a health check; one on a profile's service is optional outside of it."""
    for name, service in compose.items():
        for other, wanted in service.get("depends_on", {}).items():
            if wanted["condition"] == "service_healthy":
                assert "test" in compose[other]["healthcheck"], f"{name} waits for {other}"
            if "profiles" in compose[other] and "profiles" not in service:
                assert wanted["required"] is False, f"{name} waits for {other}"


def test_compose_starts_the_sandbox_by_its_profile_alone(compose):
    """The stand-in never runs beside a real repository."""
    assert {name for name, service in compose.items() if service.get("profiles") == ["sandbox"]} == SANDBOX


def test_every_part_of_the_collector_is_defined_and_used(collector):
    """A pipeline names parts that exist; a part that no pipeline names does nothing."""
    pipelines = collector["service"]["pipelines"].values()
    for kind in ("receivers", "processors", "exporters"):
        used = {name for pipeline in pipelines for name in pipeline[kind]}
        assert used == set(collector[kind]), kind
    assert collector["service"]["extensions"] == list(collector["extensions"])


def test_the_collector_limits_memory_first_and_batches_last(collector):
    """The order that the Collector's documentation asks for."""
    for pipeline in collector["service"]["pipelines"].values():
        assert (pipeline["processors"][0], pipeline["processors"][-1]) == ("memory_limiter", "batch")


def test_every_signal_goes_to_scout_with_the_token_of_compose(collector, compose):
    """Scout refuses telemetry without the tenant's token."""
    assert set(collector["service"]["pipelines"]) == {"traces", "metrics", "logs"}
    for pipeline in collector["service"]["pipelines"].values():
        assert "otlphttp/scout" in pipeline["exporters"]
    assert collector["exporters"]["otlphttp/scout"]["headers"] == {"Authorization": "Bearer ${env:OTLP_TOKEN}"}
    token = compose["collector"]["environment"]["OTLP_TOKEN"]
    assert compose["scout"]["environment"]["OTLP_TOKENS"] == f"default={token}"


def test_the_collector_keeps_the_resource_of_the_services(collector):
    """It must not put its own host on telemetry that others sent."""
    assert collector["processors"]["resourcedetection"] == {"detectors": ["env"], "timeout": "2s", "override": False}


def test_the_collector_sends_to_what_compose_runs(collector, compose):
    """Host names are service names."""
    endpoints = [exporter["endpoint"] for exporter in collector["exporters"].values()]
    hosts = {re.sub(r"^https?://", "", endpoint).partition(":")[0] for endpoint in endpoints}
    assert hosts <= set(compose)


def test_render_sets_only_variables_that_are_settings(render):
    """As for docker compose."""
    ours = [service for service in render.values() if service["type"] != "keyvalue"]
    assert {service["dockerCommand"] for service in ours} == {f"sre-space {name}" for name in OURS}
    for service in ours:
        assert {variable["key"] for variable in service["envVars"]} <= SETTINGS | PLATFORM


def test_render_refers_only_to_what_it_defines(render):
    """Services, databases and variables that another service is said to have."""
    databases = {database["name"] for database in load("infra/render.yaml")["databases"]}
    for service in render.values():
        for variable in service.get("envVars", []):
            assert len(variable.keys() - {"key"}) == 1, variable
            if "fromDatabase" in variable:
                assert variable["fromDatabase"]["name"] in databases
            if "fromService" in variable:
                source = variable["fromService"]
                assert render[source["name"]]["type"] == source["type"]
                known = {entry["key"] for entry in render[source["name"]].get("envVars", [])}
                assert ("envVarKey" not in source) or source["envVarKey"] in known


def test_render_has_fields_of_its_specification_only(render):
    """Render refuses a Blueprint with a field that it does not know (https://render.com/docs/blueprint-spec)."""
    common = {"type", "name", "plan"}
    built = {"runtime", "dockerfilePath", "dockerContext", "dockerCommand", "envVars"}
    own = {
        "web": common | built | {"healthCheckPath"},
        "worker": common | built | {"disk", "maxShutdownDelaySeconds"},
        "keyvalue": common | {"maxmemoryPolicy", "ipAllowList"},
    }
    for service in render.values():
        assert set(service) <= own[service["type"]]


def test_vercel_serves_the_documentation_and_nothing_that_runs():
    """No function and no rewrite: a worker does not run there, and the file does not say so."""
    vercel = json.loads((ROOT / "infra/vercel.json").read_text())
    assert set(vercel) == {
        "$schema",
        "framework",
        "installCommand",
        "buildCommand",
        "outputDirectory",
        "cleanUrls",
        "headers",
    }
    assert vercel["buildCommand"] == f"node site.mjs {vercel['outputDirectory']}"
    assert (ROOT / "infra/site.mjs").exists()


def test_the_faults_that_the_documentation_names_exist():
    """`docs/deploy.md` shows how to break the shop."""
    named = set(re.findall(r"/faults/([a-z-]+)", (ROOT / "docs/deploy.md").read_text()))
    assert named
    assert named <= set(SCENARIOS)
