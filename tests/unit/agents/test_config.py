"""`.github/sre-space.yml`: what it may say, and how it is told what is wrong with it."""

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from agents.config import CONFIG_PATH, DOES, Autonomy, json_schema, load, parse
from agents.diagnosis import CauseKind
from agents.errors import ConfigError
from agents.plan import Risk
from agents.testing.github import REPO
from agents.testing.repository import blob_sha
from agents.testing.shop import CONFIG as SHOP_CONFIG
from agents.testing.shop import Shop

CONFIG = """\
version: 1
autonomy: approve            # observe | dry-run | propose | approve
services:
  quote:
    paths: ["services/quote/**"]
    depends_on: [pricing]
    slo: {availability: 0.99, latency_ms: 500}
    knobs:
      - name: database pool
        file: services/quote/settings.yaml
        path: database.pool_size
        maximum: 20
        remedies: [db_pool_exhaustion]
approvals:
  low: {count: 1, permission: write}
  high: {count: 2, permission: maintain}
verification: {window_s: 5, windows: 4, min_requests: 20, deploy_timeout_s: 120, recovery_timeout_s: 90}
"""
SEED = Path(__file__).parents[3] / "infra/sandbox/seed/.github/sre-space.yml"


def problems(text: str) -> tuple[str, ...]:
    """Return what is wrong with a configuration, without the name of its file."""
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert not caught.value.missing
    assert all(problem.startswith(CONFIG_PATH) for problem in caught.value.problems)
    return tuple(problem.removeprefix(CONFIG_PATH).lstrip(",: ") for problem in caught.value.problems)


def test_every_field_is_read():
    """The example of the documentation means what it says."""
    config = parse(CONFIG)
    quote = config.service("quote")
    assert config.autonomy is Autonomy.APPROVE
    assert (quote.depends_on, quote.slo.availability, quote.slo.latency_ms) == (("pricing",), 0.99, 500)
    (knob,) = quote.knobs
    assert (knob.name, knob.file, knob.path, knob.maximum, knob.remedies) == (
        "database pool",
        "services/quote/settings.yaml",
        "database.pool_size",
        20,
        (CauseKind.DB_POOL_EXHAUSTION,),
    )
    assert (config.approvals.rule(Risk.HIGH).count, config.approvals.rule(Risk.HIGH).permission) == (2, "maintain")
    assert (config.verification.window_s, config.verification.recovery_timeout_s) == (5, 90)
    assert config.service("unknown") is None


@pytest.mark.parametrize("level", Autonomy)
def test_every_level_of_autonomy_is_read_and_explained(level):
    """The schema that editors show names each one, and so do answers to people."""
    assert parse(CONFIG.replace("autonomy: approve", f"autonomy: {level}")).autonomy is level
    assert f"{level}: " in json_schema()["properties"]["autonomy"]["description"]
    assert DOES[level]


def test_the_levels_of_autonomy_go_from_the_least_to_the_most():
    """So they are listed where one is misspelt."""
    assert [str(level) for level in Autonomy] == ["observe", "dry-run", "propose", "approve"]


def test_the_least_configuration_gets_safe_defaults():
    """A person must always approve, two for what is risky."""
    config = parse("version: 1\nservices: {a: {paths: ['**']}}\n")
    assert (config.approvals.low.count, config.approvals.high.count) == (1, 2)
    assert config.service("a").knobs == ()


def test_the_sandboxs_configuration_is_valid():
    """The demo starts from it."""
    assert set(parse(SEED.read_text()).services) == {"gateway", "quote", "pricing"}


FILE = "file: services/quote/settings.yaml"
PATHS = '["services/quote/**"]'
KNOB = "`services.quote.knobs[0]"
KINDS = ", ".join(f"`{kind}`" for kind in CauseKind)
MISTAKES = {
    ("autonomy:", "Autonomy:"): "line 2: unknown key `Autonomy`; did you mean `autonomy`?",
    ("version: 1", "version: 2"): "line 1: `version` must be 1, not `2`",
    ("maximum: 20", "maximum: 0"): f"line 12: {KNOB}.maximum` must be at least 1, not `0`",
    ("maximum: 20", 'maximum: "20"'): f'line 12: {KNOB}.maximum` must be a whole number, not `"20"`',
    ("maximum: 20", "maximum: true"): f"line 12: {KNOB}.maximum` must be a whole number, not `true`",
    ("maximum: 20", "maximum: 20.5"): f"line 12: {KNOB}.maximum` must be a whole number, not `20.5`",
    ("windows: 4", "windows: 0"): "line 17: `verification.windows` must be at least 1, not `0`",
    ("windows: 4", "windows: -1"): "line 17: `verification.windows` must be at least 1, not `-1`",
    ("count: 1", "count: 0"): "line 15: `approvals.low.count` must be at least 1, not `0`",
    ("0.99", "99"): "line 7: `services.quote.slo.availability` must be less than 1, not `99`",
    (PATHS, "[]"): "line 5: `services.quote.paths` must not be empty",
    (PATHS, "services"): "line 5: `services.quote.paths` must be a list, not `services`",
    (FILE, "file: ../../a.yaml"): f"line 10: {KNOB}.file` `../../a.yaml` leaves the repository with `..`",
    ("maximum: 20", "maximun: 20"): (
        f"line 9: {KNOB}` needs `maximum`\nline 12: unknown key `maximun` in {KNOB}`; did you mean `maximum`?"
    ),
    ("depends_on:", "xyzzy:"): (
        "line 6: unknown key `xyzzy` in `services.quote`; known are `paths`, `depends_on`, `slo`, `knobs`"
    ),
    ("windows: 4", "windows: 100"): (
        "line 17: `verification` can never succeed: 100 windows of 5 s need 500 s, `recovery_timeout_s` is 90"
    ),
    ("autonomy: approve ", "autonomy: aprove "): (
        "line 2: `autonomy` must be one of `observe`, `dry-run`, `propose`, `approve`, not `aprove`; "
        "did you mean `approve`?"
    ),
    ("permission: write", "permission: read"): (
        "line 15: `approvals.low.permission` must be 'write', 'maintain' or 'admin', not `read`"
    ),
    (FILE, "file: /etc/a.yaml"): (f"line 10: {KNOB}.file` `/etc/a.yaml` is not relative to the root of the repository"),
    (FILE, "file: services/*.yaml"): (f"line 10: {KNOB}.file` `services/*.yaml` must name one file, without wildcards"),
    (FILE, "file: .github/workflows/ci.yaml"): (
        f"line 10: {KNOB}.file` `.github/workflows/ci.yaml` is a file that SRE-Space never edits"
    ),
    (FILE, "file: deploy/values.yaml"): (
        "line 4: `services.quote` has the knob file deploy/values.yaml, which is not within the service's `paths`"
    ),
    ("[db_pool_exhaustion]", "[db_pool]"): (
        f"line 13: {KNOB}.remedies[0]` must be one of {KINDS}, not `db_pool`; did you mean `db_pool_exhaustion`?"
    ),
}


@pytest.mark.parametrize(("change", "expected"), MISTAKES.items(), ids=[new for _, new in MISTAKES])
def test_a_mistake_is_named_with_line_and_remedy(change, expected):
    """One change at a time to a valid configuration."""
    old, new = change
    assert old in CONFIG
    assert problems(CONFIG.replace(old, new, 1)) == tuple(expected.split("\n"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "line 1: the file is empty; it needs at least `version` and `services`"),
        ("# only a comment\n", "line 1: the file is empty; it needs at least `version` and `services`"),
        ("hello", "line 1: the file must be a mapping, not `hello`"),
        ("- version: 1", "line 1: the file must be a mapping, not a list"),
        ("version: 1\n", "line 1: the file needs `services`"),
        ("version: 1\nservices: {}\n", "line 2: `services` must not be empty"),
        ("version: 1\nservices:\n  quote:\n", "line 3: `services.quote` must be a mapping, not nothing"),
        ("version: 1\nversion: 1\n", "line 2: `version` is written twice, first on line 1"),
        ("a: &a [1]\nb: *a\n", "line 2: aliases (`*a`) are not supported here"),
        ("x: !!python/x 1", "line 1: this value cannot be read as `python/x`: tags are not supported here"),
        ("x: !secret 1", "line 1: this value cannot be read as `!secret`: tags are not supported here"),
        ("version: [1", "line 1: this is not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("version: 1\n---\nversion: 1\n", "line 2: this is not valid YAML: but found another document"),
        ("version: 1\n\x00", "line 2: this is not valid YAML: a character is not allowed"),
        ("[" * 13 + "]" * 13, "line 1: nested more than 12 levels deep"),
        ("? [a]\n: 1\n", "line 1: a key must be a plain word"),
        ("version: " + "9" * 40, "line 1: this value cannot be read as a whole number"),
        ("version: .nan", "line 1: this value cannot be read as a number"),
    ],
)  # fmt: skip
def test_what_is_no_configuration_is_explained(text, expected):
    """Empty, broken, hostile or of another shape: no traceback, one sentence."""
    assert problems(text) == (expected,)


def test_a_bomb_of_aliases_is_refused_before_it_expands():
    """Billion laughs: nine levels of ten aliases each."""
    lines = ["a0: &a0 [lol]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10))]
    assert problems("\n".join(lines)) == ("line 2: aliases (`*a0`) are not supported here",)


def test_a_file_over_the_size_cap_is_refused_unread():
    """64 KiB hold hundreds of services."""
    assert problems("#" * (64 * 1024 + 1)) == ("the file is larger than 64 KiB",)


def test_deep_nesting_does_not_exhaust_the_stack():
    """Thousands of brackets fit into the size cap."""
    assert problems("[" * 60_000) == ("line 1: nested more than 12 levels deep",)


def test_every_mistake_is_told_at_once_in_the_order_of_lines():
    """People fix a file in one go."""
    text = (
        CONFIG.replace("autonomy", "autonmy").replace("maximum: 20", "maximum: 0").replace("window_s: 5", "windw_s: 5")
    )
    lines = [problem.split(":")[0] for problem in problems(text)]
    assert lines == ["line 2", "line 12", "line 17"]


@pytest.mark.parametrize("same", ["name", "place"])
def test_knobs_must_differ(same):
    """Two knobs of one name, or for one number, would contradict each other."""
    other = "another" if same == "place" else "database pool"
    path = "database.pool_size" if same == "place" else "database.max_overflow"
    second = (
        f"      - {{name: {other}, file: services/quote/settings.yaml, path: {path}, maximum: 9, "
        "remedies: [db_pool_exhaustion]}\napprovals:"
    )
    (problem,) = problems(CONFIG.replace("approvals:", second))
    what = "services/quote/settings.yaml: database.pool_size" if same == "place" else "database pool"
    assert problem == f"line 8: `services.quote.knobs` names {what} twice"


async def test_load_reads_the_default_branch_and_returns_the_blob():
    """The blob's SHA is what plans are bound to."""
    shop = Shop(SHOP_CONFIG)
    config, sha = await load(shop.forge, REPO)
    assert config.service("quote") is not None
    assert sha == blob_sha(SHOP_CONFIG)


async def test_a_repository_without_configuration_says_so():
    """`missing` lets the caller tell it from a broken one."""
    with pytest.raises(ConfigError) as caught:
        await load(Shop(None).forge, REPO)
    assert caught.value.missing
    assert caught.value.problems == (".github/sre-space.yml does not exist on the default branch",)


def test_the_json_schema_refuses_unknown_keys_everywhere():
    """Editors underline what parse would refuse."""
    schema = json_schema()
    objects = [part for part in [schema, *schema["$defs"].values()] if part.get("type") == "object"]
    assert objects
    assert all(part["additionalProperties"] is False for part in objects)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(TypeAdapter(dict).dump_json(schema)) == schema
