"""The whole graph of a conversation: every state is reached, every walk ends, nothing is asked or rung too often.

Not sampled: all states and all edges between them, and the worst walk of all computed over them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import pytest

from adapter.engine.flow import Ask, HandOver, HangUp, Record, hearing, table, tries_at
from adapter.engine.flow.graph import Reached, starts, walk
from adapter.engine.flow.sampling import turns_at
from adapter.engine.flow.speaking import value_of
from adapter.engine.flow.table import Event, Keeps, Move, Then
from adapter.engine.line import (
    Confirm,
    Destination,
    DestinationKind,
    Disclosure,
    DisclosureRules,
    Forget,
    Line,
    Menu,
    Offer,
    ProofKind,
)
from adapter.engine.model import Memory, Outcome, Place
from tests.builders import a_line
from tests.engine.talks import (
    BY_DIGITS,
    BY_NAME,
    BY_PIN,
    CONFIRM,
    DESTINATIONS,
    IDENTIFY,
    IGNORE,
    INTENTS,
    LANGUAGES,
    MENU,
    a_full_line,
    a_talk,
    explore,
)

QUESTIONS = (Place.LANGUAGE, Place.WHO, Place.IDENTIFY, Place.CONFIRM, Place.OFFER, Place.MENU, Place.FORGET)
SMALL = {"languages": (), "intents": {"refund": INTENTS["refund"]}, "resume_minutes": 0}
RUNG = {
    kind: Destination(kind, "target", after={Outcome.BUSY: "again", Outcome.NO_ANSWER: "mailbox"})
    for kind in DestinationKind
}
CYCLE = {
    "a": Destination(DestinationKind.DIAL, "+14155550111", after=dict.fromkeys(Outcome, "b")),
    "b": Destination(DestinationKind.DIAL, "+14155550112", after=dict.fromkeys(Outcome, "c")),
    "c": Destination(DestinationKind.DIAL, "+14155550113", after=dict.fromkeys(Outcome, "a")),
}

FULL = a_full_line(**SMALL)
TWO_LANGUAGES = a_full_line(**{**SMALL, "languages": LANGUAGES, "confirm": BY_NAME})
SHAPES = [
    pytest.param(a_line(), id="plain"),
    pytest.param(a_line(languages=LANGUAGES), id="languages"),
    pytest.param(a_line(confirm=BY_PIN), id="confirm by PIN"),
    pytest.param(a_line(confirm=BY_NAME), id="confirm by name"),
    pytest.param(a_line(confirm=replace(BY_DIGITS, always=True, tries=1)), id="confirm by digits, always, once"),
    pytest.param(a_line(identify=IDENTIFY), id="identify"),
    pytest.param(a_line(identify=IDENTIFY, confirm=BY_DIGITS), id="identify and confirm"),
    pytest.param(a_line(offer=Offer(3, 2), intents=INTENTS), id="offer"),
    pytest.param(a_line(menu=MENU), id="menu"),
    pytest.param(a_line(menu=MENU, intents=INTENTS, destinations=DESTINATIONS), id="menu with destinations"),
    pytest.param(a_line(confirm=BY_PIN, menu=MENU, forget=Forget("refund", 3)), id="forget"),
    pytest.param(a_line(menu=replace(MENU, tries=1), speech=False, resume_minutes=5), id="menu, taken up again"),
    *(
        pytest.param(
            a_line(destination=RUNG[kind], menu=MENU, destinations={"again": RUNG[kind], **DESTINATIONS}),
            id=f"destination {kind.value}",
        )
        for kind in DestinationKind
    ),
    pytest.param(
        a_line(destination=replace(CYCLE["c"]), menu=MENU, destinations=CYCLE, resume_minutes=5), id="cycle of `after`"
    ),
    pytest.param(a_full_line(**{**SMALL, "resume_minutes": 5}), id="all parts, taken up again"),
    pytest.param(TWO_LANGUAGES, id="all parts in two languages"),
]


class Endless(Exception):
    """A walk comes back to where it was, or there is no end of states."""


@dataclass
class Graph:
    """All states of a line by number, and all edges between them. `labels`: all that callers did."""

    states: dict[int, Reached]
    edges: dict[int, tuple[int, ...]]
    first: tuple[int, ...]
    labels: set[str]

    @classmethod
    def of(cls, line: Line, most: int = 60_000) -> Graph:
        numbers: dict[Hashable, int] = {}

        def number(reached: Reached) -> int:
            return numbers.setdefault(reached.state, len(numbers))

        graph = cls({}, {}, tuple(map(number, starts(line))), set())
        for reached, further in walk(line):
            if len(graph.states) == most:
                raise Endless("too many states")
            here = number(reached)
            graph.states[here] = reached
            graph.edges[here] = tuple(dict.fromkeys(map(number, further)))
            graph.labels.update(each.path[-1] for each in further)
        return graph

    def most_on_any_walk(self, counted: Mapping[int, int]) -> int:
        """The largest sum of `counted` over the states of any walk. Raises Endless for a walk without an end."""
        worst: dict[int, int] = {}
        entered: set[int] = set()
        stack = [(state, False) for state in self.first]
        while stack:
            state, finished = stack.pop()
            if finished:
                entered.discard(state)
                worst[state] = counted[state] + max((worst[each] for each in self.edges[state]), default=0)
            elif state in entered:
                raise Endless(" / ".join(self.states[state].path))
            elif state not in worst:
                entered.add(state)
                stack.append((state, True))
                stack.extend((each, False) for each in self.edges[state] if each not in worst)
        return max(worst[state] for state in self.first)

    def asking(self, place: Place) -> dict[int, int]:
        return {state: int(_asks_at(each, place)) for state, each in self.states.items()}

    def ringing(self, name: str) -> dict[int, int]:
        rung = {state for state, each in self.states.items() if isinstance(each.step.then, HandOver)}
        return {state: int(state in rung and each.talk.destination == name) for state, each in self.states.items()}


def graph_of(line: Line) -> Graph:
    """Walked once; for lines that stay, and the conversation as it is."""
    if id(line) not in _GRAPHS:
        _GRAPHS[id(line)] = Graph.of(line)
    return _GRAPHS[id(line)]


_GRAPHS: dict[int, Graph] = {}


def _asks_at(reached: Reached, place: Place) -> bool:
    return reached.talk.place is place and isinstance(reached.step.then, Ask)


def allowed(line: Line, place: Place) -> int:
    """How often a place may ask in one call; each offer is a question of its own."""
    offers = line.offer.most if line.offer and place is Place.OFFER else 1
    # A call that is taken up again is a second call.
    calls = 2 if line.resume_minutes else 1
    return tries_at(line, place) * offers * calls


def check(line: Line, graph: Graph) -> None:
    """What must hold of every conversation."""
    for place in QUESTIONS:
        assert graph.most_on_any_walk(graph.asking(place)) <= allowed(line, place), place
    for name in {each.talk.destination for each in graph.states.values()}:
        assert graph.most_on_any_walk(graph.ringing(name)) <= (2 if line.resume_minutes else 1), name
    for state, reached in graph.states.items():
        talk, then = reached.talk, reached.step.then
        assert len(set(talk.tried)) == len(talk.tried), reached.path
        assert bool(graph.edges[state]) is (talk.place is not Place.OVER), reached.path
        assert isinstance(then, _THEN[talk.place]) or _is_away(then), reached.path
        if isinstance(then, HandOver):
            assert then.destination == line.destination_named(talk.tried[-1])
        assert reached.step.turn == talk.turn > 0
        assert all(each.language for each in reached.step.says)


def _is_away(then: Any) -> bool:
    return isinstance(then, HandOver) and then.destination.kind is DestinationKind.REDIRECT


_THEN: dict[Place, Any] = {
    **dict.fromkeys(QUESTIONS, Ask),
    Place.HANDED_OVER: HandOver,
    Place.VOICEMAIL: Record,
    Place.OVER: HangUp,
}


@pytest.mark.parametrize("line", SHAPES)
def test_every_walk_ends_and_nothing_is_asked_or_rung_too_often(line: Line) -> None:
    check(line, graph_of(line))


@pytest.mark.parametrize("line", SHAPES[:12])
def test_explore_shows_each_state_once_by_a_shortest_path(line: Line) -> None:
    shown = list(explore(line))
    assert len({each.state for each in shown}) == len(shown)
    assert {each.state for each in shown} == {each.state for each in graph_of(line).states.values()}
    lengths = [len(each.path) for each in shown]
    assert lengths == sorted(lengths)
    assert all(each.known == each.caller.known(line) for each in shown)


@pytest.mark.slow
def test_with_everything_at_once_too() -> None:
    once = {
        "forget": Forget("refund", 1),
        "offer": Offer(1, 1),
        "menu": Menu(MENU.options[:2], tries=1),
        "confirm": replace(BY_PIN, tries=2),
    }
    line = a_full_line(**once, identify=replace(IDENTIFY, tries=1), intents={"refund": INTENTS["refund"]})
    graph = Graph.of(line)
    check(line, graph)
    assert {each.talk.place for each in graph.states.values()} == set(Place)


def test_every_place_and_every_event_is_walked_through() -> None:
    walked = graph_of(TWO_LANGUAGES).labels
    for place in QUESTIONS:
        assert {f"{place}: {what}" for what in ("silence", "wrong key", "not understood")} <= walked
    for expected in [
        "language: de-DE",
        "who: right answer",
        "who: wrong answer",
        "who: right answer, too late",
        "confirm: right answer",
        "confirm: wrong answer",
        "confirm: wrong answer, locked",
        "confirm: right answer, too late",
        "identify: account number",
        "offer: yes",
        "offer: no",
        "menu: refund",
        "menu: complaint",
        "forget: yes",
        "forget: no",
        *(f"handed_over: {outcome.value.replace('_', ' ')}" for outcome in Outcome),
        "voicemail: message",
        "voicemail: silence",
    ]:
        assert expected in walked


def test_who_was_refuted_or_locked_out_is_somebody_new() -> None:
    for line in (FULL, a_line(confirm=replace(BY_PIN, tries=1))):
        states = Graph.of(line).states.values()
        answered = [each for each in states if each.path[-1].startswith(("confirm: wrong", "who: wrong"))]
        refuted = [each for each in answered if each.talk.place not in (Place.CONFIRM, Place.WHO)]
        assert refuted
        assert {(each.caller.recommendation, each.caller.memory) for each in refuted} == {(IGNORE, Memory())}


def test_a_named_account_makes_nobody_known() -> None:
    def became(line: Line) -> set[Any]:
        named = [each for each in Graph.of(line).states.values() if "identify: account" in each.path[-1]]
        return {each.caller.recommendation for each in named}

    assert became(a_line(identify=IDENTIFY, confirm=BY_PIN)) == {IGNORE}
    assert became(a_line(identify=IDENTIFY)) == {IGNORE, CONFIRM}


def test_a_caller_without_a_number_is_promised_no_call_back_and_is_not_taken_up_again() -> None:
    ring_back = Destination(DestinationKind.CALLBACK)
    states = list(explore(a_line(menu=MENU, destination=ring_back, resume_minutes=5)))
    unnumbered = [each for each in states if not each.caller.has_number]
    assert unnumbered
    for each in states:
        said = {say.text for say in each.step.says}
        assert ("callback" in said) <= each.caller.has_number
        assert ("callback_request" in each.talk.opened) <= each.caller.has_number
    assert {"unreached"} < {say.text for each in unnumbered for say in each.step.says}
    assert not any(each.talk.attempt_of for each in unnumbered)


def test_who_only_takes_calls_is_not_kept_by_the_walk() -> None:
    """Each worker would hold it for nothing."""
    code = "import sys, adapter.engine.flow as _; sys.exit('adapter.engine.flow.graph' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_text_of_the_conversation_is_heard_somewhere() -> None:
    lines: Iterator[Line] = iter(
        [
            FULL,
            a_full_line(**{**SMALL, "languages": LANGUAGES, "confirm": None}),
            a_line(confirm=BY_NAME, resume_minutes=1),
            a_line(confirm=BY_DIGITS),
            a_line(menu=MENU, intents={"refund": replace(INTENTS["refund"], to="goodbye")}, destinations=DESTINATIONS),
        ]
    )
    heard = {say.text for line in lines for each in explore(line) for say in each.step.says}
    assert heard == {
        *("reuse", "confirm", "ignore"),
        *("welcome", "welcome_back", "resumed"),
        *("ask_language", "ask_who", "ask_name", "ask_digits", "ask_pin", "ask_account"),
        *("offer", "menu", "menu_option", "again", "verified", "not_verified", "connecting"),
        *("ask_forget", "forgotten"),
        *("unreached", "voicemail", "recorded", "callback", "goodbye"),
    }


def test_a_plain_call_is_handed_over_whatever_is_recommended() -> None:
    assert {each.talk.place for each in islice(explore(a_line()), 6)} == {Place.HANDED_OVER}


MENU_LINE = a_line(menu=MENU)
LOOPS = [
    pytest.param(MENU_LINE, Place.MENU, Event.SILENCE, Move(Then.FURTHER), id="silence uses up no try"),
    pytest.param(
        a_line(confirm=BY_PIN),
        Place.CONFIRM,
        Event.MISMATCH,
        Move(Then.FURTHER, wrong=True),
        id="nor do wrong answers",
    ),
]


@pytest.mark.parametrize(("line", "place", "event", "move"), LOOPS)
def test_a_row_that_loops_would_be_found(
    monkeypatch: pytest.MonkeyPatch, line: Line, place: Place, event: Event, move: Move
) -> None:
    monkeypatch.setattr(hearing, "TABLE", {**table.TABLE, (place, event): move})
    with pytest.raises(Endless):
        check(line, Graph.of(line))


def test_a_destination_that_is_rung_again_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def ring_again(line: Line, talk: Any, value: str) -> Any:
        return hearing.Heard(replace(talk, destination=value, tried=()))

    line = a_line(menu=MENU, destinations=CYCLE, destination=CYCLE["a"])
    monkeypatch.setattr(hearing, "_KEEPS", {**hearing._KEEPS, Keeps.DESTINATION: ring_again})
    with pytest.raises((Endless, AssertionError)):
        check(line, Graph.of(line))


def test_one_try_too_many_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "tries_at", lambda line, place: 3)
    with pytest.raises(AssertionError):
        check(MENU_LINE, Graph.of(MENU_LINE))


def test_a_confirm_without_an_end_of_time_ends_all_the_same() -> None:
    line = a_line(confirm=Confirm(ProofKind.PIN, variable="pin", seconds=600, tries=10))
    check(line, Graph.of(line))


def test_a_remembered_language_is_one_of_the_lines() -> None:
    line = a_line(languages=LANGUAGES, disclosure=DisclosureRules({"language": Disclosure.PUBLIC}))
    spoken = {value_of(each.known, "language") for each in starts(line)}
    assert spoken == {None, "de-DE"}


def test_a_question_that_is_configured_no_more_has_no_right_answer() -> None:
    labels = [label for label, _, _ in turns_at(a_line(), a_talk(Place.CONFIRM))]
    assert labels == ["silence", "wrong key", "not understood"]
