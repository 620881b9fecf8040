"""A document comes out whatever goes in, of the same shape for every caller."""

from __future__ import annotations

import logging
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine import flow
from adapter.engine.flow import Ask, HandOver, HangUp, Record, Say, Step, Whispered
from adapter.engine.line import Destination, DestinationKind, Line, Spoken
from adapter.twilio.texts import BUILT_IN
from adapter.twilio.twiml import CONNECT, EMERGENCY, Speaker
from tests.builders import PUBLIC_URL, a_line
from tests.twilio.grammar import check, shape
from tests.twilio.hostile import HOSTILE, hostile

NUMBER = Destination(DestinationKind.DIAL, "+14155550150", 20)
HEAD = '<?xml version="1.0" encoding="UTF-8"?><Response>'
SAY = f'<Say language="en-US">{BUILT_IN["en"]["neutral"]}</Say>'
TURN = f"{PUBLIC_URL}/twilio/turn"
WORKFLOW = "WW" + "0" * 32
KNOWN = (("call_id", "CA" + "0" * 32), ("customer_ref", "ref"), ("name", "Zoë & Co"))
JOHN: dict[str, str | int | None] = {"name": "John Doe", "intent": None, "attempt_count": None}
# Every kind with a target that Twilio would take.
REAL = {
    DestinationKind.DIAL: "+14155550150",
    DestinationKind.SIP: "sip:desk@pbx.example.com?x-a=b&x-c=d",
    DestinationKind.CLIENT: "alice",
    DestinationKind.QUEUE: "support",
    DestinationKind.WORKFLOW: WORKFLOW,
    DestinationKind.CONFERENCE: "front desk",
    DestinationKind.RELAY: "wss://bot.example.com/relay",
    DestinationKind.STREAM: "wss://bot.example.com/stream",
    DestinationKind.REDIRECT: "https://ivr.example.com/start?a=1&b=2#rc=2",
    DestinationKind.VOICEMAIL: "",
    DestinationKind.CALLBACK: "",
    DestinationKind.HANGUP: "",
}


def line(destination: Destination = NUMBER, **changes: object) -> Line:
    return a_line(account="*", number="*", destination=destination, **changes)


def speaker(texts: dict[str, dict[str, str]] | None = None) -> Speaker:
    return Speaker(texts, PUBLIC_URL)


def put_through(
    text: str, destination: Destination = NUMBER, facts: dict[str, str | int | None] | None = None, turn: int = 0
) -> Step:
    return Step((Say(text, "en-US", facts or {}),), HandOver(destination, KNOWN if turn else ()), turn)


def neutral(destination: Destination) -> str:
    return speaker().speak(flow.neutral(line(destination)), line(destination))


def asked(*texts: str, ask: Ask | None = None, **facts: str | int | None) -> Step:
    return Step(tuple(Say(text, "en-US", facts) for text in texts), ask or Ask(1, True, ("refund",)), 3)


# Hand-overs


DIAL = f'<Dial action="{TURN}/2" answerOnBridge="true" method="POST" timeout="30">'
CALL, REF, NAME = (f'<Parameter name="{name}" value="{value}" />'.replace("& ", "&amp; ") for name, value in KNOWN)
HEADERS = f"X-Sticky-Call-Id={KNOWN[0][1]}&amp;X-Sticky-Customer-Ref=ref&amp;X-Sticky-Name=Zo%C3%AB%20%26%20Co"
VERBS = {
    DestinationKind.DIAL: f"{DIAL}<Number>+14155550150</Number></Dial>",
    DestinationKind.SIP: f"{DIAL}<Sip>sip:desk@pbx.example.com?x-a=b&amp;x-c=d&amp;{HEADERS}</Sip></Dial>",
    DestinationKind.CLIENT: f"{DIAL}<Client><Identity>alice</Identity>{CALL}{REF}{NAME}</Client></Dial>",
    DestinationKind.QUEUE: f'<Enqueue action="{TURN}/2" method="POST">support</Enqueue>',
    DestinationKind.WORKFLOW: (
        f'<Enqueue action="{TURN}/2" method="POST" workflowSid="{WORKFLOW}"><Task>'
        f'{{"call_id":"{KNOWN[0][1]}","customer_ref":"ref","name":"Zoë &amp; Co"}}</Task></Enqueue>'
    ),
    DestinationKind.CONFERENCE: (
        f'<Dial action="{TURN}/2" method="POST">'
        '<Conference startConferenceOnEnter="false">front desk</Conference></Dial>'
    ),
    DestinationKind.RELAY: (
        f'<Connect action="{TURN}/2" method="POST"><ConversationRelay url="wss://bot.example.com/relay">'
        f"{CALL}{REF}{NAME}</ConversationRelay></Connect>"
    ),
    DestinationKind.STREAM: (
        f'<Connect action="{TURN}/2" method="POST"><Stream url="wss://bot.example.com/stream">'
        f"{CALL}{REF}{NAME}</Stream></Connect>"
    ),
    DestinationKind.REDIRECT: (
        f'<Redirect method="POST">https://ivr.example.com/start?a=1&amp;b=2&amp;call_id={KNOWN[0][1]}#rc=2</Redirect>'
    ),
}


@pytest.mark.parametrize("kind", VERBS)
def test_the_caller_is_greeted_and_put_through_with_what_is_known(kind: DestinationKind) -> None:
    destination = Destination(kind, REAL[kind])
    document = speaker().speak(put_through("neutral", destination, turn=2), line())
    assert document == f"{HEAD}{SAY}{VERBS[kind]}</Response>"
    assert check(document) == []


@pytest.mark.parametrize("kind", DestinationKind)
def test_without_memory_nothing_goes_along_and_the_answer_comes_to_turn_0(kind: DestinationKind) -> None:
    document = neutral(Destination(kind, REAL[kind]))
    assert check(document) == []
    for known in ("Sticky", "Parameter", "call_id", "ref", "turn/2"):
        assert known not in document
    over = (DestinationKind.REDIRECT, DestinationKind.CALLBACK, DestinationKind.HANGUP)
    assert (f"{TURN}/0" in document) is (kind not in over)


@pytest.mark.parametrize(("seconds", "timeout"), [(-1, 5), (4, 5), (5, 5), (600, 600), (601, 600)])
def test_it_rings_as_long_as_twilio_allows(seconds: int, timeout: int) -> None:
    assert f'timeout="{timeout}"' in neutral(Destination(DestinationKind.DIAL, "+14155550150", seconds))


@pytest.mark.parametrize("kind", [DestinationKind.DIAL, DestinationKind.SIP])
def test_who_is_rung_is_shown_the_number_of_the_destination(kind: DestinationKind) -> None:
    """Twilio rings no telephone for a caller who has no number (13214)."""
    document = neutral(Destination(kind, REAL[kind], caller_id="+14155550100"))
    assert 'callerId="+14155550100"' in document
    assert check(document) == []
    assert "callerId" not in neutral(Destination(kind, REAL[kind]))


TOLD = (DestinationKind.DIAL, DestinationKind.SIP, DestinationKind.CLIENT)


@pytest.mark.parametrize("kind", VERBS)
@pytest.mark.parametrize(
    ("whisper", "accept", "turn", "is_told"),
    [
        (False, False, 2, False),
        (True, False, 2, True),
        (False, True, 2, True),
        (True, False, 0, False),
        (False, True, 0, True),
    ],
)
def test_who_answers_is_told_where_twilio_can_and_asked_even_without_memory(
    kind: DestinationKind, whisper: bool, accept: bool, turn: int, is_told: bool
) -> None:
    destination = Destination(kind, REAL[kind], whisper=whisper, accept=accept)
    document = speaker().speak(put_through("neutral", destination, turn=turn), line())
    assert check(document) == []
    address = f'url="{PUBLIC_URL}/twilio/whisper/{line().key}/{turn}"'
    assert (address in document) is (is_told and kind in TOLD)


# Questions, messages, ends


def test_a_question_is_asked_inside_gather_and_silence_comes_back_to_the_same_turn() -> None:
    document = speaker().speak(asked("welcome", "menu", speech=1), line())
    assert document == (
        f'{HEAD}<Gather action="{TURN}/3" hints="refund" input="dtmf speech" language="en-US" method="POST"'
        ' numDigits="1" speechTimeout="auto" timeout="5"><Say language="en-US">Hello, and thank you for calling.</Say>'
        '<Say language="en-US">How can we help you today? Tell me in a few words, or press a key.</Say></Gather>'
        f'<Redirect method="POST">{TURN}/3</Redirect></Response>'
    )
    assert check(document) == []


def test_a_question_for_keys_listens_to_keys_only() -> None:
    document = speaker().speak(asked("menu", ask=Ask(None, False, ("refund",), 8), speech=0), line())
    gather = ET.fromstring(document)[0]
    assert gather.attrib == {"action": f"{TURN}/3", "input": "dtmf", "method": "POST", "timeout": "8"}
    assert check(document) == []


@pytest.mark.parametrize(("seconds", "timeout"), [(-1, 1), (0, 1), (60, 60), (61, 60)])
def test_nobody_waits_for_an_answer_for_ever(seconds: int, timeout: int) -> None:
    document = speaker().speak(asked("menu", ask=Ask(timeout_seconds=seconds), speech=1), line())
    assert f'timeout="{timeout}"' in document


@pytest.mark.parametrize(
    ("hints", "written"),
    [
        (("refund", "refund", " sales  team ", ""), "refund, sales team"),
        (("yes, please", "\x00no"), "yes please, no"),
        (("x" * 100, "x" * 101), "x" * 100),
        (tuple(f"word {n}" for n in range(501)), ", ".join(f"word {n}" for n in range(500))),
    ],
    ids=["each once", "no commas", "100 characters", "500 entries"],
)
def test_hints_are_what_twilio_takes(hints: tuple[str, ...], written: str) -> None:
    document = speaker().speak(asked("menu", ask=Ask(hints=hints), speech=1), line())
    assert ET.fromstring(document)[0].get("hints") == written
    assert check(document) == []


def test_too_many_long_hints_leave_room_for_the_rest() -> None:
    document = speaker().speak(asked("menu", ask=Ask(hints=tuple(f"{n}&" * 25 for n in range(500))), speech=1), line())
    assert check(document) == []
    assert "Gather" in document


def test_a_message_is_recorded_and_silence_comes_back_to_the_same_turn() -> None:
    document = speaker().speak(Step((Say("voicemail", "en-US"),), Record(60), 4), line())
    assert [tag for tag, _ in shape(document)] == ["Response", "Say", "Record", "Redirect"]
    assert ET.fromstring(document)[1].attrib == {
        "action": f"{TURN}/4",
        "finishOnKey": "#",
        "maxLength": "60",
        "method": "POST",
        "playBeep": "true",
    }
    assert check(document) == []


@pytest.mark.parametrize(("seconds", "longest"), [(-1, 2), (1, 2), (2, 2), (14_400, 14_400), (14_401, 14_400)])
def test_a_message_is_as_long_as_twilio_allows(seconds: int, longest: int) -> None:
    document = speaker().speak(Step((Say("voicemail", "en-US"),), Record(seconds), 4), line())
    assert f'maxLength="{longest}"' in document


def test_the_end_is_said_and_made() -> None:
    document = speaker().speak(Step((Say("goodbye", "en-US"),), HangUp(), 4), line())
    assert document == f'{HEAD}<Say language="en-US">Thank you for calling. Goodbye.</Say><Hangup /></Response>'
    assert speaker().speak(Step((), HangUp()), line()) == f"{HEAD}<Hangup /></Response>"


# Words


def test_each_text_has_its_own_language_and_voice() -> None:
    says = (Say("ask_language", "en-US", {"key": "1"}), Say("ask_language", "de-DE", {"key": "2"}, "Polly.Vicki"))
    document = speaker().speak(Step(says, Ask(1, False), 1), line())
    assert '<Say language="en-US">For English, press 1.</Say>' in document
    assert '<Say language="de-DE" voice="Polly.Vicki">Für Deutsch drücken Sie die 2.</Say>' in document


def test_an_operators_texts_are_spoken() -> None:
    assert ">Acme &amp; Sons.<" in speaker({"en": {"neutral": "Acme & Sons."}}).speak(put_through("neutral"), line())
    own = line(texts={"neutral": "Front desk."})
    assert ">Front desk.<" in speaker().speak(put_through("neutral"), own)


def test_a_lines_own_texts_are_in_its_first_language_only() -> None:
    own = line(languages=(Spoken("en-US"), Spoken("de-DE")), texts={"goodbye": "Bye."})
    document = speaker().speak(Step((Say("goodbye", "en-US"), Say("goodbye", "de-DE")), HangUp()), own)
    assert "Bye." in document
    assert "Auf Wiederhören." in document
    assert document.count("Bye.") == 1


def test_an_empty_text_is_silence() -> None:
    document = speaker({"en": {"neutral": ""}}).speak(put_through("neutral"), line())
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
    step = put_through("reuse", facts=JOHN)
    for document in (speaker({"en": texts}).speak(step, line()), speaker().speak(step, line(texts=texts))):
        assert f">{said}</Say><Dial " in document
    assert caplog.record_tuples[0][1] == logging.WARNING
    assert "John" not in caplog.text


def test_the_neutral_text_is_said_once_for_all_that_are_broken() -> None:
    step = Step((Say("verified", "en-US", JOHN), Say("connecting", "en-US")), HandOver(NUMBER), 2)
    document = speaker({"en": {"verified": BROKEN, "connecting": BROKEN}}).speak(step, line())
    assert document.count("<Say ") == 1
    assert SAY in document


def test_a_step_without_a_text_of_its_own_is_neutral() -> None:
    assert SAY in speaker().speak(put_through("no_such_text"), line())


def test_a_broken_question_is_asked_in_the_built_in_words() -> None:
    document = speaker({"en": {"menu": BROKEN}}).speak(asked("menu", speech=1), line())
    assert "How can we help you today?" in document
    assert "Gather" in document


@pytest.mark.parametrize("texts", [{"menu": "{% if not speech %}x{% endif %}"}, {"menu": "\x00"}])
def test_a_question_without_words_is_asked_in_the_built_in_ones(texts: dict[str, str]) -> None:
    assert "How can we help you today?" in speaker({"en": texts}).speak(asked("menu", speech=1), line())


@pytest.mark.parametrize("step", [asked("no_such_text"), asked("menu"), asked(), asked("welcome", "menu")])
def test_a_question_that_cannot_be_asked_at_all_puts_the_caller_through(step: Step) -> None:
    """Without the fact `speech` no menu can be spoken."""
    document = speaker().speak(step, line())
    assert document == neutral(NUMBER)
    assert f"{TURN}/0" in document


def test_a_broken_text_before_the_end_is_said_in_the_built_in_words_or_not_at_all() -> None:
    said = speaker({"en": {"goodbye": BROKEN}}).speak(Step((Say("goodbye", "en-US"),), HangUp()), line())
    assert "Thank you for calling. Goodbye." in said
    unsaid = speaker().speak(Step((Say("no_such_text", "en-US"),), HangUp()), line())
    assert unsaid == f"{HEAD}<Hangup /></Response>"


# What cannot be written


IMPOSSIBLE = [
    Destination(DestinationKind.DIAL, ""),
    Destination(DestinationKind.SIP, "\x00"),
    Destination(DestinationKind.SIP, "sip:" + "x" * 251),
    Destination(DestinationKind.SIP, "sip:a@b?x-a=" + "x" * 1_020),
    Destination(DestinationKind.QUEUE, "x" * 65),
    Destination("fax", "+14155550150"),  # type: ignore[arg-type]
    Destination(DestinationKind.DIAL, None),  # type: ignore[arg-type]
    Destination(DestinationKind.REDIRECT, "https://ivr.example.com/" + "x" * 70_000),
]


@pytest.mark.parametrize("destination", IMPOSSIBLE, ids=range(len(IMPOSSIBLE)))
def test_a_destination_that_cannot_be_written_gives_way_to_the_default_one(
    destination: Destination, caplog: pytest.LogCaptureFixture
) -> None:
    assert speaker().speak(put_through("neutral", destination), line()) == neutral(NUMBER)
    assert "no TwiML" in caplog.text
    assert "example.com" not in caplog.text


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (DestinationKind.VOICEMAIL, ("neutral", "voicemail")),
        (DestinationKind.CALLBACK, ("unreached",)),
        (DestinationKind.HANGUP, ("neutral",)),
    ],
)
@pytest.mark.parametrize("step", [asked("no_such_text"), Step((), HandOver(Destination(DestinationKind.DIAL, "")))])
def test_a_default_destination_that_is_no_telephone_says_what_it_is(
    step: Step, kind: DestinationKind, said: tuple[str, ...]
) -> None:
    """No bare beep, and nobody is asked for a moment before we hang up."""
    default = Destination(kind)
    document = speaker().speak(step, line(default))
    assert document == neutral(default)
    assert [element.text for element in ET.fromstring(document).iter("Say")] == [BUILT_IN["en"][text] for text in said]


@pytest.mark.parametrize("kind", [DestinationKind.VOICEMAIL, DestinationKind.CALLBACK, DestinationKind.HANGUP])
def test_no_call_is_put_through_to_where_nobody_is(kind: DestinationKind) -> None:
    assert speaker().speak(put_through("neutral", Destination(kind)), line()) == neutral(NUMBER)


@pytest.mark.parametrize("destination", IMPOSSIBLE, ids=range(len(IMPOSSIBLE)))
def test_if_that_cannot_be_written_either_the_caller_hears_an_apology(destination: Destination) -> None:
    assert neutral(destination) == EMERGENCY


def test_the_apology_is_twiml() -> None:
    assert [tag for tag, _ in shape(EMERGENCY)] == ["Response", "Say", "Hangup"]
    assert check(EMERGENCY) == []


# Whispers


def whispered(*texts: str, accept: bool, **facts: str | int | None) -> str:
    return speaker().whisper(Whispered(tuple(Say(text, "en-US", facts) for text in texts), accept), line(), 2)


WHO = {"name": "Maria", "intent": "refund", "attempt": 3, "recommendation": "reuse", "verified": 0}


def test_who_answers_is_told_and_then_connected() -> None:
    document = whispered("whisper", accept=False, **WHO)
    said = "Returning caller, Maria, third call about refund."
    assert document == f'{HEAD}<Say language="en-US">{said}</Say></Response>'
    assert check(document, whisper=True) == []


def test_who_has_to_accept_presses_a_key_or_the_call_goes_on_elsewhere() -> None:
    document = whispered("whisper", "whisper_accept", accept=True, **WHO)
    assert [tag for tag, _ in shape(document)] == ["Response", "Gather", "Say", "Say", "Hangup"]
    answer = f"{PUBLIC_URL}/twilio/whisper/{line().key}/2/answer"
    assert ET.fromstring(document)[0].attrib == {
        "action": answer,
        "input": "dtmf",
        "method": "POST",
        "numDigits": "1",
        "timeout": "10",
    }
    assert check(document, whisper=True) == []


def test_who_has_to_accept_is_asked_whatever_becomes_of_the_texts() -> None:
    for document in (whispered(accept=True), whispered("no_such_text", accept=True)):
        assert "Press 1 to take the call." in document
        assert check(document, whisper=True) == []


def test_a_broken_whisper_connects() -> None:
    assert whispered("no_such_text", accept=False) == f"{HEAD.removesuffix('>')} />"
    assert check(CONNECT, whisper=True) == []


# Strangers' words


facts = st.fixed_dictionaries(
    {"name": hostile | st.none(), "intent": hostile | st.none(), "attempt_count": st.integers() | st.none()}
)


@given(facts, st.sampled_from(["en-US", "de-AT", "es", "fr", "it"]))
def test_no_name_or_intent_changes_the_document(facts: dict[str, str | int | None], language: str) -> None:
    says = (Say("reuse", language, facts),)
    document = speaker().speak(Step(says, HandOver(NUMBER)), line(language=language))
    assert shape(document) == shape(neutral(NUMBER))
    assert check(document) == []
    said = ET.fromstring(document.encode()).findtext("Say")
    assert said is not None
    assert 0 < len(said) < 500


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_spoken_as_they_are_or_not_at_all(value: str) -> None:
    step = put_through("reuse", facts={"name": value, "intent": value, "attempt_count": 1})
    document = speaker({"en": {"reuse": "{{ attempt_count }} {{ name }} {{ intent | upper }}"}}).speak(step, line())
    assert shape(document) == shape(neutral(NUMBER))
    said = ET.fromstring(document.encode()).findtext("Say")
    assert said is not None
    assert "49" not in said
    assert "type" not in said


@given(hostile, hostile, hostile, st.sampled_from(DestinationKind))
def test_no_configuration_breaks_the_document(target: str, voice: str, language: str, kind: DestinationKind) -> None:
    destination = Destination(kind, target)
    step = replace(put_through("neutral", destination, turn=1), says=(Say("neutral", language, {}, voice),))
    shape(speaker().speak(step, line(destination, voice=voice, language=language)))


@given(st.text(st.sampled_from("{}%|#-nameif endor'\"()[]~*.0123456789+ \n")) | st.text())
def test_no_template_breaks_the_document(template: str) -> None:
    own = speaker({"en": {"reuse": template, "neutral": template}})
    tags = [tag for tag, _ in shape(own.speak(put_through("reuse", facts=JOHN), line()))]
    assert tags[-2:] == ["Dial", "Number"]
