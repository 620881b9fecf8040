"""`sticky-calls check-config`: every mistake at once, or what is in effect."""

from __future__ import annotations

import os
from pathlib import Path

import click

from adapter.config import Config, find, load
from adapter.config.effective import effective as printed
from adapter.config.remarks import remarks as remarks_on_lines


@click.command(epilog="Example:  sticky-calls check-config config.yaml --effective")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--effective", is_flag=True, help="Print the configuration in effect as YAML, secrets masked.")
def check_config(file: Path | None, effective: bool) -> None:
    """Find every mistake in FILE and in the ADAPTER_ environment variables; exit code 1 if there is one.

    Without FILE: $ADAPTER_CONFIG, else ./config.yaml, else the defaults.
    """
    path = find(file, os.environ)
    config = load(path, os.environ)
    if effective:
        click.echo(printed(config), nl=False)
        return
    click.echo(f"{path or 'The default configuration'} is fine: {_summary(config)}.")
    for remark in _remarks(config):
        click.echo(f"note: {remark}", err=True)


def _summary(config: Config) -> str:
    parts = (("organization", config.organizations), ("line", config.lines), ("Twilio account", config.twilio.accounts))
    return ", ".join(f"{len(items)} {name}{'' if len(items) == 1 else 's'}" for name, items in parts)


def _remarks(config: Config) -> list[str]:
    """Nothing wrong, but worth a thought before callers depend on it."""
    remarks = []
    if config.lines and config.twilio.public_url and config.twilio.public_url.startswith("http://"):
        remarks.append("twilio.public_url is http: what Twilio sends about callers travels unencrypted")
    if config.security.pepper is None:
        remarks.append("no security.pepper: one is made beside the database on first use; back it up with the database")
    if not config.security.encryption_keys:
        remarks.append("no security.encryption_keys: numbers and variables lie unencrypted in the database")
    if config.recording.file and config.recording.personal == "keep":
        remarks.append("recording.personal is keep: the recording holds callers' numbers and what they say")
    return list(dict.fromkeys([*remarks, *remarks_on_lines(config)]))
