"""Lines that demand signed caller IDs, or calls that nobody forwarded: others are asked, not greeted (semantics §9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter.config import Config
from tests.builders import Api, Twilio, a_config, a_line, call_sid

ANI = "+14155550123"
THROUGH = "+14155550177"
NEUTRAL, SIGNED, UNFORWARDED, BOTH = "+14155550100", "+14155550101", "+14155550102", "+14155550103"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    lines = (
        a_line(number=NEUTRAL),
        a_line(number=SIGNED, strict_caller_id=True),
        a_line(number=UNFORWARDED, strict_forwarding=True),
        a_line(number=BOTH, strict_caller_id=True, strict_forwarding=True),
    )
    return a_config(tmp_path, lines=lines)


@pytest.fixture(autouse=True)
def _maria(api: Api) -> None:
    ref = api.start("call-1", "mobile", ani=ANI).json["customer_ref"]
    api.end("call-1", customer_ref=ref, variables={"name": "Maria"})


def rules(api: Api, call_id: str) -> list[str]:
    return [line["rule"] for line in api.call(call_id).json["explanation"]["evidence"]]


def recommended(api: Api, twilio: Twilio, **fields: Any) -> str:
    """What a call with these fields comes to; the name is said if and only if that is reuse."""
    said = twilio.voice(call_sid(2), **{"caller": ANI, **fields}).text
    found: str = api.call(call_sid(2)).json["identity"]["recommendation"]
    assert ("Maria" in said) is (found == "reuse")
    return found


@pytest.mark.parametrize(
    ("verstat", "recommendation"),
    [
        ("TN-Validation-Passed-A", "reuse"),
        ("TN-Validation-Passed-A-Diverted", "confirm"),
        ("TN-Validation-Passed-B", "confirm"),
        ("No-TN-Validation", "confirm"),
        (None, "confirm"),
        ("TN-Validation-Failed-A", "ignore"),
    ],
)
def test_only_a_number_its_carrier_vouches_for_is_greeted_by_name(
    api: Api, twilio: Twilio, verstat: str | None, recommendation: str
) -> None:
    assert recommended(api, twilio, To=SIGNED, **({"StirVerstat": verstat} if verstat else {})) == recommendation


def test_the_reason_is_in_the_explanation(api: Api, twilio: Twilio) -> None:
    twilio.voice(call_sid(2), ANI, To=SIGNED)
    assert "cap.not_attested" in rules(api, call_sid(2))


def test_a_number_that_failed_validation_is_no_evidence(api: Api, twilio: Twilio) -> None:
    twilio.voice(call_sid(2), ANI, StirVerstat="TN-Validation-Failed")
    call = api.call(call_sid(2)).json
    assert (call["ani"], call["identity"]["sources"]) == (None, [])
    assert "ani.caller_id_failed" in rules(api, call_sid(2))


@pytest.mark.parametrize("field", ["ForwardedFrom", "CalledVia"])
@pytest.mark.parametrize(
    ("line", "through", "recommendation"),
    [
        (UNFORWARDED, THROUGH, "confirm"),
        (UNFORWARDED, "4415551234567890123456", "confirm"),  # carriers send what they please
        (UNFORWARDED, "", "reuse"),  # present but empty is normal
        (NEUTRAL, THROUGH, "reuse"),
        (SIGNED, THROUGH, "confirm"),  # for want of a signature
    ],
)
def test_a_forwarded_caller_is_asked_on_a_line_that_is_strict_about_it(
    api: Api, twilio: Twilio, field: str, line: str, through: str, recommendation: str
) -> None:
    assert recommended(api, twilio, To=line, **{field: through}) == recommendation


def test_a_line_strict_about_forwarding_does_not_want_signatures(api: Api, twilio: Twilio) -> None:
    assert recommended(api, twilio, To=UNFORWARDED) == "reuse"


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"ForwardedFrom": THROUGH, "StirVerstat": "TN-Validation-Passed-A"}, "cap.forwarded"),
        ({"ForwardedFrom": THROUGH}, "cap.not_attested"),
        ({}, "cap.not_attested"),
    ],
)
def test_a_line_strict_about_both_names_one_reason(api: Api, twilio: Twilio, fields: dict[str, str], rule: str) -> None:
    assert recommended(api, twilio, To=BOTH, **fields) == "confirm"
    assert [name for name in rules(api, call_sid(2)) if name.startswith("cap.")] == [rule]


@pytest.mark.parametrize("through", [THROUGH, ANI])
def test_every_reason_has_its_sentence(api: Api, twilio: Twilio, through: str) -> None:
    twilio.voice(call_sid(2), ANI, To=UNFORWARDED, ForwardedFrom=through)
    evidence = api.call(call_sid(2)).json["explanation"]["evidence"]
    assert [line["rule"] for line in evidence if line["text"] == line["rule"]] == []


@pytest.mark.parametrize("line", [NEUTRAL, UNFORWARDED])
def test_the_number_of_the_telephone_that_forwarded_is_not_the_callers(api: Api, twilio: Twilio, line: str) -> None:
    assert recommended(api, twilio, To=line, ForwardedFrom=ANI) == "ignore"
    assert api.call(call_sid(2)).json["ani"] is None
    assert "ani.caller_id_forwarded" in rules(api, call_sid(2))
