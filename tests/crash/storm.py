"""A server under load whose processes are killed, again and again; what remains is judged afterwards (`judge`)."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import databases
from tests.crash.client import NEUTRAL, Client
from tests.crash.ledger import Fate, Ledger
from tests.serving import Request, Server, kill_process, serving, wait_for

CLIENTS = 12
# Enough for every worker that is to be killed to have something to lose.
_ANSWERS_BETWEEN_KILLS = 25
_MASTER_EVERY = 5
_DATABASE_EVERY = 3


@dataclass
class Storm:
    """What a storm came to."""

    server: Server
    ledger: Ledger = field(default_factory=Ledger)
    worker_kills: int = 0
    master_kills: int = 0
    database_kills: int = 0

    @property
    def figures(self) -> str:
        told = self.ledger
        return (
            f"{self.worker_kills} workers, {self.master_kills} masters and {self.database_kills} databases killed, "
            f"{told.requests} requests, "
            f"{told.answers} answers, {told.count(Fate.SAVED)} effects saved, {told.count(Fate.UNKNOWN)} unknown"
        )


Kill = Callable[[Storm], None]


@contextmanager
def a_server_that_writes() -> Iterator[databases.Server]:
    """PostgreSQL that can be killed: what it says is committed is on the disk."""
    server = databases.Server(settings=("fsync=on",))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def weather(folder: Path, app: str = "tests.serving:build()", database_url: str | None = None) -> Iterator[Server]:
    """The server that a storm is to hit. The neutral text is told apart from all others: it starts no call."""
    with serving(folder, app=app, database_url=database_url, texts={"en": {"neutral": NEUTRAL}}) as server:
        yield server


def rage(server: Server, kills: Iterable[Kill], seed: int, tell: Callable[[Storm], None] = lambda storm: None) -> Storm:
    """Load, and one kill after the other; then no more load. The server runs at the end."""
    storm, stop = Storm(server), threading.Event()
    key = server.key("acme")
    clients = [
        Client(server, key, storm.ledger, number, stop, random.Random(seed + number))
        for number in range(1, CLIENTS + 1)
    ]
    threads = [threading.Thread(target=_run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    try:
        for kill in kills:
            _let_work(storm)
            kill(storm)
            tell(storm)
        _let_work(storm)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return storm


def mixed(count: int, seed: int, database: databases.Server | None = None) -> Iterator[Kill]:
    """So many kills: mostly of workers, now and then of a master, with its workers or before them.

    `database`: a third of them hit it.
    """
    dice = random.Random(seed)
    for place in range(1, count + 1):
        if database is not None and place % _DATABASE_EVERY == 0:
            yield lambda storm: kill_database(storm, database)
        elif place % _MASTER_EVERY:
            yield lambda storm: kill_worker(storm, dice)
        else:
            yield kill_all if place % (2 * _MASTER_EVERY) else kill_master


def kill_worker(storm: Storm, dice: random.Random) -> None:
    """One of those that have answered lately: it has something to lose."""
    recent = storm.ledger.recent_workers()
    alive = storm.server.worker_pids()
    at_work = [pid for pid in alive if str(pid) in recent] or alive
    if at_work and kill_process(dice.choice(at_work)):
        storm.worker_kills += 1


def kill_database(storm: Storm, database: databases.Server) -> None:
    """PostgreSQL with all its processes; started again."""
    database.kill()
    database.start()
    storm.database_kills += 1


def kill_all(storm: Storm) -> None:
    """Master and workers at once; started again."""
    storm.server.kill()
    storm.server.start()
    storm.master_kills += 1


def kill_master(storm: Storm) -> None:
    """Only the master: for a while its workers answer beside those of the next one."""
    storm.server.lose_master()
    storm.server.start()
    storm.master_kills += 1


def answers_again(server: Server) -> list[str]:
    """After it all: a new call is taken."""
    request = server.webhook("voice", "+14155550000", "CA" + "f" * 32, "+15559999999")
    reply = server.send(request)
    healthy = server.send(Request("GET", "/v1/health", {})).status == 200
    well = healthy and reply.status == 200 and NEUTRAL not in reply.body
    return [] if well else [f"the server does not answer as before: {reply.status} {reply.body}"]


def _run(client: Client) -> None:
    try:
        client.run()
    except Exception as error:  # noqa: BLE001 - a client that dies silently would look like a quiet storm
        client.ledger.fault(f"client {client.number} gave up: {error!r}")


def _let_work(storm: Storm) -> None:
    wanted = storm.ledger.answers + _ANSWERS_BETWEEN_KILLS
    wait_for(lambda: storm.ledger.answers >= wanted, "answers between kills", storm.server.last_words)
