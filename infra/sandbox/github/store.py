"""The stand-in's memory: typed tables held in RAM and written through to one SQLite file."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from infra.sandbox.github.errors import not_found
from infra.sandbox.github.records.accounts import App, Installation, ManifestCode, Repository, Team, Token, User
from infra.sandbox.github.records.base import Record
from infra.sandbox.github.records.checks import CheckRun, CommitStatus, Protection
from infra.sandbox.github.records.delivery import Delivery
from infra.sandbox.github.records.work import Comment, Issue, Label, Reaction, Review, TimelineEvent

R = TypeVar("R", bound=Record)

SCHEMA = """
CREATE TABLE IF NOT EXISTS records (kind TEXT, id INTEGER, body TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS sequence (last_id INTEGER NOT NULL);
"""
FIRST_ID = 1_000_000


class Table(Generic[R]):
    """All records of one kind, in the order of their ids."""

    def __init__(self, db: sqlite3.Connection, model: type[R]) -> None:
        self._db = db
        self._kind = model.__name__
        rows = db.execute("SELECT body FROM records WHERE kind = ? ORDER BY id", (self._kind,))
        self._rows: dict[int, R] = {
            record.id: record for record in (model.model_validate_json(body) for (body,) in rows)
        }

    def __iter__(self) -> Iterator[R]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, record_id: int | None) -> R | None:
        """The record, or None."""
        return None if record_id is None else self._rows.get(record_id)

    def get(self, record_id: int) -> R:
        """The record; raises the API's 404 when there is none."""
        record = self._rows.get(record_id)
        if record is None:
            raise not_found()
        return record

    def first(self, matches: Callable[[R], bool]) -> R | None:
        """The oldest record that matches, or None."""
        return next((record for record in self._rows.values() if matches(record)), None)

    def where(self, matches: Callable[[R], bool]) -> list[R]:
        """All records that match, oldest first."""
        return [record for record in self._rows.values() if matches(record)]

    def put(self, record: R) -> R:
        """Stores a new record or a new version of an old one, and returns it."""
        with self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?)",
                (self._kind, record.id, record.model_dump_json()),
            )
        self._rows[record.id] = record
        return record

    def delete(self, record_id: int) -> None:
        """Forgets the record."""
        with self._db:
            self._db.execute("DELETE FROM records WHERE kind = ? AND id = ?", (self._kind, record_id))
        self._rows.pop(record_id, None)


class Store:
    """All tables of the stand-in."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)
        self.users = Table(self._db, User)
        self.apps = Table(self._db, App)
        self.installations = Table(self._db, Installation)
        self.teams = Table(self._db, Team)
        self.tokens = Table(self._db, Token)
        self.manifest_codes = Table(self._db, ManifestCode)
        self.repositories = Table(self._db, Repository)
        self.labels = Table(self._db, Label)
        self.issues = Table(self._db, Issue)
        self.comments = Table(self._db, Comment)
        self.reactions = Table(self._db, Reaction)
        self.timeline = Table(self._db, TimelineEvent)
        self.reviews = Table(self._db, Review)
        self.check_runs = Table(self._db, CheckRun)
        self.statuses = Table(self._db, CommitStatus)
        self.protections = Table(self._db, Protection)
        self.deliveries = Table(self._db, Delivery)

    def next_id(self) -> int:
        """A number that was never given before, also across restarts."""
        with self._db:
            row = self._db.execute("SELECT last_id FROM sequence").fetchone()
            if row is None:
                self._db.execute("INSERT INTO sequence VALUES (?)", (FIRST_ID,))
                return FIRST_ID
            self._db.execute("UPDATE sequence SET last_id = last_id + 1")
            return int(row[0]) + 1

    def user(self, login: str) -> User | None:
        """The account of that login, in any case, or None."""
        wanted = login.lower()
        return self.users.first(lambda user: user.login.lower() == wanted)

    def issue(self, number: int) -> Issue:
        """The issue or pull request of that number; raises the API's 404."""
        issue = self.issues.first(lambda row: row.number == number)
        if issue is None:
            raise not_found()
        return issue

    def pull(self, number: int) -> Issue:
        """The pull request of that number; raises the API's 404."""
        issue = self.issue(number)
        if issue.pull is None:
            raise not_found()
        return issue

    def close(self) -> None:
        """Closes the file."""
        self._db.close()
