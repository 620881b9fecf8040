"""What tests of the conversation are built from: lines with parts, talks, turns, callers as they are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.engine.flow import Known, known
from adapter.engine.flow.graph import Reached, walk
from adapter.engine.line import (
    Confirm,
    Destination,
    DestinationKind,
    Disclosure,
    DisclosureRules,
    Escalation,
    Forget,
    Identify,
    IntentRule,
    Line,
    Menu,
    MenuOption,
    Offer,
    ProofKind,
    Spoken,
)
from adapter.engine.model import (
    Identity,
    Intent,
    IntentStatus,
    Level,
    Memory,
    Outcome,
    Place,
    Recommendation,
    Talk,
    Turn,
    Variable,
)
from tests.builders import NOW, a_line

CALL = "CA" + "7" * 32
REF = "11111111-1111-4111-8111-111111111111"
OTHER_REF = "22222222-2222-4222-8222-222222222222"
REUSE, CONFIRM, IGNORE = Recommendation.REUSE, Recommendation.CONFIRM, Recommendation.IGNORE

ENGLISH = Spoken("en-US", "Polly.Joanna", "1")
GERMAN = Spoken("de-DE", "Polly.Vicki", "2")
LANGUAGES = (ENGLISH, GERMAN)
BY_NAME = Confirm(ProofKind.NAME)
BY_PIN = Confirm(ProofKind.PIN, variable="pin")
BY_DIGITS = Confirm(ProofKind.DIGITS, external_id="account", digits=4)
IDENTIFY = Identify("account", length=6)
OFFER = Offer(most=2)
MENU = Menu(
    (
        MenuOption("refund", "1", ("money back",)),
        MenuOption("new_order", "2", ("order", "buy something")),
        MenuOption("complaint"),
    )
)
INTENTS = {
    "refund": IntentRule("billing", {"en": "refund", "de": "Erstattung"}, (Escalation(3, "seniors"),)),
    "new_order": IntentRule("sales"),
    "complaint": IntentRule("mailbox"),
}
DESTINATIONS = {
    "billing": Destination(
        DestinationKind.QUEUE, "billing", after={Outcome.FAILED: "mailbox", Outcome.NO_ANSWER: "seniors"}
    ),
    "seniors": Destination(
        DestinationKind.SIP,
        "sip:seniors@example.com",
        whisper=True,
        accept=True,
        after={Outcome.DECLINED: "billing", Outcome.NO_ANSWER: "callback", Outcome.BUSY: ""},
    ),
    "sales": Destination(DestinationKind.CLIENT, "sales", whisper=True, after={Outcome.BUSY: "sales"}),
    "mailbox": Destination(DestinationKind.VOICEMAIL),
    "callback": Destination(DestinationKind.CALLBACK),
    "goodbye": Destination(DestinationKind.HANGUP),
}


def a_full_line(**changes: Any) -> Line:
    """Every part of a conversation."""
    parts = {
        "languages": LANGUAGES,
        "confirm": BY_PIN,
        "identify": IDENTIFY,
        "offer": OFFER,
        "menu": MENU,
        "forget": Forget("complaint"),
        "intents": INTENTS,
        "destinations": DESTINATIONS,
        "resume_minutes": 10,
        "disclosure": DisclosureRules({"name": Disclosure.PERSONAL, "city": Disclosure.PUBLIC}),
    }
    return a_line(**{**parts, **changes})


def explore(line: Line) -> Iterator[Reached]:
    """Each state that its conversation can reach, once, by a shortest path to it."""
    return (reached for reached, _ in walk(line))


def an_intent(name: str, attempts: int = 1, last_call_id: str = "CA" + "0" * 32) -> Intent:
    return Intent(name, IntentStatus.OPEN, attempts, NOW, 0, NOW, last_call_id)


def a_variable(name: str, value: str) -> Variable:
    return Variable(name, value, None, 60, NOW, 0, NOW + 60_000)


def a_memory(*intents: Intent, **variables: str) -> Memory:
    """Open intents, oldest first, and variables by name."""
    return Memory(intents, tuple(a_variable(name, value) for name, value in variables.items()))


MARIA = a_memory(an_intent("new_order"), an_intent("refund", 2), name="Maria Miller", pin="4711", city="Bonn")


def a_caller(line: Line, recommendation: Recommendation = IGNORE, **changes: Any) -> Known:
    """Maria, as the conversation may know her."""
    told = {"verified": False, "memory": MARIA, **changes}
    identity = Identity(0.5, Level.MEDIUM, (), recommendation)
    return known(line, CALL, REF, identity, told.pop("verified"), told.pop("memory"), **told)


def a_talk(place: Place, **changes: Any) -> Talk:
    return Talk(place, **{"since": NOW, **changes})


def a_turn(digits: str = "", speech: str = "", **changes: Any) -> Turn:
    return Turn(CALL, 1, digits, speech, **changes)


def texts(step: Any) -> list[str]:
    """The names of the texts that are said."""
    return [each.text for each in step.says]


def facts(step: Any, text: str) -> dict[str, Any]:
    """The facts of the first such text."""
    return next(dict(each.facts) for each in step.says if each.text == text)
