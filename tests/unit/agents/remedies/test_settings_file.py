"""Numbers in settings files: only their digits change."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from agents.errors import RemedyError
from agents.remedies.settings_file import read_number, set_number

SETTINGS = """\
# Settings of the quote service.
database:
  # Connections; "every" one costs memory.
  pool_size: 2     # two are enough
  max_overflow:   0
  urls: ['a', "b",  c]

replicas:
- name: 'web'
  count: 3
"""


@pytest.mark.parametrize(
    ("file", "before", "path", "after"),
    [
        ("a.yaml", SETTINGS, "database.pool_size", SETTINGS.replace("pool_size: 2 ", "pool_size: 12 ")),
        ("a.yml", SETTINGS, "replicas[0].count", SETTINGS.replace("count: 3", "count: 12")),
        ("a.yml", SETTINGS, "replicas.0.count", SETTINGS.replace("count: 3", "count: 12")),
        ("a.yaml", "a: 2\r\nb: 'x'\r\n", "a", "a: 12\r\nb: 'x'\r\n"),
        ("a.yaml", "\ufeffa: 2", "a", "\ufeffa: 12"),
        ("a.yaml", "a: {b: [1, {c: 2}], d: '\U0001f600'}", "a.b[1].c", "a: {b: [1, {c: 12}], d: '\U0001f600'}"),
        ("a.yaml", 'é: \U0001f600\nb: "2"\n', "b", 'é: \U0001f600\nb: "12"\n'),
        ("a.yaml", "'x.y': {z: 2}\n", '"x.y".z', "'x.y': {z: 12}\n"),
        ("a.yaml", "a: 1\n---\nspec:\n  replicas: 2\n", "spec.replicas", "a: 1\n---\nspec:\n  replicas: 12\n"),
        ("a.yaml", "8080: 2\n", "8080", "8080: 12\n"),
        ("a.json", '{\n\t"a": {"b": [1,\t2 ]}\n}', "a.b.1", '{\n\t"a": {"b": [1,\t12 ]}\n}'),
        ("a.json", '{"a":2,"s":"\\u0041\\/\\n"}\n', "a", '{"a":12,"s":"\\u0041\\/\\n"}\n'),
        ("a.toml", "# c\r\n[db]\r\npool   =  2   # two\r\n", "db.pool", "# c\r\n[db]\r\npool   =  12   # two\r\n"),
        ("a.toml", "[[x]]\ny=1\n[[x]]\ny = 2\n", "x[1].y", "[[x]]\ny=1\n[[x]]\ny = 12\n"),
        ("a.toml", "a = { b = 1,  c=2 }\n", "a.c", "a = { b = 1,  c=12 }\n"),
        ("a.toml", "a.b.c = 2 # x", "a.b.c", "a.b.c = 12 # x"),
        ("a.toml", "l = [\n  1, # one\n  2,\n]\n", "l[1]", "l = [\n  1, # one\n  12,\n]\n"),
        (".env", "# pool\nA=1\nexport POOL=2\nB='x'\n", "POOL", "# pool\nA=1\nexport POOL=12\nB='x'\n"),
        (".env.prod", 'POOL="2" # two\r\n', "POOL", 'POOL="12" # two\r\n'),
        ("deploy/app.env", "POOL = 2", "POOL", "POOL = 12"),
    ],
)  # fmt: skip
def test_only_the_digits_change(file, before, path, after):
    """Comments, quotes, indentation, line ends, order and byte order marks stay as they were."""
    assert read_number(before, file, path) in {2, 3}
    assert set_number(before, file, path, 12) == after


@pytest.mark.parametrize(
    ("file", "text", "path", "why"),
    [
        ("a.yaml", "a: 2", "b", "nothing is there"),
        ("a.yaml", "a: 2", "a.b", "nothing is there"),
        ("a.yaml", "a: [1]", "a[1]", "nothing is there"),
        ("a.yaml", "", "a", "nothing is there"),
        ("a.yaml", "a: {b: 1}", "a", "a mapping or list is there"),
        ("a.yaml", "a: x", "a", "no plain whole number is there"),
        ("a.yaml", "a: 2.5", "a", "no plain whole number is there"),
        ("a.yaml", "a: -2", "a", "no plain whole number is there"),
        ("a.yaml", "a: 0x10", "a", "no plain whole number is there"),
        ("a.yaml", "a: 010", "a", "no plain whole number is there"),
        ("a.yaml", "a: 1_000", "a", "no plain whole number is there"),
        ("a.yaml", "a: !!int 2", "a", "no plain whole number is there"),
        ("a.yaml", "a: |\n  2\n", "a", "no plain whole number is there"),
        ("a.yaml", "a:", "a", "no plain whole number is there"),
        ("a.yaml", "a: 512Mi", "a", "no plain whole number is there"),
        ("a.yaml", "a: 99999999999999999", "a", "no plain whole number is there"),
        ("a.yaml", "x: {a: 1, a: 2}", "x.a", "the key a is written twice"),
        ("a.yaml", "a: 1\n---\na: 2", "a", "more than one document of the file has it"),
        ("a.yaml", "b: &b {c: 2}\nd: *b", "d.c", "the value is shared by the YAML anchor &b"),
        ("a.yaml", "b: &b {c: 2}\nd: *b", "b.c", "the value is shared by the YAML anchor &b"),
        ("a.yaml", "a: [1", "a", "the file is not valid YAML"),
        ("a.yaml", "[" * 200, "a", "the file is nested too deep"),
        ("a.yaml", "#" * (256 * 1024 + 1), "a", "the file is larger than 256 KiB"),
        ("a.json", '{"a": 2,}', "a", "the file is not valid JSON"),
        ("a.json", "{'a': 2}", "a", "the file is not valid JSON"),
        ("a.json", "[" * 100_000, "a", "the file is not valid JSON"),
        ("a.json", '{"a": 2, "a": 3}', "a", "the key a is written twice"),
        ("a.json", '{"a": 2e1}', "a", "no plain whole number is there"),
        ("a.toml", "a = ", "a", "the file is not valid TOML"),
        ("a.toml", "a = true", "a", "no plain whole number is there"),
        ("a.toml", 'a = "2"', "a", "no plain whole number is there"),
        ("a.toml", "a = 2", "b", "nothing is there"),
        (".env", "POOL=2\nPOOL=3", "POOL", "POOL is set twice"),
        (".env", "#POOL=2", "POOL", "nothing is there"),
        (".env", "POOL=2#x", "POOL", "no plain whole number is there"),
        (".env", "POOL=", "POOL", "no plain whole number is there"),
        (".env", "MYPOOL=2", "POOL", "nothing is there"),
        ("a.ini", "a = 2", "a", "only YAML, JSON, TOML and .env files can be edited"),
        ("Dockerfile", "ENV A=2", "A", "only YAML, JSON, TOML and .env files can be edited"),
        ("a.yaml", "a: 2", "", "the path is not written as keys with dots between them"),
        ("a.yaml", "a: 2", ".a", "the path is not written as keys with dots between them"),
        ("a.yaml", "a: 2", "a.", "the path is not written as keys with dots between them"),
        ("a.yaml", "a: 2", "a..b", "the path is not written as keys with dots between them"),
        ("a.yaml", "a: 2", "a[-1]", "the path is not written as keys with dots between them"),
        ("a.yaml", "a: 2", "a b", "the path is not written as keys with dots between them"),
    ],
)
def test_what_cannot_be_read_or_set_is_refused_in_words(file, text, path, why):
    """Nothing is guessed."""
    with pytest.raises(RemedyError) as read:
        read_number(text, file, path)
    assert str(read.value) == f"{path} in {file} cannot be read: {why}"
    with pytest.raises(RemedyError) as written:
        set_number(text, file, path, 3)
    assert str(written.value) == f"{path} in {file} cannot be set: {why}"


NAMES = st.text(alphabet="abcdé_-", min_size=1, max_size=6)
DATA = st.dictionaries(
    NAMES, st.dictionaries(NAMES, st.integers(0, 10**9), min_size=1, max_size=4), min_size=1, max_size=4
)


@given(DATA, st.integers(0, 10**9), st.data(), st.sampled_from(["json", "yaml"]))
def test_everything_else_reads_as_before(data, value, draw, suffix):
    """Whatever the file: parsed again, exactly one value differs, and so does at most one line."""
    outer = draw.draw(st.sampled_from(sorted(data)))
    inner = draw.draw(st.sampled_from(sorted(data[outer])))
    text = json.dumps(data, indent=2, ensure_ascii=False)
    changed = set_number(text, f"a.{suffix}", f'"{outer}"."{inner}"', value)
    expected = {**data, outer: {**data[outer], inner: value}}
    assert json.loads(changed) == expected
    assert YAML(typ="safe", pure=True).load(changed) == expected
    lines = list(zip(text.split("\n"), changed.split("\n"), strict=True))
    assert sum(a != b for a, b in lines) == (data[outer][inner] != value)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.integers(0, 999), min_size=1), st.data())
def test_toml_reads_as_before_but_for_one_value(data, draw):
    """The same for TOML, through another parser than the one that wrote it."""
    key = draw.draw(st.sampled_from(sorted(data)))
    text = "[t]  # table\n" + "".join(f"{name}  =  {value} # {name}\n" for name, value in data.items())
    changed = set_number(text, "a.toml", f"t.{key}", 1234)
    assert tomllib.loads(changed) == {"t": {**data, key: 1234}}
    assert changed == text.replace(f"{key}  =  {data[key]} # {key}\n", f"{key}  =  1234 # {key}\n")
