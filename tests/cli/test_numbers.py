"""`sticky-calls numbers`, against a Twilio in memory."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import responses
import yaml
from click.testing import CliRunner, Result

from adapter.cli import main
from tests.twilio.rest import Rest

README = Path(__file__).parents[2] / "README.md"
ACCOUNT, TOKEN = "AC" + "a" * 32, "0123456789abcdef0123456789abcdef"
NUMBER, URL, OLD = "+14155550100", "https://voice.example.com", "https://old.example.com/ivr"
OURS = (f"{URL}/twilio/voice", f"{URL}/twilio/fallback", f"{URL}/twilio/status")
CONFIG: dict[str, Any] = {
    "twilio": {"public_url": URL, "accounts": [{"sid": ACCOUNT, "auth_tokens": [TOKEN]}]},
    "lines": [{"account": ACCOUNT, "number": NUMBER, "destination": {"dial": "+14155550199"}}],
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    configure()


@pytest.fixture
def rest() -> Iterator[Rest]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made = Rest(ACCOUNT, [TOKEN])
        made.install(mock)
        yield made


def configure(**changes: Any) -> None:
    Path("config.yaml").write_text(yaml.safe_dump({**CONFIG, **changes}), "utf-8")


def numbers(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["numbers", *arguments])


def addresses(number: dict[str, Any]) -> tuple[Any, ...]:
    return number["voice_url"], number["voice_fallback_url"], number["status_callback"]


def memory() -> Path:
    return Path("sticky-calls.db.numbers.json")


def test_point_sets_all_three_addresses_and_shows_before_and_after(rest: Rest) -> None:
    stored = rest.add_number(NUMBER, voice_url=OLD, voice_method="GET")
    result = numbers("point", NUMBER)
    assert result.exit_code == 0, result.output
    assert addresses(stored) == OURS
    assert stored["voice_method"] == "POST"
    assert f"{OLD}  →  {OURS[0]}" in result.stdout
    assert "GET  →  POST" in result.stdout


def test_a_number_that_is_right_already_keeps_its_connection_overrides(rest: Rest) -> None:
    """They are the only way to have Twilio try again, and `unpoint` could not bring them back."""
    mine = [f"{url}#rc=2&rp=5xx" for url in OURS]
    stored = rest.add_number(NUMBER, voice_url=mine[0], voice_fallback_url=mine[1], status_callback=mine[2])
    assert numbers("point", NUMBER).exit_code == 0
    assert addresses(stored) == tuple(mine)
    assert not [each for each in rest.asked if each.startswith("POST")]
    stored["status_callback"] = ""
    assert numbers("point", NUMBER).exit_code == 0
    assert addresses(stored) == (*mine[:2], OURS[2])


def test_what_an_address_is_opened_with_is_not_printed(rest: Rest) -> None:
    rest.add_number(NUMBER, voice_url="https://joe:s3cret@old.example.com/ivr?token=abc")
    for command in ("list",), ("point", NUMBER, "--dry-run"), ("point", NUMBER):
        shown = numbers(*command).stdout
        assert "old.example.com/ivr" in shown
        assert "s3cret" not in shown
        assert "abc" not in shown


def test_a_dry_run_changes_nothing_and_remembers_nothing(rest: Rest) -> None:
    stored = rest.add_number(NUMBER, voice_url=OLD)
    result = numbers("point", NUMBER, "--dry-run")
    assert (result.exit_code, stored["voice_url"], memory().exists()) == (0, OLD, False)
    assert f"{OLD}  →  {OURS[0]}" in result.stdout
    assert not [each for each in rest.asked if each.startswith("POST")]


def test_unpoint_puts_everything_back_and_can_be_done_once(rest: Rest) -> None:
    old = {"voice_url": OLD, "voice_method": "GET", "voice_fallback_url": "", "status_callback": f"{OLD}/end"}
    stored = rest.add_number(NUMBER, **old)
    numbers("point", NUMBER)
    numbers("point", NUMBER, "--fallback-url", f"{OLD}/bin")  # a second time must not remember ourselves
    assert stat.S_IMODE(memory().stat().st_mode) == 0o600
    assert numbers("unpoint", NUMBER).exit_code == 0
    assert {name: stored[name] for name in old} == old
    again = numbers("unpoint", NUMBER)
    assert (again.exit_code, "nothing is remembered" in again.stderr) == (1, True)


def test_unpoint_leaves_a_number_alone_that_goes_elsewhere_by_now(rest: Rest) -> None:
    stored = rest.add_number(NUMBER, voice_url=OLD)
    numbers("point", NUMBER)
    stored["voice_url"] = "https://new.example.com"
    result = numbers("unpoint", NUMBER)
    assert (result.exit_code, stored["voice_url"]) == (1, "https://new.example.com")


def test_what_was_there_is_remembered_before_it_is_changed(rest: Rest) -> None:
    rest.add_number(NUMBER, voice_url=OLD)
    rest.refuses["/IncomingPhoneNumbers/PN"] = 400
    result = numbers("point", NUMBER)
    assert result.exit_code == 1
    assert "Twilio answered 400" in result.stderr
    assert OLD in memory().read_text()


def test_an_app_or_a_trunk_has_the_calls_until_the_number_is_taken_out(rest: Rest) -> None:
    trunk = "TK" + "1" * 32
    stored = rest.add_number(NUMBER, voice_url=OLD, trunk_sid=trunk)
    refused = numbers("point", NUMBER)
    assert (refused.exit_code, stored["voice_url"], "--detach" in refused.stderr) == (1, OLD, True)
    assert numbers("point", NUMBER, "--detach").exit_code == 0
    assert (stored["voice_url"], stored["trunk_sid"]) == (OURS[0], "")
    numbers("unpoint", NUMBER)
    assert (stored["voice_url"], stored["trunk_sid"]) == (OLD, trunk)


def test_the_bin_to_paste_is_the_lines_destination_and_is_printed_until_there_is_a_fallback(rest: Rest) -> None:
    stored = rest.add_number(NUMBER)
    shown = numbers("point", NUMBER)
    assert "+14155550199" in (
        ET.fromstring("<Response" + shown.stdout.partition("<Response")[2]).findtext("Dial/Number") or ""
    )
    bin_url = "https://handler.twilio.com/twiml/EH" + "0" * 32
    assert "<Response" not in numbers("point", NUMBER, "--fallback-url", bin_url).stdout
    assert stored["voice_fallback_url"] == bin_url
    numbers("point", NUMBER)
    assert stored["voice_fallback_url"] == bin_url, "a fallback that works while we do not is not taken away"


def test_scripts_get_json(rest: Rest) -> None:
    rest.add_number(NUMBER, voice_url=OLD)
    told = json.loads(numbers("point", NUMBER, "--json").stdout)
    assert (told["before"]["voice_url"], told["after"]["voice_url"]) == (OLD, OURS[0])
    assert told["twiml_bin"].startswith("<?xml")
    assert json.loads(numbers("list", "--json").stdout)[0]["calls"] == "this service"
    assert json.loads(numbers("check", "--json").stdout) == {"findings": [], "notes": []}


def test_list_shows_where_calls_go(rest: Rest) -> None:
    rest.add_number(NUMBER, voice_url=OURS[0])
    rest.add_number("+14155550101", voice_url=OLD)
    rest.add_number("+14155550102", voice_application_sid="AP" + "1" * 32)
    shown = numbers("list").stdout.splitlines()
    assert "this service" in shown[1]
    assert OLD in shown[2]
    assert "TwiML App AP" in shown[3]


def test_check_is_content_with_a_number_that_comes_here(rest: Rest) -> None:
    # Connection overrides are not part of the address.
    given = dict(zip(("voice_url", "voice_fallback_url", "status_callback"), OURS, strict=True))
    rest.add_number(NUMBER, **{**given, "voice_url": f"{OURS[0]}#rc=2&rp=all"})
    result = numbers("check")
    assert (result.exit_code, result.stdout) == (0, "Every line's number calls this service.\n")


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"voice_url": OLD}, f"calls {OLD}"),
        ({"voice_url": None}, "calls nothing"),
        ({"voice_url": "http://voice.example.com/twilio/voice"}, "calls http://voice.example.com/twilio/voice, not"),
        ({"voice_url": f"{OURS[0]}/"}, "/twilio/voice/, not"),
        ({"status_callback": ""}, "tells the end of calls to nothing"),
        ({"voice_fallback_url": ""}, "has no fallback"),
        ({"trunk_sid": "TK" + "1" * 32}, "the trunk TK"),
        ({"voice_application_sid": "AP" + "1" * 32}, "the TwiML App AP"),
        ({"voice_receive_mode": "fax"}, "receives fax"),
        ({"phone_number": "+14155550105"}, "is not a number of AC"),
    ],
)
def test_check_finds_what_keeps_calls_away(rest: Rest, changes: dict[str, Any], finding: str) -> None:
    given = dict(zip(("voice_url", "voice_fallback_url", "status_callback"), OURS, strict=True))
    rest.add_number(NUMBER, **{**given, **changes})
    result = numbers("check")
    assert result.exit_code == 1
    assert finding in result.stdout
    assert "→" in result.stdout


def test_a_number_that_comes_here_without_a_line_is_found(rest: Rest) -> None:
    given = dict(zip(("voice_url", "voice_fallback_url", "status_callback"), OURS, strict=True))
    rest.add_number(NUMBER, **given)
    rest.add_number("+14155550101", **given)
    assert "+14155550101 calls this service, which has no line for it" in numbers("check").stdout


def test_sip_domains_that_go_elsewhere_are_noted_and_no_finding(rest: Rest) -> None:
    given = dict(zip(("voice_url", "voice_fallback_url", "status_callback"), OURS, strict=True))
    rest.add_number(NUMBER, **given)
    rest.add_domain("acme.sip.twilio.com", "https://user:secret@pbx.example/voice")
    result = numbers("check")
    assert result.exit_code == 0
    assert "acme.sip.twilio.com go to https://pbx.example/voice" in result.stderr


def test_while_a_token_is_rotated_the_one_that_opens_is_used(rest: Rest) -> None:
    accounts = [{"sid": ACCOUNT, "auth_tokens": ["not-yet-promoted-token", TOKEN]}]
    configure(twilio={"public_url": URL, "accounts": accounts})
    rest.add_number(NUMBER)
    assert numbers("point", NUMBER).exit_code == 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"twilio": {"accounts": CONFIG["twilio"]["accounts"]}, "lines": []}, "twilio.public_url is not set"),
        ({"twilio": {"public_url": URL, "accounts": [{"sid": "*", "auth_tokens": [TOKEN]}]}}, "names no account"),
    ],
)
def test_what_the_configuration_lacks_is_told(changes: dict[str, Any], says: str) -> None:
    configure(**changes)
    result = numbers("list")
    assert (result.exit_code, says in result.stderr) == (1, True), result.output


def test_a_token_that_twilio_does_not_take_is_told_without_the_token(rest: Rest) -> None:
    rest.tokens = ["another"]
    result = numbers("list")
    assert (result.exit_code, "Twilio answered 401" in result.stderr) == (1, True)
    assert TOKEN not in result.output


def test_an_unknown_number_is_told() -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        Rest(ACCOUNT, [TOKEN]).install(mock)
        assert "is no number of the configured accounts" in numbers("point", "+14155550109").stderr


@pytest.mark.parametrize("command", ["point", "unpoint"])
@pytest.mark.parametrize("number", ["foo", "4155550100", "+1 415 555 0100"])
def test_what_is_no_number_is_told_before_twilio_is_asked(command: str, number: str) -> None:
    with responses.RequestsMock() as mock:
        result = numbers(command, number)
        assert len(mock.calls) == 0
    assert (result.exit_code, "is not a number such as +14155550100" in result.stderr) == (2, True)


@pytest.mark.parametrize(("content", "says"), [("{", "is damaged"), ('{"x": 1}', "is damaged")])
def test_a_damaged_memory_stops_before_anything_is_changed(rest: Rest, content: str, says: str) -> None:
    stored = rest.add_number(NUMBER, voice_url=OLD)
    memory().write_text(content)
    result = numbers("point", NUMBER)
    assert (result.exit_code, says in result.stderr, stored["voice_url"]) == (1, True, OLD)


def test_with_postgresql_the_memory_is_in_the_state_folder(rest: Rest, tmp_path: Path) -> None:
    settings = {"url": "postgresql://u@127.0.0.1:1/x", "state_dir": str(tmp_path / "state")}
    configure(database=settings, security={"pepper": "pepper-of-the-tests"})
    rest.add_number(NUMBER, voice_url=OLD)
    assert numbers("point", NUMBER).exit_code == 0
    assert stat.S_IMODE((tmp_path / "state/numbers.json").stat().st_mode) == 0o600


def test_what_is_carried_along_to_postgresql_is_what_unpoint_brings_back(rest: Rest, tmp_path: Path) -> None:
    """README, Moving to PostgreSQL."""
    stored = rest.add_number(NUMBER, voice_url=OLD)
    assert numbers("point", NUMBER).exit_code == 0
    (tmp_path / "state").mkdir()
    memory().rename(tmp_path / "state/numbers.json")
    settings = {"url": "postgresql://u@127.0.0.1:1/x", "state_dir": str(tmp_path / "state")}
    configure(database=settings, security={"pepper": "pepper-of-the-tests"})
    assert numbers("unpoint", NUMBER).exit_code == 0
    assert stored["voice_url"] == OLD
    moving = README.read_text("utf-8").partition("### Moving to PostgreSQL")[2].partition("\n## ")[0]
    assert {"`sticky-calls.db.numbers.json`", "`numbers.json`"} <= set(re.findall(r"`[^`\n]*`", moving))


def test_an_account_without_numbers_is_told(rest: Rest) -> None:
    assert "have no numbers" in numbers("list").stdout
    assert json.loads(numbers("list", "--json").stdout) == []


def test_a_number_without_a_line_is_pointed_with_a_warning(rest: Rest) -> None:
    stored = rest.add_number("+14155550101")
    result = numbers("point", "+14155550101")
    assert (result.exit_code, stored["voice_url"]) == (0, OURS[0])
    assert "no line is configured" in result.stderr
    assert "<Response" not in result.stdout


def test_an_account_of_any_sid_is_left_out_with_a_note(rest: Rest) -> None:
    accounts = [{"sid": "*", "auth_tokens": [TOKEN]}, *CONFIG["twilio"]["accounts"]]
    configure(twilio={"public_url": URL, "accounts": accounts})
    rest.add_number(NUMBER)
    result = numbers("list", "--json")
    assert json.loads(result.stdout)[0]["number"] == NUMBER
    assert 'the account "*" cannot be asked about' in result.stderr


def test_a_folder_that_cannot_be_written_to_stops_before_anything_is_changed(rest: Rest, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    configure(database={"url": f"sqlite:///{tmp_path}/file/calls.db"})
    stored = rest.add_number(NUMBER, voice_url=OLD)
    result = numbers("point", NUMBER)
    assert (result.exit_code, stored["voice_url"]) == (1, OLD)
    assert "numbers.json: cannot be" in result.stderr
