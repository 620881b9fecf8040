"""Webhooks as JSON of any make: as logs, request catchers and developers keep them."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest

from adapter.replay.importers import imported
from adapter.replay.recording import Answer, Broken, Recorded, line_of

FORM = "CallSid=CA1&From=%2B14155550123&CallStatus=ringing"
FIELDS = (("CallSid", "CA1"), ("From", "+14155550123"), ("CallStatus", "ringing"))
TABLE = dict(FIELDS)
AT = 1_770_460_200_000


def read(written: Any) -> list[Recorded | Broken]:
    text = written if isinstance(written, str) else json.dumps(written)
    return list(imported(io.BytesIO(text.encode()), "file"))


def one(written: Any) -> Recorded:
    (found,) = read(written)
    assert isinstance(found, Recorded), found
    return found


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(TABLE, id="its own keys"),
        pytest.param({"name": "a", "kind": "voice", "params": TABLE}, id="as developers pass on"),
        pytest.param({"body": FORM, "method": "POST", "path": "/twilio/voice"}, id="a body as text"),
        pytest.param({"request": {"body": TABLE, "headers": {}}}, id="a body taken apart"),
        pytest.param({"event": {"body": json.dumps(TABLE)}}, id="a body as JSON"),
        pytest.param({"fields": [{"name": name, "value": value} for name, value in FIELDS]}, id="names and values"),
        pytest.param(
            {"httpMethod": "POST", "isBase64Encoded": True, "body": base64.b64encode(FORM.encode()).decode()},
            id="in base64",
        ),
        pytest.param({"httpMethod": "GET", "path": "/twilio/voice", "queryStringParameters": TABLE}, id="a query"),
        pytest.param({"message": {"payload": {"form": TABLE}}}, id="deep inside"),
    ],
)
def test_a_form_is_found_wherever_it_stands(entry: dict[str, Any]) -> None:
    found = one(entry)
    assert (found.kind, found.fields) == ("voice", FIELDS)
    assert one(json.dumps(entry, indent=2)) == one([entry]) == one({"total": 1, "webhooks": [entry]}) == found


def test_what_stands_around_it_is_read_where_it_has_a_usual_name() -> None:
    found = one(
        {
            "created_at": "2026-02-07T10:30:00Z",
            "url": "https://app.example.com/ivr?step=2",
            "request": {"method": "post", "headers": {"User-Agent": ["TwilioProxy/1.1"]}, "body": FORM},
            "response": {"status_code": 200, "headers": {"Content-Type": "text/xml"}, "body": "<Response/>"},
        }
    )
    assert (found.method, found.path, found.at) == ("POST", "/ivr?step=2", AT)
    assert found.headers == {"user-agent": "TwilioProxy/1.1"}
    assert found.answer == Answer(200, "text/xml", "<Response/>")


@pytest.mark.parametrize(
    "time",
    ["2026-02-07T10:30:00Z", "Sat, 07 Feb 2026 10:30:00 +0000", 1_770_460_200, 1_770_460_200_000, 1_770_460_200.0],
)
def test_times_are_read_as_they_are_written(time: object) -> None:
    assert one({"time": time, "body": FORM}).at == AT


NO_TIMES = ["yesterday", True, None, {}, "", -1, -1e400, float("nan"), 10**400, 10**15, "0001-01-01T00:00:00+14:00"]


@pytest.mark.parametrize("time", NO_TIMES, ids=str)
def test_what_is_no_time_is_none(time: object) -> None:
    found = one({"time": time, "body": FORM})
    assert found.at is None
    assert line_of(found)


def test_values_become_texts_and_lists_fields_that_came_several_times() -> None:
    odd = {"n": 0, "c": 0.5, "yes": True, "none": None, "AddOns": {"a": 1}, "From": ["+1", "+2"], "deep": [{"a": 1}]}
    assert one({"CallSid": "CA1", **odd}).fields == (
        ("CallSid", "CA1"),
        ("n", "0"),
        ("c", "0.5"),
        ("yes", "true"),
        ("none", ""),
        ("AddOns", '{"a":1}'),
        ("From", "+1"),
        ("From", "+2"),
        ("deep", '[{"a":1}]'),
    )


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ({"kind": "gather", "params": {**TABLE, "Digits": "1"}}, "/twilio/turn/0"),
        ({"kind": "record", "params": TABLE}, "/twilio/turn/0"),
        ({"kind": "status_callback", "params": TABLE}, "/twilio/status"),
        ({"kind": "Voice", "params": {}}, "/twilio/voice"),
        ({"kind": "something", "params": {**TABLE, "CallStatus": "completed"}}, "/twilio/status"),
        ({"kind": "something", "params": {**TABLE, "ErrorCode": "11200", "ErrorUrl": "https://x"}}, "/twilio/fallback"),
        ({"params": {**TABLE, "SpeechResult": "hi"}}, "/twilio/turn/0"),
        ({"kind": "voice", "url": "https://app.example.com/ivr", "params": TABLE}, "/twilio/voice"),
        ({"url": "https://app.example.com/ivr", "params": TABLE}, "/ivr"),
        ({"url": {"raw": "https://app.example.com/ivr"}, "params": TABLE}, "/twilio/voice"),
    ],
)
def test_where_it_went_is_told_by_its_kind_its_address_or_its_fields(entry: dict[str, Any], path: str) -> None:
    assert one(entry).path == path


def test_lines_that_are_broken_are_told() -> None:
    good = json.dumps({"name": "a", "kind": "voice", "params": TABLE})
    found = read("\n".join([good, "{", '{"kind": "x", "params": {}}', '{"params": 1}', "1", good[:-3]]))
    assert [str(each) for each in found if isinstance(each, Broken)] == [
        "file: line 2: not JSON",
        "file: line 3: no form with a CallSid",
        "file: line 4: no form with a CallSid",
        "file: line 5: no form with a CallSid",
        "file: line 6: cut off: the file ends within this line",
    ]


def test_a_first_line_that_is_torn_costs_nothing_but_itself() -> None:
    good = json.dumps({"name": "a", "kind": "voice", "params": TABLE})
    found = read(f"{good[:-9]}\n{good}\n")
    assert [type(each) for each in found] == [Broken, Recorded]


def test_entries_that_are_none_are_told_and_the_rest_is_imported() -> None:
    found = read([{"body": FORM}, {"body": "hello"}, 7, {"method": "PUT", "url": "/x", "body": FORM}])
    assert [str(each) for each in found if isinstance(each, Broken)] == [
        "file: entry 2: no form with a CallSid",
        "file: entry 3: no form with a CallSid",
        "file: entry 4: neither GET nor POST",
    ]


def test_a_request_to_twilio_is_none() -> None:
    (found,) = read({"url": "https://api.twilio.com/2010-04-01/Accounts/AC1/Calls.json", "body": FORM})
    assert str(found) == "file: entry 1: a request to Twilio, not from Twilio" or "line 1" in str(found)


ALERT = {
    "account_sid": "AC" + "0" * 32,
    "alert_text": "Msg&sourceComponent=12000&ErrorCode=11200&httpResponse=502",
    "date_generated": "2026-02-07T10:30:00Z",
    "error_code": "11200",
    "request_headers": None,
    "request_method": "GET",
    "request_url": "https://app.example.com/ivr?step=2",
    "request_variables": FORM,
    "response_body": "<Response/>",
    "url": "https://monitor.twilio.com/v1/Alerts/NO1",
}


@pytest.mark.parametrize("is_camel", [False, True], ids=["the API", "Twilio's command"])
def test_an_alert_of_twilio_s_debugger_tells_where_its_webhook_went_and_when(is_camel: bool) -> None:
    """It has an address of its own, too. Whether an answer came is told in words alone: none is taken from it."""
    alert = {
        "".join(part.capitalize() if n else part for n, part in enumerate(k.split("_"))) if is_camel else k: v
        for k, v in ALERT.items()
    }
    (found,) = read({"alerts": [alert], "meta": {}})
    assert isinstance(found, Recorded)
    assert (found.method, found.fields, found.at, found.answer) == ("GET", (("step", "2"), *FIELDS), AT, None)


def test_a_line_in_another_encoding_is_told_from_one_that_is_cut_off() -> None:
    line = json.dumps({**TABLE, "CallerCity": "München"}, ensure_ascii=False)
    for data, reason in (
        (line.encode("latin-1"), "not UTF-8"),
        (line.encode("latin-1") + b"\n", "not UTF-8"),
        (line.encode().partition("ü".encode())[0] + "ü".encode()[:1], "cut off: the file ends within this line"),
    ):
        found = list(imported(io.BytesIO(json.dumps(TABLE).encode() + b"\n" + data), "file"))
        assert isinstance(found[0], Recorded)
        assert str(found[1]) == f"file: line 2: {reason}"
