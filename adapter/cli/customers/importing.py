"""`sticky-calls customers import`: many customers from another system, matched and linked by the engine's own rules.

Leaves out: reading files and checking records (`files`, `pages`), the rules
(`usecases.customer_import`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from adapter.cli.configured import config_option, configured, in_service, organization_named
from adapter.cli.cycles import AMONG_RECORDS, look_seldom
from adapter.cli.shown import AS_JSON
from adapter.engine.model import Millis, Mode, Principal
from adapter.usecases import Progress as Imported
from adapter.usecases import Record, Service, import_customers, import_progress

from .files import content_name
from .pages import Checked, Page, Source, checked_pages

# Somebody waits at a terminal, not at a telephone.
_PATIENCE_MS: Final = 60_000
_SHOWN: Final = 20
# Records; as many as are written without anybody's noticing. And what is no wait.
_PAGE: Final = 500
_AT_ONCE_MS: Final = 10
_INTERRUPTED: Final = 130  # as shells have it


@click.command(name="import", epilog="Example:  sticky-calls customers import crm.csv --dry-run")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--dry-run", is_flag=True, help="Check every record, and save nothing.")
@click.option(
    "--batch",
    type=click.IntRange(1, 5_000),
    default=5_000,
    show_default=True,
    help="Customers a transaction at most; far fewer while somebody waits for it.",
)
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
        look_seldom(AMONG_RECORDS)
        principal = service.directory.principal(owner, Mode(mode))
        assert principal is not None
        run = _Run(service, principal, file, "" if dry_run else content_name(file), _Wrongs(quiet=as_json), batch)
        try:
            done = run.through(quiet=as_json)
            service.store.truncate_log()  # else whoever writes next has to move all that is left there
        except KeyboardInterrupt:
            then = "Nothing was saved (--dry-run)" if dry_run else "The same command goes on where it was"
            click.echo(f"Stopped. {then}.", err=True)
            raise SystemExit(_INTERRUPTED) from None
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
    """One file on its way. `name`: of its content; "" to save nothing. `most`: records a transaction."""

    service: Service
    principal: Principal
    file: Path
    name: str
    wrongs: _Wrongs
    most: int
    size: int = 0

    def through(self, *, quiet: bool) -> Imported:
        """Everything that is left of the file."""
        done = import_progress(self.service, self.principal, self.name) if self.name else Imported()
        if done.read and not quiet:
            click.echo(f"Goes on after {done.read:,} records.", err=True)
        source = Source(self.file, done.read, self.service.policy.variables, self.service.clock.now())
        console = Console(stderr=True, quiet=quiet or not sys.stderr.isatty())
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, transient=True) as shown:
            task = shown.add_task("Importing", total=self.file.stat().st_size, told="")
            for end, portion in self._portions(source):
                done = self._take(portion, done)
                shown.update(task, completed=end, told=f"{done.read:,} records")
        if done.read == source.already > 0 and not quiet:
            click.echo("That was all of it: the file has been imported before, and nothing is done twice.", err=True)
        return done

    def _portions(self, source: Source) -> Iterator[Page]:
        """What one transaction takes: a page, or as many as nobody has to wait for."""
        self.size = min(_PAGE, self.most)
        end, portion = 0, list[Checked]()
        for end, page in checked_pages(source, self.size):
            portion += page
            if len(portion) >= self.size:
                yield end, portion
                portion = []
        if portion:
            yield end, portion

    def _take(self, portion: list[Checked], done: Imported) -> Imported:
        good = [each for each in portion if isinstance(each, Record)]
        refused = len(portion) - len(good)
        for each in portion:
            if not isinstance(each, Record):
                self.wrongs.add(*each)
        before = replace(done, read=done.read + refused, refused=done.refused + refused)
        if not self.name:
            return replace(before, read=before.read + len(good))
        taken = import_customers(self.service, self.principal, self.name, good, before)
        for line in taken.erased:
            self.wrongs.add(line, "this customer was erased, and stays so")
        self.size = next_size(self.size, taken.waited, self.most)
        return taken.progress


def next_size(size: int, waited: Millis, most: int) -> int:
    """Who had to wait for the turn to write is not alone, and others wait, too: callers. A page is a tenth of a second;
    many pages together touch the same parts of the file, and cost less each."""
    return min(size + _PAGE, most) if waited <= _AT_ONCE_MS else min(_PAGE, most)


def _show(done: Imported, wrongs: _Wrongs, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**asdict(done), "dry_run": dry_run, "wrong": wrongs.told}))
        return
    left_out = f"{done.refused:,} left out" if done.refused else "none left out"
    if dry_run:
        click.echo(f"{done.read:,} records, {left_out}. Nothing was saved (--dry-run).")
        return
    click.echo(f"{done.read:,} records: {done.created:,} new customers, {done.known:,} known ones, {left_out}.")
