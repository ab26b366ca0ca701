"""A real Postgres server for tests: Debian's, on a cluster of its own, or one that a variable names."""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from tests.requirements import need
from tests.support_redis import free_port

VARIABLE = "SRE_SPACE_TEST_POSTGRES"
"""URL of a server (`postgresql://user:password@host/postgres`) on which the tests may make and drop databases."""
_FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200")


def _binaries() -> Path | None:
    """Where initdb and postgres are: on Debian, outside of PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if versions:
        return versions[-1]
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _as_someone() -> dict[str, object]:
    """Postgres refuses to run as root: then it runs as nobody (or Debian's postgres), who owns nothing else."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextmanager
def running_postgres() -> Generator[str]:
    """Yields the URL of a server; skips the test when there is none."""
    given = os.environ.get(VARIABLE)
    if given:
        yield given
        return
    binaries = _binaries()
    need("postgres", binaries is not None, f"apt-get install postgresql, or set {VARIABLE} to a server's URL")
    assert binaries is not None
    someone = _as_someone()
    # A short path of its own: a socket's has at most 107 bytes, and pytest's folders are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="sre-space-pg-", dir="/tmp"))
    try:
        if someone:
            os.chown(folder, int(str(someone["user"])), int(str(someone["group"])))
        yield from _run(binaries, folder, someone)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(binaries: Path, folder: Path, someone: dict[str, object]) -> Generator[str]:
    data, port = folder / "data", free_port()
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "cwd": folder, "text": True, **someone}
    initdb = [binaries / "initdb", "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run(initdb, check=False, **quiet)
    assert made.returncode == 0, made.stdout
    listen = ("-c", "listen_addresses=127.0.0.1", "-p", str(port), "-k", str(folder))
    control = [binaries / "pg_ctl", "-D", data, "-w", "-t", "60", "-l", folder / "log"]
    started = subprocess.run([*control, "-o", " ".join([*listen, *_FAST]), "start"], check=False, **quiet)
    assert started.returncode == 0, (folder / "log").read_text()
    try:
        yield f"postgresql://tests@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, **quiet)


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def make_database(server: str, template: str | None = None) -> str:
    """Makes a database, as a copy of `template` where it is given, and returns its URL."""
    name = f"sre_space_{uuid.uuid4().hex}"
    like = f' TEMPLATE "{make_url(template).database}"' if template else ""
    asyncio.run(_execute(server, f'CREATE DATABASE "{name}"{like}'))
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def drop_database(server: str, url: str) -> None:
    """Drops a database, with whoever is still connected to it."""
    asyncio.run(_execute(server, f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)'))
