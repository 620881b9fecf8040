"""The benchmark: `python -m tests.benchmarks`. Ratios to yardsticks in the same run, as a table.

Three servers under the same settings (2 workers x 8 threads, 16 kept connections): the bare floor, this product with
full durability, and the typical app. Rounds alternate between them, so that a machine that slows down slows all of
them; figures are medians of the rounds.
"""

from __future__ import annotations

import random
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import click
from rich.table import Table

from . import footprint
from .load import Measured, run
from .machine import console
from .pace import at_rate
from .scenarios import SCENARIOS
from .subjects import SUBJECTS, Subject

CLIENTS = 16
_PERCENTILES = (50, 90, 99, 99.9)
# More than any of them answers in a second here: lists that run dry would end a round early.
_MOST_A_SECOND = {"floor": 6_000, "product": 3_000, "typical": 400}


@click.command()
@click.option("--only", default="abcd", show_default=True, help="Scenarios, by letter.")
@click.option("--subjects", default="floor,product,typical", show_default=True, help="Servers, by name.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1))
@click.option("--seconds", default=4.0, show_default=True, type=click.FloatRange(0.2), help="Of one round.")
@click.option("--customers", default=2_000, show_default=True, type=click.IntRange(1), help="Known callers.")
@click.option("--rate", type=click.FloatRange(1), help="Latencies at so many requests a second, not throughput.")
def main(only: str, subjects: str, rounds: int, seconds: float, customers: int, rate: float | None) -> None:
    """Measure throughput and latency against the floor and the typical app, then what a server takes."""
    names = subjects.split(",")
    told = console(f"{rate:.0f} requests a second" if rate else f"{CLIENTS} clients")
    with tempfile.TemporaryDirectory(prefix="sticky-calls-bench-") as folder, ExitStack() as servers:
        running = []
        for name in names:
            own = Path(folder) / name
            own.mkdir()
            running.append(servers.enter_context(SUBJECTS[name](own, customers)))
        for letter in only:
            measured = _measure(letter, running, rounds, seconds, customers, rate)
            told.print(_latencies(letter, measured) if rate else _table(letter, measured))
        told.print(footprint.table(Path(folder) / "product", running))


def _measure(
    letter: str, running: Sequence[Subject], rounds: int, seconds: float, customers: int, rate: float | None
) -> dict[str, list[Measured]]:
    measured: dict[str, list[Measured]] = {subject.name: [] for subject in running}
    for number in range(rounds + 1):
        for subject in running:
            if rate:
                chooser = random.Random(f"{letter}{number}")
                result = at_rate(subject.port, SCENARIOS[letter](subject, customers, chooser), rate, seconds)
            else:
                result = run(subject.port, _requests(letter, subject, seconds, customers, number), seconds)
            if result.failures:
                raise click.ClickException(f"{subject.name} failed {result.failures} requests: {result.statuses}")
            if number:  # the first round warms up
                measured[subject.name].append(result)
    return measured


def _requests(letter: str, subject: Subject, seconds: float, customers: int, number: int) -> list[list[bytes]]:
    each = int(_MOST_A_SECOND[subject.name] * seconds / CLIENTS) + 1
    chooser = random.Random(f"{letter}{number}")
    return [list(islice(SCENARIOS[letter](subject, customers, chooser), each)) for _ in range(CLIENTS)]


def _latencies(letter: str, measured: dict[str, list[Measured]]) -> Table:
    table = Table(title=_title(letter), title_justify="left", min_width=60)
    for column in ("", *(f"p{percent} ms" for percent in _PERCENTILES)):
        table.add_column(column, justify="left" if not column else "right")
    for name, rounds in measured.items():
        found = [statistics.median(each.percentile(percent) for each in rounds) for percent in _PERCENTILES]
        table.add_row(name, *(f"{each:.1f}" for each in found))
    return table


def _title(letter: str) -> str:
    return f"({letter}) {(SCENARIOS[letter].__doc__ or '').partition(') ')[2]}"


def _table(letter: str, measured: dict[str, list[Measured]]) -> Table:
    table = Table(title=_title(letter), title_justify="left", min_width=60)
    for column in ("", "requests/s", "x floor", "p50 ms", "p99 ms", "p99 x floor"):
        table.add_column(column, justify="left" if not column else "right")
    medians = {
        name: (
            statistics.median(each.per_second for each in rounds),
            statistics.median(each.median_ms for each in rounds),
            statistics.median(each.percentile(99) for each in rounds),
        )
        for name, rounds in measured.items()
    }
    base = medians.get("floor")
    for name, (rate, median, late) in medians.items():
        ratios = (f"{rate / base[0]:.2f}", f"{late / base[2]:.1f}") if base else ("", "")
        table.add_row(name, f"{rate:.0f}", ratios[0], f"{median:.1f}", f"{late:.1f}", ratios[1])
    return table


if __name__ == "__main__":
    main()
