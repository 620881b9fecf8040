"""`sticky-calls db copy`: everything of one database into another, and the move from the one to the other."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapter.errors import ConfigError, StoreUnavailable
from adapter.store.database import Store
from adapter.store.moving import Copied, Copying, Step, abandon
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from adapter.store.sqlite.store import SqliteStore

# Somebody waits at a terminal, not at a telephone.
_PATIENCE_SECONDS: Final = 60.0
_INTERRUPTED: Final = 3
_CARRY = (
    "Carry security.pepper and security.encryption_keys along, and the hang-ups that wait to be saved "
    "(<file>.inbox becomes <database.state_dir>/inbox)."
)


@click.command(epilog="Example:  sticky-calls db copy --from sqlite:///calls.db --to postgresql://user@host/calls")
@click.option("--from", "source", required=True, metavar="URL", help="The database in use, as in database.url.")
@click.option("--to", "target", metavar="URL", help="The database to be used from then on: an empty one.")
@click.option("--finish", is_flag=True, help="Stop the writers, copy the last differences, and close the old database.")
@click.option("--abandon", "gives_up", is_flag=True, help="Forget the copy: the old database is as it was before it.")
@click.option("--batch", type=click.IntRange(1, 50_000), default=5_000, show_default=True, help="Rows a transaction.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def copy(source: str, target: str | None, finish: bool, gives_up: bool, batch: int, as_json: bool) -> None:
    """Move to another database: from SQLite to PostgreSQL, or back.

    Without --finish everything is copied and compared while the service goes on; what is written meanwhile is noted
    and copied, too. With --finish, run after that, the old database takes no more writes; the last differences take
    seconds, in which callers hear the neutral greeting. Then give the service the new URL and restart it. From
    PostgreSQL stop the service before, and use --finish at once.

    A copy that was interrupted (exit code 3) goes on where it was when it is run again. Exit code 1: refused, or the
    two are not equal. A password can be given as PGPASSWORD.
    """
    if gives_up == (target is not None) or (gives_up and finish):
        raise click.UsageError("give --to URL, or --abandon alone")
    with _opened(source, is_there=True) as old:
        if target is None:
            click.echo("The copy is forgotten." if abandon(old) else "There is no copy of it.")
            return
        with _opened(target, is_there=False) as new:
            _run(old, new, finish, batch, as_json)


def _run(old: Store, new: Store, finish: bool, batch: int, as_json: bool) -> None:
    began = time.monotonic()
    with _shown(as_json) as tell:
        copying = Copying(old, new, tell, batch)
        try:
            is_new = copying.begin()
            tell.total = sum(copying.rows_to_copy().values()) if is_new else 0
            copied = _through(copying, finish) if is_new else None
        except StoreUnavailable as error:
            click.echo(f"Interrupted: {error.message}. Run it again: it goes on from here.", err=True)
            raise SystemExit(_INTERRUPTED) from error
    _tell(_Told(old.name, new.name, copied, time.monotonic() - began), as_json)


def _through(copying: Copying, finish: bool) -> Copied:
    copying.copy()
    if finish:
        return copying.finish()
    copying.verify()
    return copying.so_far()


@contextmanager
def _opened(url: str, *, is_there: bool) -> Iterator[Store]:
    """Values go over as they are: no key is needed. A misspelt file is no disk that is away for a while."""
    try:
        store = open_store(url, Keyring(), lock_timeout_seconds=_PATIENCE_SECONDS, pool_size=2)
    except ConfigError as error:
        # It names the key of the configuration, from which nothing is read here.
        what = "; ".join(problem.removeprefix("database.url: ") for problem in error.problems)
        raise click.BadParameter(what, param_hint="--from" if is_there else "--to") from error
    if is_there and isinstance(store, SqliteStore) and store.path.parent.exists() and not store.path.exists():
        raise click.ClickException(f"there is no database {store.path}: is --from right?")
    try:
        yield store
    finally:
        store.close()


@dataclass
class _Bar:
    """Tells steps on a terminal, and nothing elsewhere."""

    progress: Progress
    total: int = 0

    def __post_init__(self) -> None:
        self._task = self.progress.add_task("copy", total=None)
        self._phase = "copy"

    def __call__(self, step: Step) -> None:
        if step.phase != self._phase:
            self.total, self._phase = 0, step.phase
            self.progress.reset(self._task)
        total = self.total or None
        self.progress.update(self._task, description=f"{step.phase}: {step.table}", total=total, advance=step.rows)


@contextmanager
def _shown(as_json: bool) -> Iterator[_Bar]:
    console = Console(stderr=True, quiet=as_json or not sys.stderr.isatty())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(progress)


@dataclass(frozen=True, slots=True)
class _Told:
    """The result. `copied` None: it was finished before."""

    source: str
    target: str
    copied: Copied | None
    seconds: float


def _tell(told: _Told, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_document(told), indent=1))
    elif told.copied is None:
        click.echo(f"{told.source} was moved to {told.target} before; there is nothing left to do.")
    else:
        for name, found in told.copied.tables.items():
            click.echo(f"{name:14} {found.rows:>12,} rows  {found.checksum}")
        click.echo(_finished(told, told.copied) if told.copied.stopped_seconds is not None else _ready(told))


def _document(told: _Told) -> dict[str, object]:
    copied = told.copied
    tables = {} if copied is None else copied.tables
    stopped = None if copied is None else copied.stopped_seconds
    return {
        "from": told.source,
        "to": told.target,
        "state": "ready" if copied is not None and stopped is None else "finished",
        "tables": {name: {"rows": found.rows, "checksum": found.checksum} for name, found in tables.items()},
        "seconds": round(told.seconds, 3),
        "stopped_seconds": None if stopped is None else round(stopped, 3),
    }


def _ready(told: _Told) -> str:
    rest = "What is written from now on is noted. To move there: run the same command with --finish."
    return f"Both are equal, table by table ({told.seconds:.0f} s). {rest}"


def _finished(told: _Told, copied: Copied) -> str:
    stopped = f"{told.source} takes no more writes; writers waited {copied.stopped_seconds:.1f} s."
    return f"Both are equal. {stopped} Now set database.url to the new one and restart the service.\n{_CARRY}"
