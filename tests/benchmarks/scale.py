"""What size costs: `python -m tests.benchmarks.scale`. Latencies at a fixed rate with few and with very many customers.

One server a size, all on the same machine and in the same run: rounds go from one to the next, so that a machine that
slows down slows all of them; figures are medians of the rounds. Callers are drawn uniformly, and every customer has
called before. `--stores` keeps the stores: ten million customers take ten minutes to make, and 15 GB.
"""

from __future__ import annotations

import random
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from rich.table import Table

from adapter.app import build_service
from adapter.config import load
from adapter.config.pepper import pepper_for
from adapter.engine.model import Mode
from adapter.store import keys
from tests.serving import free_port

from .load import Measured
from .machine import console
from .pace import at_rate
from .population import populate
from .scenarios import SCENARIOS
from .subjects import Subject, configuration, serve

_WARM_SECONDS = 2.0
_READ_BYTES = 1 << 24


@click.command()
@click.option("--sizes", default="10000,1000000", show_default=True, help="Numbers of customers; the first is 1.")
@click.option("--only", default="ab", show_default=True, help="Scenarios, by letter.")
@click.option("--rate", default=100.0, show_default=True, help="Requests a second.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1))
@click.option("--seconds", default=6.0, show_default=True, type=click.FloatRange(0.2), help="Of one round.")
@click.option("--stores", type=click.Path(path_type=Path), help="Where stores are kept from one run to the next.")
def main(sizes: str, only: str, rate: float, rounds: int, seconds: float, stores: Path | None) -> None:
    """Measure p50 and p99 against the number of customers."""
    numbers = [int(size) for size in sizes.split(",")]
    told = console(f"{rate:.0f} requests a second")
    with tempfile.TemporaryDirectory(prefix="sticky-calls-scale-") as folder, ExitStack() as servers:
        subjects = {number: servers.enter_context(_standing(stores or Path(folder), number)) for number in numbers}
        for letter in only:
            measured = _measure(letter, subjects, rate, rounds, seconds)
            told.print(_table(letter, measured))


def _measure(
    letter: str, subjects: dict[int, Subject], rate: float, rounds: int, seconds: float
) -> dict[int, list[Measured]]:
    measured: dict[int, list[Measured]] = {number: [] for number in subjects}
    for place in range(rounds + 1):
        for number, subject in subjects.items():
            chooser = random.Random(f"{letter}{place}")
            requests = SCENARIOS[letter](subject, number, chooser)
            result = at_rate(subject.port, requests, rate, seconds if place else _WARM_SECONDS)
            if result.failures:
                raise click.ClickException(f"{number} customers: {result.statuses}")
            if place:
                measured[number].append(result)
    return measured


def _table(letter: str, measured: dict[int, list[Measured]]) -> Table:
    title = f"({letter}) {(SCENARIOS[letter].__doc__ or '').partition(') ')[2]}"
    table = Table(title=title, title_justify="left", min_width=60)
    for column in ("customers", "p50 ms", "p99 ms", "p50 x", "p99 x"):
        table.add_column(column, justify="right")
    medians = {
        number: [statistics.median(each.percentile(percent) for each in rounds) for percent in (50, 99)]
        for number, rounds in measured.items()
    }
    base = next(iter(medians.values()))
    for number, found in medians.items():
        ratios = (f"{one / other:.2f}" for one, other in zip(found, base, strict=True))
        table.add_row(f"{number:,}", *(f"{each:.2f}" for each in found), *ratios)
    return table


@contextmanager
def _standing(stores: Path, customers: int) -> Iterator[Subject]:
    """A server on a store with this many customers, made now if it is not there."""
    folder = stores / str(customers)
    port = free_port()
    database = folder / "product.db"
    is_new = not database.exists()
    folder.mkdir(parents=True, exist_ok=True)
    path = configuration(folder, port)
    config = load(path, {})
    service = build_service(config)
    if is_new:
        populate(service, database, customers, customers)
    key, _ = keys.issue(service.store, pepper_for(config), "acme", Mode.PROD, "scale", service.clock.now())
    service.store.close()
    _read(database)
    yield from serve(f"{customers} customers", path, port, key)


def _read(file: Path) -> None:
    """What is measured is not how long the disk takes for what nobody has asked for since the machine was started."""
    with file.open("rb", buffering=0) as content:
        while content.read(_READ_BYTES):
            pass


if __name__ == "__main__":
    main()
