"""kill -9 at every call to the disk that calls make, from start to hang-up: whole or not there, and never torn.

A process asks, and ends itself before the k-th write, sync, truncation or deletion; the next one goes on with the files
as it finds them. Processes are forked from one that has imported everything and opened nothing.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapter.errors import StoreUnavailable
from adapter.store.sqlite import connections as sqlite
from adapter.usecases import apply_waiting
from tests import databases
from tests.faults import python_files
from tests.faults.asked import Answered, Asking, Effect, Fact, prepared
from tests.faults.found import Found, found
from tests.faults.vfs import Between, Call, Fault

Sabotage = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """`checkpoint_rows`: after so many the log is folded into the file; `longest_log` bytes: then it is cut too.
    `away`: the store is, for turns and hang-ups, so that these go to the inbox and are applied afterwards."""

    name: str
    checkpoint_rows: int = sqlite.CHECKPOINT_ROWS
    longest_log: int = sqlite.LONGEST_LOG_BYTES
    away: bool = False


SCENES = (
    Scene("saved"),
    Scene("saved, with the log folded in each time, and written over", checkpoint_rows=1),
    Scene("saved, with the log folded in each time, and cut", checkpoint_rows=1, longest_log=0),
    Scene("kept, and applied afterwards", checkpoint_rows=1, longest_log=0, away=True),
)


@dataclass
class Killed:
    """`points`: of each scene, the calls to the disk before which a process ended. `wrong`: sentences."""

    points: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def kill_everywhere(every: int = 1, sabotage: Sabotage | None = None) -> Killed:
    """A process for every `every`-th call to the disk. `sabotage` makes a bug in it, to be found: then it ends."""
    killed = Killed()
    for scene in SCENES if sabotage is None else reversed(SCENES):
        for point in itertools.count(1, every):
            with tempfile.TemporaryDirectory() as folder:
                wrong = _kill_at(point, scene, Path(folder), sabotage)
            if wrong is None:
                break
            killed.points[scene.name] = killed.points.get(scene.name, 0) + 1
            killed.wrong += [f"{scene.name}, killed before call {point}: {each}" for each in wrong]
            if killed.wrong and sabotage is not None:
                return killed
    return killed


def _kill_at(point: int, scene: Scene, folder: Path, sabotage: Sabotage | None) -> list[str] | None:
    """What is wrong afterwards; None: so many calls to the disk there are not."""
    prepared(folder)
    told, status = _forked(lambda tell: _ask(point, scene, folder, sabotage, tell))
    if os.WIFEXITED(status):
        return None if os.WEXITSTATUS(status) == 0 else ["it failed before it was killed"]
    at_once = found(folder)
    wrong = [*at_once.wrong, *at_once.lost(told)]
    _, status = _forked(lambda tell: _go_on(folder))
    if status:
        return [*wrong, "the next process failed"]
    return [*wrong, *_of_the_end(found(folder), told)]


def _of_the_end(then: Found, told: set[Fact]) -> list[str]:
    """Everything that waited has been applied."""
    return [*then.wrong, *then.lost(told), *(f"{fact} still waits" for fact in then.kept)]


def _ask(point: int, scene: Scene, folder: Path, sabotage: Sabotage | None, tell: Callable[[Answered], None]) -> None:
    left = [sys.maxsize]

    def count(call: Call) -> Fault:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return Fault.NONE

    Between(count).install()
    python_files.watch(count)
    sqlite.CHECKPOINT_ROWS, sqlite.LONGEST_LOG_BYTES = scene.checkpoint_rows, scene.longest_log
    if sabotage is not None:
        sabotage()
    asking = Asking(prepared(folder))
    left[0] = point
    for ask in asking.call_by_api(1):
        tell(ask())
    greet, *rest = asking.call_by_telephone(2)
    tell(greet())
    with store_away(scene.away):
        for ask in rest:
            tell(ask())
    apply_waiting(asking.service)
    left[0] = sys.maxsize
    asking.service.store.close()


@contextmanager
def store_away(away: bool) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        if away:
            databases.replace_in_stores(patched, "begin", _is_away)
        yield


def _is_away(*_: object) -> None:
    raise StoreUnavailable("it is away")


def _go_on(folder: Path) -> None:
    """As the next process would: what waits is applied, and new calls are taken."""
    asking = Asking(prepared(folder))
    apply_waiting(asking.service)
    for ask in (*asking.call_by_api(3), *asking.call_by_telephone(4)):
        answered = ask()
        assert answered.saved, answered
        assert not answered.fault, answered
    asking.service.store.close()


def _forked(work: Callable[[Callable[[Answered], None]], None]) -> tuple[set[Fact], int]:
    """Done by a child: what it told to be saved, and how it ended."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work(lambda answered: _tell(write, answered))
            status = 0
        except BaseException:  # noqa: BLE001 - told by its end
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write)
    with open(read, encoding="utf-8") as lines:
        told = {Fact(call_id, Effect(effect)) for call_id, effect in map(str.split, lines)}
    return told, os.waitpid(pid, 0)[1]


def _tell(write: int, answered: Answered) -> None:
    assert not answered.fault, answered
    if answered.saved:
        os.write(write, f"{answered.fact.call_id} {answered.fact.effect}\n".encode())
