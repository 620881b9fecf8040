"""Whole calls: the fields that Twilio sends, what is handed over, the callback at the end, and time."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest
from flask import Flask

from adapter.replay import HANG_UP, Call, Ending, Keys, Role, Script, answered, new_call_sid
from tests.builders import ACCOUNT, AGENTS, DIALED, NOW, PUBLIC_URL, Api, ToldClock

from .pages import a_network, around, pages

WHISPERED = '<Dial action="/over"><Client url="/whisper"><Identity>desk</Identity>{}</Client></Dial>'
TASK = '<Enqueue workflowSid="WW1"><Task>{}</Task></Enqueue>'
CONNECT = '<Connect><{0} url="wss://x.example/a">{1}</{0}></Connect>'
ANN = '<Parameter name="who" value="Ann"/>'
WHO = {"x-who": "A B"}


def test_every_request_of_a_call_carries_the_fields_of_an_inbound_leg() -> None:
    call = Call(
        "+14155550123", DIALED, "CA" + "1" * 32, stir="A", forwarded_from="+14155550111", extra={"CallerName": ""}
    )
    server = pages("<Redirect>/turn</Redirect>", turn="")
    around(server).play(call, Script())
    common = {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "CallSid": "CA" + "1" * 32,
        "Direction": "inbound",
        "From": "+14155550123",
        "Caller": "+14155550123",
        "To": DIALED,
        "Called": DIALED,
        "StirVerstat": "TN-Validation-Passed-A",
        "ForwardedFrom": "+14155550111",
        "CallerName": "",
    }
    assert [url for _, url, _ in server.asked] == [
        f"{PUBLIC_URL}{path}" for path in ("/twilio/voice", "/turn", "/twilio/status")
    ]
    assert all(common.items() <= fields.items() for _, _, fields in server.asked)
    assert [fields["CallStatus"] for _, _, fields in server.asked] == ["ringing", "in-progress", "completed"]


def test_what_is_not_known_of_a_call_is_not_sent() -> None:
    assert not {"StirVerstat", "ForwardedFrom"} & set(Call().fields(ACCOUNT))
    assert Call(stir="No-TN-Validation").fields(ACCOUNT)["StirVerstat"] == "No-TN-Validation"


def test_a_call_sid_is_new_each_time() -> None:
    assert Call().sid != Call().sid
    assert len(new_call_sid()) == 34


def test_the_agents_leg_is_a_call_of_its_own() -> None:
    server = pages(WHISPERED.format(""), whisper="<Say>Maria calls.</Say>", over="")
    call = Call()
    played = around(server).play(call, Script(answered()))
    whisper = played.asked_for("/whisper")[0].fields
    child = whisper["CallSid"]
    assert child != call.sid
    assert whisper | {"CallSid": ""} == {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "CallSid": "",
        "ParentCallSid": call.sid,
        "From": call.caller,
        "Caller": call.caller,
        "To": "client:desk",
        "Called": "client:desk",
        "Direction": "outbound-dial",
        "CallStatus": "in-progress",
    }
    assert played.asked_for("/over")[0].fields["DialCallSid"] == child
    assert played.handovers[0].whisper == "Maria calls."
    assert [each.role for each in played.heard] == [Role.AGENT]


@pytest.mark.parametrize(
    ("document", "kind", "target", "context"),
    [
        ("<Dial>+14155550199</Dial>", "number", AGENTS, {}),
        (
            "<Dial><Sip>sip:a@b.example?x-who=A%20B&amp;x-n=2</Sip></Dial>",
            "sip",
            "sip:a@b.example",
            {**WHO, "x-n": "2"},
        ),
        (WHISPERED.format(ANN), "client", "desk", {"who": "Ann"}),
        ("<Dial><Client>desk</Client></Dial>", "client", "desk", {}),
        ("<Dial><Conference>room</Conference></Dial>", "conference", "room", {}),
        ("<Dial><Queue>support</Queue></Dial>", "queue", "support", {}),
        ("<Enqueue>support</Enqueue>", "enqueue", "support", {}),
        (TASK.format('{"who": "Ann", "n": 2}'), "workflow", "WW1", {"who": "Ann", "n": "2"}),
        (CONNECT.format("Stream", ANN), "stream", "wss://x.example/a", {"who": "Ann"}),
        (CONNECT.format("ConversationRelay", ANN), "relay", "wss://x.example/a", {"who": "Ann"}),
    ],
)
def test_where_a_call_is_put_through_to_and_what_goes_along(
    document: str, kind: str, target: str, context: dict[str, str]
) -> None:
    played = around(pages(document, whisper="", over="")).play(Call(), Script(answered()))
    found = played.handovers[0]
    assert (found.kind, found.target, found.context, found.bridged) == (kind, target, context, True)
    assert played.clean


def test_a_question_says_what_it_takes() -> None:
    gather = (
        '<Gather input="dtmf speech" numDigits="4" hints="refund, bill" language="de-DE" timeout="7" action="/turn">'
    )
    played = around(pages(f"{gather}<Say>Well?</Say></Gather>")).play(Call(), Script(HANG_UP))
    question = played.questions[0]
    assert (question.said, question.keys, question.speech, question.digits) == ("Well?", True, True, 4)
    assert (question.hints, question.language, question.timeout_seconds) == (("refund", "bill"), "de-DE", 7)
    assert question.action == f"{PUBLIC_URL}/turn"


def test_voices_and_languages_are_written_down() -> None:
    played = around(pages('<Say language="de-DE" voice="Polly.Vicki">Hallo.</Say><Say>Hi.</Say>')).play(
        Call(), Script()
    )
    assert [(each.language, each.voice) for each in played.heard] == [("de-DE", "Polly.Vicki"), ("en-US", "")]


def test_the_last_callback_tells_seconds_and_begun_minutes() -> None:
    passed: list[float] = []
    network = around(pages('<Pause length="61"/>'), now=lambda: NOW / 1000, passes=passed.append)
    told = network.play(Call(), Script()).requests[-1].fields
    assert (told["CallDuration"], told["Duration"], told["SequenceNumber"]) == ("61", "2", "0")
    assert told["Timestamp"] == "Sat, 07 Feb 2026 10:30:00 +0000"
    assert parsedate_to_datetime(told["Timestamp"]).timestamp() == NOW / 1000
    assert sum(passed) == 61


def test_a_call_that_nobody_answered_took_no_time() -> None:
    told = around(pages("<Reject/>")).play(Call(), Script()).requests[-1].fields
    assert (told["CallStatus"], told["CallDuration"], told["Duration"]) == ("no-answer", "0", "0")


def test_ringing_is_not_billed_to_a_caller_whom_nobody_answered() -> None:
    server = pages('<Dial answerOnBridge="true">+14155550199</Dial>')
    told = around(server).play(Call(), Script(HANG_UP)).requests[-1].fields
    assert (told["CallStatus"], told["CallDuration"]) == ("no-answer", "0")


def test_slow_fingers_take_their_time() -> None:
    passed: list[float] = []
    network = around(pages('<Gather action="/turn"/>', turn=""), passes=passed.append)
    network.play(Call(), Script(Keys("1", seconds=20)))
    assert sum(passed) == 20


def test_without_a_status_callback_nobody_is_told() -> None:
    played = around(pages(""), status=None).play(Call(), Script())
    assert len(played.requests) == 1


def test_a_callback_can_be_sent_by_itself() -> None:
    server = pages("")
    around(server).tell(Call(), "busy", SequenceNumber="3", ParentCallSid="CA1")
    _, url, fields = server.asked[0]
    assert url == f"{PUBLIC_URL}/twilio/status"
    assert (fields["CallStatus"], fields["SequenceNumber"], fields["ParentCallSid"]) == ("busy", "3", "CA1")


def test_a_call_that_went_round_in_circles_is_told_of_all_the_same() -> None:
    played = around(pages("<Redirect/>"), most_requests=3).play(Call(), Script())
    assert played.ending is Ending.LOOPED
    assert [each.url.rpartition("/")[2] for each in played.requests] == ["voice"] * 3 + ["status"]


def test_a_plain_call_to_the_real_app_is_put_through_and_remembered(app: Flask, api: Api, clock: ToldClock) -> None:
    call = Call(stir="A")
    played = a_network(app, clock).play(call, Script())
    assert played.said == "Hello and welcome. Thank you for calling us. One moment, please."
    assert [(each.target, each.bridged) for each in played.handovers] == [(AGENTS, True)]
    assert played.requests[-1].status == 204
    assert (played.clean, played.ending) == (True, Ending.HUNG_UP)
    assert [each["event"] for each in api.call(call.sid).get_json()["timeline"]] == ["greeted", "hung_up"]
