"""Every step that a conversation can come to, on lines of every shape and in every language, is TwiML as documented."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from xml.etree import ElementTree as ET

import pytest

from adapter.engine.flow import Ask, HandOver, HangUp, Record, neutral, nobody_left, whisper
from adapter.engine.flow.graph import Reached
from adapter.engine.line import DestinationKind, Line, Spoken
from adapter.engine.model import Place
from adapter.twilio.templates import FACTS
from adapter.twilio.twiml import EMERGENCY, Speaker
from tests.builders import PUBLIC_URL
from tests.engine.talks import explore
from tests.twilio.grammar import check
from tests.twilio.lines import LANGUAGES, LINES

SPEAKER = Speaker(public_url=PUBLIC_URL)
ENDS = {Ask: "Gather", Record: "Record", HangUp: "Hangup"}


# A line of several languages has them all already.
IN_LANGUAGES = [
    (name, language) for name, line in LINES.items() for language in (LANGUAGES[:1] if line.languages else LANGUAGES)
]


@cache
def steps_of(name: str, language: str = "") -> tuple[Reached, ...]:
    """Walked once for all tests of this process."""
    return tuple(explore(in_language(LINES[name], language)))


def in_language(line: Line, language: str) -> Line:
    return line if line.languages or not language else replace(line, language=language)


@pytest.mark.parametrize(("name", "language"), IN_LANGUAGES)
def test_every_step_is_twiml_as_documented(name: str, language: str, caplog: pytest.LogCaptureFixture) -> None:
    line = in_language(LINES[name], language)
    for each in steps_of(name, language):
        document = SPEAKER.speak(each.step, line)
        assert check(document) == [], (each.path, document)
        assert document != EMERGENCY, each.path
        assert document.count("<Say ") == len(each.step.says), (each.path, document)
        told = whisper(line, each.talk, each.known)
        if told is not None:
            assert check(SPEAKER.whisper(told, line, each.talk.turn), whisper=True) == []
    for step in (neutral(line), nobody_left(line)):
        assert check(SPEAKER.speak(step, line)) == []
    assert caplog.records == []


@pytest.mark.parametrize("name", LINES)
def test_every_step_does_what_it_is_for_and_answers_come_back_to_it(name: str) -> None:
    line = LINES[name]
    for each in steps_of(name):
        root = ET.fromstring(SPEAKER.speak(each.step, line))
        tags = {element.tag for element in root.iter()}
        if type(each.step.then) in ENDS:
            assert ENDS[type(each.step.then)] in tags
        actions = {element.attrib["action"] for element in root if "action" in element.attrib}
        assert actions <= {f"{PUBLIC_URL}/twilio/turn/{each.talk.turn}"}, each.path
        if isinstance(each.step.then, Ask | Record) or (isinstance(each.step.then, HandOver) and "Dial" in tags):
            assert actions, each.path


def test_the_lines_come_to_everything_there_is() -> None:
    """Else the tests above could be right about nothing."""
    found: Counter[object] = Counter()
    for name in LINES:
        for each in steps_of(name):
            found.update({each.talk.place, type(each.step.then), *(say.text for say in each.step.says)})
            if isinstance(each.step.then, HandOver):
                found[each.step.then.destination.kind] += 1
    said = {text for text in found if isinstance(text, str)}
    unsaid = {"neutral", "whisper", "whisper_accept"}
    assert set(FACTS) - said - set(Place) <= unsaid
    assert {Ask, HandOver, HangUp, Record} <= set(found)
    assert set(Place) <= set(found)
    carried = set(DestinationKind) - {DestinationKind.VOICEMAIL, DestinationKind.CALLBACK, DestinationKind.HANGUP}
    assert carried <= set(found)


def test_a_language_without_words_of_its_own_is_spoken_to_in_english() -> None:
    line = replace(LINES["menu"], languages=(Spoken("it-IT"),))
    for each in explore(line):
        assert check(SPEAKER.speak(each.step, line)) == []
