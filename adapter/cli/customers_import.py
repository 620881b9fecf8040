"""`sticky-calls customers import`: many customers from another system, matched and linked by the engine's own rules.

Leaves out: reading files (`customer_files`), the rules (`usecases.customer_import`).
"""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from adapter.engine.model import Millis, Mode, Principal
from adapter.engine.policy import VariablePolicy
from adapter.usecases import Progress as Imported
from adapter.usecases import Record, Service, import_customers, import_progress
from adapter.web.customer_records import read_record

from .configured import config_option, configured, in_service, organization_named
from .customer_files import Read, content_name, records
from .shown import AS_JSON

# Somebody waits at a terminal, not at a telephone.
_PATIENCE_MS: Final = 60_000
_SHOWN: Final = 20
# Bytes from which on it is worth starting a second process; and how far it may be ahead.
_BIG: Final = 2_000_000
_PAGES_AHEAD: Final = 4


@click.command(name="import", epilog="Example:  sticky-calls customers import crm.csv --dry-run")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--dry-run", is_flag=True, help="Check every record, and save nothing.")
@click.option("--batch", type=click.IntRange(1, 5_000), default=500, show_default=True, help="Customers a transaction.")
@click.option("--organization", help="Whose customers; may be left out when there is only one.")
@click.option("--mode", type=click.Choice([mode.value for mode in Mode]), default="prod", show_default=True)
@AS_JSON
@config_option
def import_file(
    file: Path, dry_run: bool, batch: int, organization: str | None, mode: str, as_json: bool, path: Path | None
) -> None:
    """Take over the customers in FILE: .csv with a header, or .jsonl with an object a line.

    Columns of a CSV: ani, line_type, customer_ref, last_contact, intent, intent_status, external_ids.NAME,
    variables.NAME. A line of JSON has the same names (external_ids and variables as objects, numbers for several) or is
    what `customers export --all` writes. Everything is matched and linked as if the customers had called; it costs
    neither quota nor rate. Records that are wrong are told by line and left out.

    Runs beside the service. Stopped or killed, the same command goes on where it was; a file that was imported is not
    imported twice. Exit code 1: some records were left out.
    """
    config = configured(path)
    patient = replace(config, database=replace(config.database, lock_timeout_ms=_PATIENCE_MS))
    owner = organization_named(config, organization)
    with in_service(patient) as service:
        principal = service.directory.principal(owner, Mode(mode))
        assert principal is not None
        run = _Run(service, principal, file, "" if dry_run else content_name(file), _Wrongs(quiet=as_json))
        done = run.through(batch, quiet=as_json)
    _show(done, run.wrongs, dry_run=dry_run, as_json=as_json)
    if done.refused:
        raise SystemExit(1)


@dataclass
class _Wrongs:
    """Tells the first records that are wrong, and counts the rest."""

    quiet: bool
    told: list[dict[str, object]] = field(default_factory=list)
    count: int = 0

    def add(self, line: int, what: str) -> None:
        """`what` names no value."""
        self.count += 1
        if self.count > _SHOWN:
            return
        self.told.append({"line": line, "what": what})
        if not self.quiet:
            click.echo(f"line {line}: {what}", err=True)


@dataclass
class _Run:
    """One file on its way. `name`: of its content; "" to save nothing."""

    service: Service
    principal: Principal
    file: Path
    name: str
    wrongs: _Wrongs

    def through(self, batch: int, *, quiet: bool) -> Imported:
        """Everything that is left of the file."""
        done = import_progress(self.service, self.principal, self.name) if self.name else Imported()
        if done.read and not quiet:
            click.echo(f"Goes on after {done.read:,} records.", err=True)
        reading = self._pages(done.read, batch)
        console = Console(stderr=True, quiet=quiet or not sys.stderr.isatty())
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, transient=True) as shown:
            task = shown.add_task("Importing", total=self.file.stat().st_size, told="")
            for end, page in reading:
                done = self._take(page, done)
                shown.update(task, completed=end, told=f"{done.read:,} records")
        return done

    def _pages(self, already: int, batch: int) -> Iterator[tuple[int, list[Checked]]]:
        """How far in the file each page ends, and its records. Those of a big file are checked by a second process."""
        reading = islice(records(self.file), already, None)
        check = partial(checked, policy=self.service.policy.variables, now=self.service.clock.now())
        pages = iter(lambda: list(islice(reading, batch)), [])
        if self.file.stat().st_size < _BIG:
            yield from ((page[-1].end, check(page)) for page in pages)
            return
        with ProcessPoolExecutor(1, get_context("spawn")) as other:
            ahead: deque[tuple[int, Future[list[Checked]]]] = deque()
            for page in pages:
                ahead.append((page[-1].end, other.submit(check, page)))
                if len(ahead) > _PAGES_AHEAD:
                    end, first = ahead.popleft()
                    yield end, first.result()
            yield from ((end, each.result()) for end, each in ahead)

    def _take(self, page: list[Checked], done: Imported) -> Imported:
        good = [each for each in page if isinstance(each, Record)]
        refused = len(page) - len(good)
        for each in page:
            if not isinstance(each, Record):
                self.wrongs.add(*each)
        before = replace(done, read=done.read + refused, refused=done.refused + refused)
        if not self.name:
            return replace(before, read=before.read + len(good))
        taken = import_customers(self.service, self.principal, self.name, good, before)
        for line in taken.erased:
            self.wrongs.add(line, "this customer was erased, and stays so")
        return taken.progress


# A record, or the line of one that is wrong, and what is wrong with it.
Checked = Record | tuple[int, str]


def checked(page: list[Read], policy: VariablePolicy, now: Millis) -> list[Checked]:
    """What the records of a page are, or why they are none."""
    return [_checked(read, policy, now) for read in page]


def _checked(read: Read, policy: VariablePolicy, now: Millis) -> Checked:
    if read.wrong:
        return read.line, read.wrong
    found = read_record(read.value, read.line, policy, now)
    return found if isinstance(found, Record) else (read.line, "; ".join(issue.message for issue in found))


def _show(done: Imported, wrongs: _Wrongs, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**asdict(done), "dry_run": dry_run, "wrong": wrongs.told}))
        return
    left_out = f"{done.refused:,} left out" if done.refused else "none left out"
    if dry_run:
        click.echo(f"{done.read:,} records, {left_out}. Nothing was saved (--dry-run).")
        return
    click.echo(f"{done.read:,} records: {done.created:,} new customers, {done.known:,} known ones, {left_out}.")
