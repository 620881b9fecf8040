"""`sticky-calls preview`: what callers would hear on each line, from the configuration alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import click
from rich.console import Console
from rich.table import Table

from adapter.config import Config
from adapter.engine.flow.plain import Step, greeting
from adapter.engine.line import Line
from adapter.engine.model import (
    Identity,
    Intent,
    IntentStatus,
    Level,
    Memory,
    Recommendation,
    Started,
    Variable,
)
from adapter.twilio.twiml import Speaker

from .configured import config_option, configured


@click.command(epilog="Example:  sticky-calls preview --config config.yaml --name Maria --intent refund_request")
@click.option("--name", default="Maria", show_default=True, help="The name that is remembered of the known caller.")
@click.option("--intent", default="refund_request", show_default=True, help="What the known caller left open.")
@click.option("--language", help="As if the lines spoke this language.")
@click.option("--twiml", is_flag=True, help="Show the TwiML that Twilio gets, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@config_option
def preview(name: str, intent: str, language: str | None, twiml: bool, as_json: bool, path: Path | None) -> None:
    """Show what callers would hear on each line, and where their calls go. Reads the configuration, nothing else."""
    config = configured(path)
    if not config.lines:
        raise click.ClickException("there is no line to preview; add one under `lines` (see config.example.yaml)")
    heard = list(_heard(config, name, intent, language))
    if as_json:
        click.echo(json.dumps(heard, ensure_ascii=False, indent=2))
    else:
        _show(heard, twiml)


def _heard(config: Config, name: str, intent: str, language: str | None) -> Iterator[dict[str, str]]:
    speaker = Speaker(config.texts)
    for line in config.lines:
        spoken = replace(line, language=language) if language else line
        for caller, step in _steps(spoken, name, intent):
            document = speaker.speak(step, spoken)
            yield {
                "line": line.number,
                "language": spoken.language,
                "caller": caller,
                "recommendation": step.text,
                "says": " ".join(say.text or "" for say in ET.fromstring(document).iter("Say")),  # noqa: S314 - our own
                "then": f"{line.destination.kind.value} {line.destination.target}".strip(),
                "twiml": document,
            }


def _steps(line: Line, name: str, intent: str) -> Iterator[tuple[str, Step]]:
    """Every greeting there is; the known caller once with and once without anything remembered."""
    for caller, known, recommendation in (
        ("known", _memory(line, name, intent), Recommendation.REUSE),
        ("known, nothing remembered", Memory(), Recommendation.REUSE),
        ("probable", _memory(line, name, intent), Recommendation.CONFIRM),
        ("new", Memory(), Recommendation.IGNORE),
    ):
        yield caller, greeting(line, Started("", "", 0, Identity(0, Level.LOW, (), recommendation), known))
    yield "anybody, when memory is out of reach", greeting(line, None)


def _memory(line: Line, name: str, intent: str) -> Memory:
    return Memory(
        (Intent(intent, IntentStatus.OPEN, 1, 0, 0, 0, ""),), (Variable(line.name_variable, name, None, 1, 0, 0, 1),)
    )


def _show(heard: list[dict[str, str]], twiml: bool) -> None:
    console = Console(highlight=False)
    line = ""
    for each in heard:
        if each["line"] != line:
            line = each["line"]
            console.print(f"\n[bold]Line {line}[/]  ({each['language']}), then {each['then']}", markup=True)
        row = Table.grid(padding=(0, 2))
        row.add_column(width=24, justify="right", style="dim")
        row.add_column(overflow="fold")
        row.add_row(each["caller"], each["says"])
        if twiml:
            row.add_row("", each["twiml"])
        console.print(row, markup=False)
