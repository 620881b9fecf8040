"""What one transaction says to PostgreSQL, in as few round trips as can be.

Writes wait: they are sent with the next question, or with COMMIT. Along with a question goes everything that is going
to be asked anyway, as far as it is known by then (see `Ahead`), and its answers are remembered until something is
written that may change them. A savepoint is one only when something was sent after it. So an error of a write shows
later than where it was made: `failed` says so, and the work is to be done again without waiting (`waits` False), where
everything happens in its place. Leaves out: turns and outcomes (`store`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import pq

from adapter.clock import ticks
from adapter.errors import AdapterError
from adapter.store.statements import Bound, Dialect, Prepared
from adapter.store.transaction import Row

from . import overlap
from .connections import translate
from .overlap import only_reads
from .wire import Connection, Said, said

# Each step, taken before a round trip, asks `Batches.wish` for what can be known to be needed by now.
Stages = Iterator[None]


@dataclass(slots=True)
class Savepoint:
    """`before`: how many writes were waiting when it was made; None: it was sent."""

    name: str
    before: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """What was read, and between which ticks of this machine."""

    rows: list[Row]
    statement: Prepared
    values: Mapping[str, Bound]
    not_before: int
    not_after: int


class Batches:
    """Of one transaction, whose BEGIN is sent by somebody else. Not shared between threads."""

    connection: Connection

    def __init__(self, *, waits: bool) -> None:
        """`connection` is to be set by whoever begins the transaction."""
        self.failed: AdapterError | psycopg.Error | None = None
        self.waits = waits
        self._writes: list[Said] = []
        self._savepoints: list[Savepoint] = []
        self._count = 0
        self._known: dict[Said, Known] = {}
        self._of_table: dict[str, list[Said]] = {}
        self._stages: list[Stages] = []
        self._wishes: dict[Said, tuple[Prepared, Mapping[str, Bound]]] = {}

    def foresee(self, stages: Stages) -> None:
        """What can be asked along with whatever is asked."""
        if self.waits:
            self._stages.append(stages)

    def known(self, asked: Said) -> Known | None:
        """What was read already, and nothing has changed since."""
        return self._known.get(asked)

    def wish(self, asked: Said, statement: Prepared, values: Mapping[str, Bound]) -> None:
        """Ask it along with whatever is asked next."""
        assert only_reads(statement), "what looks ahead writes nothing"
        self._wishes[asked] = statement, values

    def wishes(self) -> list[Said]:
        """What is wished for by now, to be sent by somebody else; then `learn` what came of it."""
        for stages in self._stages:
            next(stages, None)
        return list(self._wishes)

    def learn(self, answers: Sequence[pq.abc.PGresult], not_before: int) -> None:
        """The answers to all `wishes`, in order."""
        now = ticks()
        for (asked, (statement, values)), answer in zip(self._wishes.items(), answers, strict=True):
            self._remember(asked, Known(self.connection.rows(answer), statement, values, not_before, now))
        self._wishes.clear()

    def forget_wishes(self) -> None:
        """What was answered to them is worth nothing."""
        self._wishes.clear()

    def rows(self, statement: Prepared, values: Mapping[str, Bound]) -> list[Row]:
        """What a statement finds."""
        return self.dated(statement, values).rows

    def dated(self, statement: Prepared, values: Mapping[str, Bound], *, within_ms: int | None = None) -> Known:
        """`within_ms`: to be read anew when it is not known more exactly when it was read."""
        asked = said(statement.text(Dialect.POSTGRESQL).sql, values)
        if not only_reads(statement):
            self._forget_changed(statement, values)
            return self._found(asked, statement, values)
        known = self._known.get(asked)
        if known is not None and (within_ms is None or known.not_after - known.not_before <= within_ms):
            return known
        found = self._found(asked, statement, values)
        if self.waits:
            self._remember(asked, found)
        return found

    def execute(self, statement: Prepared, values: Mapping[str, Bound]) -> int:
        """Send it now; the number of rows changed."""
        self._forget_changed(statement, values)
        return self._ask(said(statement.text(Dialect.POSTGRESQL).sql, values)).command_tuples or 0

    def write(self, statement: Prepared, values: Mapping[str, Bound]) -> None:
        """Send it with whatever is sent next."""
        if not self.waits:
            self.execute(statement, values)
            return
        self._forget_changed(statement, values)
        self._writes.append(said(statement.text(Dialect.POSTGRESQL).sql, values))

    def plainly(self, sql: str) -> None:
        """Send a statement without values."""
        self._known.clear()
        self._ask(Said(sql))

    def open_savepoint(self) -> Savepoint:
        """To be closed by `release` or `roll_back_to`, the last one first."""
        self._count += 1
        savepoint = Savepoint(f"savepoint_{self._count}", len(self._writes))
        self._savepoints.append(savepoint)
        if not self.waits:
            savepoint.before = None
            self.plainly(f"SAVEPOINT {savepoint.name}")
        return savepoint

    def release(self, savepoint: Savepoint) -> None:
        """What was done since is part of the transaction."""
        self._savepoints.remove(savepoint)
        if savepoint.before is None:
            self._undoable(f"RELEASE {savepoint.name}")

    def roll_back_to(self, savepoint: Savepoint) -> None:
        """What was done since is undone."""
        self._savepoints.remove(savepoint)
        if savepoint.before is not None:
            del self._writes[savepoint.before :]
            return
        self._writes.clear()
        self._known.clear()
        self._undoable(f"ROLLBACK TO {savepoint.name}")
        self._undoable(f"RELEASE {savepoint.name}")

    def commit(self) -> str:
        """Send what waits, and COMMIT; what the server has made of it, COMMIT or ROLLBACK. psycopg.Error as it comes,
        for whoever finds out how a lost transaction ended."""
        answers = self.connection.exchange([*self._due(), Said("COMMIT")])
        return (answers[-1].command_status or b"").decode()

    def _found(self, asked: Said, statement: Prepared, values: Mapping[str, Bound]) -> Known:
        not_before = ticks()
        answer = self._ask(asked)
        return Known(self.connection.rows(answer), statement, values, not_before, ticks())

    def _remember(self, asked: Said, known: Known) -> None:
        self._known[asked] = known
        for table in overlap.tables(known.statement) or ():
            self._of_table.setdefault(table, []).append(asked)

    def _undoable(self, sql: str) -> None:
        if self.waits:
            self._writes.append(Said(sql))
        else:
            self.plainly(sql)

    def _ask(self, asked: Said) -> pq.abc.PGresult:
        """The answer; what waits goes before, and what is foreseen comes behind."""
        due = self._due()
        ahead = self.wishes()
        not_before = ticks()
        try:
            answers = self.connection.exchange([*due, asked, *ahead])
        except psycopg.Error as error:
            self.failed = failure = translate(error, self.connection)
            raise failure from error
        self.learn(answers[len(due) + 1 :], not_before)
        return answers[len(due)]

    def _due(self) -> list[Said]:
        """The writes that wait, with the savepoints among them."""
        due, self._writes = self._writes, []
        for savepoint in reversed(self._savepoints):
            if savepoint.before is not None and savepoint.before < len(due):
                due.insert(savepoint.before, Said(f"SAVEPOINT {savepoint.name}"))
                savepoint.before = None
            elif savepoint.before is not None:
                savepoint.before = 0
        return due

    def _forget_changed(self, statement: Prepared, values: Mapping[str, Bound]) -> None:
        if not self._known:
            return
        changed = overlap.tables(statement)
        if changed is None:
            self._known.clear()
            return
        for table, change in changed.items():
            for asked in self._of_table.get(table, ()):
                known = self._known.get(asked)
                if known is not None and overlap.meet(change, values, _confines(known, table), known.values):
                    del self._known[asked]


def _confines(known: Known, table: str) -> overlap.Confines:
    return (overlap.tables(known.statement) or {})[table]
