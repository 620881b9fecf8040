"""`sticky-calls customers`: what is stored of a person, for when they ask: find, show, export, forget.

Works on the database itself, beside the service or without it. Whom it is about can be typed at the prompt or come from
standard input, as a command's arguments can be read by every user of the machine and stay in the shell's history.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from adapter.cli.configured import config_option, configured, opened, organization_named
from adapter.cli.shown import AS_JSON, plain, show_json
from adapter.clock import SystemClock
from adapter.config import Config
from adapter.engine.caller_id import read_ani
from adapter.engine.model import Hints, Mode, Realm
from adapter.store import customers as stored
from adapter.store import organizations, records
from adapter.store.database import Store
from adapter.store.records import CustomerRecord
from adapter.usecases.records import Erased
from adapter.web.rest import render

from .exporting import export_all, private_file
from .importing import import_file

Command = TypeVar("Command", bound=Callable[..., Any])

_REF = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _about(command: Command) -> Command:
    """Who is meant, and whose customer that is."""
    for option in (
        click.option("--organization", help="Whose customer; may be left out when there is only one."),
        click.option("--mode", type=click.Choice([mode.value for mode in Mode]), default="prod", show_default=True),
        click.argument("who", required=False, metavar="[WHO]"),
    ):
        command = option(command)
    return config_option(command)


@click.group(epilog="Example:  sticky-calls customers find")
def customers() -> None:
    """What is stored of a person: find, show, export, forget.

    WHO is a number (+14155550123), an external id (customer_id=12345) or a customer_ref. Left out, it is asked for;
    `-` reads it from standard input. Either way it stays out of the shell's history and the list of processes.
    """


@customers.command(epilog="Example:  sticky-calls customers find --json - < number.txt")
@AS_JSON
@_about
def find(who: str | None, organization: str | None, mode: str, as_json: bool, path: Path | None) -> None:
    """Who is meant by WHO: everybody a number or an external id points to. Exit code 1 when that is nobody."""
    with _desk(path, organization, mode) as desk:
        found = desk.records(_hints(who))
    if as_json:
        show_json([_in_brief(record) for record in found])
    for record in () if as_json else found:
        click.echo("  ".join(str(value) for value in _in_brief(record).values()))
    if not found:
        raise click.ClickException("nobody is known by that")


@customers.command(epilog="Example:  sticky-calls customers show")
@AS_JSON
@_about
def show(who: str | None, organization: str | None, mode: str, as_json: bool, path: Path | None) -> None:
    """Everything stored of the one customer WHO means, to be read; values are shown in full."""
    with _desk(path, organization, mode) as desk:
        record = _the_one(desk.records(_hints(who)))
    click.echo(json.dumps(render.customer(record), indent=2) if as_json else "\n".join(map(plain, _to_be_read(record))))


@customers.command(epilog="Example:  sticky-calls customers export --output maria.json")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="A new file, for its owner only.")
@click.option("--all", "everybody", is_flag=True, help="All customers, one JSON object a line, without their calls.")
@_about
def export(
    who: str | None, organization: str | None, mode: str, output: Path | None, everybody: bool, path: Path | None
) -> None:
    """Everything stored of the one customer WHO means, as JSON: what `GET /v1/customers/{customer_ref}` gives.

    With --all everybody, page by page while the service runs; `customers import` takes such a file.
    """
    if everybody and who is not None:
        raise click.UsageError("give WHO, or --all")
    with _desk(path, organization, mode) as desk:
        if everybody:
            export_all(desk.store, desk.realm, output)
            return
        record = _the_one(desk.records(_hints(who)))
    text = json.dumps(render.customer(record), indent=2) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    with private_file(output) as opened_file:
        opened_file.write(text)
    click.echo(f"{output}: {len(text):,} bytes.", err=True)


@customers.command(epilog="Example:  sticky-calls customers forget > receipt.json")
@click.option("--yes", is_flag=True, help="Do not ask whether this is the right person.")
@_about
def forget(who: str | None, organization: str | None, mode: str, yes: bool, path: Path | None) -> None:
    """Erase the one customer WHO means, for ever. Prints the receipt, which names nothing but the reference.

    Calls stay as events without numbers. A tombstone keeps a repeated request or `db restore` from bringing them back.
    """
    with _desk(path, organization, mode) as desk:
        record = _the_one(desk.records(_hints(who)))
        if not yes:
            click.echo("\n".join(_counted(record)), err=True)
            click.confirm("Erase this customer for ever?", abort=True, err=True)
        erased = desk.erase(record.customer_ref)
        plainly = not desk.config.security.encryption_keys
    click.echo(json.dumps({**render.erased(erased), "organization": desk.organization, "mode": mode}))
    if plainly:
        click.echo("Values are stored plainly here: `sticky-calls db compact` removes the last copies.", err=True)


@dataclass(frozen=True, slots=True)
class _Desk:
    """One organization's customers of one mode."""

    config: Config
    store: Store
    organization: str
    realm: Realm

    def records(self, hints: Hints) -> list[CustomerRecord]:
        """Everybody the hints point to, the latest contact first."""
        now = SystemClock().now()
        with self.store.read(self.realm) as tx:
            refs = stored.facts(tx, hints).customers
            found = [records.export(tx, ref, now) for ref in refs]
        return sorted((r for r in found if r is not None), key=lambda record: -record.last_contact)

    def erase(self, ref: str) -> Erased:
        now = SystemClock().now()
        if not records.forget(self.store, self.realm, ref, now):
            raise click.ClickException("somebody else has erased this customer just now")
        self.store.truncate_log()
        return Erased(ref, now)


@contextmanager
def _desk(path: Path | None, organization: str | None, mode: str) -> Iterator[_Desk]:
    config = configured(path)
    owner = organization_named(config, organization)
    with opened(config) as store:
        known = organizations.register(store, [(o.id, o.plan.billing_account_id) for o in config.organizations])
        yield _Desk(config, store, owner, known[owner].realm(Mode(mode)))


def _hints(who: str | None) -> Hints:
    """What was written, typed or piped, as what it looks like. Never repeated in what is said about a mistake."""
    if who == "-" and not (who := sys.stdin.readline().strip()):
        raise click.UsageError("standard input is empty: write a number, key=value or customer_ref into it")
    text = str(who or click.prompt("Number, key=value or customer_ref", err=True)).strip()
    if _REF.fullmatch(text.lower()):
        return Hints(customer_ref=text.lower())
    number = read_ani(text).number
    if number is not None:
        return Hints(ani=number)
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise click.UsageError("that is no number in full (+14155550123), no key=value and no customer_ref")
    return Hints(external_ids=((key, value),))


def _the_one(found: list[CustomerRecord]) -> CustomerRecord:
    if not found:
        raise click.ClickException("nobody is known by that")
    if len(found) > 1:
        refs = "\n".join(record.customer_ref for record in found)
        raise click.ClickException(f"that is {len(found)} customers; say which, by customer_ref:\n{refs}")
    return found[0]


def _in_brief(record: CustomerRecord) -> dict[str, Any]:
    return {
        "customer_ref": record.customer_ref,
        "created_at": render.timestamp(record.created_at),
        "last_contact": render.timestamp(record.last_contact),
    }


def _counted(record: CustomerRecord) -> list[str]:
    kinds = ("numbers", "external_ids", "intents", "variables", "calls")
    counts = ", ".join(f"{len(getattr(record, kind))} {kind.replace('_', ' ')}" for kind in kinds)
    return [f"{record.customer_ref}, last contact {render.timestamp(record.last_contact)}", counts]


def _to_be_read(record: CustomerRecord) -> list[str]:
    lines = [*_counted(record), ""]
    lines += [f"number       {number}  {line_type or ''}".rstrip() for number, line_type, _ in record.numbers]
    lines += [f"external id  {key}={value}" for key, value in record.external_ids]
    lines += [f"variable     {each.name}={each.value}" for each in record.variables]
    lines += [f"intent       {each.intent}  {each.status.value}" for each in record.intents]
    lines += [f"call         {each.call_id}  {render.timestamp(each.started_at)}" for each in record.calls]
    return lines


customers.add_command(import_file)
