"""A commit breaks the bulk discount of `quote`; two harmless ones go out with it."""

from datetime import UTC, datetime

from infra.sandbox.scenarios.controls import wait_until_deployed
from infra.sandbox.scenarios.model import Injection, Sandbox, Scenario
from infra.sandbox.scenarios.repository import Change, push, read_file, replace_once, set_number

NAME = "bad-deploy"
DISCOUNTS = "services/quote/discounts.py"
GOOD_IMPORT = "from dataclasses import dataclass\n"
BAD_IMPORT = "from dataclasses import dataclass\nfrom decimal import Decimal\n"
GOOD_RULE = "            return unit_price_cents * quantity * tier.percent // 100\n"
# decimal's name for it is ROUND_HALF_UP: every line with a bulk discount raises TypeError.
BAD_RULE = """\
            exact = Decimal(unit_price_cents * quantity * tier.percent) / 100
            return int(exact.quantize(Decimal(1), rounding="HALF_UP"))
"""
MESSAGE = """Round bulk discounts per line

Accounting rounds half a cent up; we always rounded down."""


def break_discounts(text: str) -> str:
    """Returns the module of discounts with the fault in it."""
    return replace_once(GOOD_RULE, BAD_RULE)(replace_once(GOOD_IMPORT, BAD_IMPORT)(text))


def mend_discounts(text: str) -> str:
    """Returns the module of discounts without the fault."""
    return replace_once(BAD_RULE, GOOD_RULE)(replace_once(BAD_IMPORT, GOOD_IMPORT)(text))


async def inject(sandbox: Sandbox) -> Injection:
    """Pushes three commits by three people, the last of them bad, and waits until it runs."""
    commits = await push(
        sandbox,
        [
            Change(
                sandbox.person(0),
                "Allow somewhat larger orders",
                "services/gateway/settings.yaml",
                set_number("max_quantity", lambda limit: limit + 50),
            ),
            Change(
                sandbox.person(1),
                "Add one design to new catalogues",
                "services/quote/catalogue.py",
                set_number("_DESIGNS", lambda designs: designs + 1),
            ),
            Change(sandbox.person(2), MESSAGE, DISCOUNTS, break_discounts),
        ],
    )
    await wait_until_deployed(sandbox, "quote", commits[-1].sha)
    return Injection(
        scenario=NAME,
        description="a deployment of quote fails for lines of ten pieces and more",
        onset=datetime.now(UTC),
        service="quote",
        commits=commits,
        suspect_commit=commits[-1].sha,
    )


async def heal(sandbox: Sandbox) -> None:
    """Mends the discounts, unless somebody has done so already."""
    if BAD_RULE not in await read_file(sandbox, DISCOUNTS):
        return
    change = Change(sandbox.person(0), "Round bulk discounts down again", DISCOUNTS, mend_discounts)
    commits = await push(sandbox, [change])
    await wait_until_deployed(sandbox, "quote", commits[-1].sha)


SCENARIO = Scenario(NAME, inject, heal)
