"""Traffic outgrows the connection pool of `quote`: requests wait for a connection in vain."""

import asyncio
from datetime import UTC, datetime

from infra.sandbox.scenarios.controls import set_flag, set_load, wait_until_deployed
from infra.sandbox.scenarios.model import Commit, Injection, Sandbox, Scenario
from infra.sandbox.scenarios.repository import Change, number_in, push, read_file, set_number

NAME = "db-pool-exhaustion"
NEVER_RECOVER_NAME = "db-pool-exhaustion-never-recover"
SETTINGS = "services/quote/settings.yaml"
POOL_SIZE = 2
# A quote holds a connection for 72 ms in all: 2 connections serve 28 requests a second, 4 serve 56.
OUTGROWN_RPS = 36.0
# Time to show that the smaller pool serves normal traffic well.
_SETTLE_S = 10.0
AUDIT_FLAG = "database-audit"
LOWER_MESSAGE = """Lower idle connections on the database

The database team asks every service to give back what it does not use."""


async def inject(sandbox: Sandbox) -> Injection:
    """Raises the traffic; a pool that was raised before is first lowered again, while traffic is normal."""
    commits = await _make_pool_small(sandbox)
    await set_load(sandbox, OUTGROWN_RPS)
    return Injection(
        scenario=NAME,
        description=f"traffic grew from {sandbox.base_rps:g} to {OUTGROWN_RPS:g} requests a second",
        onset=datetime.now(UTC),
        service="quote",
        commits=commits,
    )


async def inject_without_remedy(sandbox: Sandbox) -> Injection:
    """As `inject`, and every transaction holds its connection 20 times as long: no pool allowed is enough."""
    commits = await _make_pool_small(sandbox)
    set_flag(sandbox, AUDIT_FLAG, on=True)
    await set_load(sandbox, OUTGROWN_RPS)
    return Injection(
        scenario=NEVER_RECOVER_NAME,
        description=f"traffic grew to {OUTGROWN_RPS:g} requests a second while the flag {AUDIT_FLAG} is on",
        onset=datetime.now(UTC),
        service="quote",
        commits=commits,
    )


async def heal(sandbox: Sandbox) -> None:
    """Brings traffic back to normal and turns the flag off; the pool stays as it is."""
    set_flag(sandbox, AUDIT_FLAG, on=False)
    await set_load(sandbox, sandbox.base_rps)


async def _make_pool_small(sandbox: Sandbox) -> tuple[Commit, ...]:
    if number_in(await read_file(sandbox, SETTINGS), "pool_size") <= POOL_SIZE:
        return ()
    change = Change(sandbox.person(1), LOWER_MESSAGE, SETTINGS, set_number("pool_size", lambda _: POOL_SIZE))
    commits = await push(sandbox, [change])
    await wait_until_deployed(sandbox, "quote", commits[-1].sha)
    await asyncio.sleep(_SETTLE_S)
    return commits


SCENARIO = Scenario(NAME, inject, heal)
NEVER_RECOVER = Scenario(NEVER_RECOVER_NAME, inject_without_remedy, heal)
