"""`sticky-calls numbers`: which Twilio numbers call this service, pointing them here, and putting them back.

What is changed is shown before and after, and what was there is remembered first. Numbers are printed, never logged.
Leaves out: what is wrong with a number (`findings`), Twilio's API (`adapter.twilio.provisioning`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from adapter.cli.configured import config_option, configured
from adapter.cli.shown import AS_JSON, show_json, show_table
from adapter.config import Config
from adapter.errors import AdapterError
from adapter.twilio.events import line_for
from adapter.twilio.provisioning import Number, TwilioApi, Webhooks
from adapter.twilio.standing_in import standing_in

from .findings import about_domains, about_numbers, address_shown, as_set, detached, inert, points_here, wanted
from .memory import NumbersMemory

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
_E164: Final = re.compile(r"\+[1-9][0-9]{4,14}")


def _written_out(_: click.Context, __: click.Parameter, written: str) -> str:
    """Before Twilio is asked for its lists, which takes seconds and never has what is not written so."""
    if not _E164.fullmatch(written):
        raise click.BadParameter("is not a number such as +14155550100; `sticky-calls numbers list` has them")
    return written


_NUMBER = click.argument("number", metavar="+NUMBER", callback=_written_out)


@click.group(epilog="Example:  sticky-calls numbers point +14155550100 --dry-run")
def numbers() -> None:
    """Point Twilio's numbers at this service, and put them back."""


@numbers.command(name="list", epilog="Example:  sticky-calls numbers list --json")
@AS_JSON
@config_option
def list_numbers(as_json: bool, path: Path | None) -> None:
    """Show every number of the configured accounts, and where its calls go."""
    config = _with_twilio(path)
    found = [number for api in _apis(config) for number in api.numbers()]
    if as_json:
        show_json([_as_dict(config, number) for number in found])
        return
    if not found:
        click.echo("The configured accounts have no numbers; buy one in Twilio's console.")
        return
    columns = ("number", "account", "line", "calls")
    shown = (_as_dict(config, number) for number in found)
    show_table(columns, ([each[column] for column in columns] for each in shown))


@numbers.command(epilog="Example:  sticky-calls numbers point +14155550100 --fallback-url https://handler.twilio.com/…")
@_NUMBER
@click.option("--fallback-url", help="What takes calls when this service is away, such as a TwiML Bin's address.")
@click.option("--detach", is_flag=True, help="Take the number out of its TwiML App or trunk, which have its calls now.")
@_DRY_RUN
@AS_JSON
@config_option
def point(number: str, fallback_url: str | None, detach: bool, dry_run: bool, as_json: bool, path: Path | None) -> None:
    """Make the calls of +NUMBER come here. What it called before is remembered for `unpoint`."""
    config = _with_twilio(path)
    api, found = _found(config, number)
    if (reason := inert(found.webhooks)) and not detach:
        raise click.ClickException(f"{number}: {reason}, so its addresses would not be used; --detach takes it out")
    ours = as_set(wanted(config.twilio.public_url or "", fallback_url or _own_fallback(config, found)), found.webhooks)
    changed = _changed(config, api, found, ours, dry_run=dry_run)
    _show(config, found, changed, as_json=as_json, dry_run=dry_run, bin_wanted=fallback_url is None)


@numbers.command(epilog="Example:  sticky-calls numbers unpoint +14155550100")
@_NUMBER
@_DRY_RUN
@AS_JSON
@config_option
def unpoint(number: str, dry_run: bool, as_json: bool, path: Path | None) -> None:
    """Put +NUMBER back to what it called before `point`."""
    config = _with_twilio(path)
    api, found = _found(config, number)
    memory = NumbersMemory.of(config)
    before = memory.before(found)
    if before is None:
        raise click.ClickException(f"nothing is remembered of {number}; set its address in Twilio's console")
    if not points_here(found.webhooks, config.twilio.public_url or ""):
        raise click.ClickException(f"{number} does not call this service any more; nothing was changed")
    if not dry_run:
        api.set(found, before)
        memory.forget(found)
    _show(config, found, before, as_json=as_json, dry_run=dry_run, bin_wanted=False)


@numbers.command(epilog="Example:  sticky-calls numbers check")
@AS_JSON
@config_option
def check(as_json: bool, path: Path | None) -> None:
    """Does every line's number call this service? Exit code 1 if one does not."""
    config = _with_twilio(path)
    findings, notes = [], []
    for api in _apis(config):
        findings += about_numbers(config, api.account, api.numbers())
        notes += about_domains(config, api.sip_domains())
    if as_json:
        show_json({"findings": [each.as_dict() for each in findings], "notes": notes})
    for note in () if as_json else notes:
        click.echo(f"note: {note}", err=True)
    for finding in () if as_json else findings:
        click.echo(f"{finding.what}\n    → {finding.do}")
    if findings:
        raise SystemExit(1)
    if not as_json:
        click.echo("Every line's number calls this service.")


def _with_twilio(path: Path | None) -> Config:
    config = configured(path)
    if not config.twilio.public_url:
        raise click.ClickException("twilio.public_url is not set; it is the address that numbers are pointed to")
    if not any(account.sid != "*" for account in config.twilio.accounts):
        raise click.ClickException("twilio.accounts names no account by its SID; Twilio's API needs one")
    return config


def _apis(config: Config) -> Iterable[TwilioApi]:
    """One for each account that is known by name, with the token that Twilio takes now."""
    for account in config.twilio.accounts:
        if account.sid == "*":
            click.echo('note: the numbers of the account "*" cannot be asked about', err=True)
            continue
        yield _that_opens(account.sid, account.auth_tokens)


def _that_opens(account: str, tokens: tuple[str, ...]) -> TwilioApi:
    """While tokens are rotated one of them may not open yet, or any more."""
    apis = [TwilioApi(account, token) for token in tokens]
    for api in apis[:-1]:
        try:
            api.about_account()
        except AdapterError as error:
            if error.status != 401:
                raise
        else:
            return api
    return apis[-1]


def _found(config: Config, number: str) -> tuple[TwilioApi, Number]:
    for api in _apis(config):
        for found in api.numbers():
            if found.number == number:
                return api, found
    raise click.ClickException(
        f"{number} is no number of the configured accounts; `sticky-calls numbers list` has them"
    )


def _own_fallback(config: Config, number: Number) -> str | None:
    """A fallback elsewhere stays when a number is pointed a second time: it works while we do not."""
    said = number.webhooks
    return said.voice_fallback_url or None if points_here(said, config.twilio.public_url or "") else None


def _changed(config: Config, api: TwilioApi, number: Number, ours: Webhooks, *, dry_run: bool) -> Webhooks:
    if dry_run or ours == number.webhooks:
        return ours
    # Pointed a second time, it would remember ourselves.
    if not points_here(number.webhooks, config.twilio.public_url or ""):
        NumbersMemory.of(config).remember(number)
    return api.set(number, detached(ours)).webhooks


def _show(config: Config, number: Number, after: Webhooks, *, as_json: bool, dry_run: bool, bin_wanted: bool) -> None:
    line = line_for(config.lines, number.account, number.number)
    fallback = standing_in(line, config.texts) if bin_wanted and line is not None else None
    if as_json:
        states = {"before": asdict(number.webhooks), "after": asdict(after)}
        show_json({"number": number.number, "dry_run": dry_run, **states, "twiml_bin": fallback})
        return
    click.echo(f"{number.number}{' (nothing is changed: --dry-run)' if dry_run else ''}")
    for name in Webhooks.__slots__:
        before, now = getattr(number.webhooks, name), getattr(after, name)
        click.echo(f"  {name:22} {_setting(before)}" + (f"  →  {_setting(now)}" if now != before else ""))
    if line is None and bin_wanted:
        click.echo("note: no line is configured for this number: callers will hear an apology", err=True)
    if fallback is not None:
        click.echo(_ABOUT_BIN, err=True)
        click.echo(fallback, nl=False)


def _setting(value: str) -> str:
    """An address, a method or a SID."""
    return address_shown(value) if "://" in value else value or "-"


_ABOUT_BIN = """
When this service is away, its own fallback is, too. To put callers through all the same, make a TwiML Bin of the lines
below (Twilio's console, TwiML Bins), and run `point` again with `--fallback-url` and the bin's address.
"""


def _as_dict(config: Config, number: Number) -> dict[str, Any]:
    line = line_for(config.lines, number.account, number.number)
    reason = inert(number.webhooks)
    here = points_here(number.webhooks, config.twilio.public_url or "")
    calls = "this service" if here else (reason or address_shown(number.webhooks.voice_url))
    return {
        "number": number.number,
        "account": number.account,
        "line": line.number if line is not None else "",
        "calls": calls,
        **{name: getattr(number.webhooks, name) for name in Webhooks.__slots__},
    }
