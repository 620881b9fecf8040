"""`sticky-calls db check`: damage, the schema's version, the number of rows, and whether they can be distributed."""

from __future__ import annotations

import json
from pathlib import Path

import click

from adapter.cli.configured import config_option, configured, store_of
from adapter.store.database import Store
from adapter.store.moving.rows import counts
from adapter.store.postgres import distribution


@click.command(epilog="Example:  sticky-calls db check --config config.yaml")
@click.option("--distributed", is_flag=True, help="Is every table, key and statement fit for Citus? (deploy/citus.md)")
@click.option("--json", "as_json", is_flag=True, help="Print what was found, with the rows of every table, as JSON.")
@config_option
def check(distributed: bool, as_json: bool, path: Path | None) -> None:
    """Read the whole database for damage, and its schema's version; exit code 1 if something is wrong."""
    store = store_of(configured(path))
    try:
        problems = store.schema_problems()
        if distributed and not problems:
            problems = _of_distribution(store)
        rows = counts(store) if as_json and not problems else {}
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps({"database": store.name, "problems": problems, "rows": rows}, indent=1))
        raise SystemExit(1 if problems else 0)
    if problems:
        raise click.ClickException("\n".join([f"{store.name}:", *problems]))
    click.echo(_fit(store) if distributed else f"{store.name} is sound and at this version.")


def _of_distribution(store: Store) -> list[str]:
    try:
        return distribution.problems(store)
    except ModuleNotFoundError:  # it reads what is said to PostgreSQL out of the modules that say it
        advice = "run `pip install 'sticky-calls-adapter[postgres]'`"
        raise click.ClickException(f"--distributed needs the driver for PostgreSQL; {advice}") from None


def _fit(store: Store) -> str:
    said = sum(1 for _ in distribution.statements())
    what = f"{len(distribution.distributed())} tables and {said} statements keep to one account each"
    return f"{store.name} is sound, at this version, and fit to be distributed: {what}."
