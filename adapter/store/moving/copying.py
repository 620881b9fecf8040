"""The phases of a copy: begin, bulk, catch up, verify, finish. Each may be cut off anywhere and gone on with.

Bulk, page by page in the order of the key, while the service writes on; what it writes is noted. Catch up: noted rows
are copied again, until hardly any are left. Verify: in one snapshot of the source the last noted rows are copied, so
the target is to equal the snapshot, and both are read as a whole and compared, table by table. Finish: while nobody
writes, the few rows noted since are copied and compared one by one, and the source is sealed. A sum that is kept up to
date with every row that goes over ties the last step to the verified state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from adapter.errors import AdapterError, StoreMismatch
from adapter.store.database import Store
from adapter.store.transaction import NO_REALM, Row, Transaction

from . import rows
from .rows import TABLES, Sum, key_columns
from .source import Mark, Source
from .target import Target

BATCH = 5_000
# More rounds do not help: then the service changes rows faster than they are copied, and the last step takes longer.
_MOST_ROUNDS = 10


class NotEqual(AdapterError):
    """The two databases differ where they must not."""

    code = "copy_not_equal"


@dataclass(frozen=True, slots=True)
class Step:
    """So many rows more of one table are done, in this phase: "copy", "catch up", "verify" or "finish"."""

    phase: str
    table: str
    rows: int


@dataclass(frozen=True, slots=True)
class Copied:
    """What is in the target, by table. `stopped_seconds`: how long writers had to wait; None while not finished."""

    tables: Mapping[str, Sum]
    stopped_seconds: float | None


class Copying:
    """One copy from `source` to `target`, gone on with if it was begun before. Not shared between threads."""

    def __init__(self, source: Store, target: Store, tell: Callable[[Step], object], batch: int = BATCH) -> None:
        self._source = Source(source, batch)
        self._target = Target(target)
        self._tell = tell
        self._batch = batch
        self._mark = Mark("")

    def begin(self) -> bool:
        """False: this very copy was finished before. StoreMismatch says what is wrong with either end."""
        self._source.check()
        mark = self._source.mark()
        if mark is not None and mark.sealed_for is not None:
            self._target.store.ping()
            if self._target.begun_before() is None:
                return self._moved_before(mark.sealed_for)
        begun = self._target.begun()
        if begun is None:
            mark = self._source.begin()
            self._target.begin(mark.copy_id)
        elif mark is None or mark.copy_id != begun:
            raise StoreMismatch("the target holds a part of another copy: empty it or give another one, and begin anew")
        else:
            self._target.resume()
        self._mark = mark
        return True

    def rows_to_copy(self) -> dict[str, int]:
        """About how many rows each table has left."""
        with self._source.store.read(NO_REALM) as tx:
            return {
                table.name: max(0, rows.count(tx, table) - self._target.progress(table).sum.rows)
                for table in TABLES
                if not self._target.progress(table).is_through
            }

    def copy(self) -> None:
        """Everything, once, and what was changed meanwhile."""
        for table in TABLES:
            while not (progress := self._target.progress(table)).is_through:
                with self._source.store.read(NO_REALM) as tx:
                    page = rows.page(tx, table, progress.after, self._batch)
                self._target.take(table, page, is_last=len(page) < self._batch)
                self._tell(Step("copy", table.name, len(page)))
        self.catch_up()

    def catch_up(self) -> None:
        """Copy what was changed, until about as little is left as changes in the meantime."""
        for _ in range(_MOST_ROUNDS):
            if sum(self._catch_up(table) for table in TABLES) <= self._batch:
                return

    def verify(self) -> None:
        """Compare everything, in one state of the source and one of the target. NotEqual names the tables."""
        with self._source.store.read(NO_REALM) as tx:
            for table in TABLES:
                self._correct(tx, table, "verify")
            theirs = {table.name: self._sum(tx, table) for table in TABLES}
        with self._target.store.read(NO_REALM) as tx:
            ours = {table.name: self._sum(tx, table) for table in TABLES}
        kept = self._sums()
        self._compare(theirs, ours)
        self._compare(kept, ours)
        self._target.verified()

    def finish(self) -> Copied:
        """Stop the writers, copy what was changed since, seal the source and give the target free."""
        if not (self._target.is_verified() and self._source.notes_changes):
            self.verify()
        self.catch_up()
        began = time.monotonic()
        with self._stopped() as tx:
            for table in TABLES:
                self._correct(tx, table, "finish")
            if self._source.notes_changes and self._mark.sealed_for is None:
                self._source.seal(tx, self._mark, self._target.store.name)
        stopped = time.monotonic() - began
        self._target.finish()
        return Copied(self._sums(), stopped)

    def so_far(self) -> Copied:
        """What is in the target now."""
        return Copied(self._sums(), None)

    def _moved_before(self, target: str) -> bool:
        if target == self._target.store.name:
            return False
        undo = "if it is the one in use after all, `db copy --abandon` opens it again"
        raise StoreMismatch(f"{self._source.store.name} was moved to {target} before; {undo}")

    @contextmanager
    def _stopped(self) -> Iterator[Transaction]:
        """Nobody writes to the source meanwhile; to PostgreSQL nobody does because its service was stopped."""
        store = self._source.store
        with store.begin(NO_REALM) if self._source.notes_changes else store.read(NO_REALM) as tx:
            yield tx

    def _catch_up(self, table: sa.Table) -> int:
        done = 0
        while changed := self._changed(table):
            with self._source.store.read(NO_REALM) as tx:
                self._copy_again(tx, table, changed, "catch up")
            self._source.forget(table, changed)
            done += len(changed)
            if len(changed) < self._batch:
                break
        return done

    def _changed(self, table: sa.Table) -> list[Row]:
        if self._is_sealed():
            return []
        with self._source.store.read(NO_REALM) as tx:
            return next(self._source.changed(tx, table), [])

    def _correct(self, tx: Transaction, table: sa.Table, phase: str) -> None:
        """All that `tx` sees noted. It stays noted: doing it again changes nothing."""
        if not self._is_sealed():
            for changed in self._source.changed(tx, table):
                self._copy_again(tx, table, changed, phase)

    def _copy_again(self, tx: Transaction, table: sa.Table, changed: list[Row], phase: str) -> None:
        keys = [row[: len(key_columns(table))] for row in changed]
        self._target.correct(table, keys, rows.fetch(tx, table, keys))
        self._tell(Step(phase, table.name, len(keys)))

    def _is_sealed(self) -> bool:
        """Killed between sealing the source and giving the target free: all is copied."""
        return self._mark.sealed_for is not None

    def _sum(self, tx: Transaction, table: sa.Table) -> Sum:
        total = Sum()
        for page in rows.pages(tx, table, self._batch):
            total = total.plus(page)
            self._tell(Step("verify", table.name, len(page)))
        return total

    def _sums(self) -> dict[str, Sum]:
        return {table.name: self._target.progress(table).sum for table in TABLES}

    def _compare(self, theirs: Mapping[str, Sum], ours: Mapping[str, Sum]) -> None:
        different = [
            f"{name} ({theirs[name].rows:,} rows there, {ours[name].rows:,} here)"
            for name in theirs
            if theirs[name] != ours[name]
        ]
        if different:
            what = ", ".join(different)
            raise NotEqual(f"not equal: {what}. Was one of them written past the copy? Empty the target and begin anew")
