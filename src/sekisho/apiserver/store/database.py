"""The SQLite file: one row for every version of every object, and one that points at the newest.

``ev`` holds each body once, by version; ``cur`` points to the newest version of what exists. A version is
handed out before its row is written, so there may be gaps. Old versions are kept for a while, so that watches
can begin in the past; compaction deletes what nothing points at.

A damaged file is never served: ``check`` has looked through all of it before it is, and a checksum goes with
every body.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from sekisho.apiserver import codes
from sekisho.apiserver.store.model import Op, Place
from sekisho.diag import Diagnostic, DiagnosticError

FORMAT: Final = 1
FILE: Final = "objects.sqlite"
LOCK: Final = "lock"
MADE: Final = b"made\n"
"""What the lock's file holds once there is a database."""

PAGE: Final = 8192
"""Bytes: an object of ordinary size lies in one page."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS ev(
  version INTEGER PRIMARY KEY, grp TEXT NOT NULL, plural TEXT NOT NULL, namespace TEXT NOT NULL,
  name TEXT NOT NULL, op TEXT NOT NULL, body BLOB NOT NULL, sum INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS cur(
  grp TEXT NOT NULL, plural TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  version INTEGER NOT NULL, PRIMARY KEY(grp, plural, namespace, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class Stored(NamedTuple):
    """One row of ``ev``."""

    version: int
    place: Place
    op: Op
    body: bytes


class Database:
    """The opened file. Everything but opening is called by one thread, the writer."""

    def __init__(self, folder: Path) -> None:
        """Open or make the file; raises DiagnosticError (API001 in use, API002 damaged, API003 unusable)."""
        self._folder = folder
        self._lock = _lock(folder)
        try:
            self._connection = self._open(folder / FILE)
            _mark(self._lock)
            self._verdict: list[str] = []
            self._looking = threading.Thread(target=self._look, name="sekisho-check", daemon=True)
            self._looking.start()
        except BaseException:
            os.close(self._lock)
            raise

    def _open(self, file: Path) -> sqlite3.Connection:
        if _is_emptied(self._lock, file):
            raise _damaged(file, "it is empty, and it was not")
        try:
            connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            file.chmod(0o600)
            connection.execute(f"PRAGMA page_size={PAGE}")
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=OFF"):
                connection.execute(f"PRAGMA {pragma}")
            connection.executescript(_SCHEMA)
            known = self._meta(connection, "format", str(FORMAT))
            if known != str(FORMAT):
                message = (
                    f"{file} was written by another version of sekisho (format {known}, this is {FORMAT})"
                )
                raise DiagnosticError(Diagnostic(code=codes.UNUSABLE_STORE, message=message))
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise unusable(file, str(error)) from None
            raise _damaged(file, str(error)) from None
        except OSError as error:
            raise unusable(file, error.strerror) from None
        return connection

    def _look(self) -> None:
        """Look through the whole file, beside whoever reads it."""
        file = self._folder / FILE
        try:
            with contextlib.closing(sqlite3.connect(file)) as connection:
                self._verdict = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
        except sqlite3.Error as error:
            self._verdict = [str(error)]

    def check(self) -> None:
        """Wait until all of the file has been looked at; raises DiagnosticError (API002) if it is damaged."""
        self._looking.join()
        if self._verdict != ["ok"]:
            raise _damaged(self._folder / FILE, "; ".join(self._verdict))

    def _meta(self, connection: sqlite3.Connection, key: str, default: str) -> str:
        connection.execute("INSERT OR IGNORE INTO meta VALUES(?, ?)", (key, default))
        (value,) = connection.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return str(value)

    def objects(self) -> Iterator[Stored]:
        """Everything that exists; raises DiagnosticError (API002) for a body that is not what was written."""
        yield from self._rows(
            "SELECT cur.version, cur.grp, cur.plural, cur.namespace, cur.name, ev.op, ev.body, ev.sum"
            " FROM cur LEFT JOIN ev ON ev.version = cur.version ORDER BY cur.version"
        )

    def history(self, after: int) -> Iterator[Stored]:
        """Every change that is still kept, from the oldest on."""
        yield from self._rows(
            "SELECT version, grp, plural, namespace, name, op, body, sum FROM ev WHERE version > ?"
            " ORDER BY version",
            after,
        )

    def _rows(self, query: str, *values: int) -> Iterator[Stored]:
        try:
            for version, group, plural, namespace, name, op, body, checksum in self._connection.execute(
                query, values
            ):
                place = Place(group, plural, namespace, name)
                if body is None or _checksum(place, body) != checksum:
                    what = f"the object {namespace}/{name} ({plural}) is not what was written"
                    raise _damaged(self._folder / FILE, what)
                yield Stored(version, place, Op(op), body)
        except sqlite3.DatabaseError as error:
            raise _damaged(self._folder / FILE, str(error)) from None

    @property
    def compacted(self) -> int:
        """The version up to which old versions may be gone."""
        return int(self._meta(self._connection, "compacted", "0"))

    @property
    def newest(self) -> int:
        """The highest version that was ever handed out and written."""
        (value,) = self._connection.execute("SELECT COALESCE(MAX(version), 0) FROM ev").fetchone()
        return max(int(value), self.compacted)

    def write(self, batch: Sequence[Stored]) -> None:
        """Write changes in one transaction; they are all there afterwards, or none. Raises sqlite3.Error."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(
                "INSERT INTO ev VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (row.version, *row.place, row.op.value, row.body, _checksum(row.place, row.body))
                    for row in batch
                ),
            )
            for row in batch:
                if row.op is Op.DELETED:
                    connection.execute(
                        "DELETE FROM cur WHERE grp=? AND plural=? AND namespace=? AND name=?", row.place
                    )
                else:
                    connection.execute(
                        "INSERT OR REPLACE INTO cur VALUES(?, ?, ?, ?, ?)", (*row.place, row.version)
                    )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # SQLite itself has rolled back where the disk is full
                connection.execute("ROLLBACK")
            raise

    def compact(self, up_to: int, limit: int) -> int:
        """Delete old versions up to one, at most ``limit`` of them; how many it were."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            done = connection.execute(
                "DELETE FROM ev WHERE version IN (SELECT ev.version FROM ev LEFT JOIN cur ON"
                " cur.version = ev.version WHERE ev.version <= ? AND cur.version IS NULL LIMIT ?)",
                (up_to, limit),
            ).rowcount
            connection.execute("INSERT OR REPLACE INTO meta VALUES('compacted', ?)", (str(up_to),))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # SQLite itself has rolled back where the disk is full
                connection.execute("ROLLBACK")
            raise
        return int(done)

    def close(self) -> None:
        """Close the file and let others have it."""
        self._looking.join()
        with contextlib.suppress(sqlite3.Error):  # what is in the log is read from there the next time
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
        os.close(self._lock)


def _checksum(place: Place, body: bytes) -> int:
    """Of the body and of whose it is."""
    return zlib.crc32(body, zlib.crc32("\0".join(place).encode()))


def _lock(folder: Path) -> int:
    """Hold the folder: of two servers on one folder the second refuses."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        why = error.strerror
        if isinstance(error, FileExistsError | NotADirectoryError):
            why = "there is a file where a folder is needed"
        raise unusable(folder, why) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        message = f"another server uses {folder}"
        help = "stop it, or give this one a folder of its own with --data"
        raise DiagnosticError(Diagnostic(code=codes.STORE_IN_USE, message=message, help=help)) from None
    return handle


def _mark(lock: int) -> None:
    """Note in the lock's file that there is a database now. Without room for it nothing is noted."""
    with contextlib.suppress(OSError):
        if not os.fstat(lock).st_size:
            os.write(lock, MADE)


def _is_emptied(lock: int, file: Path) -> bool:
    """Whether the file of a database that was made is empty now: SQLite would take it for a new one.

    One that is not there was moved away, to begin with an empty cluster. All of a young one may be in its
    log.
    """
    made = os.fstat(lock).st_size > 0
    log = file.with_name(f"{file.name}-wal")
    return made and file.exists() and not file.stat().st_size and not log.exists()


def unusable(place: Path, why: str | None) -> DiagnosticError:
    """A file or folder of the cluster cannot be used (API003)."""
    message = f"{place} cannot be used: {why}"
    help = "choose another folder with --data, or make room there and let this user write it"
    return DiagnosticError(Diagnostic(code=codes.UNUSABLE_STORE, message=message, help=help))


def _damaged(file: Path, why: str) -> DiagnosticError:
    message = f"{file} is damaged: {why}"
    help = "restore it from a copy, or move it away to begin with an empty cluster"
    return DiagnosticError(Diagnostic(code=codes.DAMAGED_STORE, message=message, help=help))
