"""A document comes out whatever goes in, of the same shape for every caller."""

from __future__ import annotations

import logging
from xml.etree import ElementTree as ET
from xml.parsers import expat

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapter.engine.flow.plain import Step
from adapter.engine.line import Destination, DestinationKind, Line
from adapter.engine.model import Mode
from adapter.twilio.texts import BUILT_IN
from adapter.twilio.twiml import EMERGENCY, Speaker

NUMBER = Destination(DestinationKind.DIAL, "+14155550150", 20)
HEAD = '<?xml version="1.0" encoding="UTF-8"?><Response>'
SAY = f'<Say language="en-US">{BUILT_IN["en"]["neutral"]}</Say>'


def line(destination: Destination = NUMBER, **changes: object) -> Line:
    return Line("*", "*", "org", Mode.PROD, destination, **changes)  # type: ignore[arg-type]


def neutral(destination: Destination) -> str:
    return Speaker().speak(Step("neutral", destination), line(destination))


def shape(document: str) -> list[tuple[str, list[str]]]:
    """Every element's name and attributes, in document order. Fails for what is not well-formed."""
    expat.ParserCreate().Parse(document.encode(), True)
    return [(element.tag, sorted(element.attrib)) for element in ET.fromstring(document.encode()).iter()]


@pytest.mark.parametrize(
    ("destination", "verbs"),
    [
        (NUMBER, '<Dial answerOnBridge="true" timeout="20"><Number>+14155550150</Number></Dial>'),
        (
            Destination(DestinationKind.SIP, "sip:desk@pbx.example.com?x-a=b&x-c=d"),
            '<Dial answerOnBridge="true" timeout="30"><Sip>sip:desk@pbx.example.com?x-a=b&amp;x-c=d</Sip></Dial>',
        ),
        (
            Destination(DestinationKind.CLIENT, "alice"),
            '<Dial answerOnBridge="true" timeout="30"><Client>alice</Client></Dial>',
        ),
        (Destination(DestinationKind.QUEUE, "support"), "<Enqueue>support</Enqueue>"),
        (
            Destination(DestinationKind.REDIRECT, "https://ivr.example.com/start?a=1&b=2"),
            '<Redirect method="POST">https://ivr.example.com/start?a=1&amp;b=2</Redirect>',
        ),
        (Destination(DestinationKind.HANGUP), "<Hangup />"),
    ],
    ids=[kind.value for kind in DestinationKind],
)
def test_the_caller_is_greeted_and_put_through(destination: Destination, verbs: str) -> None:
    assert neutral(destination) == f"{HEAD}{SAY}{verbs}</Response>"


@pytest.mark.parametrize(("seconds", "timeout"), [(-1, 5), (4, 5), (5, 5), (600, 600), (601, 600)])
def test_it_rings_as_long_as_twilio_allows(seconds: int, timeout: int) -> None:
    assert f'timeout="{timeout}"' in neutral(Destination(DestinationKind.DIAL, "+14155550150", seconds))


def test_nothing_is_repeated_and_nothing_asked_of_us_again() -> None:
    for kind in DestinationKind:
        document = neutral(Destination(kind, "target"))
        for again in ("loop", "action", "Gather", "statusCallback", "Callback"):
            assert again not in document


def test_the_lines_voice_and_language_speak() -> None:
    step = Step("reuse", NUMBER, {"name": "Jürgen", "intent": None, "attempt_count": None})
    document = Speaker().speak(step, line(language="de-DE", voice="Polly.Vicki"))
    assert '<Say language="de-DE" voice="Polly.Vicki">Willkommen zurück, Jürgen. ' in document


def test_an_operators_texts_are_spoken() -> None:
    speaker = Speaker({"en": {"neutral": "Acme & Sons."}})
    assert ">Acme &amp; Sons.<" in speaker.speak(Step("neutral", NUMBER), line())
    assert ">Front desk.<" in speaker.speak(Step("neutral", NUMBER), line(texts={"neutral": "Front desk."}))


def test_an_empty_text_is_silence() -> None:
    document = Speaker({"en": {"neutral": ""}}).speak(Step("neutral", NUMBER), line())
    assert [tag for tag, _ in shape(document)] == ["Response", "Dial", "Number"]


BROKEN = "{{ no_such_fact }}"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"reuse": BROKEN}, BUILT_IN["en"]["neutral"]),
        ({"reuse": "{{ name", "neutral": "Plain hello."}, "Plain hello."),
        ({"reuse": BROKEN, "neutral": BROKEN}, BUILT_IN["en"]["neutral"]),
        ({"reuse": "{% for x in name %}{% endfor %}", "neutral": "Hi {{ name }}"}, BUILT_IN["en"]["neutral"]),
    ],
)
def test_a_broken_text_gives_way_to_a_neutral_one(
    texts: dict[str, str], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    step = Step("reuse", NUMBER, {"name": "John Doe", "intent": None, "attempt_count": None})
    for document in (Speaker({"en": texts}).speak(step, line()), Speaker().speak(step, line(texts=texts))):
        assert f">{said}</Say><Dial " in document
    assert caplog.record_tuples[0][1] == logging.WARNING
    assert "John" not in caplog.text


def test_a_step_without_a_text_of_its_own_is_neutral() -> None:
    assert SAY in Speaker().speak(Step("no_such_text", NUMBER), line())


@pytest.mark.parametrize(
    "destination",
    [
        Destination(DestinationKind.DIAL, ""),
        Destination(DestinationKind.SIP, "\x00"),
        Destination("fax", "+14155550150"),  # type: ignore[arg-type]
        Destination(DestinationKind.DIAL, None),  # type: ignore[arg-type]
        Destination(DestinationKind.REDIRECT, "https://ivr.example.com/" + "x" * 70_000),
    ],
)
def test_a_destination_that_cannot_be_written_leaves_an_apology(
    destination: Destination, caplog: pytest.LogCaptureFixture
) -> None:
    assert neutral(destination) == EMERGENCY
    assert "no TwiML" in caplog.text
    assert "ivr.example.com" not in caplog.text


def test_the_apology_is_twiml() -> None:
    assert [tag for tag, _ in shape(EMERGENCY)] == ["Response", "Say", "Hangup"]


HOSTILE = [
    "</Say><Dial>+19005550100</Dial><Say>",
    "]]><!-- & &amp; &#0; <?xml?>",
    "{{ ''.__class__.__mro__ }}{% for x in range(99999999) %}{{ x }}{% endfor %}",
    "<speak><break time='100s'/></speak>",
    "\x00\x01\x0b\x0c\x1f\x7f\x85\ufffe\uffff\ud800\udfff",
    "a" * 100_000,
    "&" * 100_000,
    "\U0010ffff" * 100_000,
    "\r\n" * 100_000,
    "\u202egnihton",
    "",
]
hostile = st.text() | st.text(st.characters(categories=["Cc", "Cs", "Cn", "Co"])) | st.sampled_from(HOSTILE)
facts = st.fixed_dictionaries(
    {"name": hostile | st.none(), "intent": hostile | st.none(), "attempt_count": st.integers() | st.none()}
)
PLAIN = shape(Speaker().speak(Step("reuse", NUMBER, {"name": "John Doe", "intent": "x", "attempt_count": 1}), line()))


@settings(deadline=None)
@given(facts, st.sampled_from(["en-US", "de-AT", "es", "fr", "it"]))
@example({"name": HOSTILE[0], "intent": HOSTILE[1], "attempt_count": 10**5_000}, "en")
def test_no_name_or_intent_changes_the_document(facts: dict[str, str | int | None], language: str) -> None:
    document = Speaker().speak(Step("reuse", NUMBER, facts), line(language=language))
    assert shape(document) == PLAIN
    assert len(document.encode()) < 64_000
    said = ET.fromstring(document.encode()).findtext("Say")
    assert said is not None
    assert 0 < len(said) < 500


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_spoken_as_they_are_or_not_at_all(value: str) -> None:
    step = Step("reuse", NUMBER, {"name": value, "intent": value, "attempt_count": 1})
    document = Speaker({"en": {"reuse": "{{ attempt_count }} {{ name }} {{ intent | upper }}"}}).speak(step, line())
    assert shape(document) == PLAIN
    said = ET.fromstring(document.encode()).findtext("Say")
    assert said is not None
    assert "49" not in said
    assert "type" not in said


@settings(deadline=None)
@given(hostile, hostile, hostile, st.sampled_from(DestinationKind))
def test_no_configuration_breaks_the_document(target: str, voice: str, language: str, kind: DestinationKind) -> None:
    destination = Destination(kind, target)
    shape(Speaker().speak(Step("neutral", destination), line(destination, voice=voice, language=language)))


@settings(deadline=None)
@given(st.text(st.sampled_from("{}%|#-nameif endor'\"()[]~*.0123456789+ \n")) | st.text())
def test_no_template_breaks_the_document(template: str) -> None:
    step = Step("reuse", NUMBER, {"name": "John", "intent": None, "attempt_count": None})
    tags = [tag for tag, _ in shape(Speaker({"en": {"reuse": template, "neutral": template}}).speak(step, line()))]
    assert tags[-2:] == ["Dial", "Number"]
