"""Dial with its nouns and whisper, Enqueue and Connect, and what their actions are told."""

from __future__ import annotations

import pytest

from adapter.replay import BUSY, FAILED, HANG_UP, NO_ANSWER, Ending, Reply, answered, declined, mailbox

from .conformance import BYE, CUT_OFF, Case, the_network_does_as_twilio_does

WHISPERED = '<Dial action="/over"><Number url="/whisper">+14155550199</Number></Dial>'
ACCEPT = '<Gather action="/accept" numDigits="1"><Say>Press one to take it.</Say></Gather><Hangup/>'
DIAL = '<Dial action="/over"><Number>+14155550199</Number></Dial><Say>Never heard.</Say>'

PUTTING_THROUGH = [
    Case(
        "answered: the action is told when the agent hangs up",
        DIAL,
        (answered(seconds=35),),
        {"over": BYE},
        ["/over DialCallStatus=completed DialBridged=true DialCallDuration=35"],
        "Goodbye.",
    ),
    Case(
        "answered, and the caller hangs up: the action is asked all the same, unheard",
        DIAL,
        (answered(caller_ends=True),),
        {"over": BYE},
        ["/over CallStatus=completed DialCallStatus=completed DialBridged=true DialCallDuration=35"],
        ending=Ending.CALLER_HUNG_UP,
    ),
    *(
        Case(
            f"{outcome.value}: the action is told, the caller is still there",
            DIAL,
            (outcome,),
            {"over": BYE},
            [f"/over DialCallStatus={outcome.value} DialBridged=false"],
            "Goodbye.",
        )
        for outcome in (BUSY, NO_ANSWER, FAILED)
    ),
    Case(
        "the caller hangs up while it rings: canceled, and gone",
        "<Say>One moment.</Say>" + DIAL,
        (HANG_UP,),
        {"over": BYE},
        ["/over CallStatus=completed DialCallStatus=canceled DialBridged=false"],
        "One moment.",
        ending=Ending.CALLER_HUNG_UP,
    ),
    Case(
        "answerOnBridge in front: nobody answers the caller who hangs up",
        '<Dial answerOnBridge="true">+14155550199</Dial>',
        (HANG_UP,),
        ending=Ending.CALLER_HUNG_UP,
        status="no-answer",
    ),
    Case(
        "answerOnBridge after words: the call was answered by them",
        '<Say>Hello.</Say><Dial answerOnBridge="true">+14155550199</Dial>',
        (HANG_UP,),
        said="Hello.",
        ending=Ending.CALLER_HUNG_UP,
    ),
    Case("without an action the next verb follows", "<Dial>+14155550199</Dial><Say>Bye.</Say>", (BUSY,), said="Bye."),
    Case(
        "the whisper is for the agent, who is connected at its end",
        WHISPERED,
        (answered(),),
        {"whisper": "<Say>Maria calls.</Say>", "over": BYE},
        ["/whisper", "/over DialCallStatus=completed DialBridged=true DialCallDuration=35"],
        "Goodbye.",
        "Maria calls.",
    ),
    Case(
        "a key takes the call",
        WHISPERED,
        (answered("1"),),
        {"whisper": ACCEPT, "accept": "", "over": BYE},
        [
            "/whisper",
            "/accept Digits=1 FinishedOnKey= msg=Gather End",
            "/over DialCallStatus=completed DialBridged=true DialCallDuration=35",
        ],
        "Goodbye.",
        "Press one to take it.",
    ),
    Case(
        "a mailbox presses nothing: completed, but not bridged",
        WHISPERED,
        (mailbox(),),
        {"whisper": ACCEPT, "over": BYE},
        ["/whisper", "/over DialCallStatus=completed DialBridged=false DialCallDuration=2"],
        "Goodbye.",
        "Press one to take it.",
    ),
    Case(
        "an agent who hangs up has declined",
        WHISPERED,
        (declined(),),
        {"whisper": ACCEPT, "over": BYE},
        ["/whisper", "/over DialCallStatus=completed DialBridged=false DialCallDuration=2"],
        "Goodbye.",
        "Press one to take it.",
    ),
    Case(
        "a whisper that cannot be had ends the agent's leg, and has no fallback",
        WHISPERED,
        (answered(),),
        {"over": BYE, "fallback": "<Say>Never.</Say>"},
        ["/whisper", "/over DialCallStatus=completed DialBridged=false DialCallDuration=2"],
        "Goodbye.",
        CUT_OFF,
        errors=[11200],
        network={"fallback": "/fallback"},
    ),
    Case(
        "nobody can be dialed out of a whisper (13201)",
        WHISPERED,
        (answered(),),
        {"whisper": "<Dial>+14155550198</Dial>", "over": BYE},
        ["/whisper", "/over DialCallStatus=completed DialBridged=false DialCallDuration=2"],
        "Goodbye.",
        CUT_OFF,
        errors=[13201],
    ),
    Case(
        "several nouns: the first that answers",
        '<Dial action="/over"><Number>+14155550198</Number><Client>desk</Client><Client>spare</Client></Dial>',
        (BUSY, answered()),
        {"over": BYE},
        ["/over DialCallStatus=completed DialBridged=true DialCallDuration=35"],
        "Goodbye.",
    ),
    Case(
        "a SIP leg tells its response, too",
        '<Dial action="/over"><Sip>sip:desk@example.com</Sip></Dial>',
        (BUSY,),
        {"over": BYE},
        ["/over DialCallStatus=busy DialBridged=false DialSipResponseCode=486"],
        "Goodbye.",
    ),
    Case(
        "a conference tells nothing of a leg",
        '<Dial action="/over"><Conference>room</Conference></Dial>',
        (answered(),),
        {"over": BYE},
        ["/over DialCallStatus=answered"],
        "Goodbye.",
    ),
    Case(
        "no telephone number: failed (13223)",
        '<Dial action="/over"><Number>desk</Number></Dial>',
        (),
        {"over": BYE},
        ["/over DialCallStatus=failed DialBridged=false"],
        "Goodbye.",
        warnings=[13223],
    ),
    *(
        Case(
            f"{caller} has no number to show: failed (13214)",
            DIAL,
            (),
            {"over": BYE},
            ["/over DialCallStatus=failed DialBridged=false"],
            "Goodbye.",
            warnings=[13214],
            caller=caller,
        )
        for caller in ("client:alice", "sip:alice@example.com", "anonymous")
    ),
    Case(
        "a caller without a number is shown with the document's callerId",
        '<Dial action="/over" callerId="+14155550100"><Number>+14155550199</Number></Dial>',
        (answered(seconds=35),),
        {"over": BYE},
        ["/over DialCallStatus=completed DialBridged=true DialCallDuration=35"],
        "Goodbye.",
        caller="client:alice",
    ),
    Case(
        "a client is rung by whom it likes",
        '<Dial action="/over"><Client>desk</Client></Dial>',
        (answered(seconds=35),),
        {"over": BYE},
        ["/over DialCallStatus=completed DialBridged=true DialCallDuration=35"],
        "Goodbye.",
        caller="sip:alice@example.com",
    ),
    Case(
        "a noun's status callback asks for its events",
        '<Dial><Number statusCallback="/leg" statusCallbackEvent="ringing answered">+14155550199</Number></Dial>',
        (answered(),),
        {"leg": Reply(204, "", b"")},
        [
            "/leg CallStatus=ringing CallbackSource=call-progress-events",
            "/leg CallbackSource=call-progress-events",
        ],
    ),
]

WAITING = [
    *(
        Case(
            f"Enqueue, {result}",
            '<Enqueue action="/left">support</Enqueue><Say>Never heard.</Say>',
            (outcome,),
            {"left": BYE},
            [f"/left{gone} QueueResult={result}{time}"],
            "" if gone else "Goodbye.",
            ending=Ending.CALLER_HUNG_UP if gone else Ending.DOCUMENT_ENDED,
        )
        for result, outcome, gone, time in (
            ("bridged", answered(), "", " QueueTime=6"),
            ("hangup", HANG_UP, " CallStatus=completed", " QueueTime=6"),
            ("queue-full", BUSY, "", ""),
            ("leave", NO_ANSWER, "", " QueueTime=6"),
            ("system-error", FAILED, "", ""),
        )
    ),
    Case("Enqueue without an action: the next verb", "<Enqueue>support</Enqueue><Say>Bye.</Say>", (BUSY,), said="Bye."),
    Case(
        "a Task that is no JSON object is warned of",
        "<Enqueue workflowSid='WW1'><Task>no</Task></Enqueue>",
        warnings=[12200],
    ),
    *(
        Case(
            f"a conversation with a machine: {status}",
            '<Connect action="/over"><ConversationRelay url="wss://ai.example.com/"/></Connect>',
            (outcome,),
            {"over": BYE},
            [f"/over{gone} SessionStatus={status}{seconds}"],
            "" if gone else "Goodbye.",
            ending=Ending.CALLER_HUNG_UP if gone else Ending.DOCUMENT_ENDED,
        )
        for status, outcome, gone, seconds in (
            ("ended", answered(), "", " SessionDuration=35"),
            ("completed", answered(caller_ends=True), " CallStatus=completed", " SessionDuration=35"),
            ("completed", HANG_UP, " CallStatus=completed", ""),
            ("failed", FAILED, "", ""),
        )
    ),
    Case(
        "a stream, then the next verb",
        '<Connect><Stream url="wss://ai.example.com/"/></Connect><Say>Bye.</Say>',
        said="Bye.",
    ),
]


@pytest.mark.parametrize("case", [*PUTTING_THROUGH, *WAITING], ids=lambda case: case.rule)
def test_hand_overs_end_as_at_twilio(case: Case) -> None:
    the_network_does_as_twilio_does(case)
