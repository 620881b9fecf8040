"""No stored value is told to a caller who is not entitled to it: random people, lines and calls, and a naive rule.

NO_LEAKS_WORLDS sets how many worlds are played (a world: 8 people, 6 lines, some 40 calls). A world is the same every
time, so that the number of one with a leak is all there is to know.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapter.app import create_app
from adapter.engine.flow import judging
from adapter.engine.line import Disclosure
from adapter.engine.model import Call, Verdict
from adapter.usecases import whisper
from tests import databases
from tests.builders import Api, CountedIds, ToldClock, Twilio, a_config, issue_key
from tests.leaks.calls import World, a_caller, rings_back
from tests.leaks.lines import MARKED, a_random_line
from tests.leaks.people import ALL_INTENTS, settle, some_people
from tests.leaks.rule import Leak, Rule

WORLDS = int(os.environ.get("NO_LEAKS_WORLDS", "6"))
_LINES, _CALLS = 6, 30


def play(number: int, folder: Path) -> World:
    """World `number`, when all its calls are over. Raises Leak."""
    random, clock, folder = Random(number), ToldClock(), folder / str(number)
    folder.mkdir()
    lines = tuple(a_random_line(random, f"+1415555010{place}", ALL_INTENTS) for place in range(_LINES))
    config = a_config(folder, lines=lines, texts={"en": MARKED, "de": MARKED})
    databases.brought_up_to_date(config.database.url)
    app = create_app(config, clock=clock, ids=CountedIds())
    try:
        client = app.test_client()
        people = some_people(random)
        world = World(random, Twilio(client), Api(client, issue_key(app)), clock, people, Rule(people))
        settle(world.api, random, people)
        for _ in range(_CALLS):
            caller = a_caller(world, random.choice(lines))
            caller.call()
            if random.random() < 0.3:
                clock.advance(seconds=random.choice((5, 300)))
                rings_back(caller).call()
            clock.advance(seconds=random.choice((10, 3_600, 100_000)))
        return world
    finally:
        app.extensions["sticky-calls"].store.close()


@pytest.mark.parametrize("number", range(WORLDS))
def test_nobody_hears_what_is_not_for_them(number: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world = play(number, tmp_path)
    written = caplog.text.casefold()
    marks = {mark for person in world.people for _, _, mark in person.marks()}
    assert {mark for mark in marks if mark in written} == set()
    _HEARD[number] = world.rule.heard


# What was told in the worlds that were played in this process: they are the same every time.
_HEARD: dict[int, Counter[str]] = {}


def test_much_is_told_of_every_class_to_whom_it_is_for(tmp_path: Path) -> None:
    """Where nothing is told, nothing can be found that should not have been."""
    heard = sum((_HEARD.get(number) or play(number, tmp_path).rule.heard for number in range(2)), Counter[str]())
    assert {each for each in (*Disclosure, "verified") if heard[each] < 20} == set()


def _everything(memory: Any, *_: object) -> Any:
    return memory


def _anybody(*_: object) -> bool:
    return True


def _no_secrets(*_: object, **__: object) -> tuple[str, ...]:
    return ()


def _whispers_all(line: Any, call: Call, memory: Any) -> Any:
    return _KNOWN_TO_AGENTS(line, replace(call, verdict=Verdict.CONFIRMED), memory)


_KNOWN_TO_AGENTS = whisper.known
_KNOWN = sys.modules["adapter.engine.flow.known"]  # its name in the package is that of its function


@pytest.mark.parametrize(
    ("module", "name", "planted", "found"),
    [
        pytest.param(_KNOWN, "disclosed", _everything, "told", id="memory is not reduced"),
        pytest.param(_KNOWN, "secrets", _no_secrets, "told to anybody at all", id="secrets are told"),
        pytest.param(judging, "is_said", _anybody, "without a proof", id="any name is taken for the caller's"),
        pytest.param(judging, "is_same", _anybody, "without a proof", id="any digits are taken for the caller's"),
        pytest.param(whisper, "known", _whispers_all, "told at", id="agents are told everything"),
    ],
)
def test_a_planted_leak_is_found(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    module: Any,
    name: str,
    planted: Callable[..., object],
    found: str,
) -> None:
    monkeypatch.setattr(module, name, planted)
    with pytest.raises(Leak, match=found):
        _play_all(tmp_path)


def _play_all(folder: Path) -> None:
    """Any order does; in this one each planted leak is in one of the first two worlds."""
    for number in reversed(range(WORLDS)):
        play(number, folder)
