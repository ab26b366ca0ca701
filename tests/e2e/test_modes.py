"""The event buses of ENV, each with the whole loop over it, and what is said when one cannot be used."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.test_demo import assert_pool_raised, demo
from tests.requirements import need
from tests.support_kafka import INSTALL, library, mock_kafka, real_kafka
from tests.support_redis import free_port, running_redis

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

NEEDED = {"GITHUB_APP_ID": "1", "GITHUB_PRIVATE_KEY": "key", "GITHUB_WEBHOOK_SECRET": "secret"}
BUS_VARIABLES = ("ENV", "REDIS_URL", "KAFKA_BOOTSTRAP_SERVERS")


@pytest.fixture(autouse=True)
def _no_bus(monkeypatch):
    """This machine's own settings of the bus take no part."""
    for name in BUS_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"SRE_SPACE_{name}", raising=False)


def start(folder: Path, **environment: str):
    """Run `sre-space up`, which must end by itself; return its exit code and its words."""
    settings = {**NEEDED, "SRE_SPACE_REPOSITORY": "acme/shop", "SRE_SPACE_STATE_DIR": str(folder), **environment}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "up"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert not (folder / "sre-space.db").exists(), "something was started before the bus was known to be there"
    return done.returncode, done.stdout + done.stderr


def test_unknown_mode_is_refused_by_name(tmp_path):
    """Not read as the default."""
    code, said = start(tmp_path, ENV="production")
    assert code == 2
    assert "ENV cannot be used" in said
    assert "'local', 'cloud' or 'embedded'" in said


@pytest.mark.parametrize(("mode", "variable"), [("local", "KAFKA_BOOTSTRAP_SERVERS"), ("cloud", "REDIS_URL")])
def test_mode_without_its_address_is_refused_with_the_remedy(tmp_path, mode, variable):
    """No bus is invented for a mode that asks for one."""
    code, said = start(tmp_path, ENV=mode)
    assert code == 2
    assert f"{variable} is not set" in said
    assert "leave ENV unset for the embedded bus" in said


@pytest.mark.parametrize(
    ("mode", "variable", "address"),
    [("local", "KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:{port}"), ("cloud", "REDIS_URL", "redis://127.0.0.1:{port}/0")],
)
def test_bus_that_is_away_is_an_error_not_another_bus(tmp_path, mode, variable, address):
    """Where it should be, what is wrong, what to do; nothing was started."""
    where = address.format(port=free_port())
    code, said = start(tmp_path, ENV=mode, **{variable: where})
    assert code == 1
    assert f"The event bus of ENV={mode} cannot be used" in said
    assert f"Start it, set {variable} to where it is, or leave ENV unset" in said


@pytest.mark.long
def test_the_loop_ends_resolved_over_redis_streams(tmp_path, monkeypatch):
    """ENV=cloud with a Redis of its own: bus, queue and the whole loop."""
    with running_redis(tmp_path) as url:
        monkeypatch.setenv("ENV", "cloud")
        monkeypatch.setenv("REDIS_URL", url)
        (incident,) = demo(tmp_path)
    assert_pool_raised(incident)


@pytest.mark.long
def test_the_loop_ends_resolved_over_kafka(tmp_path, monkeypatch):
    """ENV=local on the broker that SRE_SPACE_TEST_KAFKA names, else on librdkafka's mock."""
    monkeypatch.setenv("ENV", "local")
    real = real_kafka()
    if real is not None:
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", real)
        (incident,) = demo(tmp_path)
    else:
        need("kafka", library() is not None, INSTALL)
        with mock_kafka() as mock:
            monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", mock.servers)
            (incident,) = demo(tmp_path)
    assert_pool_raised(incident)
