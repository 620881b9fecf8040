"""`sticky-calls keys`: API keys. The whole key is printed once, when it is made, and never taken as an argument."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from adapter.clock import SystemClock
from adapter.config.pepper import pepper_for
from adapter.engine.model import Millis, Mode
from adapter.engine.policy import HOUR
from adapter.errors import StoreUnavailable
from adapter.store import keys as stored
from adapter.store.database import Store

from .configured import config_option, configured, opened, organization_named
from .shown import AS_JSON, show_json, show_table

_PREFIX = re.compile(r"sk_(?:test|prod)_[A-Za-z0-9]{8}")


def _public_prefix(_: click.Context, __: click.Parameter, written: str) -> str:
    """The public part of a key. A whole key is refused without repeating it: it now lies in the shell's history."""
    if _PREFIX.fullmatch(written):
        return written
    if _PREFIX.match(written):
        raise click.BadParameter("write only the first 16 characters; the secret part belongs on no command line")
    raise click.BadParameter("is not a key's prefix such as sk_prod_abcdefgh; `sticky-calls keys list` shows them")


@click.group(epilog="Example:  sticky-calls keys create --mode test --label laptop")
def keys() -> None:
    """Make, list, revoke and rotate API keys."""


@keys.command(epilog="Example:  sticky-calls keys create --organization default --mode prod --label crm")
@click.option("--organization", help="Whose key it is; may be left out when there is only one.")
@click.option("--mode", type=click.Choice([mode.value for mode in Mode]), default="prod", show_default=True)
@click.option("--label", default="", help="A note for the list: who uses it.")
@AS_JSON
@config_option
def create(organization: str | None, mode: str, label: str, as_json: bool, path: Path | None) -> None:
    """Make a key. It is shown once: only a keyed hash of it is kept."""
    config = configured(path)
    owner = organization_named(config, organization)
    with opened(config) as store:
        secret, record = stored.issue(store, pepper_for(config), owner, Mode(mode), label, SystemClock().now())
        _hand_over(store, secret, record, as_json)


@keys.command(name="list", epilog="Example:  sticky-calls keys list --json")
@AS_JSON
@config_option
def list_keys(as_json: bool, path: Path | None) -> None:
    """Show every key by its public prefix, revoked and expired ones too."""
    config = configured(path)
    with opened(config) as store:
        records = stored.all(store)
    now = SystemClock().now()
    if as_json:
        told = [{**_as_dict(record, now), "pepper": record.pepper} for record in records]
        show_json(told)
        return
    if not records:
        click.echo("There are no keys yet; make one with `sticky-calls keys create`.")
        return
    columns = ("prefix", "organization", "mode", "label", "state", "created_at", "expires_at")
    rows = (_as_dict(record, now) for record in records)
    headings = ("key", "organization", "mode", "label", "state", "created", "expires")
    show_table(headings, ([row[column] for column in columns] for row in rows))
    if config.security.former_peppers:
        current = stored.pepper_id(pepper_for(config))
        behind = [record.prefix for record in records if record.opens(now) and record.pepper != current]
        click.echo(f"Still hashed under a former pepper: {', '.join(behind) or 'none'}.", err=True)


@keys.command(epilog="Example:  sticky-calls keys revoke sk_prod_abcdefgh")
@click.argument("prefix", callback=_public_prefix)
@config_option
def revoke(prefix: str, path: Path | None) -> None:
    """Make the key with this PREFIX open nothing any more; every worker knows within a second."""
    with opened(configured(path)) as store:
        if not stored.revoke(store, prefix, SystemClock().now()):
            raise click.ClickException(f"{prefix} does not exist, or is revoked already; see `sticky-calls keys list`")
    click.echo(f"{prefix} is revoked.")


@keys.command(epilog="Example:  sticky-calls keys rotate sk_prod_abcdefgh --grace-hours 48")
@click.argument("prefix", callback=_public_prefix)
@click.option("--grace-hours", type=click.IntRange(0, 720), default=24, show_default=True, help="The old key's rest.")
@AS_JSON
@config_option
def rotate(prefix: str, grace_hours: int, as_json: bool, path: Path | None) -> None:
    """Make a key like the one with this PREFIX, which expires after the grace hours."""
    config = configured(path)
    now = SystemClock().now()
    with opened(config) as store:
        old = _living(store, prefix, now)
        secret, record = stored.issue(store, pepper_for(config), old.organization, old.mode, old.label, now)
        _hand_over(store, secret, record, as_json)
        expires_at = min(now + grace_hours * HOUR, old.expires_at or now + grace_hours * HOUR)
        try:
            stored.expire(store, prefix, expires_at)
        except StoreUnavailable as error:
            message = f"the new key opens, and {prefix} does not expire: {error.message}; end it with"
            raise click.ClickException(f"{message} `sticky-calls keys revoke {prefix}`") from error
    click.echo(f"{prefix} expires at {_when(expires_at)}.", err=True)


def _living(store: Store, prefix: str, now: Millis) -> stored.KeyRecord:
    found = next((record for record in stored.all(store) if record.prefix == prefix), None)
    if found is None or not found.opens(now):
        raise click.ClickException(f"{prefix} does not exist, or opens nothing any more; see `sticky-calls keys list`")
    return found


def _hand_over(store: Store, secret: str, record: stored.KeyRecord, as_json: bool) -> None:
    """A key that nobody could read (a full disk, a closed pipe) must not go on opening, nor end the one before it."""
    try:
        _show_new(secret, record, as_json)
    except OSError:
        stored.revoke(store, record.prefix, SystemClock().now())
        raise


def _show_new(secret: str, record: stored.KeyRecord, as_json: bool) -> None:
    """The key alone on stdout, so that `KEY=$(sticky-calls keys create)` works; the words about it on stderr."""
    if as_json:
        show_json({"key": secret, **_as_dict(record, record.created_at)})
        return
    click.echo(f"Key for {record.organization} ({record.mode.value}). It is shown this once; keep it safe:", err=True)
    click.echo(secret)


def _as_dict(record: stored.KeyRecord, now: Millis) -> dict[str, Any]:
    return {
        "prefix": record.prefix,
        "organization": record.organization,
        "mode": record.mode.value,
        "label": record.label,
        "state": _state(record, now),
        "created_at": _when(record.created_at),
        "expires_at": _when(record.expires_at),
        "revoked_at": _when(record.revoked_at),
    }


def _state(record: stored.KeyRecord, now: Millis) -> str:
    if record.revoked_at is not None:
        return "revoked"
    if not record.opens(now):
        return "expired"
    return "active" if record.expires_at is None else "expiring"


def _when(at: Millis | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
