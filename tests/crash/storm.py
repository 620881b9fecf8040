"""A server under load whose processes are killed, again and again; what remains is judged afterwards (`judge`)."""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapter.usecases import apply_waiting
from tests import databases
from tests.crash.client import NEUTRAL, Client
from tests.crash.ledger import Fate, Ledger
from tests.serving import Request, Server, another_node, kill_process, serving, wait_for

CLIENTS = 12
# Enough for every worker that is to be killed to have something to lose.
_ANSWERS_BETWEEN_KILLS = 25
_WORKERS = 4
# From the database's return, in seconds.
_SERVED = 3.0
_MASTER_EVERY = 5
_DATABASE_EVERY = 3


@dataclass
class Storm:
    """What a storm came to. `nodes` share an address. `returns`: after each kill of the database, the seconds from its
    return until the last of the workers had saved something again."""

    nodes: list[Server]
    ledger: Ledger = field(default_factory=Ledger)
    returns: list[float] = field(default_factory=list)
    worker_kills: int = 0
    master_kills: int = 0
    database_kills: int = 0

    def next_node(self) -> Server:
        """They take turns at losing their master."""
        return self.nodes[self.master_kills % len(self.nodes)]

    def worker_pids(self) -> list[int]:
        """Of all nodes."""
        return [pid for node in self.nodes for pid in node.worker_pids()]

    def late(self) -> list[str]:
        """Faults: waits that were too long."""
        return [f"served again {wait:.1f} s after the database's return" for wait in self.returns if wait > _SERVED]

    @property
    def figures(self) -> str:
        told = self.ledger
        return (
            f"{self.worker_kills} workers, {self.master_kills} masters and {self.database_kills} databases killed, "
            f"{told.requests} requests, "
            f"{told.answers} answers ({told.greetings} of them TwiML), {told.count(Fate.SAVED)} effects saved, "
            f"{told.count(Fate.UNKNOWN)} unknown"
        )

    @property
    def waits(self) -> str:
        """How long the workers took to be of use after the database's returns."""
        if not self.returns:
            return ""
        median, most = statistics.median(self.returns), max(self.returns)
        return f"; all workers saved again {median:.2f} s after the database's return, at most {most:.2f} s"


Kill = Callable[[Storm], None]


@contextmanager
def a_server_that_writes(*settings: str) -> Iterator[databases.Server]:
    """PostgreSQL that can be killed: what it says is committed is on the disk, unless the settings say otherwise."""
    server = databases.Server(settings=("fsync=on", *settings))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def weather(
    folder: Path, app: str = "tests.serving:build()", database_url: str | None = None, nodes: int = 1
) -> Iterator[list[Server]]:
    """The nodes that a storm is to hit, 4 workers in all. The neutral text is like no other: it starts no call."""
    options: dict[str, Any] = {"app": app, "database_url": database_url, "texts": {"en": {"neutral": NEUTRAL}}}
    with ExitStack() as opened:
        found = [opened.enter_context(serving(folder, workers=_WORKERS // nodes, **options))]
        for number in range(1, nodes):
            (other := folder / f"node-{number}").mkdir()
            found.append(opened.enter_context(another_node(other, found[0])))
        yield found


def stop(nodes: Sequence[Server]) -> None:
    """All of them, in order; what the others have kept for later is brought into the database."""
    for node in nodes:
        node.stop()
    for node in nodes[1:]:
        apply_waiting(node.service)


def rage(
    nodes: list[Server], kills: Iterable[Kill], seed: int, tell: Callable[[Storm], None] = lambda storm: None
) -> Storm:
    """Load, and one kill after the other; then no more load. The nodes run at the end."""
    storm, stop, server = Storm(nodes), threading.Event(), nodes[0]
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
    alive = storm.worker_pids()
    at_work = [pid for pid in alive if str(pid) in recent] or alive
    if at_work and kill_process(dice.choice(at_work)):
        storm.worker_kills += 1


def kill_database(storm: Storm, database: databases.Server) -> None:
    """PostgreSQL with all its processes; started again. Then every worker has to save something."""
    database.kill()
    storm.ledger.forget_who_served()
    database.start()
    returned = time.monotonic()
    wait_for(lambda: _all_have_saved(storm), "every worker to save something again", storm.nodes[0].last_words)
    storm.returns.append(time.monotonic() - returned)
    storm.database_kills += 1


def kill_all(storm: Storm) -> None:
    """A node's master and workers at once; started again."""
    node = storm.next_node()
    node.kill()
    node.start()
    storm.master_kills += 1


def kill_master(storm: Storm) -> None:
    """Only the master: for a while its workers answer beside those of the next one."""
    node = storm.next_node()
    node.lose_master()
    node.start()
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
    wait_for(lambda: storm.ledger.answers >= wanted, "answers between kills", storm.nodes[0].last_words)


def _all_have_saved(storm: Storm) -> bool:
    alive = {str(pid) for pid in storm.worker_pids()}
    return bool(alive) and alive <= storm.ledger.served
