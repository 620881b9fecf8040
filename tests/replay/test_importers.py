"""Webhooks from other tools: everything readable is imported, everything else is told with place and reason."""

from __future__ import annotations

import base64
import gzip
import io
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from adapter.replay.importers import Unreadable, imported
from adapter.replay.importers.events import calls_between, client_for, field_name, read_calls
from adapter.replay.importers.exchange import NoWebhook
from adapter.replay.importers.ngrok import fetch
from adapter.replay.pseudonyms import Key, Pseudonyms, vocabulary
from adapter.replay.recording import Answer, Broken, Recorded, line_of

PAYLOADS = Path(__file__).parent.parent / "recordings" / "payloads.jsonl"
CAPTURED = [json.loads(line) for line in PAYLOADS.read_text("utf-8").splitlines()]
FORM = "CallSid=CA1&From=%2B14155550123&CallStatus=ringing&City=M%C3%A1laga+Este&Empty="
FIELDS = (
    ("CallSid", "CA1"),
    ("From", "+14155550123"),
    ("CallStatus", "ringing"),
    ("City", "Málaga Este"),
    ("Empty", ""),
)
TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response><Say>Málaga</Say></Response>'
AT = 1_770_460_200_000
ACCOUNT = "AC" + "a" * 32
CLEAN = Pseudonyms(Key(b"k" * 32), vocabulary()).clean
API = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}"


def read(text: str | bytes) -> list[Recorded | Broken]:
    data = text.encode() if isinstance(text, str) else text
    return list(imported(io.BytesIO(data), "file"))


def whole(found: list[Recorded | Broken]) -> list[Recorded]:
    assert all(isinstance(each, Recorded) for each in found), found
    return [each for each in found if isinstance(each, Recorded)]


def told(found: list[Recorded | Broken]) -> list[str]:
    return [str(each) for each in found if isinstance(each, Broken)]


def har_entry(**request: Any) -> dict[str, Any]:
    sent = {
        "method": "POST",
        "url": "https://voice.example.com/ivr?step=2",
        "headers": [{"name": "User-Agent", "value": "TwilioProxy/1.1"}],
        "postData": {"mimeType": "application/x-www-form-urlencoded", "text": FORM},
    }
    answer = {"status": 200, "headers": [], "content": {"mimeType": "text/xml", "text": TWIML}}
    return {"startedDateTime": "2026-02-07T10:30:00.000Z", "request": {**sent, **request}, "response": answer}


def har(*entries: Any) -> str:
    return json.dumps({"log": {"version": "1.2", "entries": list(entries)}})


def wire(head: str, body: bytes) -> str:
    return base64.b64encode(head.encode() + b"\r\n\r\n" + body).decode()


def ngrok_entry(body: bytes = TWIML.encode(), **headers: list[str]) -> dict[str, Any]:
    return {
        "uri": "/api/requests/http/airt_1",
        "id": "airt_1",
        "tunnel_name": "command_line",
        "remote_addr": "203.0.113.7",
        "start": "2026-02-07T11:30:00.000000123+01:00",
        "duration": 5_000_000,
        "request": {
            "method": "POST",
            "proto": "HTTP/1.1",
            "headers": {"Content-Type": ["application/x-www-form-urlencoded"]},
            "uri": "/ivr?step=2",
            "raw": wire("POST /ivr?step=2 HTTP/1.1\r\nHost: x", FORM.encode()),
        },
        "response": {
            "status": "200 OK",
            "status_code": 200,
            "headers": {"Content-Type": ["text/xml"], **headers},
            "raw": wire("HTTP/1.1 200 OK", body),
        },
    }


def event(url: str = "https://voice.example.com/ivr?step=2", second: int = 0, **more: str) -> dict[str, Any]:
    return {
        "request": {
            "method": "POST",
            "url": url,
            "parameters": {
                "call_sid": "CA1",
                "from": "+14155550123",
                "speech_result": "hi",
                "msg": "Gather End",
                **more,
            },
        },
        "response": {
            "response_code": 200,
            "request_duration": 50,
            "content_type": "text/xml",
            "response_body": TWIML,
            "date_created": f"Sat, 07 Feb 2026 10:30:{second:02} +0000",
        },
    }


def test_all_captured_payloads_are_imported_with_every_field() -> None:
    found = whole(read(PAYLOADS.read_bytes()))
    assert len(found) == 16
    assert [dict(each.fields) for each in found] == [source["params"] for source in CAPTURED]
    assert [each.name for each in found] == [source["name"] for source in CAPTURED]
    kinds = {"voice": "voice", "status": "status", "gather": "turn", "dial": "turn"}
    assert [each.kind for each in found] == [kinds[source["kind"]] for source in CAPTURED]


def test_our_own_recordings_are_read() -> None:
    webhook = Recorded("POST", "/twilio/voice", FIELDS, AT)
    assert read(line_of(webhook) * 2) == [webhook, webhook]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_har_is_read(indent: int | None) -> None:
    (found,) = whole(read(json.dumps(json.loads(har(har_entry())), indent=indent)))
    assert (found.path, found.fields, found.at) == ("/ivr?step=2", FIELDS, AT)
    assert found.headers == {"user-agent": "TwilioProxy/1.1"}
    assert found.answer == Answer(200, "text/xml", TWIML)


def test_a_har_with_fields_taken_apart_and_a_body_in_base64_is_read() -> None:
    params = [{"name": name, "value": value} for name, value in FIELDS]
    entry = har_entry(postData={"params": params})
    entry["response"]["content"] = {"text": base64.b64encode(TWIML.encode()).decode(), "encoding": "base64"}
    (found,) = whole(read(har(entry)))
    posted = {"text": base64.b64encode(FORM.encode()).decode(), "encoding": "base64"}
    (other,) = whole(read(har(har_entry(postData=posted))))
    assert found.fields == other.fields == FIELDS
    assert found.answer
    assert found.answer.body == TWIML


def test_fields_that_a_browser_took_apart_but_left_escaped_are_read_from_the_body() -> None:
    posted = {
        "text": FORM,
        "params": [{"name": "CallSid", "value": "CA1"}, {"name": "From", "value": "%2B14155550123"}],
    }
    (found,) = whole(read(har(har_entry(postData=posted))))
    assert found.fields == FIELDS


def test_a_get_has_its_fields_in_the_query() -> None:
    (found,) = whole(read(har(har_entry(method="GET", url=f"https://voice.example.com/ivr?{FORM}"))))
    assert (found.method, found.path, found.fields) == ("GET", "/ivr", FIELDS)


def test_other_requests_of_a_har_are_told_and_the_rest_is_imported() -> None:
    other = har_entry(postData={"text": "a=1"})
    found = read(har(other, {}, har_entry(method="PUT"), har_entry(), har_entry(url="https://api.twilio.com/x"), 7))
    assert told(found) == [
        "file: entry 1: no CallSid among its fields",
        "file: entry 2: not an entry of this format",
        "file: entry 3: neither GET nor POST",
        "file: entry 5: a request to Twilio, not from Twilio",
        "file: entry 6: not an entry of this format",
    ]
    assert len(found) == 6


def test_a_status_that_is_no_number_is_told() -> None:
    endless = ngrok_entry()
    endless["response"]["status_code"] = math.inf  # as JSON writes it: Infinity
    assert told(read(json.dumps({"uri": "/", "requests": [endless]}))) == [
        "file: entry 1: not an entry of this format",
    ]


@pytest.mark.parametrize("odd", [{"response_body": {"a": 1}}, {"content_type": ["text/xml"]}])
def test_an_answer_that_is_no_text_is_told_and_the_rest_is_imported(odd: dict[str, Any]) -> None:
    first = event()
    first["response"].update(odd)
    found = read(json.dumps({"events": [first, event()]}))
    assert told(found) == ["file: entry 1: not an entry of this format"]
    assert len(found) == 2


def test_a_status_that_is_a_switch_is_none() -> None:
    switched = {**har_entry(), "response": {"status": True, "content": {"text": TWIML}}}
    captured = {"url": "https://x/voice", "params": {"CallSid": "CA1"}, "response": {"status": True, "body": TWIML}}
    assert told(read(har(switched))) == ["file: entry 1: not an entry of this format"]
    (one,) = read(json.dumps(captured))
    assert isinstance(one, Recorded)
    assert one.answer is None


def test_ngrok_is_read_the_oldest_first() -> None:
    older = {**ngrok_entry(), "start": "2026-02-07T10:29:00Z"}
    found = whole(read(json.dumps({"uri": "/api/requests/http", "requests": [ngrok_entry(), older]})))
    assert [each.at for each in found] == [AT - 60_000, AT]
    assert (found[1].path, found[1].fields) == ("/ivr?step=2", FIELDS)
    assert found[1].answer == Answer(200, "text/xml", TWIML)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"5\r\nfirst\r\n4;x=1\r\n two\r\n0\r\n\r\n", {"Transfer-Encoding": ["chunked"]}),
        (gzip.compress(b"first two"), {"Content-Encoding": ["gzip"]}),
    ],
    ids=["chunked", "zipped"],
)
def test_bytes_on_the_wire_become_the_body_again(body: bytes, headers: dict[str, list[str]]) -> None:
    (found,) = whole(read(json.dumps(ngrok_entry(body, **headers))))
    assert found.answer
    assert found.answer.body == "first two"


def test_what_ngrok_cut_off_is_told() -> None:
    entry = ngrok_entry(gzip.compress(b"first two")[:-6], **{"Content-Encoding": ["gzip"]})
    assert told(read(json.dumps({"requests": [entry]}))) == [
        "file: entry 1: its body is cut off: ngrok keeps only the beginning of long ones"
    ]


def test_a_running_ngrok_is_asked() -> None:
    with responses.RequestsMock() as mock:
        mock.get("http://127.0.0.1:4040/api/requests/http", json={"requests": []})
        assert json.loads(fetch()) == {"requests": []}
    with responses.RequestsMock() as mock:
        mock.get("http://127.0.0.1:4040/api/requests/http", status=502)
        with pytest.raises(NoWebhook, match="does not answer"):
            fetch()


def test_a_form_may_have_a_field_on_each_line() -> None:
    one, other = FORM.replace("&", "\n"), FORM.replace("CA1", "CA2").replace("&", "\r\n")
    found = read(f"{one}\n\nFrom=nobody\n\n{other}")
    assert told(found) == ["file: line 7: not a form with a CallSid"]
    assert [each.call for each in found if isinstance(each, Recorded)] == ["CA1", "CA2"]
    assert next(each for each in found if isinstance(each, Recorded)).fields == FIELDS


def test_forms_are_read_one_a_line() -> None:
    found = read(f"{FORM}\n\nnothing\n{FORM}&Digits=1\n")
    assert told(found) == ["file: line 3: not a form with a CallSid"]
    first, last = (each for each in found if isinstance(each, Recorded))
    assert (first.path, first.fields) == ("/twilio/voice", FIELDS)
    assert last.path == "/twilio/turn/0"


@pytest.mark.parametrize(
    "command",
    [
        "curl -X POST https://v.example.com/ivr -d 'CallSid=CA1&City=M%C3%A1laga+Este'",
        "$ curl -s https://v.example.com/ivr --data-urlencode CallSid=CA1 --data-urlencode 'City=Málaga Este'",
        "curl https://v.example.com/ivr \\\n  -H 'X-A: b' -dCallSid=CA1 \\\n  --data=City=M%C3%A1laga%20Este",
        "curl -sX POST https://v.example.com/ivr --data-raw $'CallSid=CA1&City=M\\u00e1laga Este'",
        "curl https://v.example.com/ivr -sd 'CallSid=CA1&City=M%C3%A1laga+Este' -XPOST",
        'curl.exe -X POST "https://v.example.com/ivr" ^\r\n  --data-raw "CallSid=CA1&City=M%C3%A1laga+Este"\r\n',
        "PS C:\\calls> curl.exe https://v.example.com/ivr `\n  --data 'CallSid=CA1&City=M%C3%A1laga+Este'",
        "# of yesterday\n\n  /usr/bin/curl https://v.example.com/ivr -d 'CallSid=CA1&City=M%C3%A1laga+Este'",
        'curl -u a:b -k --url "https://v.example.com/ivr" --data-raw "CallSid=CA1" --data "City=M%C3%A1laga Este"',
    ],
    ids=[
        *("-d", "--data-urlencode", "several lines", "copied from a browser", "letters behind one dash"),
        *("cmd.exe", "PowerShell", "a comment and a path", "--url"),
    ],
)
def test_curl_is_read(command: str) -> None:
    (found,) = whole(read(command))
    assert (found.method, found.path) == ("POST", "/ivr")
    assert found.fields == (("CallSid", "CA1"), ("City", "Málaga Este"))


@pytest.mark.parametrize(
    ("quoted", "value"),
    [(r"it\'s", "it's"), (r"a\\b", r"a\b"), (r"\u266b\ud83d\ude00\x21", "\u266b\U0001f600!"), (r"\ud83d.", "\ufffd.")],
)
def test_what_browsers_escape_in_a_curl_command_is_read(quoted: str, value: str) -> None:
    (found,) = whole(read(f"curl https://v/ivr --data-raw $'CallSid=CA1&SpeechResult={quoted}' -H 'a: b'"))
    assert ("SpeechResult", value) in found.fields


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("+14155550100", "+14155550100"),
        ("%2B14155550100", "+14155550100"),
        ("+a", " a"),
        ("+0", " 0"),
        ("1+2", "1 2"),
    ],
)
def test_a_number_that_somebody_wrote_with_a_bare_plus_keeps_it(written: str, meant: str) -> None:
    for text in (f"curl https://v/ivr -d 'CallSid=CA1&To={written}'", f"CallSid=CA1&To={written}"):
        (found,) = whole(read(text))
        assert ("To", meant) in found.fields


def test_curl_puts_data_into_the_query_when_told_so() -> None:
    (found,) = whole(read("curl -G https://v.example.com/ivr -d CallSid=CA1 --data-urlencode 'City=Málaga Este'"))
    assert (found.method, found.path) == ("GET", "/ivr")
    assert found.fields == (("CallSid", "CA1"), ("City", "Málaga Este"))


def test_curl_commands_that_say_too_little_are_told_with_their_line() -> None:
    found = read(
        "curl https://v/ivr -d CallSid=CA1\n"
        "curl https://v/ivr -F CallSid=CA1\n"
        "curl https://v/ivr -d @file\n"
        "curl -d CallSid=CA1\n"
        "curl https://v/ivr -d CallSid=CA1\n; curl https://v/ivr -d CallSid=CA2\n"
        "curl https://v/ivr -d 'CallSid=CA1\n"
    )
    assert told(found) == [
        "file: line 2: a multipart form, which Twilio never sends",
        "file: line 3: its data is in another file",
        "file: line 4: a curl command without an address",
        "file: line 5: two commands in one; begin each of them on a line of its own",
        "file: line 7: a quote is not closed",
    ]


def test_call_events_are_read_in_their_order_with_the_names_of_webhooks() -> None:
    created = event("https://api.twilio.com/2010-04-01/Accounts/AC1/Calls.json")
    found = read(json.dumps({"events": [event(second=9), event(second=1, add_ons="{}"), created]}))
    assert told(found) == ["file: entry 3: a request to Twilio, not from Twilio"]
    first, last = (each for each in found if isinstance(each, Recorded))
    assert [first.at, last.at] == [AT + 1_000, AT + 9_000]
    assert first.path == "/ivr?step=2"
    assert dict(first.fields) == {
        "CallSid": "CA1",
        "From": "+14155550123",
        "SpeechResult": "hi",
        "msg": "Gather End",
        "AddOns": "{}",
    }
    assert first.answer == Answer(200, "text/xml", TWIML)


@pytest.mark.parametrize("newest_first", [False, True])
def test_events_of_one_second_stay_in_the_direction_of_the_list(newest_first: bool) -> None:
    events = [event(second=second, digits=str(at)) for at, second in enumerate((1, 1, 1, 5, 5))]
    found = whole(read(json.dumps({"events": events[::-1] if newest_first else events})))
    assert [each.value("Digits") for each in found] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("name", sorted({name for each in CAPTURED for name in each["params"]}))
def test_every_captured_field_gets_its_name_back_from_snake_case(name: str) -> None:
    snake = "".join(f"_{each.lower()}" if each.isupper() else each for each in name).lstrip("_")
    assert field_name(snake) == name


@pytest.fixture
def told_by_twilio() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def test_a_call_is_fetched_from_twilio_and_one_that_is_gone_is_told(told_by_twilio: responses.RequestsMock) -> None:
    told_by_twilio.get(f"{API}/Calls/CA1/Events.json", json={"events": [event()], "next_page_uri": None})
    told_by_twilio.get(
        f"{API}/Calls/CA2/Events.json", status=404, json={"code": 20404, "message": "gone", "status": 404}
    )
    found = list(read_calls(client_for(ACCOUNT, "token"), ["CA2", "CA1"]))
    assert told(found) == ["twilio: call CA2: Twilio answers 404"]
    assert [each.call for each in found if isinstance(each, Recorded)] == ["CA1"]


def test_inbound_calls_of_a_time_are_found_the_oldest_first(told_by_twilio: responses.RequestsMock) -> None:

    calls = [
        {"sid": sid, "direction": kind}
        for sid, kind in (("CA3", "inbound"), ("CA2", "outbound-dial"), ("CA1", "inbound"))
    ]
    told_by_twilio.get(f"{API}/Calls.json", json={"calls": calls, "next_page_uri": None})
    start, end = datetime(2026, 2, 7, tzinfo=UTC), datetime(2026, 2, 8, tzinfo=UTC)
    assert calls_between(client_for(ACCOUNT, "token"), start, end) == ["CA1", "CA3"]
    asked = str(told_by_twilio.calls[0].request.url)
    assert "StartTime%3E=2026-02-07" in asked
    assert "StartTime%3C=2026-02-08" in asked


def test_what_twilio_gives_in_pages_is_read_to_the_last(told_by_twilio: responses.RequestsMock) -> None:
    def page(of: str, held: list[dict[str, Any]], following: str | None) -> dict[str, Any]:
        where = f"/2010-04-01/Accounts/{ACCOUNT}/{following}" if following else None
        return {of: held, "next_page_uri": where}

    calls = [{"sid": f"CA{number}", "direction": "inbound"} for number in range(4)]
    told_by_twilio.get(f"{API}/Calls.json", json=page("calls", calls[2:], "Calls.json?Page=1"))
    told_by_twilio.get(f"{API}/Calls.json", json=page("calls", calls[:2], None))
    client = client_for(ACCOUNT, "token")
    assert calls_between(client, datetime(2026, 2, 7, tzinfo=UTC), datetime(2026, 2, 8, tzinfo=UTC)) == [
        "CA1",
        "CA0",
        "CA3",
        "CA2",
    ]
    told_by_twilio.get(
        f"{API}/Calls/CA1/Events.json", json=page("events", [event(second=1)], "Calls/CA1/Events.json?Page=1")
    )
    told_by_twilio.get(f"{API}/Calls/CA1/Events.json", json=page("events", [event(second=2)], None))
    assert [each.at for each in read_calls(client, ["CA1"])] == [AT + 1_000, AT + 2_000]


def test_twilio_out_of_reach_is_told_without_the_address(told_by_twilio: responses.RequestsMock) -> None:
    (broken,) = read_calls(client_for(ACCOUNT, "token"), ["CA1"])
    assert str(broken).startswith("twilio: call CA1: Twilio cannot be reached")
    assert ACCOUNT not in str(broken)


@pytest.mark.parametrize("text", ["hello", "<html>", '{"a": 1}', "[1, 2]", "\x00\x01"])
def test_a_file_of_no_known_format_is_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="file: not one of"):
        read(text)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (gzip.compress(FORM.encode()), "file: packed with gzip; unpack it first"),
        (b"PK\x03\x04\x14\0", "file: a zip archive; unpack it first"),
        (FORM.encode("utf-16"), "file: text in UTF-16; save it as UTF-8"),
    ],
    ids=["gzip", "zip", "utf-16"],
)
def test_what_has_to_be_unpacked_first_is_told(data: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        list(imported(io.BytesIO(data), "file"))


def test_an_empty_file_is_an_empty_recording() -> None:
    assert read("") == read("\n\n") == []


def test_a_document_that_is_cut_off_is_told_with_its_line() -> None:
    assert told(read(har(har_entry())[:-2])) == ["file: the file: line 1: not JSON: expecting ',' delimiter"]


def test_a_recording_whose_beginning_is_torn_is_recognized_all_the_same() -> None:
    line = line_of(Recorded("POST", "/", FIELDS))
    found = read(line[30:] + line)
    assert [type(each) for each in found] == [Broken, Recorded]


KEYS = ["log", "entries", "request", "response", "requests", "events", "params", "kind", "url", "uri", "method", "raw"]
KEYS += ["headers", "CallSid", "body", "time", "isBase64Encoded", "status", "postData", "parameters", "call_sid"]
texts = st.text(max_size=5) | st.sampled_from(
    ["CallSid=CA1&a=b", "POST", "GET", "https://x/y?z", "2026-02-07T10:30:00Z", "YQ=="]
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)


@given(json_values | st.lists(json_values).map(lambda entries: {"log": {"entries": entries}}), st.binary(max_size=50))
def test_whatever_a_file_holds_it_is_imported_told_or_refused(document: Any, data: bytes) -> None:
    for text in (json.dumps(document).encode(), data, b"curl " + data, b"CallSid=" + data, b'{"log": ' + data):
        try:
            found = read(text)
        except Unreadable:
            continue
        assert all(line_of(CLEAN(each)) for each in found if isinstance(each, Recorded))
