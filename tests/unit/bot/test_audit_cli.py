"""`sre-space audit`: exact words and exit codes over a database in a file."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from bot.app.truth import open_database
from bot.cli import app
from bot.db.audit import GENESIS, entry
from bot.db.store import Store
from bot.settings import load_settings
from tests.support_store import START


@pytest.fixture(autouse=True)
def _machine(tmp_path, monkeypatch):
    """A machine without settings but for its state folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SRE_SPACE_STATE_DIR", str(tmp_path))


def audit(*arguments):
    """Return what `sre-space audit` made of some arguments."""
    return CliRunner().invoke(app, ["audit", *arguments])


def write(*incidents, sql=""):
    """Write an entry for each incident, and then run SQL as somebody would who has the database."""

    async def written():
        async with open_database(load_settings()) as database:
            store = Store(database, lambda: START)
            for number, incident_id in enumerate(incidents):
                await store.audit.append(entry("approved", "maria", START, incident_id, number=number))
            if sql:
                async with database.write() as connection:
                    await connection.exec_driver_sql(sql)

    asyncio.run(written())


def test_an_intact_chain_is_said_to_be_intact_with_its_head():
    """Whoever keeps the head elsewhere notices a chain that was written anew."""
    write("inc-1", "inc-2")
    result = audit("verify")
    head = json.loads(audit("export").output.splitlines()[-1])["hash"]
    assert (result.exit_code, result.output) == (0, f"2 rows are intact. Head: {head}\n")


def test_an_empty_database_is_intact():
    """Nothing has happened yet."""
    result = audit("verify")
    assert (result.exit_code, result.output) == (0, f"0 rows are intact. Head: {GENESIS}\n")


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE audit SET actor = 'Mallory' WHERE seq = 2", "row 2 was changed after it was written"),
        ("UPDATE audit SET previous_hash = hash WHERE seq = 3", "row 3 does not follow the row before it"),
        ("DELETE FROM audit WHERE seq = 1", "row 1 is missing"),
        ("DELETE FROM audit WHERE seq > 1", "rows 2 to 3 are missing"),
    ],
)
def test_a_broken_chain_is_named_on_stderr_with_exit_code_1(sql, problem):
    """So that a nightly job fails."""
    write("inc-1", "inc-2", "inc-1", sql=sql)
    result = audit("verify")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"The audit is broken: {problem}.\n")


def test_the_export_is_a_line_of_json_for_each_row_oldest_first():
    """Of one incident where it is asked for."""
    write("inc-1", "inc-2", "inc-1")
    rows = [json.loads(line) for line in audit("export").output.splitlines()]
    assert [(row["seq"], row["incident_id"], row["data"]) for row in rows] == [
        (1, "inc-1", {"number": 0}),
        (2, "inc-2", {"number": 1}),
        (3, "inc-1", {"number": 2}),
    ]
    assert [row["previous_hash"] for row in rows] == [GENESIS, rows[0]["hash"], rows[1]["hash"]]
    one = [json.loads(line) for line in audit("export", "--incident", "inc-1").output.splitlines()]
    assert one == [rows[0], rows[2]]
    assert audit("export", "--incident", "inc-9").output == ""
