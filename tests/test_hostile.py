"""Whatever strangers are called, say or send, the TwiML keeps its tree, over the whole way: API, webhooks, store.

HOSTILE_STRINGS sets how many strings each test sends; they are the same every time, but for each kind of database
others. The same over the speaker alone, with more of them: tests/twilio/test_twiml.py.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import pytest
from werkzeug.test import TestResponse

from adapter.config import Config
from adapter.engine.line import (
    Confirm,
    Destination,
    DestinationKind,
    Disclosure,
    DisclosureRules,
    Identify,
    Menu,
    MenuOption,
    Offer,
)
from adapter.twilio import texts, twiml
from tests import databases
from tests.builders import AGENTS, Api, Twilio, a_config, a_line, call_sid
from tests.twilio.hostile import some_hostile

STRINGS = int(os.environ.get("HOSTILE_STRINGS", "50"))
NAMES = ("name", "plan", "town", "balance")
TEMPLATE = "{{ 1237 * 1009 }}"
DONE = "1248133"  # what it would come to
MENU = Menu((MenuOption("billing", key="3", words=("bill",)),), tries=3)
_ALL = " ".join(f"{{{{ {name} }}}}" for name in NAMES)
TEXTS = {
    "reuse": f"Hello {_ALL} {{{{ intent }}}}.",
    "offer": f"Calling about {{{{ intent }}}}? {_ALL}",
    "whisper": f"Here is {_ALL} {{{{ intent }}}}.",
}
TARGETS = {
    DestinationKind.DIAL: AGENTS,
    DestinationKind.SIP: "sip:agents@example.com",
    DestinationKind.CLIENT: "desk",
    DestinationKind.WORKFLOW: "WW" + "0" * 32,
    DestinationKind.RELAY: "wss://example.com/relay",
    DestinationKind.STREAM: "wss://example.com/stream",
    DestinationKind.REDIRECT: "https://example.com/ivr",
}
HEADERS = {f"X-Sticky-{name}" for name in ("Call-Id", "Customer-Ref", "Recommendation", "Verified", "Intent")}
HEADERS |= {f"X-Sticky-{name}" for name in ("Attempt", "Name", "Plan", "Town", "Balance", "Language")}
CONTEXT = {header.removeprefix("X-Sticky-").lower().replace("-", "_") for header in HEADERS}


class Broken(AssertionError):
    """A document that is not what it would have been for somebody harmless."""


def shown(kind: DestinationKind) -> str:
    return f"+141555501{list(TARGETS).index(kind):02}"


ASKED_NAME, ASKED_ACCOUNT, ASKED_MENU, ASKED_OFFER = (f"+141555502{number:02}" for number in range(4))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    public = DisclosureRules(dict.fromkeys(NAMES, Disclosure.PUBLIC))
    line = a_line(disclosure=public, texts=TEXTS)
    asking = (
        replace(line, number=ASKED_NAME, confirm=Confirm(always=True, lockout_failures=1_000_000)),
        replace(line, number=ASKED_ACCOUNT, identify=Identify("account", tries=3)),
        replace(line, number=ASKED_MENU, menu=MENU),
        replace(line, number=ASKED_OFFER, offer=Offer(tries=3)),
    )
    telling = (
        replace(line, number=shown(kind), destination=Destination(kind, target, whisper=kind is DestinationKind.DIAL))
        for kind, target in TARGETS.items()
    )
    return a_config(tmp_path, lines=(*asking, *telling))


@dataclass
class Callers:
    """Calls of strangers. `numbers`: so that each has a number and a call of their own."""

    api: Api
    twilio: Twilio
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def known(self, variables: dict[str, str], intent: str) -> str:
        """The number of somebody who is greeted with all this."""
        number = next(self.numbers)
        ani, call = f"+1650{number:07}", f"history-{number}"
        ref = self.api.start(call, "mobile", ani=ani).json["customer_ref"]
        answer = self.api.end(call, customer_ref=ref, intent=intent, variables=variables)
        assert answer.status_code == 200, answer.text
        return ani

    def rings(self, ani: str, line: str, **fields: str) -> tuple[str, ET.Element]:
        """The call's SID and what it is answered with."""
        sid = call_sid(next(self.numbers))
        return sid, twiml_of(self.twilio.voice(sid, ani, To=line, **fields))

    def answers(self, sid: str, line: str, turn: int, **fields: str) -> ET.Element:
        return twiml_of(self.twilio.post(f"turn/{turn}", CallSid=sid, From="+16505550000", To=line, **fields))


@pytest.fixture
def callers(api: Api, twilio: Twilio) -> Callers:
    return Callers(api, twilio)


def twiml_of(answer: TestResponse) -> ET.Element:
    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    assert answer.data != twiml.EMERGENCY.encode()
    return ET.fromstring(answer.data)


def tree(root: ET.Element, sid: str) -> list[Any]:
    """All but what the product was told: tags, their order, attributes with their values, fixed texts."""
    spoken = root.tag in ("Say", "Sip", "Task")
    text = "" if spoken else (root.text or "").replace(sid, "SID").strip()
    below = [tree(child, sid) for child in root if child.tag != "Parameter"]
    return [root.tag, sorted(root.attrib.items()), text, below]


def check_context(root: ET.Element) -> None:
    """What goes along with a call, in every channel's own writing, is nothing but that."""
    names = [parameter.attrib["name"] for parameter in root.iter("Parameter")]
    if len({*names}) != len(names) or not {*names} <= CONTEXT:
        raise Broken(f"parameters {names}")
    for sip in root.iter("Sip"):
        uri, _, headers = (sip.text or "").partition("?")
        if uri != TARGETS[DestinationKind.SIP] or not {name for name, _ in parse_qsl(headers)} <= HEADERS:
            raise Broken(f"SIP headers {headers}")
    for task in root.iter("Task"):
        attributes = json.loads(task.text or "")
        if not attributes.keys() <= CONTEXT or not all(isinstance(value, str) for value in attributes.values()):
            raise Broken(f"task {task.text}")


def expect(found: ET.Element, sid: str, allowed: list[list[Any]], told: object) -> None:
    """Raises Broken, and says what broke it."""
    if tree(found, sid) not in allowed:
        raise Broken(f"{told!r} made {ET.tostring(found)!r}")
    check_context(found)
    if DONE in "".join(found.itertext()):
        raise Broken(f"{told!r} was executed")


def strings(seed: int, longest: int) -> list[str]:
    """As a JSON body or a form can carry them: the one refuses NUL, none has unpaired surrogates."""
    random = Random(f"{seed} {databases.kind}")
    drawn = (some_hostile(random) for _ in range(STRINGS - 1))
    return [TEMPLATE, *(text.translate(_NOT_SENT)[:longest] or "x" for text in drawn)]


_NOT_SENT = {0: None, **dict.fromkeys(range(0xD800, 0xE000))}


def hear_about(callers: Callers, kind: DestinationKind) -> None:
    """Everybody's name, variables and intent are said, whispered and handed on."""
    harmless = callers.known({name: f"{name} of Zoë" for name in NAMES}, "refund")
    sid, answer = callers.rings(harmless, shown(kind))
    usual = [tree(answer, sid)]
    remembered = strings(seed=list(TARGETS).index(kind), longest=128)
    for first in range(0, STRINGS, len(NAMES) + 1):
        *values, intent = (remembered * 2)[first : first + len(NAMES) + 1]
        sid, answer = callers.rings(callers.known(dict(zip(NAMES, values, strict=True)), intent), shown(kind))
        expect(answer, sid, usual, (*values, intent))
        for number in answer.iter("Number"):
            whisper_to_the_agent(callers, sid, number, (*values, intent))


def whisper_to_the_agent(callers: Callers, sid: str, number: ET.Element, told: object) -> None:
    path = number.attrib["url"].partition("/twilio/")[2]
    leg = callers.twilio.post(path, CallSid=call_sid(0), ParentCallSid=sid, From="+16505550000", To=AGENTS)
    expect(twiml_of(leg), sid, [["Response", [], "", [["Say", [("language", "en-US")], "", []]]]], told)


@pytest.mark.parametrize("kind", TARGETS)
def test_what_is_remembered_changes_nothing(
    callers: Callers, kind: DestinationKind, caplog: pytest.LogCaptureFixture
) -> None:
    hear_about(callers, kind)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("line", "harmless"),
    [
        pytest.param(ASKED_NAME, ("Zoë", "my name is John Doe", "?"), id="at the question for a name"),
        pytest.param(ASKED_ACCOUNT, ("4711", "none", "?"), id="at the question for an account"),
        pytest.param(ASKED_MENU, ("the bill please", "3", "no idea"), id="at the menu"),
        pytest.param(ASKED_OFFER, ("yes", "no", "perhaps"), id="at the offer"),
    ],
)
@pytest.mark.parametrize("said_as", ["SpeechResult", "Digits"])
def test_what_is_said_and_pressed_changes_nothing(
    callers: Callers, line: str, harmless: tuple[str, ...], said_as: str
) -> None:
    zoe = callers.known({"name": "Zoë"}, "refund")
    ani = "anonymous" if line == ASKED_ACCOUNT else zoe
    usual = [after(callers, ani, line, **told)[1] for told in ({}, *({said_as: text} for text in (*harmless, "1")))]
    for text in strings(seed=1, longest=2_000):
        sid, _ = callers.rings(ani, line)
        expect(callers.answers(sid, line, 1, **{said_as: text}), sid, usual, text)


def after(callers: Callers, ani: str, line: str, **told: str) -> tuple[str, list[Any]]:
    sid, _ = callers.rings(ani, line)
    return sid, tree(callers.answers(sid, line, 1, **told), sid)


@pytest.mark.parametrize("field", ["CallerName", "From", "StirVerstat", "ForwardedFrom", "SipHeader_X-Name", "AddOns"])
def test_what_comes_with_a_call_changes_nothing(callers: Callers, twilio: Twilio, field: str) -> None:
    line = shown(DestinationKind.STREAM)
    harmless = ("+16505550001", "anonymous", "nonsense")
    usual = [tree(found, sid) for sid, found in (callers.rings(ani, line) for ani in harmless)]
    broken = tree(twiml_of(twilio.post("voice", CallSid="nonsense", From="+16505550001", To=line)), "SID")
    for text in strings(seed=2, longest=2_000):
        sid = call_sid(next(callers.numbers))
        answer = twiml_of(twilio.post("voice", **{"CallSid": sid, "From": "+16505550001", "To": line, field: text}))
        expect(answer, sid, [*usual, broken], text)


def _written_raw(self: twiml.Speaker, *arguments: Any) -> str:
    document = _WRITTEN(self, *arguments)
    return document.replace("&lt;", "<").replace("&gt;", ">")


def _rendered_twice(template: Any, facts: Any) -> str:
    return texts.Template(_RENDERED(template, facts)).render()


_WRITTEN, _RENDERED = twiml.Speaker._document, texts._render


@pytest.mark.parametrize(
    ("owner", "name", "planted"),
    [
        pytest.param(twiml.Speaker, "_document", _written_raw, id="TwiML that is not escaped"),
        pytest.param(texts, "_render", _rendered_twice, id="values that are read as templates"),
    ],
)
def test_a_planted_mistake_is_found(
    monkeypatch: pytest.MonkeyPatch, callers: Callers, owner: object, name: str, planted: Callable[..., str]
) -> None:
    monkeypatch.setattr(owner, name, planted)
    with pytest.raises((Broken, ET.ParseError)):
        hear_about(callers, DestinationKind.DIAL)
