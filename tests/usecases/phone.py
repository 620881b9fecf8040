"""A caller's side of use cases: calls a line, answers its questions, hangs up. No TwiML in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adapter.engine.flow import Ask, HandOver, Step
from adapter.engine.line import (
    Confirm,
    Destination,
    DestinationKind,
    Identify,
    Line,
    Menu,
    MenuOption,
    Offer,
    ProofKind,
)
from adapter.engine.model import HangUp, Hints, Mode, Origin, Outcome, Principal, StartCall, Turn
from adapter.usecases import Greeting, Service, greet, take_turn
from adapter.usecases.end import hang_up
from tests.builders import DIALED, a_line

ANI, OTHER_ANI = "+14155550123", "+14155550124"
PIN = Confirm(by=ProofKind.PIN, variable="pin", tries=2)
MENU = Menu((MenuOption("refund_request", "1", ("refund",)), MenuOption("moving", "2", ("move",))))
# Where a context goes along.
DESK = Destination(DestinationKind.SIP, "sip:desk@example.com")
SENIORS = Destination(DestinationKind.QUEUE, "seniors")


def by_pin(**changes: Any) -> Line:
    """Asks probable callers for their PIN, then everybody what they call about."""
    return a_line(**{"destination": DESK, "confirm": PIN, "menu": MENU, **changes})


def by_name(**changes: Any) -> Line:
    return a_line(**{"destination": DESK, "confirm": Confirm(by=ProofKind.NAME, tries=2), **changes})


def by_account(**changes: Any) -> Line:
    """Whom nothing identifies may name the account."""
    return a_line(**{"destination": DESK, "identify": Identify("account"), "confirm": PIN, **changes})


def offering(**changes: Any) -> Line:
    return a_line(**{"destination": DESK, "offer": Offer(), "menu": MENU, **changes})


@dataclass
class Phone:
    """`turns`: the number that the answer to the last step of each call carries."""

    service: Service
    line: Line
    turns: dict[str, int] = field(default_factory=dict)

    @property
    def principal(self) -> Principal:
        found = self.service.directory.principal("acme", Mode.PROD)
        assert found is not None
        return found

    def webhook(self, call_id: str, ani: str | None = ANI, **hints: Any) -> Greeting:
        """The voice webhook."""
        command = StartCall(call_id, Hints(ani=ani, dnis=DIALED, **hints), Origin.TWILIO)
        greeting = greet(self.service, self.principal, self.line, command)
        self.turns[call_id] = greeting.step.turn
        return greeting

    def call(self, call_id: str, ani: str | None = ANI, **hints: Any) -> list[str]:
        """Calls; what is said."""
        return said(self.webhook(call_id, ani, **hints).step)

    def turn(self, call_id: str, number: int | None = None, **did: Any) -> Step:
        """What the caller did, as the answer to the last step or to step `number`."""
        at = self.turns[call_id] if number is None else number
        step = take_turn(self.service, self.principal, self.line, Turn(call_id, at, **did)).step
        if number is None:
            self.turns[call_id] = step.turn
        return step

    def presses(self, call_id: str, digits: str) -> Step:
        return self.turn(call_id, digits=digits)

    def says(self, call_id: str, words: str) -> Step:
        return self.turn(call_id, speech=words)

    def is_silent(self, call_id: str) -> Step:
        return self.turn(call_id)

    def nobody_answers(self, call_id: str) -> Step:
        return self.turn(call_id, outcome=Outcome.NO_ANSWER)

    def hangs_up(self, call_id: str, ani: str | None = ANI) -> None:
        assert hang_up(self.service, self.principal, HangUp(call_id, Hints(ani=ani), self.service.clock.now()))


def said(step: Step) -> list[str]:
    """The names of the texts."""
    return [each.text for each in step.says]


def asks(step: Step) -> bool:
    return isinstance(step.then, Ask)


def context(step: Step) -> dict[str, str]:
    """What goes along with the hand-over."""
    assert isinstance(step.then, HandOver)
    return dict(step.then.context)
