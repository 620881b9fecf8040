"""What Twilio's verbs do to a call, but for those that put it through."""

from __future__ import annotations

import pytest

from adapter.replay import HANG_UP, SILENCE, Ending, Keys, Message, Speech

from .conformance import BYE, Case, the_network_does_as_twilio_does

ASK = '<Gather action="/turn" numDigits="1"><Say>Press one.</Say></Gather><Say>Nothing came.</Say>'
HEAR = '<Gather action="/turn" input="dtmf speech"><Say>Well?</Say></Gather><Say>Nothing came.</Say>'

SPEAKING = [
    Case("words are heard, blanks as one", "<Say>Hello\n  there.</Say>", said="Hello there."),
    Case(
        "speech markup is words", '<Say>Hello <break time="1s"/><emphasis>there</emphasis>.</Say>', said="Hello there."
    ),
    Case("a sound is no words", "<Play>https://x.example/a.mp3</Play>"),
    Case("an empty document ends the call", ""),
    Case("Hangup ends it before the next verb", "<Hangup/><Say>No.</Say>", ending=Ending.HUNG_UP),
    Case("a pause takes time only", '<Pause length="3"/><Say>Now.</Say>', said="Now."),
    Case("Say without words is warned of (13520)", "<Say/>", warnings=[13520]),
    Case("comments are nothing", "<!-- no --><Say>Yes.</Say>", said="Yes."),
    Case(
        "words are understood before they are cut short by hanging up",
        "<Say>One.</Say><Say>Two.</Say>",
        ("!Two",),
        said="One. Two.",
        ending=Ending.CALLER_HUNG_UP,
    ),
]

ASKING = [
    Case(
        "digits go to the action, POST, with what ended them",
        '<Gather action="/turn"/>',
        ("12#",),
        {"turn": BYE},
        ["/turn Digits=12 FinishedOnKey=# msg=Gather End"],
        "Goodbye.",
    ),
    Case(
        "numDigits ends the input, what comes after it is lost",
        ASK,
        ("12",),
        {"turn": BYE},
        ["/turn Digits=1 FinishedOnKey= msg=Gather End"],
        "Press one. Goodbye.",
    ),
    Case(
        "another finishOnKey",
        '<Gather action="/turn" finishOnKey="*"/>',
        ("1#2*",),
        {"turn": BYE},
        ["/turn Digits=1#2 FinishedOnKey=* msg=Gather End"],
        "Goodbye.",
    ),
    Case(
        "no finishOnKey: # is a digit",
        '<Gather action="/turn" finishOnKey=""/>',
        ("#",),
        {"turn": BYE},
        ["/turn Digits=# FinishedOnKey= msg=Gather End"],
        "Goodbye.",
    ),
    Case("finishOnKey without digits before it is silence", ASK, ("#",), said="Press one. Nothing came."),
    Case("silence goes on with the next verb", ASK, (SILENCE,), said="Press one. Nothing came."),
    Case(
        "actionOnEmptyResult: silence goes to the action, too",
        '<Gather action="/turn" actionOnEmptyResult="true"/>',
        (SILENCE,),
        {"turn": BYE},
        ["/turn"],
        "Goodbye.",
    ),
    Case(
        "without an action the document's own address is asked",
        "<Gather/>",
        ("1", HANG_UP),
        {},
        ["/twilio/voice Digits=1 FinishedOnKey= msg=Gather End"],
        ending=Ending.CALLER_HUNG_UP,
    ),
    Case(
        "words go to the action, with how sure they are",
        HEAR,
        ("a refund",),
        {"turn": BYE},
        ["/turn SpeechResult=a refund Confidence=0.9"],
        "Well? Goodbye.",
    ),
    Case(
        "how sure is not always said",
        HEAR,
        (Speech("a refund", None),),
        {"turn": BYE},
        ["/turn SpeechResult=a refund"],
        "Well? Goodbye.",
    ),
    Case("keys where only words are wanted are silence", '<Gather input="speech" action="/turn"/>', ("1",)),
    Case("words where only keys are wanted are silence", ASK, ("one",), said="Press one. Nothing came."),
    Case("hanging up at a question asks for nothing", ASK, (HANG_UP,), said="Press one.", ending=Ending.CALLER_HUNG_UP),
    Case(
        "hanging up while the question is read",
        ASK,
        ("!Press",),
        said="Press one.",
        ending=Ending.CALLER_HUNG_UP,
    ),
    Case(
        "hanging up after a key: the action is asked, its answer is not heard",
        ASK,
        (Keys("1", hangs_up=True),),
        {"turn": BYE},
        ["/turn CallStatus=completed Digits=1 FinishedOnKey= msg=Gather End"],
        "Press one.",
        ending=Ending.CALLER_HUNG_UP,
    ),
    Case(
        "method GET: all fields in the query",
        '<Gather action="/turn" method="GET"/>',
        ("1",),
        {"turn": BYE},
        ["GET /turn Digits=1 FinishedOnKey= msg=Gather End"],
        "Goodbye.",
    ),
]

RECORDING = [
    Case(
        "a message goes to the action",
        '<Record action="/taken"/><Say>Nothing came.</Say>',
        (Message(12, "#"),),
        {"taken": BYE},
        ["/taken RecordingDuration=12 Digits=#"],
        "Goodbye.",
    ),
    Case(
        "an empty one goes on with the next verb", '<Record action="/taken"/><Say>Bye.</Say>', (SILENCE,), said="Bye."
    ),
    Case(
        "no longer than maxLength",
        '<Record action="/taken" maxLength="5"/>',
        (Message(12),),
        {"taken": BYE},
        ["/taken RecordingDuration=5 Digits="],
        "Goodbye.",
    ),
    Case(
        "a message ended by hanging up is told of, unheard",
        '<Record action="/taken"/>',
        (Message(12, hangs_up=True),),
        {"taken": BYE},
        ["/taken CallStatus=completed RecordingDuration=12 Digits=hangup"],
        ending=Ending.CALLER_HUNG_UP,
    ),
    Case("hanging up instead of a message", '<Record action="/taken"/>', (HANG_UP,), ending=Ending.CALLER_HUNG_UP),
]

REFUSING = [
    Case("Reject in front: not answered", "<Reject/>", ending=Ending.REJECTED, status="no-answer"),
    Case("Reject as busy", '<Reject reason="busy"/>', ending=Ending.REJECTED, status="busy"),
    Case("Reject after words comes too late", "<Say>Hello.</Say><Reject/>", said="Hello.", ending=Ending.HUNG_UP),
]


@pytest.mark.parametrize("case", [*SPEAKING, *ASKING, *RECORDING, *REFUSING], ids=lambda case: case.rule)
def test_verbs_do_as_at_twilio(case: Case) -> None:
    the_network_does_as_twilio_does(case)
