"""What a call leaves behind: intents, variables, standalone ends, wrap-up, call_ids (semantics §6, §7)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from adapter.usecases import Service, months, sweep
from tests import databases
from tests.builders import Api, ToldClock, Twilio, call_sid

pytestmark = pytest.mark.stores

ANI = "+14155550123"
NOBODY = "00000000-0000-4000-8000-0000000000ff"
DAY_MS = 86_400_000


def call(api: Api, name: str, **body: Any) -> str:
    """A whole call of the one caller; the customer."""
    ref = api.start(name, "mobile", ani=ANI).json["customer_ref"]
    ended = api.end(name, customer_ref=ref, **body)
    assert ended.status_code == 200, ended.text
    return str(ref)


def known(api: Api) -> dict[str, Any]:
    """What a start would be told of the caller now."""
    known.count += 1  # type: ignore[attr-defined]
    return dict(api.start(f"look-{known.count}", "mobile", ani=ANI).json)  # type: ignore[attr-defined]


known.count = 0  # type: ignore[attr-defined]


# Intents


def test_attempts_count_the_ended_calls_that_left_it_open(api: Api) -> None:
    for number, attempts in ((1, 1), (2, 2), (3, 3)):
        call(api, f"call-{number}", intent="refund_request")
        told = known(api)["open_intents"]
        assert told == [{"intent": "refund_request", "status": "open", "attempt_count": attempts}]


def test_a_resolved_intent_is_gone_and_begins_anew(api: Api) -> None:
    call(api, "call-1", intent="refund_request")
    call(api, "call-2", intent="refund_request", intent_status="resolved")
    assert known(api)["open_intents"] == []
    ref = call(api, "call-3", intent="refund_request", intent_status="open")
    assert known(api)["open_intents"][0]["attempt_count"] == 1
    assert [intent["intent"] for intent in api.customer(ref).json["intents"]] == ["refund_request"]


def test_an_intent_that_is_not_mentioned_keeps_its_count(api: Api, clock: ToldClock) -> None:
    call(api, "call-1", intent="refund_request")
    clock.advance(ms=1)
    call(api, "call-2", intent="moving")
    assert [(i["intent"], i["attempt_count"]) for i in known(api)["open_intents"]] == [
        ("refund_request", 1),
        ("moving", 1),
    ]


def test_open_intents_are_listed_oldest_first_and_in_the_order_of_their_request(api: Api, clock: ToldClock) -> None:
    call(api, "call-1", intent="zebra", intent_updates=[{"intent": "apple"}, {"intent": "mango"}])
    clock.advance(seconds=1)
    call(api, "call-2", intent_updates=[{"intent": "apricot"}, {"intent": "zebra"}])
    assert [intent["intent"] for intent in known(api)["open_intents"]] == ["zebra", "apple", "mango", "apricot"]


def test_a_resolution_is_kept_for_the_record_and_told_to_nobody(api: Api) -> None:
    resolution = {"type": "processed", "external_reference": "refund_12345"}
    updates = [{"intent": "refund_request", "status": "resolved", "resolution": resolution}]
    ref = call(api, "call-1", intent_updates=updates)
    kept = api.customer(ref).json["intents"][0]
    assert (kept["status"], kept["attempt_count"], kept["resolution"]) == ("resolved", 0, resolution)


# Variables


def test_simple_and_advanced_form_may_be_mixed_and_are_counted(api: Api) -> None:
    ref = api.start("call-1", ani=ANI).json["customer_ref"]
    told = api.end(
        "call-1",
        customer_ref=ref,
        intent="a",
        intent_updates=[{"intent": "b"}, {"intent": "c", "status": "resolved"}],
        variables={"name": "Maria", "email": None},
        variable_updates={"vip_tier": {"value": "Gold", "source": "crm_sync", "ttl_seconds": 60}},
    ).json
    assert (told["intents_updated"], told["variables_updated"]) == (3, 3)
    told = api.start("call-2", "mobile", ani=ANI).json["variables"]
    assert told == {
        "name": {"value": "Maria", "source": None, "ttl_seconds": 2_592_000},
        "vip_tier": {"value": "Gold", "source": "crm_sync", "ttl_seconds": 60},
    }


@pytest.mark.parametrize(
    "body",
    [
        {"intent": "a", "intent_updates": [{"intent": "a"}]},
        {"intent_updates": [{"intent": "a"}, {"intent": "a"}]},
        {"variables": {"a": "1"}, "variable_updates": {"a": {"value": "2"}}},
    ],
)
def test_named_twice_in_one_request_is_refused_and_saves_nothing(api: Api, body: dict[str, Any]) -> None:
    ref = api.start("call-1", ani=ANI).json["customer_ref"]
    assert api.end("call-1", customer_ref=ref, **body).status_code == 400
    record = api.customer(ref).json
    assert (record["intents"], record["variables"]) == ([], {})
    assert api.end("call-1", customer_ref=ref).status_code == 200


def test_null_deletes_and_a_variable_keeps_its_place(api: Api, clock: ToldClock) -> None:
    call(api, "call-1", variables={"a": "1", "b": "2", "c": "3"})
    clock.advance(seconds=1)
    call(api, "call-2", variables={"c": "4", "b": None, "a": "5"})
    assert {name: told["value"] for name, told in known(api)["variables"].items()} == {"a": "5", "c": "4"}
    assert list(known(api)["variables"]) == ["a", "c"]


def test_a_variable_is_gone_at_the_very_millisecond(api: Api, clock: ToldClock) -> None:
    call(api, "call-1", variable_updates={"pin": {"value": "7", "ttl_seconds": 60}}, variables={"name": "Maria"})
    clock.advance(seconds=60, ms=-1)
    assert list(known(api)["variables"]) == ["name", "pin"]
    clock.advance(ms=1)
    assert list(known(api)["variables"]) == ["name"]


def test_reading_does_not_refresh_and_writing_does(api: Api, clock: ToldClock) -> None:
    minute = {"pin": {"value": "7", "ttl_seconds": 60}}
    call(api, "call-1", variable_updates=minute)
    clock.advance(seconds=40)
    assert "pin" in known(api)["variables"]
    call(api, "call-2", variable_updates=minute)
    clock.advance(seconds=40)
    assert "pin" in known(api)["variables"]
    clock.advance(seconds=20)
    assert "pin" not in known(api)["variables"]


@pytest.mark.parametrize(("ttl_seconds", "status"), [(0, 400), (1, 200), (31_536_000, 200), (31_536_001, 400)])
def test_a_time_to_live_is_a_second_to_a_year(api: Api, ttl_seconds: int, status: int) -> None:
    ref = api.start("call-1", ani=ANI).json["customer_ref"]
    updates = {"name": {"value": "Maria", "ttl_seconds": ttl_seconds}}
    assert api.end("call-1", customer_ref=ref, variable_updates=updates).status_code == status


def test_sweeping_removes_what_has_expired_from_disk(
    api: Api, clock: ToldClock, service: Service, tmp_path: Path
) -> None:
    call(api, "call-1", variable_updates={"pin": {"value": "swordfish", "ttl_seconds": 60}})
    api.end("call-2", "key-1", identity_hints={"ani": ANI}, variables={"name": "Maria"})
    clock.advance(seconds=60)
    assert sweep(service).variables == 1
    on_disk = b"".join(path.read_bytes() for path in tmp_path.glob("calls.db*"))  # PostgreSQL's is not ours to read
    assert b"swordfish" not in on_disk
    clock.advance(days=1)
    assert sweep(service).answers == 1
    clock.advance(days=90)
    assert sweep(service).calls == 2
    assert (databases.count(tmp_path, "variables"), databases.count(tmp_path, "customers")) == (0, 1)


# Ends of unknown calls, ends after hang-ups


def test_a_standalone_end_finds_or_makes_the_customer_and_lasts_no_time(api: Api, clock: ToldClock) -> None:
    ended = api.end("call-1", identity_hints={"ani": ANI}, variables={"name": "Maria"}).json
    assert ended["call_start"] == ended["call_end"] == "2026-02-07T10:30:00.000Z"
    assert ended["duration_seconds"] == 0
    again = api.end("call-2", identity_hints={"ani": ANI}, variables={"city": "Lyon"}).json
    assert again["customer_ref"] == ended["customer_ref"]
    assert set(known(api)["variables"]) == {"name", "city"} or known(api)["identity"]["recommendation"] == "confirm"


def test_a_standalone_end_with_a_known_ref_needs_no_hints(api: Api) -> None:
    ref = call(api, "call-1")
    assert api.end("call-2", customer_ref=ref).json["customer_ref"] == ref


def test_an_unknown_ref_without_hints_is_refused_and_saves_nothing(api: Api, tmp_path: Path) -> None:
    refused = api.end("call-1", customer_ref=NOBODY, intent="refund_request", variables={"name": "Maria"})
    assert refused.status_code == 400
    assert refused.json["details"]["issues"][0]["path"] == ["customer_ref"]
    for table in ("customers", "calls", "intents", "variables", "usage", "answers"):
        assert databases.count(tmp_path, table) == 0, table


def test_an_unknown_ref_is_complained_of_where_it_was_written(api: Api) -> None:
    refused = api.end("call-1", identity_hints={"customer_ref": NOBODY})
    [issue] = refused.json["details"]["issues"]
    assert (refused.status_code, issue["path"]) == (400, ["identity_hints", "customer_ref"])
    assert issue["message"].startswith("identity_hints.customer_ref is unknown here; ")


def test_an_unknown_ref_on_a_started_call_leaves_the_call_open(api: Api) -> None:
    ref = api.start("call-1", ani=ANI).json["customer_ref"]
    assert api.end("call-1", customer_ref=NOBODY).status_code == 400
    assert api.end("call-1", customer_ref=ref).status_code == 200


def test_a_second_end_is_refused_and_saves_nothing(api: Api) -> None:
    ref = call(api, "call-1", variables={"name": "Maria"})
    before = api.customer(ref).json
    refused = api.end("call-1", customer_ref=ref, variables={"name": "John"}, intent="moving")
    assert refused.status_code == 409
    assert refused.json["details"] == {"customer_ref": ref, "call_start": "2026-02-07T10:30:00.000Z"}
    assert api.customer(ref).json == before


def test_a_call_that_was_hung_up_takes_exactly_one_end(api: Api, twilio: Twilio, clock: ToldClock) -> None:
    twilio.voice(call_sid(1), ANI)
    clock.advance(seconds=35)
    twilio.status(call_sid(1), ANI)
    clock.advance(hours=24)
    ref = api.call(call_sid(1)).json["customer_ref"]
    ended = api.end(call_sid(1), customer_ref=ref, variables={"name": "Maria"}).json
    assert (ended["duration_seconds"], ended["call_end"]) == (35, "2026-02-07T10:30:35.000Z")
    assert api.end(call_sid(1), customer_ref=ref).status_code == 409


@pytest.mark.parametrize("told", ["Sat, 08 Aug 2020 03:26:02 +0000", "Sat, 07 Feb 2026 10:29:59 +0000"])
def test_a_call_is_not_hung_up_before_it_began_whatever_twilio_tells(api: Api, twilio: Twilio, told: str) -> None:
    """An old recording sent again by hand, and a clock a second behind ours."""
    twilio.voice(call_sid(1), ANI)
    twilio.status(call_sid(1), ANI, Timestamp=told)
    call = api.call(call_sid(1)).json
    assert [each["at"] for each in call["timeline"]] == [call["call_start"]] * 2
    assert api.end(call_sid(1), customer_ref=call["customer_ref"], intent="refund").status_code == 200


@pytest.mark.parametrize("days", [29, 30, 2_000])
def test_an_old_callback_is_charged_once_however_often_it_is_sent(
    service: Service, twilio: Twilio, clock: ToldClock, days: int
) -> None:
    """Genuine it is for ever; of its own time, what it makes is swept away, and it is not recognized."""
    told = format_datetime(datetime.fromtimestamp(clock.now() / 1_000 - days * 86_400, UTC))
    for _ in range(3):
        assert twilio.status(call_sid(1), ANI, Timestamp=told).status_code == 204
        sweep(service)
    (account,) = months(service).values()
    assert [month.used for month in account] == [1]


def test_after_the_wrap_up_window_nothing_is_saved(api: Api, twilio: Twilio, clock: ToldClock) -> None:
    twilio.voice(call_sid(1), ANI)
    twilio.status(call_sid(1), ANI)
    ref = api.call(call_sid(1)).json["customer_ref"]
    clock.advance(hours=24, ms=1)
    assert api.end(call_sid(1), customer_ref=ref, variables={"name": "Maria"}).status_code == 409
    assert api.customer(ref).json["variables"] == {}


def test_the_duration_is_whole_seconds_from_start_to_end(api: Api, clock: ToldClock) -> None:
    ref = api.start("call-1", ani=ANI).json["customer_ref"]
    clock.advance(seconds=330, ms=999)
    ended = api.end("call-1", customer_ref=ref).json
    assert (ended["duration_seconds"], ended["call_end"]) == (330, "2026-02-07T10:35:30.999Z")


# call_ids


@pytest.mark.parametrize(("passed_ms", "status"), [(0, 409), (30 * DAY_MS - 1, 409), (30 * DAY_MS, 200)])
def test_a_call_id_is_free_again_thirty_days_after_its_start(
    api: Api, clock: ToldClock, passed_ms: int, status: int
) -> None:
    ref = api.start("call-1", ani=ANI).json["customer_ref"]
    clock.advance(ms=passed_ms)
    again = api.start("call-1", ani="+14155550124")
    assert again.status_code == status
    if status == 409:
        assert again.json["details"] == {"customer_ref": ref, "call_start": "2026-02-07T10:30:00.000Z"}
    else:
        assert api.end("call-1", customer_ref=again.json["customer_ref"]).json["duration_seconds"] == 0


def test_an_ended_call_s_id_may_be_ended_anew_after_thirty_days(api: Api, clock: ToldClock) -> None:
    ref = call(api, "call-1", variables={"name": "Maria"})
    clock.advance(days=30)
    ended = api.end("call-1", customer_ref=ref)
    assert (ended.status_code, ended.json["duration_seconds"]) == (200, 0)


def test_two_first_calls_at_once_from_a_new_number_make_one_customer(app: Flask, api: Api) -> None:
    def start(number: int) -> str:
        mine = Api(app.test_client(), api.key)
        return str(mine.start(f"call-{number}", "mobile", ani=ANI).json["customer_ref"])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(start, range(8)))) == 1


def test_two_starts_of_one_call_at_once_are_one_start(app: Flask, api: Api) -> None:
    def start(_: int) -> int:
        return Api(app.test_client(), api.key).start("call-1", ani=ANI).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(start, range(8))) == [200] + [409] * 7
