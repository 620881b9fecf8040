"""What a customer takes on the disk: `python -m tests.benchmarks.size`. Two identities, three variables, by table.

Once as the product makes customers, one request at a time and never compacted, once made in bulk: the second is to be
believed for the sizes that only bulk can reach. Calls are left out, they go after their days. The values themselves
(numbers, external ids, what variables hold) are taken off in the last line, wherever they are stored.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import click
from rich.table import Table

from adapter.app import build_service
from adapter.config import load
from adapter.engine.model import EndCall, Hints, LineType, Mode, VariableUpdate
from adapter.usecases import Service, end_call
from tests.serving import caller_number

from .machine import console
from .population import EXTERNAL_KEY, external_id, known_of, populate, sid
from .subjects import configuration

_PAGES = (
    "SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE "
    "AND name NOT LIKE 'calls%' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY pgsize DESC"
)
# One byte of each says how it is sealed.
_VALUES = "SELECT SUM(length(sealed) - 1) FROM {table}"
_LEAST_BYTES = 20_000


@click.command()
@click.option("--customers", default=5_000, show_default=True, type=click.IntRange(100))
@click.option("--bulk", default=200_000, show_default=True, type=click.IntRange(100))
def main(customers: int, bulk: int) -> None:
    """Bytes per customer."""
    told = console("nobody")
    with tempfile.TemporaryDirectory(prefix="sticky-calls-size-") as folder:
        one = _bytes(*_made(Path(folder) / "product", customers, in_bulk=False))
        many = _bytes(*_made(Path(folder) / "bulk", bulk, in_bulk=True))
    table = Table(title="Bytes per customer", title_justify="left", min_width=60)
    for column in ("", f"{customers:,} by the product", f"{bulk:,} in bulk"):
        table.add_column(column, justify="left" if not column else "right")
    for name, number in one.items():
        table.add_row(name, f"{number:.0f}", f"{many[name]:.0f}")
    told.print(table)


def _made(folder: Path, customers: int, *, in_bulk: bool) -> tuple[Path, int]:
    folder.mkdir()
    service, database = build_service(load(configuration(folder, 1), {})), folder / "product.db"
    if in_bulk:
        populate(service, database, customers, 0)
    else:
        _by_the_product(service, customers)
    return database, customers


def _by_the_product(service: Service, customers: int) -> None:
    principal = service.directory.principal("acme", Mode.PROD)
    assert principal is not None
    for count in range(customers):
        pairs = ((EXTERNAL_KEY, external_id(count)),)
        hints = Hints(ani=caller_number(count), line_type=LineType.MOBILE, external_ids=pairs)
        known = tuple(VariableUpdate(name, value) for name, value in known_of(count))
        end_call(service, principal, EndCall(sid(count), hints=hints, variables=known))
    service.store.truncate_log()
    service.store.close()


def _bytes(database: Path, customers: int) -> dict[str, float]:
    with closing(sqlite3.connect(database)) as connection:
        pages = {name: size / customers for name, size in connection.execute(_PAGES) if size > _LEAST_BYTES}
        stored = {
            table: connection.execute(_VALUES.format(table=table)).fetchone()[0] / customers
            for table in ("numbers", "external_ids", "variables")
        }
    # A sighting holds both identities once more.
    values = 2 * (stored["numbers"] + stored["external_ids"]) + stored["variables"]
    everything = sum(pages.values())
    return {**pages, "together": everything, "apart from values": everything - values}


if __name__ == "__main__":
    main()
