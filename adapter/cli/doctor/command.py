"""`sticky-calls doctor`: everything that can be wrong, from the configuration to Twilio, and the next thing to do.

Changes nothing and prints no token. What a check looks at is in `here` (this machine), `outside` (the
public address) and `at_twilio` (Twilio's API).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from adapter.cli.configured import config_option
from adapter.cli.numbers.findings import Finding
from adapter.cli.shown import AS_JSON
from adapter.config import Config, find, load
from adapter.errors import AdapterError, ConfigError

from .at_twilio import about_clock, about_tokens, about_twilio_numbers
from .here import about_database, about_disk, about_workers
from .outside import about_public_url, about_signature


@dataclass(frozen=True, slots=True)
class Looked:
    """What a check came to. `skipped`: why it was not made; "" when it was."""

    check: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: str = ""


@click.command(epilog="Example:  sticky-calls doctor --config config.yaml")
@click.option("--ca-file", type=click.Path(path_type=Path, exists=True), help="Trust this CA for the public URL, too.")
@click.option("--offline", is_flag=True, help="Look at this machine alone; ask neither Twilio nor the public URL.")
@AS_JSON
@config_option
def doctor(ca_file: Path | None, offline: bool, as_json: bool, path: Path | None) -> None:
    """Look at everything that can be wrong, and say what to do about it. Exit code 1 if something is."""
    looked = _look(path, ca_file, offline)
    if as_json:
        click.echo(json.dumps([_as_dict(each) for each in looked], indent=2))
    else:
        for each in looked:
            _show(each)
    count = sum(len(each.findings) for each in looked)
    if not as_json:
        click.echo("Nothing is wrong." if not count else f"{count} thing{'s' if count > 1 else ''} to mend.")
    if count:
        raise SystemExit(1)


def _look(path: Path | None, ca_file: Path | None, offline: bool) -> list[Looked]:
    try:
        config = load(find(path, os.environ), os.environ)
    except ConfigError as error:
        do = "correct it; `sticky-calls check-config` tells whether it is right"
        return [Looked("configuration", tuple(Finding("configuration", problem, do) for problem in error.problems))]
    here: list[tuple[str, Callable[[], list[Finding]]]] = [
        ("database", lambda: about_database(config)),
        ("disk", lambda: about_disk(config)),
        ("workers", lambda: about_workers(config)),
    ]
    looked = [Looked("configuration"), *(_checked(name, check) for name, check in here)]
    return looked if offline else [*looked, *_look_outside(config, ca_file)]


def _look_outside(config: Config, ca_file: Path | None) -> list[Looked]:
    """A check whose ground is missing says so once, where the ground is looked at."""
    reached = _checked("public URL", lambda: about_public_url(config, ca_file))
    skipped = "the public URL does not answer" if reached.findings else ""
    signed = (
        Looked("signature", skipped=skipped)
        if skipped
        else _checked("signature", lambda: about_signature(config, ca_file))
    )
    clock = _checked("clock", lambda: about_clock())
    if clock.findings and any("cannot be reached" in found.what for found in clock.findings):
        away = "Twilio's API does not answer"
        return [reached, signed, clock, Looked("tokens", skipped=away), Looked("numbers", skipped=away)]
    notes: list[str] = []
    tokens = _checked("tokens", lambda: about_tokens(config, notes), notes)
    said: list[str] = []
    return [reached, signed, clock, tokens, _checked("numbers", lambda: about_twilio_numbers(config, said), said)]


def _checked(name: str, check: Callable[[], list[Finding]], notes: list[str] | None = None) -> Looked:
    """Whatever a check stumbles over is a finding of its own: the others are made all the same."""
    try:
        findings = check()
    except AdapterError as error:
        findings = [Finding(name, error.message, "mend that and run `sticky-calls doctor` again")]
    except Exception as error:  # noqa: BLE001 - a broken machine breaks things in ways nobody listed
        findings = [Finding(name, f"could not be checked: {type(error).__name__}", "look into the log")]
    return Looked(name, tuple(findings), tuple(notes or ()))


def _show(looked: Looked) -> None:
    mark = "-" if looked.skipped else ("✗" if looked.findings else "✓")
    click.echo(f"{mark} {looked.check}" + (f" (not looked at: {looked.skipped})" if looked.skipped else ""))
    for finding in looked.findings:
        click.echo(f"    {finding.what}\n      → {finding.do}")
    for note in looked.notes:
        click.echo(f"    note: {note}")


def _as_dict(looked: Looked) -> dict[str, object]:
    findings = [{"what": finding.what, "do": finding.do} for finding in looked.findings]
    return {"check": looked.check, "findings": findings, "notes": list(looked.notes), "skipped": looked.skipped}
