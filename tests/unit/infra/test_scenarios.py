"""The commits of the scenarios fit the seed, do the harm they should, and can be taken back."""

from pathlib import Path
from types import ModuleType

import pytest
from ruamel.yaml import YAML

from infra.sandbox.errors import ScenarioError
from infra.sandbox.scenarios import bad_deploy, db_pool_exhaustion, latency_spike
from infra.sandbox.scenarios.repository import number_in, replace_once, set_number

SEED = Path(bad_deploy.__file__).parent.parent / "seed"


def discounts(text: str) -> ModuleType:
    """Returns the module of discounts with the given source."""
    module = ModuleType("discounts")
    exec(compile(text, "discounts.py", "exec"), module.__dict__)  # noqa: S102 - our own seed
    return module


def test_the_bad_commit_fails_for_bulk_lines_and_for_no_others() -> None:
    """A share of the traffic is hit, as by a real mistake."""
    broken = discounts(bad_deploy.break_discounts((SEED / bad_deploy.DISCOUNTS).read_text(encoding="utf-8")))
    assert broken.total_cents(1000, 2, "WELCOME10") == 1800
    with pytest.raises(TypeError):
        broken.total_cents(1000, 10, "")


def test_mending_gives_back_the_seed_to_the_byte() -> None:
    """The second run of a scenario starts where the first did."""
    good = (SEED / bad_deploy.DISCOUNTS).read_text(encoding="utf-8")
    assert bad_deploy.mend_discounts(bad_deploy.break_discounts(good)) == good


def test_the_seeds_discounts_are_bulk_first_then_coupon() -> None:
    """10 pieces: 5 % off, then the coupon."""
    good = discounts((SEED / bad_deploy.DISCOUNTS).read_text(encoding="utf-8"))
    assert good.total_cents(1000, 10, "welcome10") == 8550
    assert good.total_cents(1000, 50, "") == 44000


def test_a_setting_is_changed_and_nothing_else() -> None:
    """Comments and all other lines stay."""
    text = (SEED / db_pool_exhaustion.SETTINGS).read_text(encoding="utf-8")
    raised = set_number("pool_size", lambda size: size * 4)(text)
    assert number_in(text, "pool_size") == db_pool_exhaustion.POOL_SIZE
    changed = [line for line in raised.splitlines() if line not in text.splitlines()]
    assert changed == ["  pool_size: 8"]


def test_the_pool_may_be_raised_to_what_the_repository_declares() -> None:
    """The knob in the bot's configuration is the setting that the scenario outgrows."""
    config = YAML(typ="safe").load((SEED / ".github/sre-space.yml").read_text(encoding="utf-8"))
    knob = config["services"]["quote"]["knobs"][0]
    settings = YAML(typ="safe").load((SEED / knob["file"]).read_text(encoding="utf-8"))
    section, key = knob["path"].split(".")
    assert knob["file"] == db_pool_exhaustion.SETTINGS
    assert settings[section][key] == db_pool_exhaustion.POOL_SIZE < knob["maximum"]


def test_parallel_lookups_are_reduced_to_one() -> None:
    """The latency scenario changes one number of pricing's settings."""
    text = (SEED / latency_spike.SETTINGS).read_text(encoding="utf-8")
    assert number_in(text, latency_spike.KEY) == latency_spike.NORMAL_LOOKUPS
    slow = YAML(typ="safe").load(set_number(latency_spike.KEY, lambda _: 1)(text))
    assert slow["tax"]["max_concurrent_lookups"] == 1


def test_an_edit_that_does_not_fit_is_an_error() -> None:
    """A scenario never pushes a commit that does not do what it says."""
    with pytest.raises(ScenarioError, match="0 times"):
        replace_once("pool", "pond")("nothing here")
    with pytest.raises(ScenarioError, match="no number"):
        number_in("size: many", "size")
