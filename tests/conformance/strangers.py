"""Strangers' words in every place where they can get into a conversation: does any of them become more than words?

Callers of all sorts talk with every line of `tests.twilio.lines` through the real flow: hostile names, variables,
intents, account numbers and spoken words, in the built-in texts and in an operator's. Each document must keep to the
grammar and have the very tree that it has with harmless words; nothing is evaluated, and nobody is told what they may
not hear.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from xml.etree import ElementTree as ET

from adapter.engine.flow import Known, Say, Step, Whispered, begin, go_on, hear, known, whisper
from adapter.engine.line import Line
from adapter.engine.model import (
    Identity,
    Intent,
    IntentStatus,
    Level,
    Memory,
    Place,
    Recommendation,
    Talk,
    Turn,
    Variable,
)
from adapter.twilio.events import read_voice
from adapter.twilio.turns import read_turn
from adapter.twilio.twiml import EMERGENCY, Speaker
from tests.builders import NOW, PUBLIC_URL, a_line, call_sid
from tests.twilio.grammar import check
from tests.twilio.hostile import some_hostile
from tests.twilio.lines import LINES

# What nobody may hear who was not verified; and what a line with a PIN is proved by, which nobody may hear at all.
SENSITIVE, PROOF = "sensitive7canary", "proof7canary"
_FILTERED = "{{ name | upper }}{{ intent | title }}{% if plan %}{{ plan }}{% endif %}{{ city | default('x') }}."
OPERATORS = {
    "en": {
        "reuse": "Hi {{ name }}, {{ intent }} {{ balance }}. " + _FILTERED,
        "welcome_back": "Hi {{ name }} {{ plan | title }} {{ balance }}.",
        "verified": "Yes {{ name | lower }} {{ city }} {{ balance }}.",
        "offer": "About {{ intent | capitalize }} {{ balance }}?",
        "whisper": "Here is {{ name }} {{ intent }} {{ balance }} {{ recommendation }}.",
    }
}
_SPEAKERS = (Speaker(public_url=PUBLIC_URL), Speaker(OPERATORS, PUBLIC_URL))
# What a template would make of words that it read: 7 * 7, a class, a method.
_EVALUATED = re.compile(r"\b49\b|&lt;class|__subclasses__|bound method")
_MOST_TURNS = 12


@dataclass
class Findings:
    """`failures`: one of each kind, with what shows it."""

    strings: int = 0
    documents: int = 0
    failures: dict[str, str] = field(default_factory=dict)

    def note(self, kind: str, shown: str) -> None:
        self.failures.setdefault(kind, shown[:2_000])


@dataclass
class Stranger:
    """Somebody whose every word is hostile."""

    chance: random.Random
    findings: Findings

    def word(self) -> str:
        self.findings.strings += 1
        return some_hostile(self.chance)

    def memory(self) -> Memory:
        values = {name: self.word() for name in ("name", "plan", "city")}
        values |= {"balance": SENSITIVE, "pin": PROOF}
        variables = tuple(Variable(name, value, None, 1, 0, 0, 2**53) for name, value in values.items())
        names = (self.word(), self.chance.choice(("desk", "flex", "senior")), self.word())
        return Memory(tuple(Intent(name, IntentStatus.OPEN, 2, 0, 0, 0, "") for name in names), variables)

    def turn(self, number: int) -> Turn:
        """As Twilio's form tells it."""
        fields = [("CallSid", call_sid(1)), ("CallerName", self.word())]
        if self.chance.random() < 0.6:
            fields.append(("SpeechResult", self.word()))
        if self.chance.random() < 0.4:
            fields.append(("Digits", self.chance.choice(("1", "2", "12345678", self.word()))))
        if self.chance.random() < 0.3:
            fields.append(("DialCallStatus", self.chance.choice(("busy", "completed", "failed", self.word()))))
        turn = read_turn(fields, number)
        assert isinstance(turn, Turn), turn
        return turn


def examine(strings: int, seed: int) -> Iterator[Findings]:
    """The findings so far, after each line, until there were so many hostile strings."""
    findings, chance = Findings(), random.Random(seed)
    while findings.strings < strings:
        for line in LINES.values():
            _talk(line, Stranger(chance, findings))
        _callers_own_fields(Stranger(chance, findings))
        yield findings


def _talk(line: Line, stranger: Stranger) -> None:
    chance = stranger.chance
    memory, recommendation, verified = stranger.memory(), chance.choice(list(Recommendation)), chance.random() < 0.2
    who = _known(line, recommendation, verified, memory)
    talk, step = begin(line, who, NOW)
    for _ in range(_MOST_TURNS):
        _judge(line, talk, step, who, stranger)
        if talk.place is Place.OVER:
            return
        heard = hear(line, talk, stranger.turn(talk.turn), (), NOW)
        talk, step = go_on(line, heard.talk, who, NOW)
    stranger.findings.note("a talk does not end", repr(talk))


def _known(line: Line, recommendation: Recommendation, verified: bool, memory: Memory) -> Known:
    identity = Identity(0.5, Level.MEDIUM, (), recommendation)
    return known(line, call_sid(1), "ref", identity, verified, memory, people=1, provable=True)


def _judge(line: Line, talk: Talk, step: Step, who: Known, stranger: Stranger) -> None:
    for speaker in _SPEAKERS:
        _compare(speaker.speak(step, line), speaker.speak(_harmless(step), line), line, who, stranger.findings)
        told = whisper(line, talk, who)
        if told is not None:
            document = speaker.whisper(told, line, talk.turn)
            harmless = speaker.whisper(Whispered(tuple(map(_plainly, told.says)), told.accept), line, talk.turn)
            _compare(document, harmless, line, who, stranger.findings, whispered=True)


def _compare(document: str, harmless: str, line: Line, who: Known, findings: Findings, whispered: bool = False) -> None:
    findings.documents += 1
    if faults := check(document, whisper=whispered):
        findings.note(faults[0], document)
        return
    if document == EMERGENCY or tree(document) != tree(harmless):
        findings.note("another tree", f"{document}\n{harmless}")
    if _EVALUATED.search(document):
        findings.note("a template was executed", document)
    is_proof = line.confirm is not None and line.confirm.variable == "pin"
    if (is_proof and PROOF in document) or (SENSITIVE in document and not who.verified):
        findings.note("told to somebody who may not hear it", document)


def tree(document: str) -> list[tuple[str, list[str]]]:
    """Elements and attributes' names in order. How many parameters there are is their limits' matter."""
    elements = ET.fromstring(document.encode()).iter()
    return [(each.tag, sorted(each.attrib)) for each in elements if each.tag != "Parameter"]


def _harmless(step: Step) -> Step:
    then = step.then
    context = getattr(then, "context", ())
    if context:
        then = replace(then, context=tuple((name, "x") for name, _ in context))  # type: ignore[call-arg]
    return replace(step, says=tuple(map(_plainly, step.says)), then=then)


def _plainly(say: Say) -> Say:
    return replace(say, facts={name: "x" if isinstance(value, str) else value for name, value in say.facts.items()})


def _callers_own_fields(stranger: Stranger) -> None:
    """A voice webhook's other fields are strangers' words, too: none of them changes who calls."""
    fields = [("CallSid", call_sid(1)), ("From", "+14155550123"), ("To", a_line().number)]
    more = [(name, stranger.word()) for name in ("CallerName", "FromCity", "SipHeader_X-Name", stranger.word())]
    if read_voice([*fields, *more]) != read_voice(fields):
        stranger.findings.note("another call", repr(more))
