"""What is asked of a service while its disk misbehaves: calls that begin, choose, end and are hung up.

Each answer that says "saved" is a fact, which has to be found afterwards (`found`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from xml.etree import ElementTree as ET

from flask import Flask
from werkzeug.test import TestResponse

from adapter.app import create_app
from adapter.clock import SystemClock
from adapter.config import Config
from adapter.engine.line import Menu, MenuOption
from adapter.usecases import Service
from tests import databases
from tests.builders import Api, Twilio, a_config, a_line, call_sid, issue_key

CHOICE = "refund"
_MENU = Menu((MenuOption(CHOICE, "1"), MenuOption("delivery", "2")))
_NEUTRAL = "We do not know you."


class Effect(StrEnum):
    """What can be saved of a call."""

    START = "start"
    END = "end"
    GREETED = "greeted"
    CHOSEN = "chosen"
    HUNG_UP = "hung_up"


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """Somebody was told that this is saved, or it was found to be."""

    call_id: str
    effect: Effect


@dataclass(frozen=True, slots=True)
class Answered:
    """`saved`: the answer says so. `fault`: what is wrong with the answer, whatever happened; "" when nothing is."""

    fact: Fact
    saved: bool
    fault: str = ""


def the_config(folder: Path) -> Config:
    """A line with a menu, and a greeting that tells by itself that it is the neutral one."""
    return a_config(folder, lines=(a_line(menu=_MENU),), texts={"en": {"neutral": _NEUTRAL}})


def prepared(folder: Path) -> Config:
    """The same, with a database that is brought up to date."""
    config = the_config(folder)
    databases.brought_up_to_date(config.database.url)
    return config


class Asking:
    """A client of an app of this process."""

    def __init__(self, config: Config) -> None:
        self.app: Flask = create_app(config, clock=SystemClock())
        self.service: Service = self.app.extensions["sticky-calls"]
        self._api = Api(self.app.test_client(), issue_key(self.app))
        self._twilio = Twilio(self.app.test_client())

    def call_by_api(self, number: int) -> list[Callable[[], Answered]]:
        """The requests of a call, in order."""
        call_id = f"call-{number}"
        return [lambda: self._start(call_id, number), lambda: self._end(call_id, number)]

    def call_by_telephone(self, number: int) -> list[Callable[[], Answered]]:
        """As `call_by_api`: the webhooks."""
        sid = call_sid(number)
        return [lambda: self._voice(sid, number), lambda: self._turn(sid, number), lambda: self._status(sid, number)]

    def _start(self, call_id: str, number: int) -> Answered:
        answer = self._api.start(call_id, ani=_caller(number))
        # A second start is told that the first one was saved.
        return _by_api(Fact(call_id, Effect.START), answer, 200, 409)

    def _end(self, call_id: str, number: int) -> Answered:
        said = {f"mark-{call_id}": "x", "name": "Maria"}
        answer = self._api.end(call_id, f"key-{call_id}", identity_hints={"ani": _caller(number)}, variables=said)
        return _by_api(Fact(call_id, Effect.END), answer, 200)

    def _voice(self, sid: str, number: int) -> Answered:
        answer = self._twilio.voice(sid, _caller(number))
        saved = _NEUTRAL not in answer.text
        return Answered(Fact(sid, Effect.GREETED), saved, _twiml_fault(answer, "Gather" if saved else "Dial"))

    def _turn(self, sid: str, number: int) -> Answered:
        answer = self._twilio.post("turn/1", CallSid=sid, From=_caller(number), CallStatus="in-progress", Digits="1")
        # What could not be saved is kept: to the caller it is the same.
        return Answered(Fact(sid, Effect.CHOSEN), True, _twiml_fault(answer, "Dial"))

    def _status(self, sid: str, number: int) -> Answered:
        answer = self._twilio.status(sid, _caller(number))
        fault = "" if answer.status_code == 204 else f"answered {answer.status_code}"
        return Answered(Fact(sid, Effect.HUNG_UP), True, fault)


def _caller(number: int) -> str:
    return f"+1{201 + number // 10_000_000}{number % 10_000_000:07d}"


def _by_api(fact: Fact, answer: TestResponse, *good: int) -> Answered:
    if answer.status_code in good:
        return Answered(fact, True)
    is_problem = answer.status_code == 503 and answer.is_json and set(answer.json) >= {"error", "message"}
    return Answered(fact, False, "" if is_problem else f"answered {answer.status_code} {answer.text[:200]}")


def _twiml_fault(answer: TestResponse, wanted: str) -> str:
    if answer.status_code != 200 or answer.mimetype != "text/xml":
        return f"answered {answer.status_code} {answer.mimetype}"
    return "" if ET.fromstring(answer.data).find(wanted) is not None else f"no {wanted} in {answer.text}"
