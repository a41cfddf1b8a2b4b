"""State of a sandbox: documents in SQLite, files beside it, safe for several processes on one folder."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]

BUSY_SECONDS = 15.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
  kind TEXT NOT NULL, key TEXT NOT NULL, parent TEXT NOT NULL DEFAULT '', created REAL NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (kind, key)
);
CREATE INDEX IF NOT EXISTS documents_parent ON documents (kind, parent);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS rows (
  id INTEGER PRIMARY KEY, stream TEXT NOT NULL, owner TEXT NOT NULL, at REAL NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS rows_owner ON rows (stream, owner, at);
CREATE TABLE IF NOT EXISTS inflight (
  kind TEXT NOT NULL, key TEXT NOT NULL, owner TEXT NOT NULL, patch TEXT NOT NULL, PRIMARY KEY (kind, key)
);
"""

_FORGET = ("DELETE FROM documents", "DELETE FROM counters", "DELETE FROM rows", "DELETE FROM inflight")


class Store:
    """Documents by kind and key, counters, append-only rows, and folders for files.

    Several processes may open one folder: every write is one SQLite transaction (WAL), and work that a process had
    begun when it died is marked by the next one that opens the folder, told apart by a lock file each process holds.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._temporary = root is None
        self.root = Path(tempfile.mkdtemp(prefix="modelport-sandbox-")) if root is None else root.expanduser().resolve()
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.root.chmod(0o700)
        self.owner = uuid.uuid4().hex
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._closed = False
        self._lock_file = self._hold_lock()
        with self.transaction() as connection:
            connection.executescript(_SCHEMA)
        (self.root / "state.db").chmod(0o600)
        self._recover()

    # -- connections ------------------------------------------------------------------------------------------------

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            return connection
        if self._closed:
            raise RuntimeError("the sandbox state is closed")
        connection = sqlite3.connect(
            self.root / "state.db", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        self._local.connection = connection
        with self._guard:
            self._connections.append(connection)
        return connection

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """One write transaction; nested calls in a thread join the outer one."""
        connection = self._connection()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def close(self) -> None:
        """Let go of the files; a temporary state is removed."""
        if self._closed:
            return
        self._closed = True
        with self._guard:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
        self._lock_file.close()
        with suppress(OSError):
            (self.root / "owners" / self.owner).unlink()
        if self._temporary:
            shutil.rmtree(self.root, ignore_errors=True)

    # -- documents --------------------------------------------------------------------------------------------------

    def get(self, kind: str, key: str) -> Document | None:
        """The document, or None."""
        row = self._connection().execute("SELECT body FROM documents WHERE kind=? AND key=?", (kind, key)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, kind: str, key: str, body: Document, *, parent: str = "") -> None:
        """Write a document, replacing what was there."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO documents (kind, key, parent, created, body) VALUES (?,?,?,?,?)"
                " ON CONFLICT (kind, key) DO UPDATE SET body=excluded.body",
                (kind, key, parent, time.time(), json.dumps(body)),
            )

    def add(self, kind: str, key: str, body: Document, *, parent: str = "") -> bool:
        """Write a new document; False when the key is taken."""
        with self.transaction() as connection:
            cursor = connection.execute(
                "INSERT OR IGNORE INTO documents (kind, key, parent, created, body) VALUES (?,?,?,?,?)",
                (kind, key, parent, time.time(), json.dumps(body)),
            )
        return cursor.rowcount == 1

    def update(self, kind: str, key: str, change: Callable[[Document], None]) -> Document | None:
        """Read, change and write in one transaction; the new document, or None when there is none."""
        with self.transaction():
            body = self.get(kind, key)
            if body is None:
                return None
            change(body)
            self.put(kind, key, body)
        return body

    def patch(self, kind: str, key: str, **fields: Any) -> Document | None:
        """Set some fields of a document."""
        return self.update(kind, key, lambda body: body.update(fields))

    def remove(self, kind: str, key: str) -> bool:
        """Delete a document; False when there was none."""
        with self.transaction() as connection:
            return connection.execute("DELETE FROM documents WHERE kind=? AND key=?", (kind, key)).rowcount == 1

    def remove_all(self, kind: str) -> int:
        """Delete every document of a kind; how many there were."""
        with self.transaction() as connection:
            return connection.execute("DELETE FROM documents WHERE kind=?", (kind,)).rowcount

    def all(self, kind: str, *, parent: str | None = None) -> list[Document]:
        """Documents of a kind in order of creation."""
        query, values = "SELECT body FROM documents WHERE kind=?", [kind]
        if parent is not None:
            query, values = query + " AND parent=?", [kind, parent]
        return [json.loads(row[0]) for row in self._connection().execute(query + " ORDER BY created, rowid", values)]

    def next_id(self, name: str) -> int:
        """1, 2, 3, ... per name, never the same twice."""
        with self.transaction() as connection:
            row = connection.execute(
                "INSERT INTO counters (name, value) VALUES (?, 1)"
                " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
                (name,),
            ).fetchone()
        return int(row[0])

    # -- rows -------------------------------------------------------------------------------------------------------

    def append(self, stream: str, owner: str, body: Document, *, at: float | None = None) -> None:
        """Add one row to a stream (logs, predictions)."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO rows (stream, owner, at, body) VALUES (?,?,?,?)",
                (stream, owner, time.time() if at is None else at, json.dumps(body)),
            )

    def rows(
        self, stream: str, owner: str, *, since: float = 0.0, until: float = float("inf"), limit: int = 100_000
    ) -> list[tuple[float, Document]]:
        """The rows of an owner in a half-open span of time, oldest first."""
        cursor = self._connection().execute(
            "SELECT at, body FROM rows WHERE stream=? AND owner=? AND at>=? AND at<? ORDER BY at, id LIMIT ?",
            (stream, owner, since, until, limit),
        )
        return [(float(at), json.loads(body)) for at, body in cursor]

    def newest(self, stream: str, owner: str, limit: int) -> list[tuple[float, Document]]:
        """The last rows of an owner, oldest first."""
        cursor = self._connection().execute(
            "SELECT at, body FROM rows WHERE stream=? AND owner=? ORDER BY at DESC, id DESC LIMIT ?",
            (stream, owner, limit),
        )
        return [(float(at), json.loads(body)) for at, body in cursor][::-1]

    # -- files ------------------------------------------------------------------------------------------------------

    def folder(self, *parts: str) -> Path:
        """A folder under the state, made when it is not there. Parts are single names, never paths."""
        for part in parts:
            if part in {"", ".", ".."} or "/" in part or "\0" in part:
                raise ValueError(f"{part!r} is no folder name")
        path = self.root.joinpath("files", *parts)
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def drop_folder(self, *parts: str) -> None:
        """Remove a folder with what is in it."""
        shutil.rmtree(self.folder(*parts), ignore_errors=True)

    def reset(self) -> None:
        """Forget everything, files too."""
        with self.transaction() as connection:
            for statement in _FORGET:
                connection.execute(statement)
        shutil.rmtree(self.root / "files", ignore_errors=True)

    # -- work in flight ---------------------------------------------------------------------------------------------

    def begin(self, kind: str, key: str, *, on_crash: Document) -> None:
        """Note that this process works on a document; `on_crash` is merged into it should the process die."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO inflight (kind, key, owner, patch) VALUES (?,?,?,?)",
                (kind, key, self.owner, json.dumps(on_crash)),
            )

    def finish(self, kind: str, key: str) -> None:
        """The work noted by `begin` has ended."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM inflight WHERE kind=? AND key=? AND owner=?", (kind, key, self.owner))

    def _hold_lock(self) -> Any:
        folder = self.root / "owners"
        folder.mkdir(exist_ok=True, mode=0o700)
        handle = os.fdopen(os.open(folder / self.owner, os.O_CREAT | os.O_RDWR, 0o600), "w")
        fcntl.flock(handle, fcntl.LOCK_EX)
        return handle

    def _alive(self, owner: str) -> bool:
        if owner == self.owner:
            return True
        path = self.root / "owners" / owner
        try:
            with path.open("r+") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        with suppress(OSError):
            path.unlink()
        return False

    def _recover(self) -> None:
        with self.transaction() as connection:
            for kind, key, owner, patch in connection.execute(
                "SELECT kind, key, owner, patch FROM inflight"
            ).fetchall():
                if self._alive(owner):
                    continue
                self.patch(kind, key, **json.loads(patch))
                connection.execute("DELETE FROM inflight WHERE kind=? AND key=?", (kind, key))
