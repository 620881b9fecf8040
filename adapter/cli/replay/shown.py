"""Results of a replay for people: a table of figures, and what is different, the commonest first."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapter.replay.rerun import Tally
from adapter.replay.rerun.tally import Example, Group

_MOST_SHOWN = 20


def console() -> Console:
    """Piped, a line must not be broken at the 80 columns of a terminal that is not there."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def show(tally: Tally, seconds: float, on: Console) -> None:
    """Everything. `seconds`: how long it took."""
    show_figures(tally, seconds, on)
    show_differences(tally, on)


def show_figures(tally: Tally, seconds: float, on: Console) -> None:
    """Calls, webhooks, answers and how long they took."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("calls", _count(tally.calls))
    table.add_row("webhooks", _count(tally.webhooks))
    if tally.compared:
        table.add_row("answered as before", f"{_count(_same(tally))}, {_count(tally.same_bytes)} of them to the byte")
        callers = f" of {_several(tally.changed_callers.count, 'caller')}" if tally.different else ""
        table.add_row("differently", f"{_count(tally.different)} in {_several(tally.changed_calls, 'call')}{callers}")
    if tally.followed:
        table.add_row("not comparable", followed(tally))
    unknown = tally.webhooks - tally.compared - tally.followed.total()
    if unknown:
        why = "whose answers were not recorded or not asked for: only whether Twilio can use them was looked at"
        table.add_row("not compared", f"{_count(unknown)}, {why}")
    for trouble, count in tally.troubles.most_common():
        where = escape(_first(tally.examples_of_troubles[trouble]))
        table.add_row("[red]errors[/]", f"{_count(count)}: {escape(trouble)}  [dim]{where}[/]")
    table.add_row("took", _took(tally, seconds))
    if tally.latencies:
        shares = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
        table.add_row("answers", ", ".join(f"{name} {1_000 * tally.percentile(at):.1f} ms" for name, at in shares))
    on.print(table)


def followed(tally: Tally) -> str:
    """What nobody can compare, with a call to look at."""
    kinds = ", ".join(f"{_count(count)} {kind}" for kind, count in tally.followed.most_common())
    first = f", such as {tally.examples_of_gone[0].call}" if tally.examples_of_gone else ""
    calls = _several(tally.gone, "call")
    return f"{_count(tally.followed.total())} ({kinds}) later in {calls} that had gone another way{first}"


def show_differences(tally: Tally, on: Console) -> None:
    """What is different, each once, with a call to look at."""
    groups = tally.commonest()
    if not groups:
        return
    on.print("\n[bold]The caller …[/]")
    show_groups(groups, on, _MOST_SHOWN)
    if tally.ungrouped:
        on.print(f"[dim]        and {_count(tally.ungrouped)} more that were only counted[/]")


def show_groups(groups: Sequence[Group], on: Console, most: int) -> None:
    """So many of them, a line each."""
    for group in groups[:most]:
        on.print(
            f"{_count(group.webhooks):>7} x {escape(group.difference.sentence)}  [dim]{escape(_where(group))}[/]",
            soft_wrap=True,
        )
    hidden = len(groups) - most
    if hidden > 0:
        on.print(f"[dim]        and {_several(hidden, 'other difference')}; --json has them all[/]")


def _same(tally: Tally) -> int:
    return tally.compared - tally.different


def _took(tally: Tally, seconds: float) -> str:
    told = f"{seconds:.1f} s"
    if seconds > 0 and tally.webhooks:
        told += f", {tally.webhooks / seconds:,.0f} webhooks a second"
    if seconds > 0 and tally.recorded_seconds > seconds:
        told += f", {tally.recorded_seconds / seconds:,.0f} times faster than they were recorded"
    return told


def _where(group: Group) -> str:
    return _first(group.examples)


def _first(examples: Sequence[Example]) -> str:
    return "; ".join(_example(each) for each in examples[:1])


def _example(example: Example) -> str:
    at = "" if example.at is None else f", {datetime.fromtimestamp(example.at / 1_000, UTC):%Y-%m-%d %H:%M:%S}"
    return f"{example.kind} of {example.call} from {example.caller}{at}"


def _several(number: int, what: str) -> str:
    return f"{_count(number)} {what}{'' if number == 1 else 's'}"


def _count(number: int) -> str:
    return f"{number:,}"
