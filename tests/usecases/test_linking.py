"""Who is who, learnt call by call: links at start and end, shared phones, callers too unsure to be believed."""

from __future__ import annotations

import pytest

from tests.builders import Api, ToldClock, Twilio, call_sid

ANI, OTHER_ANI = "+14155550123", "+14155550124"
MARIA_S, JOHN_S = {"customer_id": "maria"}, {"customer_id": "john"}
NOBODY = "00000000-0000-4000-8000-0000000000ff"


def call(api: Api, number: int, telco: str | None = None, **hints: object) -> dict:
    """A call that is started and ended without a word; the start's answer."""
    started = api.start(f"call-{number}", telco, **hints)
    assert started.status_code == 200, started.text
    assert api.end(f"call-{number}", customer_ref=started.json["customer_ref"]).status_code == 200
    return started.json


def rules(api: Api, number: int) -> list[str]:
    return [line["rule"] for line in api.call(f"call-{number}").json["explanation"]["evidence"]]


def numbers(api: Api, ref: str) -> list[str]:
    return sorted(link["ani"] for link in api.customer(ref).json["numbers"])


def external_ids(api: Api, ref: str) -> list[tuple[str, str]]:
    return [(each["key"], each["value"]) for each in api.customer(ref).json["external_ids"]]


def test_somebody_unknown_is_answered_as_the_reference_says(api: Api) -> None:
    started = api.start("call-1", ani=ANI, external_ids=MARIA_S).json
    assert started["identity"] == {"confidence": 0, "level": "low", "sources": [], "recommendation": "ignore"}
    assert (started["open_intents"], started["variables"]) == ([], {})


def test_the_reference_s_example_reaches_its_confidence(api: Api, clock: ToldClock) -> None:
    """Semantics §5, worked: mobile + external id + 1 day = 0.90."""
    first = call(api, 1, "mobile", ani=ANI, external_ids=MARIA_S)
    clock.advance(days=1)
    again = api.start("call-2", "mobile", ani=ANI, external_ids=MARIA_S).json
    assert again["customer_ref"] == first["customer_ref"]
    assert again["identity"] == {
        "confidence": 0.9,
        "level": "very_high",
        "sources": ["ani:mobile", "external_id", "recency:1day"],
        "recommendation": "reuse",
    }


@pytest.mark.parametrize(
    ("telco", "days", "confidence", "sources", "recommendation"),
    [
        (None, 0, 0.4, ["ani:unknown", "recency:1day"], "confirm"),
        ("mobile", 0, 0.6, ["ani:mobile", "recency:1day"], "reuse"),
        ("mobile", 7, 0.55, ["ani:mobile", "recency:7day"], "reuse"),
        ("mobile", 8, 0.5, ["ani:mobile"], "reuse"),
        ("landline", 1, 0.4, ["ani:landline", "recency:1day"], "confirm"),
        ("landline", 2, 0.35, ["ani:landline", "recency:2day"], "confirm"),
        ("landline", 8, 0.3, ["ani:landline"], "confirm"),
        ("voip", 1, 0.3, ["ani:voip", "recency:1day"], "confirm"),
        ("voip", 2, 0.25, ["ani:voip", "recency:2day"], "ignore"),
    ],
)
def test_a_number_alone_weighs_by_its_line_and_its_age(
    api: Api, clock: ToldClock, telco: str | None, days: int, confidence: float, sources: list[str], recommendation: str
) -> None:
    first = call(api, 1, telco, ani=ANI)
    clock.advance(days=days)
    again = api.start("call-2", telco, ani=ANI).json
    told = again["identity"]
    assert (told["confidence"], told["sources"], told["recommendation"]) == (confidence, sources, recommendation)
    assert (again["customer_ref"] == first["customer_ref"]) == (recommendation != "ignore")


@pytest.mark.parametrize(
    ("hints", "confidence", "sources"),
    [
        ({"external_ids": MARIA_S}, 0.4, ["external_id"]),
        ({"external_ids": {**MARIA_S, "loyalty": "9"}}, 0.4, ["external_id"]),
        ({"customer_ref": "?"}, 0.9, ["customer_ref"]),
        ({"customer_ref": "?", "external_ids": MARIA_S}, 0.9, ["customer_ref", "external_id"]),
        ({"customer_ref": "?", "ani": ANI}, 1.0, ["customer_ref", "ani:unknown"]),
        ({"customer_ref": "?", "ani": OTHER_ANI}, 0.9, ["customer_ref"]),
        ({"external_ids": MARIA_S, "ani": ANI}, 0.7, ["ani:unknown", "external_id"]),
    ],
)
def test_agreeing_evidence_adds_up_to_its_cap(
    api: Api, clock: ToldClock, hints: dict[str, object], confidence: float, sources: list[str]
) -> None:
    ref = call(api, 1, ani=ANI, external_ids={**MARIA_S, "loyalty": "9"})["customer_ref"]
    clock.advance(days=30)
    again = api.start("call-2", **{name: ref if value == "?" else value for name, value in hints.items()}).json
    assert again["customer_ref"] == ref
    assert (again["identity"]["confidence"], again["identity"]["sources"]) == (confidence, sources)


def test_the_stronger_hint_wins_and_the_weaker_is_left_out(api: Api, clock: ToldClock) -> None:
    maria = call(api, 1, ani=ANI, external_ids=MARIA_S)["customer_ref"]
    john = call(api, 2, ani=OTHER_ANI, external_ids=JOHN_S)["customer_ref"]
    clock.advance(days=30)
    by_ref = api.start("call-3", customer_ref=maria, ani=OTHER_ANI, external_ids=JOHN_S).json
    assert (by_ref["customer_ref"], by_ref["identity"]["sources"]) == (maria, ["customer_ref"])
    assert {"external_id.disagrees", "ani.disagrees"} <= set(rules(api, 3))
    by_id = api.start("call-4", ani=ANI, external_ids=JOHN_S).json
    assert (by_id["customer_ref"], by_id["identity"]["sources"]) == (john, ["external_id"])


def test_an_unknown_ref_contributes_nothing_to_a_start(api: Api) -> None:
    ref = call(api, 1, ani=ANI)["customer_ref"]
    assert api.start("call-2", customer_ref=NOBODY, ani=ANI).json["customer_ref"] == ref
    assert api.start("call-3", customer_ref=NOBODY).json["identity"]["confidence"] == 0
    assert api.start("call-4", customer_ref="me").status_code == 400


def test_a_withheld_number_identifies_nobody_and_a_malformed_one_is_refused(api: Api) -> None:
    one, two = (call(api, number, ani="anonymous")["customer_ref"] for number in (1, 2))
    assert one != two
    assert numbers(api, one) == numbers(api, two) == []
    assert api.start("call-3", ani="12345").status_code == 400


def test_a_new_external_id_joins_a_mobile_s_only_customer(api: Api) -> None:
    ref = call(api, 1, "mobile", ani=ANI)["customer_ref"]
    assert call(api, 2, "mobile", ani=ANI, external_ids=MARIA_S)["customer_ref"] == ref
    assert api.start("call-3", external_ids=MARIA_S).json["customer_ref"] == ref


@pytest.mark.parametrize("telco", ["landline", "voip"])
def test_a_new_external_id_on_a_shared_kind_of_line_is_another_person(api: Api, telco: str) -> None:
    one = call(api, 1, telco, ani=ANI)["customer_ref"]
    two = call(api, 2, telco, ani=ANI, external_ids=MARIA_S)
    assert two["customer_ref"] != one
    assert two["identity"]["confidence"] == 0
    assert numbers(api, one) == numbers(api, two["customer_ref"]) == [ANI]
    assert "ani.other_person" in rules(api, 2)


def test_another_value_under_the_same_key_is_another_person_even_on_a_mobile(api: Api) -> None:
    one = call(api, 1, "mobile", ani=ANI, external_ids=MARIA_S)["customer_ref"]
    two = call(api, 2, "mobile", ani=ANI, external_ids=JOHN_S)["customer_ref"]
    assert one != two
    assert external_ids(api, one) == [("customer_id", "maria")]
    assert external_ids(api, two) == [("customer_id", "john")]


def test_a_shared_number_says_half_as_much_for_the_one_seen_last(api: Api, clock: ToldClock) -> None:
    call(api, 1, "mobile", ani=ANI, external_ids=MARIA_S)
    clock.advance(seconds=60)
    john = call(api, 2, "mobile", ani=ANI, external_ids=JOHN_S)["customer_ref"]
    clock.advance(seconds=60)
    again = api.start("call-3", "mobile", ani=ANI).json
    assert again["customer_ref"] == john
    assert (again["identity"]["confidence"], again["identity"]["recommendation"]) == (0.35, "confirm")
    clock.advance(seconds=60)
    maria = api.start("call-4", "mobile", ani=ANI, external_ids=MARIA_S).json
    assert maria["identity"]["sources"] == ["ani:mobile", "external_id", "recency:1day"]
    assert maria["identity"]["confidence"] == 0.75


def test_a_number_with_an_owner_is_linked_to_an_id_s_customer_the_second_time(api: Api) -> None:
    """Once is a mistyped id or a borrowed phone."""
    call(api, 1, ani=ANI)
    maria = call(api, 2, ani=OTHER_ANI, external_ids=MARIA_S)["customer_ref"]
    assert call(api, 3, ani=ANI, external_ids=MARIA_S)["customer_ref"] == maria
    assert numbers(api, maria) == [OTHER_ANI]
    assert call(api, 4, ani=ANI, external_ids=MARIA_S)["customer_ref"] == maria
    assert numbers(api, maria) == [ANI, OTHER_ANI]


def test_start_and_end_of_one_call_are_one_time(api: Api) -> None:
    call(api, 1, ani=ANI)
    maria = call(api, 2, ani=OTHER_ANI, external_ids=MARIA_S)["customer_ref"]
    api.start("call-3", ani=ANI, external_ids=MARIA_S)
    api.end("call-3", customer_ref=maria, identity_hints={"ani": ANI, "external_ids": MARIA_S})
    assert numbers(api, maria) == [OTHER_ANI]


def test_an_id_presented_with_too_many_numbers_stops_identifying_and_says_so(api: Api) -> None:
    desk = {"account": "front-desk"}
    refs = [call(api, n, ani=f"+1415555010{n}", external_ids=desk)["customer_ref"] for n in range(1, 6)]
    assert len(set(refs)) == 1
    sixth = api.start("call-6", ani="+14155550106", external_ids=desk).json
    assert sixth["identity"]["confidence"] == 0
    assert sixth["customer_ref"] not in refs
    assert "external_id.shared" in rules(api, 6)


@pytest.mark.parametrize("key", ["twilio_call_sid", "session_id", "agent_id", "queue_id", "contact_id"])
def test_keys_of_calls_and_groups_never_identify(api: Api, key: str) -> None:
    ref = call(api, 1, external_ids={key: "7"})["customer_ref"]
    assert api.start("call-2", external_ids={key: "7"}).json["customer_ref"] != ref
    assert external_ids(api, ref) == []


def test_what_is_found_but_not_believed_is_left_alone(api: Api, clock: ToldClock) -> None:
    """Recommendation ignore: a fresh ref, nothing of the candidate told, changed or linked (semantics §5)."""
    api.start("call-1", "voip", ani=ANI)
    ref = api.call("call-1").json["customer_ref"]
    api.end("call-1", customer_ref=ref, variables={"name": "Maria"}, intent="refund_request")
    clock.advance(days=30)
    before = {name: value for name, value in api.customer(ref).json.items() if name != "calls"}
    unsure = api.start("call-2", "voip", ani=ANI, external_ids=JOHN_S).json
    assert (unsure["identity"]["confidence"], unsure["identity"]["sources"]) == (0.2, ["ani:voip"])
    assert unsure["customer_ref"] != ref
    assert (unsure["open_intents"], unsure["variables"]) == ([], {})
    assert {name: value for name, value in api.customer(ref).json.items() if name != "calls"} == before


def test_the_fresh_ref_is_reached_by_ref_and_ids_but_not_by_the_number(api: Api, clock: ToldClock) -> None:
    owner = call(api, 1, "voip", ani=ANI)["customer_ref"]
    clock.advance(days=30)
    fresh = call(api, 2, "voip", ani=ANI, external_ids=JOHN_S)["customer_ref"]
    assert numbers(api, fresh) == []
    assert api.start("call-3", "mobile", ani=ANI).json["customer_ref"] == owner
    assert api.start("call-4", external_ids=JOHN_S).json["customer_ref"] == fresh
    assert api.start("call-5", customer_ref=fresh).json["customer_ref"] == fresh


def test_what_the_end_learns_is_linked_for_the_next_call(api: Api) -> None:
    ref = api.start("call-1", "mobile", ani=ANI).json["customer_ref"]
    ended = api.end("call-1", customer_ref=ref, identity_hints={"external_ids": MARIA_S}, variables={"name": "Maria"})
    assert ended.json["customer_ref"] == ref
    again = api.start("call-2", external_ids=MARIA_S).json
    assert (again["customer_ref"], again["variables"]["name"]["value"]) == (ref, "Maria")


def test_the_line_type_told_at_the_end_counts_at_the_next_start(api: Api, twilio: Twilio) -> None:
    twilio.voice(call_sid(1), ANI)
    ref = api.call(call_sid(1)).json["customer_ref"]
    api.end(call_sid(1), customer_ref=ref, telco={"line_type": "mobile"}, variables={"name": "Maria"})
    assert "Welcome back, Maria" in twilio.voice(call_sid(2), ANI).text


def test_the_end_s_customer_wins_and_the_start_s_links_are_undone(api: Api, clock: ToldClock) -> None:
    maria = call(api, 1, external_ids=MARIA_S)["customer_ref"]
    clock.advance(seconds=60)
    guessed = api.start("call-2", ani=ANI, external_ids=JOHN_S).json["customer_ref"]
    assert numbers(api, guessed) == [ANI]
    clock.advance(seconds=60)
    ended = api.end("call-2", customer_ref=maria, variables={"name": "Maria"}).json
    assert ended["customer_ref"] == maria
    assert api.call("call-2").json["customer_ref"] == maria
    assert (numbers(api, guessed), external_ids(api, guessed)) == ([], [])
    assert numbers(api, maria) == [ANI]
    assert api.start("call-3", "mobile", ani=ANI).json["variables"]["name"]["value"] == "Maria"


def test_a_relink_leaves_the_one_who_was_found_as_before(api: Api, clock: ToldClock) -> None:
    john = call(api, 1, "mobile", ani=ANI)["customer_ref"]
    maria = call(api, 2, external_ids=MARIA_S)["customer_ref"]
    clock.advance(days=3)
    before = {name: value for name, value in api.customer(john).json.items() if name != "calls"}
    assert api.start("call-3", ani=ANI).json["customer_ref"] == john
    clock.advance(seconds=60)
    api.end("call-3", customer_ref=maria, variables={"name": "Maria"})
    assert {name: value for name, value in api.customer(john).json.items() if name != "calls"} == before
