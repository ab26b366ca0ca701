"""`python -m infra.image.probe FOLDER`, inside the image: everything that a process imports is there and works."""

import asyncio
import importlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agents.plan import RaiseLimit
from agents.ports import Case
from bot.adapters.memory import open_memory
from infra.sandbox.git import git

PROCESSES: Final = ("scout", "web", "worker", "up")
SANDBOX: Final = ("demo.play", "deployer.rollout", "github.server", "load", "faultproxy", "tax", "injector")
DRIVERS: Final = ("aiosqlite", "asyncpg")
_INSTALLATION: Final = 1


def _case() -> Case:
    fix = RaiseLimit(
        service="quote", knob="pool", file="settings.yaml", path="database.pool_size", current=2, target=8, maximum=20
    )
    return Case(
        id="probe",
        incident_id="probe",
        tenant="default",
        installation_id=_INSTALLATION,
        repo="acme/shop",
        issue=1,
        service="quote",
        kind="db_pool_exhaustion",
        signature="pool:1",
        text="quote runs out of database connections",
        remedy=fix,
        summary="quote runs out of database connections.",
        verified_at=datetime.now(UTC),
    )


async def probe(folder: Path) -> None:
    """Imports every program, remembers an incident and finds it again, and commits with git in `folder`.

    Raises:
        LookupError: the memory does not hold what it was given.
    """
    modules = [f"bot.{name}_process" for name in PROCESSES] + [f"infra.sandbox.{name}" for name in SANDBOX]
    for name in (*modules, *DRIVERS):
        importlib.import_module(name)
    case = _case()
    async with open_memory(folder / "chroma") as memory:
        await memory.remember(case)
        found = await memory.nearest(_INSTALLATION, case.tenant, service=case.service, kind=case.kind, text=case.text)
    if found is None or found[0].id != case.id:
        raise LookupError("the memory does not find what it was given")
    await git("init", "--quiet", str(folder / "repository"))


if __name__ == "__main__":
    asyncio.run(probe(Path(sys.argv[1])))
