"""Between lines: whose callers they are, and calls that would come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.config import load
from tests.config.conversing import TWILIO
from tests.config.test_conversation_mistakes import problems

ONE, TWO = "AC" + "1" * 32, "AC" + "2" * 32
ORGANIZATIONS = "organizations: [{id: a}, {id: b}]\n"
ACCOUNTS = f"""
twilio:
  public_url: https://calls.example.com/sticky
  accounts: [{{sid: {ONE}, auth_tokens: [abcdefgh]}}, {{sid: {TWO}, auth_tokens: [ijklmnop]}}]
"""
LINES = f"""
lines:
  - {{account: {ONE}, number: "+14155550100", organization: a, destination: hangup}}
  - {{number: "+14155550101", organization: b, destination: hangup}}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, "utf-8")
    return path


def test_no_account_may_call_another_organizations_number_as_its_own(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, ORGANIZATIONS + ACCOUNTS + LINES)
    assert "lines.1.account: is any account, while there are several organizations" in problem
    assert problem.endswith("write the SID of the account the number belongs to")
    (problem,) = problems(tmp_path, ORGANIZATIONS + ACCOUNTS + LINES.replace("{number", '{account: "*", number'))
    assert "lines.1.account: is any account" in problem


@pytest.mark.parametrize(
    "text",
    [
        ORGANIZATIONS + ACCOUNTS + LINES.replace("{number", f"{{account: {TWO}, number"),
        ACCOUNTS + LINES.replace("organization: a, ", "").replace("organization: b, ", ""),
        ORGANIZATIONS + TWILIO + LINES,
    ],
    ids=["named", "one organization", "one account"],
)
def test_any_account_is_no_mistake_where_nothing_can_be_mixed_up(tmp_path: Path, text: str) -> None:
    assert len(load(written(tmp_path, text), {}).lines) == 2


REDIRECT = "lines: [{{number: '*', destination: {{redirect: '{}'}}}}]"


@pytest.mark.parametrize(
    "address",
    [
        "https://calls.example.com/sticky/twilio/voice",
        "https://calls.example.com:443/sticky/twilio/voice?a=b",
        "https://CALLS.example.com/sticky",
    ],
)
def test_a_redirect_to_ourselves_would_go_in_circles(tmp_path: Path, address: str) -> None:
    (problem,) = problems(tmp_path, ACCOUNTS + REDIRECT.format(address))
    assert "lines.0.destination.redirect: is this service itself (twilio.public_url), so the call would go" in problem


@pytest.mark.parametrize(
    "address",
    [
        "https://calls.example.com/stickyness",
        "https://calls.example.com/ivr",
        "https://calls.example.com:8443/sticky/twilio/voice",
        "https://ivr.example.com/sticky",
    ],
)
def test_a_redirect_elsewhere_is_fine(tmp_path: Path, address: str) -> None:
    assert load(written(tmp_path, ACCOUNTS + REDIRECT.format(address)), {}).lines[0].destination.target == address


@pytest.mark.parametrize("number", ["+14155550199", "+1415555*"])
def test_a_dialed_number_that_a_line_answers_would_come_back(tmp_path: Path, number: str) -> None:
    lines = f"""
lines:
  - {{number: "+12125550100", flow: night}}
  - {{account: {TWO}, number: "{number}", destination: hangup}}
flows: {{night: {{destination: voicemail, destinations: {{desk: {{dial: "+14155550199"}}}}}}}}
"""
    (problem,) = problems(tmp_path, ACCOUNTS + lines)
    assert "flows.night.destinations.desk.dial: is answered by lines.1, so the call would come back; write" in problem


def test_whether_a_dialed_number_is_one_that_any_line_answers_is_not_known(tmp_path: Path) -> None:
    lines = "lines: [{number: '*', destination: {dial: '+14155550199'}}]"
    assert load(written(tmp_path, TWILIO + lines), {}).lines
