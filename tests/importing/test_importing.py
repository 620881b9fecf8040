"""A short `python -m tests.importing`, and that its comparison sees what it is to see."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapter.cli.customers.importing import next_size
from tests.importing import kept, people, plain, runs

pytestmark = [pytest.mark.slow, pytest.mark.sqlite]
_CUSTOMERS = 12_000  # enough for the second process


def test_killed_and_started_again_it_is_as_if_nothing_had_happened(tmp_path: Path) -> None:
    file = tmp_path / "crm.jsonl"
    people.write(file, _CUSTOMERS, seed=1)
    undisturbed, killed = (
        runs.configured(tmp_path / name, f"sqlite:///{tmp_path}/{name}/calls.db", sealed=True) for name in ("a", "b")
    )
    ran = runs.at_a_terminal(undisturbed, "import", str(file))
    assert (ran.code, len(ran.shown) > 2) == (1, True), ran
    assert runs.killed(killed, 1, ran.seconds * 0.6, random.Random(1), "import", str(file))
    assert sum(runs.progress(killed, "import", str(file)).values()) == 2 * _CUSTOMERS
    exported = [_exported(tmp_path / name) for name in ("a", "b")]
    first, second = (kept.sums(f"sqlite:///{file.parent}/calls.db", file) for file in exported)
    assert first == second
    with closing(sqlite3.connect(tmp_path / "b/calls.db")) as connection, connection:
        connection.execute("UPDATE sightings SET call_id = 'import' WHERE pair = (SELECT min(pair) FROM sightings)")
    exported[1].write_text(exported[1].read_text("utf-8").replace('"Graz"', '"Linz"', 1), "utf-8")
    third = kept.sums(f"sqlite:///{tmp_path}/b/calls.db", exported[1])
    assert {name for name in first if third[name] != first[name]} == {"customers", "sightings"}


def _exported(folder: Path) -> Path:
    assert runs.at_a_terminal(folder / "config.yaml", "export", "--all", "-o", str(folder / "exported")).code == 0
    return folder / "exported"


def test_the_yardstick_writes_the_same_customers(tmp_path: Path) -> None:
    people.write(tmp_path / "crm.jsonl", 1_000, seed=1)
    assert plain.seconds_for(tmp_path / "crm.jsonl", tmp_path / "plain.db", 500) > 0
    with closing(sqlite3.connect(tmp_path / "plain.db")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM customers").fetchone()
    assert count == 1_000


@pytest.mark.parametrize(
    ("size", "waited", "most", "then"),
    [
        (500, 0, 5_000, 1_000),
        (4_800, 10, 5_000, 5_000),
        (5_000, 11, 5_000, 500),
        (500, 11, 5_000, 500),
        (50, 0, 50, 50),
        (50, 11, 50, 50),
    ],
)
def test_a_transaction_takes_more_as_long_as_nobody_waits_for_it(size: int, waited: int, most: int, then: int) -> None:
    assert next_size(size, waited, most) == then
