"""A line that demands a signed caller ID: only StirVerstat Passed-A may reach reuse (semantics §9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.config import Config
from tests.builders import Api, Twilio, a_config, a_line, call_sid

ANI = "+14155550123"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return a_config(tmp_path, lines=(a_line(strict_caller_id=True),))


@pytest.fixture(autouse=True)
def _maria(api: Api) -> None:
    ref = api.start("call-1", "mobile", ani=ANI).json["customer_ref"]
    api.end("call-1", customer_ref=ref, variables={"name": "Maria"})


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
    said = twilio.voice(call_sid(2), ANI, **({"StirVerstat": verstat} if verstat else {})).text
    call = api.call(call_sid(2)).json
    assert call["identity"]["recommendation"] == recommendation
    assert ("Maria" in said) is (recommendation == "reuse")


def test_the_reason_is_in_the_explanation(api: Api, twilio: Twilio) -> None:
    twilio.voice(call_sid(2), ANI)
    rules = [line["rule"] for line in api.call(call_sid(2)).json["explanation"]["evidence"]]
    assert "cap.not_attested" in rules


def test_a_number_that_failed_validation_is_no_evidence(api: Api, twilio: Twilio) -> None:
    twilio.voice(call_sid(2), ANI, StirVerstat="TN-Validation-Failed")
    call = api.call(call_sid(2)).json
    assert (call["ani"], call["identity"]["sources"]) == (None, [])
    assert "ani.caller_id_failed" in [line["rule"] for line in call["explanation"]["evidence"]]
