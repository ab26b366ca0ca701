"""The file with Scout's rules."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.errors import ConfigError
from bot.scout_rules import load_rules, parse_rules
from bot.settings import SettingsError
from telemetry.rules import ScoutConfig

DOCS = Path(__file__).parents[3] / "docs" / "detection.md"
TEXT = """
slos:
  - service: checkout
    objective: 0.999
  - service: checkout
    operation: POST /pay
    objective: 0.99
    latency_ms: 300
maintenance:
  - services: [checkout, cart]
    from: 2026-11-29T02:00:00Z
    until: 2026-11-29T04:00:00Z
    repeat: weekly
  - services: ["*"]
    environment: staging
    from: 2026-12-01T00:00:00+01:00
    until: 2026-12-02T00:00:00+01:00
"""


def _is_planned(rules: ScoutConfig, at: datetime, service: str = "cart", environment: str = "production") -> bool:
    return rules.in_maintenance("default", environment, service, at)


def test_file_is_read(tmp_path):
    """Objectives by service and operation, windows of time."""
    file = tmp_path / "scout.yml"
    file.write_text(TEXT)
    rules = load_rules(file)
    assert [slo.name for slo in rules.slos] == ["SLO availability", "SLO 300 ms of POST /pay"]
    assert rules.slos_in("default", "production") == rules.slos


def test_no_file_and_an_empty_one_hold_no_rules(tmp_path):
    """Both are the default."""
    (tmp_path / "empty.yml").touch()
    assert load_rules(None) == load_rules(tmp_path / "empty.yml") == ScoutConfig()


def test_maintenance_has_an_end_and_repeats_weekly():
    """The end is outside, and nothing repeats before the first time."""
    rules = parse_rules(TEXT)
    first = datetime(2026, 11, 29, 2, tzinfo=UTC)
    for week in (0, 1, 52):
        start = first + timedelta(weeks=week)
        assert _is_planned(rules, start)
        assert not _is_planned(rules, start + timedelta(hours=2))
    assert not _is_planned(rules, first - timedelta(weeks=1))
    assert not _is_planned(rules, first, service="quote")


def test_rule_of_one_environment_says_nothing_about_others():
    """Staging may be down while production may not."""
    rules = parse_rules(TEXT)
    noon = datetime(2026, 12, 1, 12, tzinfo=UTC)
    assert _is_planned(rules, noon, "quote", "staging")
    assert not _is_planned(rules, noon, "quote", "production")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("slo:\n  - service: a\n", "line 1: unknown key `slo`; did you mean `slos`?"),
        ("slos:\n  - service: a\n    target: 0.9\n    objective: 0.9", "line 3: unknown key `target` in `slos[0]`"),
        ("slos:\n  - service: a\n    objective: 99.9", "line 3: `slos[0].objective` must be less than 1, not `99.9`"),
        ("slos:\n  - objective: 0.9", "line 2: `slos[0]` needs `service`"),
        (
            "maintenance:\n  - services: [a]\n    from: 2026-01-02T00:00:00Z\n    until: 2026-01-01T00:00:00Z",
            "`until` must be later than `from`",
        ),
        ("maintenance:\n  - services: [a]\n    from: 2026-01-02T00:00:00\n    until: 2026-01-03T00:00:00Z", "timezone"),
    ],
)
def test_mistake_is_told_with_its_line(text: str, problem: str):
    """And with what was probably meant."""
    with pytest.raises(ConfigError) as raised:
        parse_rules(text)
    assert problem in "; ".join(raised.value.problems)


def test_start_names_the_variable_and_the_file(tmp_path):
    """For a file that is not there, and for one with a mistake."""
    with pytest.raises(SettingsError, match="SRE_SPACE_SCOUT_CONFIG names a file that cannot be read"):
        load_rules(tmp_path / "missing.yml")
    file = tmp_path / "scout.yml"
    file.write_text("slo: []")
    with pytest.raises(SettingsError, match=r"SRE_SPACE_SCOUT_CONFIG names .*scout.yml, where line 1: unknown key"):
        load_rules(file)


def test_example_in_the_docs_is_valid():
    """What users copy works."""
    example = DOCS.read_text().split("```yaml\n")[1].split("```")[0]
    rules = parse_rules(example)
    assert rules.slos
    assert rules.maintenance
