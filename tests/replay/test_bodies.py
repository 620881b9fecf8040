"""API calls as they may be recorded: what they save fits what is heard, nothing personal stays what it was."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.line import Confirm, Identify, Line, ProofKind
from adapter.replay.pseudonyms import Key, Pseudonyms, vocabulary, without_secrets
from adapter.replay.pseudonyms.bodies import NAMES, known
from adapter.replay.recording import Answer, Recorded, line_of, recorded_of
from adapter.web.openapi.answers import (
    EndAnswer,
    ErasedAnswer,
    IdentityAnswer,
    OpenIntentAnswer,
    StartAnswer,
    VariableAnswer,
)
from adapter.web.rest.schemas import end_request, start_request, verdict_request
from tests.builders import a_line
from tests.replay.marked import CALL, WRAPPED, accounts, cleaned, left, names, numbers

REF = "32fa35a6-80dd-4445-a2e1-d9d5dc280ffa"


def an_api_call(sent: object, answer: object = None, path: str = "/v1/calls/end", **headers: str) -> Recorded:
    told = Answer(200, "application/json", json.dumps(answer or {"call_id": CALL}))
    return Recorded("POST", path, (), 0, headers, told, sent=sent, key=("acme", "prod"))


def saved(name: str, number: str, account: str) -> dict[str, Any]:
    """A personal value in every place of an API call."""
    return {
        "call_id": f"crm-{account}",
        "identity_hints": {"ani": number, "dnis": number, "external_ids": {"customer_id": account, name: account}},
        "intent": f"call {name} back",
        "variables": {"name": name, "phone": number, name: account},
        "variable_updates": {"note": {"value": f"{name}, {number}", "source": name, "ttl_seconds": 60}},
        "intent_updates": [{"intent": name, "status": "resolved", "resolution": {"by": name, name: [number]}}],
        "unknown": {"to": [name, number]},
    }


@given(names, numbers, accounts, st.sampled_from(sorted(WRAPPED)))
def test_no_personal_value_of_an_api_call_survives(name: str, number: str, account: str, wrapping: str) -> None:
    secrets = [name, number.removeprefix("+"), account]
    sent = saved(WRAPPED[wrapping](name), WRAPPED[wrapping](number), account)
    path = f"/v1/calls/{account}/identity"
    for webhook in (an_api_call(sent, sent), an_api_call(sent, sent, path), an_api_call(sent, None, f"/v1/{name}")):
        assert left(cleaned(webhook), secrets) == []
    assert left(an_api_call(sent, sent), secrets) != [], "the search finds what is left"


def test_what_is_saved_is_the_same_as_what_is_heard_keyed_in_and_called_from() -> None:
    sent = {"call_id": CALL, "identity_hints": {"ani": "+14155550123"}, "variables": {"name": "Maria", "pin": "4711"}}
    kept: Any = cleaned(an_api_call(sent, {"call_id": CALL, "variables": {"name": {"value": "Maria"}}}))
    fields = (("CallSid", CALL), ("From", "+14155550123"), ("Digits", "4711"))
    said = Answer(200, "text/xml", "<Response><Say>Welcome back, Maria.</Say></Response>")
    webhook = cleaned(Recorded("POST", "/twilio/turn/1", fields, 0, answer=said))
    assert kept.sent["identity_hints"]["ani"] == webhook.value("From") != "+14155550123"
    assert kept.sent["variables"]["pin"] == webhook.value("Digits") != "4711"
    name = kept.sent["variables"]["name"]
    assert f"Welcome back, {name}." in webhook.answer.body  # type: ignore[union-attr]
    assert json.loads(kept.answer.body)["variables"] == {"name": {"value": name}}
    assert kept.sent["call_id"] == CALL


def test_a_saved_name_that_is_also_a_word_of_ours_does_not_stay_and_an_enumeration_does() -> None:
    sent = {
        "call_id": CALL,
        "telco": {"line_type": "mobile"},
        "intent": "call back",
        "variables": {"name": "Will May", "birthday": "3 May", "mail": "will.may@example.com"},
        "identity_hints": {"external_ids": {"email": "will.key@example.com", "login": "will may"}},
    }
    kept: Any = cleaned(an_api_call(sent))
    assert re.search("Will|May|will|may|key", json.dumps(kept.sent)) is None
    assert (kept.sent["telco"], kept.sent["intent"]) == ({"line_type": "mobile"}, "call back")


def test_a_dialed_number_of_a_line_stays_and_a_caller_from_there_does_not() -> None:
    clean = Pseudonyms(Key(b"k" * 32), vocabulary([a_line(number="+1415*")])).clean
    kept: Any = clean(an_api_call({"identity_hints": {"ani": "+14155550123", "dnis": "+14155550142"}}))
    assert kept.sent["identity_hints"]["dnis"] == "+14155550142"
    assert kept.sent["identity_hints"]["ani"] != "+14155550123"


def test_two_ids_of_letters_never_become_one() -> None:
    """Two customers would become one in a replay."""
    logins = ["".join(letters) for letters in itertools.product("abcdefgh", repeat=4)]
    ids = {"external_ids": {f"k{number}": login for number, login in enumerate(logins)}}
    kept: Any = cleaned(an_api_call({"call_id": "x", "identity_hints": ids}))
    drawn = [*kept.sent["identity_hints"]["external_ids"].values()]
    assert len(set(drawn)) == len(logins) == 4_096
    assert not set(drawn) & set(logins)


def test_ids_are_the_same_in_the_address_and_in_the_json() -> None:
    kept: Any = cleaned(an_api_call({"verdict": "confirmed"}, {"call_id": "crm 1/x7"}, "/v1/calls/crm%201/x7/identity"))
    assert kept.call == json.loads(kept.answer.body)["call_id"] != "crm 1/x7"
    kept = cleaned(an_api_call(None, {"customer_ref": REF}, f"/v1/customers/{REF}"))
    assert kept.path == f"/v1/customers/{json.loads(kept.answer.body)['customer_ref']}" != f"/v1/customers/{REF}"


def test_an_idempotency_key_stays_the_same_for_the_same_and_authorization_goes() -> None:
    def header(value: str) -> dict[str, str]:
        call = an_api_call(
            {}, **{"idempotency-key": value, "authorization": "Bearer sk_prod_x", "x-forwarded-for": "1"}
        )
        return dict(cleaned(call).headers)

    assert header("Maria-1") == header("Maria-1") != header("Maria-2")
    assert set(header("Maria-1")) == {"idempotency-key"}
    assert "Maria" not in header("Maria-1")["idempotency-key"]


@pytest.mark.parametrize("name", ["password", "api_key", "auth_token"])
def test_what_is_named_like_a_secret_is_left_out_even_when_personal_data_is_kept(name: str) -> None:
    sent = {
        "variables": {name: "hush", "pin": "4711"},
        "intent_updates": [{"intent": "x", "resolution": {name: "hush"}}],
    }
    kept = without_secrets(an_api_call(sent, sent))
    assert b"hush" not in line_of(kept)
    assert b"4711" in line_of(kept), "callers prove themselves by it: a replay needs it"


def test_ids_that_identify_nobody_go_on_identifying_nobody() -> None:
    clean = Pseudonyms(Key(b"k" * 32), vocabulary(names=["campaign_id"])).clean
    kept: Any = clean(an_api_call({"identity_hints": {"external_ids": {"Campaign_ID": "spring", "login": "spring"}}}))
    first, second = kept.sent["identity_hints"]["external_ids"].items()
    assert (first[0], second[0] != "login", first[1] == second[1] != "spring") == ("Campaign_ID", True, True)


@pytest.mark.parametrize(
    ("line", "sent"),
    [
        (a_line(confirm=Confirm(ProofKind.PIN, variable="secret_word")), {"variables": {"secret_word": "4711"}}),
        (
            a_line(identify=Identify("passport_number")),
            {"identity_hints": {"external_ids": {"passport_number": "4711"}}},
        ),
    ],
    ids=["a proof", "an account"],
)
def test_what_callers_prove_themselves_by_stays_under_its_name_as_a_pseudonym(line: Line, sent: object) -> None:
    drawn = Pseudonyms(Key(b"k" * 32), vocabulary([line])).clean
    kept = line_of(drawn(an_api_call(sent, sent))).decode()
    pressed = drawn(Recorded("POST", "/twilio/turn/1", (("CallSid", CALL), ("Digits", "4711")), 0)).value("Digits")
    assert kept.count(pressed) == 2
    assert "4711" not in kept
    assert b"4711" not in line_of(without_secrets(an_api_call(sent, sent))), "kept as it is, it would be a secret"


def test_every_name_of_the_api_is_known_here() -> None:
    """A new one would be left out of recordings, and a replay would go another way."""
    answers = (StartAnswer(), IdentityAnswer(), OpenIntentAnswer(), VariableAnswer(), EndAnswer(), ErasedAnswer())
    for schema in (start_request(), end_request(), verdict_request(), *answers):
        assert set(schema.fields) <= NAMES


def test_a_line_of_an_api_call_comes_back() -> None:
    call = an_api_call({"call_id": "crm_1", "identity_hints": {"ani": "+14155550123"}})
    back = recorded_of(line_of(call).decode())
    assert back == call
    assert (back.kind, back.call, back.caller) == ("api", "crm_1", "+14155550123")
    assert known(back.sent) == back.sent
