"""A call's three messages in every order and each of them twice end in the same memory (semantics §9).

V is the voice webhook, E the agent's calls/end over REST, S Twilio's terminal status, T the turn that chooses from the
line's menu (which only a caller who heard it can, so V comes before it). The clock stands still, so that
whatever differs in the end differs because of the order and not because of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from adapter.app import create_app
from adapter.engine.line import Line, Menu, MenuOption
from tests import databases
from tests.builders import Api, CountedIds, ToldClock, Twilio, a_config, a_line, call_sid, issue_key

pytestmark = pytest.mark.stores

CALLER = "+14155550123"
SID, EARLIER = call_sid(2), call_sid(1)
ORDERS = sorted({"".join(order) for order in permutations("VVEESS")})
# Caller data, all of it but calls (compared as the API shows them: how a call would be undone is nobody's business once
# it has ended) and answers (a voice answer is kept only when there was one to give; it is a cache and not memory).
TABLES = ("customers", "numbers", "external_ids", "sightings", "intents", "variables", "usage", "tombstones")
TURNED = sorted({f"V{''.join(order)}V" for order in permutations("TTEESS")})
MENU = Menu((MenuOption("moving", "1"), MenuOption("refund_request", "2")))
# An end that came first could not name the customer: there was none to be named. So what the call rests on (its basis)
# is the number in one order and the customer_ref in another, and neither is wrong. And who calls after the agent's end
# is put through without a conversation.
LATE = ("basis", "conversation")
WRITTEN = {"intent": "refund_request", "variables": {"name": "Maria", "city": "Lyon"}}


@dataclass
class Played:
    """What was answered while the messages came in, and what was left behind."""

    twiml: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)
    call: dict[str, Any] = field(default_factory=dict)
    customer: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)


@dataclass
class Scene:
    """One database, one caller, Twilio and the agent."""

    api: Api
    twilio: Twilio
    clock: ToldClock
    folder: Path

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        with databases.reading(databases.url_in(self.folder)) as rows:
            return {name: sorted(rows(f"SELECT * FROM {name}"), key=repr) for name in TABLES}


def scene(line: Line) -> Iterator[Scene]:
    with TemporaryDirectory() as folder:
        clock = ToldClock()
        config = a_config(Path(folder), lines=(line,))
        databases.brought_up_to_date(config.database.url)
        app = create_app(config, clock=clock, ids=CountedIds())
        yield Scene(Api(app.test_client(), issue_key(app)), Twilio(app.test_client()), clock, Path(folder))
        app.extensions["sticky-calls"].store.close()
        databases.postgresql.take_back(Path(folder))


def a_new_caller(scene: Scene) -> None:
    """Nobody has called yet."""


def a_returning_caller(scene: Scene) -> None:
    """Called a week ago from a mobile, left the same question open, told her name."""
    ref = scene.api.start(EARLIER, "mobile", ani=CALLER).json["customer_ref"]
    ended = scene.api.end(EARLIER, customer_ref=ref, intent="refund_request", variables={"name": "Mary"})
    assert ended.status_code == 200
    scene.clock.advance(days=7)


def by_number(scene: Scene) -> dict[str, Any]:
    return {"identity_hints": {"ani": CALLER}}


def by_ref_where_known(scene: Scene) -> dict[str, Any]:
    """The agent's desktop asks whose call it is, and knows nobody before there was a voice webhook."""
    found = scene.api.call(SID)
    ref = found.json["customer_ref"] if found.status_code == 200 else None
    return {**by_number(scene), **({"customer_ref": ref} if ref else {})}


def play(
    order: str, before: Callable[[Scene], None], named: Callable[[Scene], dict[str, Any]], key: str = ""
) -> Played:
    """`key`: what the caller presses at the menu; "" for a line without one."""
    played = Played()
    for stage in scene(a_line(menu=MENU) if key else a_line()):
        before(stage)
        for message in order:
            if message == "V":
                played.twiml.append(stage.twilio.voice(SID, CALLER).text)
            elif message == "T":
                chosen = {"CallSid": SID, "From": CALLER, "CallStatus": "in-progress", "Digits": key}
                played.turns.append(stage.twilio.post("turn/1", **chosen).text)
            elif message == "E":
                played.ends.append(stage.api.end(SID, **named(stage), **WRITTEN).status_code)
            else:
                # A call as short as the frozen clock makes it: with 35 s the hang-up would date the start before the
                # voice webhook came, and so it would be right for the two to disagree.
                played.statuses.append(stage.twilio.status(SID, CALLER, CallDuration="0").status_code)
        played.call = stage.api.call(SID).json
        played.customer = stage.api.customer(played.call["customer_ref"]).json
        played.tables = stage.tables()
    return played


@cache
def usual(before: Callable[[Scene], None], named: Callable[[Scene], dict[str, Any]]) -> Played:
    """The messages once each, in the order in which they are sent."""
    return play("VSE", before, named)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("before", [a_new_caller, a_returning_caller])
def test_every_order_of_every_message_twice_leaves_the_same_memory(order: str, before: Callable[[Scene], None]) -> None:
    played, expected = play(order, before, by_number), usual(before, by_number)
    assert without(played.call, "conversation") == without(expected.call, "conversation")
    assert customer_without(played.customer, "conversation") == customer_without(expected.customer, "conversation")
    assert played.tables == expected.tables
    assert [row[-1] for row in played.tables["usage"]] == [5 if before is a_returning_caller else 3]
    assert each_was_taken_once(played)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("before", [a_new_caller, a_returning_caller])
def test_an_end_that_names_the_customer_where_it_can_leaves_the_same_memory(
    order: str, before: Callable[[Scene], None]
) -> None:
    played, expected = play(order, before, by_ref_where_known), usual(before, by_ref_where_known)
    assert without(played.call, *LATE) == without(expected.call, *LATE)
    assert customer_without(played.customer, *LATE) == customer_without(expected.customer, *LATE)
    assert without_sightings(played.tables) == without_sightings(expected.tables)
    assert each_was_taken_once(played)


@cache
def usual_turns(before: Callable[[Scene], None], key: str) -> Played:
    return play("VTSE", before, by_number, key)


@pytest.mark.parametrize("order", TURNED)
@pytest.mark.parametrize("before", [a_new_caller, a_returning_caller])
@pytest.mark.parametrize("key", ["1", "2"], ids=["of the menu alone", "of the menu and the agent"])
def test_a_choice_from_the_menu_counts_the_same_in_every_order(
    order: str, before: Callable[[Scene], None], key: str
) -> None:
    played, expected = play(order, before, by_number, key), usual_turns(before, key)
    assert played.call == expected.call
    assert played.customer == expected.customer
    assert played.tables == expected.tables
    assert played.turns[0] == played.turns[1]
    assert each_was_taken_once(played)
    attempts = {each["intent"]: each["attempt_count"] for each in played.customer["intents"]}
    returning = before is a_returning_caller
    assert attempts == {"refund_request": 1 + returning, **({"moving": 1} if key == "1" else {})}


def test_ninety_orders_are_all_there_are() -> None:
    assert len(ORDERS) == len(TURNED) == 90


def test_the_comparison_would_see_a_difference() -> None:
    """The positive control: another word of the agent, another number on the line, and the states differ."""
    usually = usual(a_new_caller, by_number)
    returning = usual(a_returning_caller, by_number)
    assert usually.tables != returning.tables
    assert usually.call != returning.call
    once_more = play("VSE", a_new_caller, lambda _: {"identity_hints": {"ani": "+14155550124"}})
    assert once_more.tables != usually.tables
    assert play("VS", a_new_caller, by_number).tables != usually.tables


def each_was_taken_once(played: Played) -> bool:
    """The second end is refused; the second webhook hears, to the byte, what the first one heard."""
    first, second = played.twiml
    return played.ends == [200, 409] and played.statuses == [204, 204] and first == second and "<Response>" in first


def without(call: dict[str, Any], *names: str) -> dict[str, Any]:
    explanation = {name: value for name, value in call["explanation"].items() if name not in names}
    return {name: value for name, value in call.items() if name not in names} | {"explanation": explanation}


def customer_without(customer: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**customer, "calls": [without(call, *names) for call in customer["calls"]]}


def without_sightings(tables: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """Where the end names the customer, it was presented together with the number in one order and not in another."""
    return {name: rows for name, rows in tables.items() if name != "sightings"}
