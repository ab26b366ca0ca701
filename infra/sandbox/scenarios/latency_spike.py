"""A setting makes `pricing` slow without an error of its own; its callers give up and answer 504."""

from datetime import UTC, datetime

from infra.sandbox.scenarios.controls import wait_until_deployed
from infra.sandbox.scenarios.model import Injection, Sandbox, Scenario
from infra.sandbox.scenarios.repository import Change, number_in, push, read_file, set_number

NAME = "latency-spike"
SETTINGS = "services/pricing/settings.yaml"
KEY = "max_concurrent_lookups"
NORMAL_LOOKUPS = 8
MESSAGE = """Reduce parallel tax lookups to be kind to the tax service

They asked their customers to avoid bursts."""


async def inject(sandbox: Sandbox) -> Injection:
    """Pushes the setting behind a harmless commit and waits until it runs."""
    commits = await push(
        sandbox,
        [
            Change(
                sandbox.person(2),
                "Allow somewhat larger orders",
                "services/gateway/settings.yaml",
                set_number("max_quantity", lambda limit: limit + 50),
            ),
            Change(sandbox.person(1), MESSAGE, SETTINGS, set_number(KEY, lambda _: 1)),
        ],
    )
    await wait_until_deployed(sandbox, "pricing", commits[-1].sha)
    return Injection(
        scenario=NAME,
        description="pricing looks up taxes one after another",
        onset=datetime.now(UTC),
        service="pricing",
        commits=commits,
        suspect_commit=commits[-1].sha,
    )


async def heal(sandbox: Sandbox) -> None:
    """Allows parallel lookups, unless somebody has done so already."""
    if number_in(await read_file(sandbox, SETTINGS), KEY) > 1:
        return
    change = Change(
        sandbox.person(0), "Look up taxes in parallel again", SETTINGS, set_number(KEY, lambda _: NORMAL_LOOKUPS)
    )
    commits = await push(sandbox, [change])
    await wait_until_deployed(sandbox, "pricing", commits[-1].sha)


SCENARIO = Scenario(NAME, inject, heal)
