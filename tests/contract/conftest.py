"""Worlds for the contract of the Forge port."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from infra.sandbox.github.testing import StandIn, stand_in
from tests.contract.forge_worlds import SETTINGS, FakeWorld, StandInWorld, World, adapter

pytest.register_assert_rewrite("tests.contract.bot_scenarios")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """A stand-in for the tests of one module, over a small repository."""
    seed: Path = tmp_path_factory.mktemp("seed")
    files = {"README.md": "# shop\n", SETTINGS: "database:\n  pool_size: 2\n", "tools/check": "#!/bin/sh\n"}
    for path, content in files.items():
        (seed / path).parent.mkdir(parents=True, exist_ok=True)
        (seed / path).write_text(content)
    (seed / "tools/check").chmod(0o755)
    with stand_in(tmp_path_factory.mktemp("github"), "--seed", str(seed)) as running:
        yield running


@pytest.fixture
async def github(site: StandIn) -> AsyncIterator[StandInWorld]:
    """The stand-in without faults, and a fresh adapter."""
    site.control("DELETE", "/faults")
    forge = adapter(site)
    try:
        yield StandInWorld(site, await forge.resolve("acme/shop"), forge)
    finally:
        site.control("DELETE", "/faults")
        await forge.aclose()


@pytest.fixture(params=["fake", "github"])
def world(request: pytest.FixtureRequest) -> World:
    """Each of the two worlds in turn."""
    if request.param == "fake":
        return FakeWorld()
    return request.getfixturevalue("github")
