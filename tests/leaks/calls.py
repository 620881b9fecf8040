"""Random callers: they prove who they are, or claim to; they press, say, wait, hang up, ring back, and come twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from werkzeug.test import TestResponse

from adapter.engine.line import Line, ProofKind
from tests.builders import AGENTS, Api, ToldClock, Twilio, call_sid
from tests.leaks.people import Person
from tests.leaks.rule import Ear, Rule

Fields = dict[str, str]
_MOST_TURNS = 14
_WORDS = ("yes", "no", "ja", "my bill", "I want to buy", "agent", "nonsense of all kinds", "1 2 3")


@dataclass
class World:
    """All that callers need. `sids` counts the calls."""

    random: Random
    twilio: Twilio
    api: Api
    clock: ToldClock
    people: list[Person]
    rule: Rule
    sids: int = 0

    def next_sid(self) -> str:
        self.sids += 1
        return call_sid(self.sids)


@dataclass
class Caller:
    """One call. `typed`: accounts given in this call, which prove nothing of it afterwards. `given`: answers to turns
    that may come again: whoever heard one hears it again, whatever was found out meanwhile."""

    world: World
    line: Line
    number: str
    extra: Fields
    sid: str
    proven: set[str] = field(default_factory=set)
    typed: set[str] = field(default_factory=set)
    given: dict[str, bytes] = field(default_factory=dict)

    def call(self) -> None:
        """From the first webhook to wherever the call goes."""
        document = self._post("voice", {"CallStatus": "ringing"})
        for _ in range(_MOST_TURNS):
            self.world.clock.advance(seconds=self.world.random.choice((1, 5, 20)))
            self._now_and_then()
            step = self._next(document)
            if step is None or self.world.random.random() < 0.06:
                break
            document = self._post(*step)
        if self.world.random.random() < 0.8:
            self.world.twilio.status(self.sid, self.number, **self._fields({"CallStatus": "completed"}))

    def _post(self, address: str, fields: Fields) -> str:
        """Sends a webhook, now and then twice, and listens to the answer."""
        sent = self._fields(fields)
        answer = self.world.twilio.post(address, **sent)
        if self.given.get(address) != answer.data:
            self._listen(answer)
            self.given[address] = answer.data
        if self.world.random.random() < 0.15:
            again = self.world.twilio.post(address, **sent)
            assert again.data == answer.data, "a repeated webhook was answered otherwise"
        return answer.text

    def _fields(self, fields: Fields) -> Fields:
        return {"CallSid": self.sid, "From": self.number, "Caller": self.number, "To": self.line.number} | {
            **self.extra,
            **fields,
        }

    def _listen(self, answer: TestResponse) -> None:
        assert (answer.status_code, answer.mimetype) == (200, "text/xml")
        record = self.world.api.call(self.sid).json
        # A call that could not be started is nobody's.
        known = record if "identity" in record and record["customer_ref"] else _NOBODY
        self.world.rule.check(answer.text, Ear(self.line, known, self.proven))

    def _now_and_then(self) -> None:
        """Things that happen beside the conversation."""
        chance = self.world.random.random()
        if chance < 0.03 and self.world.api.verdict(self.sid, "rejected").status_code == 200:
            self.proven.clear()
        elif chance < 0.05:
            answer = self.world.api.verdict(self.sid, "confirmed")
            if answer.status_code == 200:
                self.proven.add(answer.json["customer_ref"])
        elif chance < 0.12:
            number = self.world.random.choice((0, 1, 2, 3, 99))
            self._post(f"turn/{number}", self.world.random.choice(({"Digits": "1"}, {"DialCallStatus": "busy"}, {})))

    def _next(self, document: str) -> tuple[str, Fields] | None:
        root = ET.fromstring(document)
        for verb, act in _VERBS.items():
            if (element := root.find(verb)) is not None:
                return act(self, root, element)
        return None

    def _gather(self, root: ET.Element, gather: ET.Element) -> tuple[str, Fields]:
        answer = self._answer("".join(gather.itertext()))
        if answer:
            return _path(gather.attrib["action"]), answer
        redirect = root.find("Redirect")
        assert redirect is not None, "silence leads nowhere"
        return _path(redirect.text or ""), {}

    def _answer(self, question: str) -> Fields:
        """{}: silence."""
        random = self.world.random
        if "PROOF" in question and random.random() < 0.8:
            return self._proof(self._somebody())
        if "ACCOUNT" in question and random.random() < 0.8:
            person = self._somebody()
            self.typed.add(person.account)
            return {"Digits": person.account}
        if "OFFER" in question and random.random() < 0.8:
            return random.choice(({"Digits": "1"}, {"Digits": "2"}, {"SpeechResult": "yes please"}))
        return random.choice(({}, {"Digits": random.choice("1234589*")}, {"SpeechResult": random.choice(_WORDS)}))

    def _somebody(self) -> Person:
        """Mostly somebody whose telephone it is."""
        here = [person for person in self.world.people if person.number == self.number]
        return self.world.random.choice(here if here and self.world.random.random() < 0.75 else self.world.people)

    def _proof(self, person: Person) -> Fields:
        """What shows that the caller is this person; whether the product takes it for that is its own affair."""
        confirm = self.line.confirm
        assert confirm is not None, "asked for a proof on a line that wants none"
        if confirm.by is ProofKind.NAME:
            self.proven.add(person.ref)
            return {"SpeechResult": self.world.random.choice((person.name, f"my name is {person.name.lower()}"))}
        whole = person.account if confirm.external_id else person.code
        if whole not in self.typed:
            self.proven.add(person.ref)
        shown = whole if confirm.by is ProofKind.PIN else whole[-confirm.digits :]
        return self.world.random.choice(({"Digits": shown}, {"SpeechResult": " ".join(shown)}))

    def _dial(self, _: ET.Element, dial: ET.Element) -> tuple[str, Fields]:
        for noun in dial:
            if whisper := noun.attrib.get("url"):
                self._whisper(whisper)
        outcomes = ({"DialCallStatus": "completed", "DialBridged": "true"}, {"DialCallStatus": "completed"})
        failures = ({"DialCallStatus": status} for status in ("busy", "no-answer", "failed"))
        return _path(dial.attrib["action"]), self.world.random.choice((*outcomes, *failures))

    def _whisper(self, url: str) -> None:
        """The agent's own leg asks, with the caller's as its parent; what is said there is said to the agent."""
        leg = {"CallSid": self.world.next_sid(), "ParentCallSid": self.sid, "From": self.number, "To": AGENTS}
        answer = self.world.twilio.post(_path(url), **leg, Direction="outbound-dial")
        self._listen(answer)
        gather = ET.fromstring(answer.text).find("Gather")
        if gather is not None:
            key = self.world.random.choice("12")
            self._listen(self.world.twilio.post(_path(gather.attrib["action"]), **leg, Digits=key))

    def _elsewhere(self, _: ET.Element, verb: ET.Element) -> tuple[str, Fields] | None:
        """Enqueue, Connect and Record come back with a result of their own."""
        if "action" not in verb.attrib:
            return None
        results: dict[str, tuple[Fields, ...]] = {
            "Enqueue": ({"QueueResult": "bridged"}, {"QueueResult": "hangup"}, {"QueueResult": "queue-full"}),
            "Connect": ({"SessionStatus": "ended"}, {"SessionStatus": "failed"}),
            "Record": ({"RecordingUrl": "https://example.com/r", "RecordingDuration": "5"}, {}),
        }
        return _path(verb.attrib["action"]), self.world.random.choice(results[verb.tag])


_NOBODY = {"customer_ref": None, "identity": {"recommendation": "ignore"}, "explanation": {"basis": "new"}}
_VERBS: dict[str, Callable[[Caller, ET.Element, ET.Element], tuple[str, Fields] | None]] = {
    "Gather": Caller._gather,
    "Dial": Caller._dial,
    "Enqueue": Caller._elsewhere,
    "Connect": Caller._elsewhere,
    "Record": Caller._elsewhere,
}


def _path(url: str) -> str:
    """Below /twilio/."""
    return urlsplit(url).path.removeprefix("/twilio/")


def a_caller(world: World, line: Line) -> Caller:
    """Somebody rings: from a known number, another's, none at all."""
    random = world.random
    number = random.choice([person.number for person in world.people])
    if random.random() < 0.15:
        number = random.choice(("+15005550006", "anonymous"))
    extra: Fields = {}
    if random.random() < 0.5:
        extra["StirVerstat"] = random.choice(
            ("TN-Validation-Passed-A", "TN-Validation-Passed-B", "TN-Validation-Failed-A")
        )
    if random.random() < 0.1:
        extra["ForwardedFrom"] = random.choice(("+15005550099", number))
    return Caller(world, line, number, extra, world.next_sid())


def rings_back(caller: Caller) -> Caller:
    """The same telephone, a new call: what was proven before counts no more."""
    return replace(caller, sid=caller.world.next_sid(), proven=set(), typed=set(), given={})
