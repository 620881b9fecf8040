"""`sticky-calls what-if`: recorded calls through another configuration: who would be treated differently, and how."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
from rich.console import Console
from rich.table import Column, Table

from adapter.config import Config, load
from adapter.engine.model import Recommendation
from adapter.replay.recording import Receipt, Recorded
from adapter.replay.rerun import Distinct, Rerun, Selection, Tally, Target, checked, fresh_sids, play
from adapter.replay.rerun.tally import about, caller_of

from .fresh import fresh
from .line import OfNoLine
from .shown import console, followed, show_groups
from .source import Source, following, is_shown

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_DIFFERENT = 1
_CATEGORIES = ("recommendation", "destination", "questions", "wording", "confidence", "other")
_TITLES = {name: f"Another {name}" for name in _CATEGORIES} | {"questions": "Other questions", "other": "Other"}
_EXAMPLES = 5  # of each
_NAMES = tuple(each.value for each in Recommendation)


@dataclass(frozen=True, slots=True)
class _Both:
    """Answers by two configurations. The one's stands where the recorded answer was."""

    old: Target
    new: Target

    def send(self, recorded: Recorded) -> Rerun:
        """See `Target`."""
        before = self.old.send(recorded)
        return replace(
            self.new.send(recorded), recorded=replace(recorded, answer=before.answer, receipt=before.receipt)
        )


@dataclass(slots=True)
class _Result:
    """`matrix`: voice webhooks by what was and what is recommended; whoever calls twice can be counted in two cells."""

    of_no_line: dict[Path, OfNoLine]
    tally: Tally = field(default_factory=Tally)
    matrix: Counter[tuple[str, str]] = field(default_factory=Counter)
    matrix_of_callers: defaultdict[tuple[str, str], Distinct] = field(default_factory=lambda: defaultdict(Distinct))

    def add(self, rerun: Rerun) -> None:
        self.tally.add(checked(rerun))
        for each in self.of_no_line.values():
            each.look_at(rerun.recorded)
        before, after = _recommended(rerun.recorded.receipt), _recommended(rerun.receipt)
        if rerun.recorded.kind == "voice" and before and after:
            self.matrix[before, after] += 1
            self.matrix_of_callers[before, after].add(caller_of(rerun.recorded))

    def refuse_nothing(self) -> None:
        """Two apologies are alike, whatever else the configurations are: that must not look like agreement."""
        for path, found in self.of_no_line.items():
            if found.is_all:
                raise click.ClickException(f"nothing was compared: {path} has no line for any of these calls")
            if found.count:
                told = f"{found.count:,} of {found.seen:,} webhooks are of numbers that {path} has no line for"
                click.echo(f"{told}: what they are answered says nothing", err=True)
        if not self.tally.compared:
            advice = (
                "no answer was recorded; name a configuration with --against" if self.tally.webhooks else "no calls"
            )
            raise click.ClickException(f"nothing was compared: {advice}")


@click.command("what-if", epilog="Example:  sticky-calls what-if --config new.yaml --against config.yaml calls.jsonl")
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE…")
@click.option("--config", "path", required=True, type=_FILE, help="The configuration that is tried.")
@click.option("--against", type=_FILE, help="The configuration it is compared with.  [default: the recorded answers]")
@click.option(
    "--memory",
    type=_FILE,
    help="Begin with a copy of this SQLite database, all calls as new ones; else nobody is known.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def what_if(files: tuple[Path, ...], path: Path, against: Path | None, memory: Path | None, as_json: bool) -> None:
    """Play the calls of recordings to the new and the old configuration: how many callers are treated differently, how?

    Each runs on a store of its own that is then removed. ADAPTER_ variables win over both, as they do over a service's.
    Exit code 1: some calls go differently, or there is nothing to compare.
    """
    configs = {each: load(each, os.environ) for each in (path, against) if each is not None}
    result, began = _Result({each: OfNoLine(config) for each, config in configs.items()}), time.monotonic()
    with ExitStack() as stack, following(files, is_shown()) as advance:
        target = _asked(stack, configs[path], memory)
        if against is not None:
            target = _Both(_asked(stack, configs[against], memory), target)
        source = Source(files, Selection(), advance)
        play(source, [target], result.add)
    seconds = time.monotonic() - began
    if as_json:
        click.echo(
            json.dumps({**_as_json(result), "unreadable": source.broken, "seconds": round(seconds, 3)}, indent=2)
        )
    else:
        _show(result, console())
    result.refuse_nothing()
    if source.broken or not result.tally.is_clean:
        sys.exit(_DIFFERENT)


def _asked(stack: ExitStack, config: Config, memory: Path | None) -> Target:
    """An app of this configuration. A memory may hold the very calls, which it would answer as it did."""
    target = stack.enter_context(fresh(config, memory))
    return target if memory is None else fresh_sids(target, "what-if")


def _recommended(receipt: Receipt | None) -> str:
    return str((receipt or {}).get("recommendation") or "")


def _as_json(result: _Result) -> dict[str, object]:
    matrix = [
        {"old": old, "new": new, "calls": count, "callers": result.matrix_of_callers[old, new].count}
        for (old, new), count in sorted(result.matrix.items())
    ]
    return {**result.tally.as_json(), "recommendations": matrix}


def _show(result: _Result, on: Console) -> None:
    tally = result.tally
    on.print(
        f"{tally.changed_callers.count:,} of {tally.callers.count:,} callers are treated differently, "
        f"in {tally.changed_calls:,} of {tally.calls:,} calls."
    )
    if tally.changes:
        on.print(_changes(tally))
    for trouble, count in tally.troubles.most_common():
        on.print(f"{count:>7,}  [red]{trouble}[/]")
    if result.matrix:
        on.print(_matrix(result))
    for name in _CATEGORIES:
        groups = [group for group in tally.commonest() if about(group.difference.kind) == name]
        if groups:
            on.print(f"\n[bold]{_TITLES[name]}: the caller …[/]")
            show_groups(groups, on, _EXAMPLES)
    if tally.followed:
        on.print(f"\nNot comparable: {followed(tally)}.")


def _changes(tally: Tally) -> Table:
    table = Table("changed", Column("callers", justify="right"), Column("calls", justify="right"))
    for name in _CATEGORIES:
        if tally.changes[name]:
            table.add_row(name, f"{tally.changes_of_callers[name].count:,}", f"{tally.changes[name]:,}")
    return table


def _matrix(result: _Result) -> Table:
    table = Table("was recommended", *(f"now {name}" for name in _NAMES), title="callers (calls)", title_justify="left")
    for old in _NAMES:
        cells = ((result.matrix_of_callers[old, new].count, result.matrix[old, new]) for new in _NAMES)
        table.add_row(old, *(f"{callers:,} ({calls:,})" if calls else "·" for callers, calls in cells))
    return table
