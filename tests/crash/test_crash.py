"""A short crash storm, and what its judge can see. `python -m tests.crash --kills N` runs it long."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapter.app import build_service
from adapter.config import DatabaseConfig, load
from tests.crash.judge import Verdict, judge
from tests.crash.ledger import Fate, Ledger
from tests.crash.storm import Storm, a_server_that_writes, answers_again, kill_all, mixed, rage, stop, weather

pytestmark = pytest.mark.slow

KILLS = 10
SEED = 20_260_207


@dataclass
class Aftermath:
    """The storm, its verdict, and what a new call found afterwards; `folder` has the database as it was judged."""

    storm: Storm
    verdict: Verdict
    greeting: list[str]
    folder: Path


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    folder = tmp_path_factory.mktemp("storm")
    with weather(folder) as nodes:
        (server,) = nodes
        storm = rage(nodes, mixed(KILLS, SEED), SEED)
        server.stop()
        verdict = judge(server.service, server.database_url, storm.ledger)
        server.service.store.close()
        judged = shutil.copytree(folder, tmp_path_factory.mktemp("judged") / "copy")
        server.start()
        yield Aftermath(storm, verdict, answers_again(server), judged)


def test_what_was_acknowledged_before_a_kill_is_there_afterwards_exactly_once(after: Aftermath) -> None:
    assert after.verdict.faults == []


def test_the_server_answers_again(after: Aftermath) -> None:
    assert after.greeting == []


def test_the_storm_was_one(after: Aftermath) -> None:
    """Kills happened, while there was work to lose."""
    assert after.storm.worker_kills + after.storm.master_kills >= KILLS - 2
    assert after.storm.ledger.count(Fate.SAVED) > 10 * KILLS
    assert after.storm.ledger.requests > after.storm.ledger.answers


@pytest.mark.parametrize(
    ("tampering", "finding"),
    [
        ("UPDATE usage SET used = used - 1", "charged for"),
        ("UPDATE usage SET used = used + 1", "charged for"),
        ("DELETE FROM calls WHERE ended_at", "end is lost"),
        ("UPDATE calls SET hung_up_at = NULL", "hang-up is lost"),
        ("UPDATE calls SET greeted_at = NULL", "begin is lost"),
        ("UPDATE intents SET attempts = attempts + 1", "attempt counts"),
        ("DELETE FROM intents WHERE customer = (SELECT MIN(customer) FROM intents)", "attempt counts"),
        ("DELETE FROM variables WHERE name = (SELECT MIN(name) FROM variables)", "lost variables"),
        ("UPDATE calls SET customer = zeroblob(16) WHERE call_id = (SELECT MIN(call_id) FROM calls)", "2 customers"),
        (
            "INSERT INTO customers SELECT account, realm, randomblob(16), 0, 0, NULL FROM customers, many",
            "customers for",
        ),
    ],
)
def test_the_judge_sees(after: Aftermath, tmp_path: Path, tampering: str, finding: str) -> None:
    """The positive control of every one of its rules."""
    database = _tampered(after.folder, tmp_path, tampering)
    faults = _judged(after.folder, database, after.storm.ledger).faults
    assert any(finding in fault for fault in faults)


def test_the_judge_sees_a_damaged_file(after: Aftermath, tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    content = bytearray((after.folder / "calls.db").read_bytes())
    content[8192 : len(content) // 2] = bytes(len(content) // 2 - 8192)
    database.write_bytes(content)
    assert "damaged" in _judged(after.folder, database, after.storm.ledger).faults[0]


def test_kills_of_workers_and_of_postgresql_itself_cost_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Two nodes: nothing is lost or doubled, callers are always put through, and every worker serves again at once."""
    with (
        a_server_that_writes() as database,
        weather(tmp_path, database_url=database.url("postgres"), nodes=2) as nodes,
    ):
        storm = rage(nodes, mixed(KILLS, SEED, database), SEED)
        stop(nodes)
        verdict = judge(nodes[0].service, nodes[0].database_url, storm.ledger)
        nodes[0].start()
        assert [*verdict.faults, *storm.late(), *answers_again(nodes[0])] == []
    assert storm.database_kills >= KILLS // 3 - 1
    assert storm.worker_kills > 0
    assert storm.ledger.count(Fate.SAVED) > 10 * KILLS


def test_a_server_that_answers_before_it_commits_is_found_out(tmp_path: Path) -> None:
    """The positive control of the storm itself."""
    with weather(tmp_path, app="tests.crash.seeded:commits_late()") as nodes:
        storm = rage(nodes, [kill_all] * 3, SEED)
        (server,) = nodes
        server.kill()
        faults = judge(server.service, server.database_url, storm.ledger).faults
    assert any("is lost" in fault for fault in faults)


def _tampered(folder: Path, into: Path, sql: str) -> Path:
    for file in folder.glob("calls.db*"):
        if file.is_file():
            shutil.copy(file, into)
    database = into / "calls.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TEMP TABLE many AS SELECT 1 FROM calls")
        assert connection.execute(sql).rowcount > 0
    return database


def _judged(folder: Path, database: Path, ledger: Ledger) -> Verdict:
    config = load(folder / "config.yaml", {})
    service = build_service(dataclasses.replace(config, database=DatabaseConfig(f"sqlite:///{database}")))
    try:
        return judge(service, f"sqlite:///{database}", ledger)
    finally:
        service.store.close()
