"""`sticky-calls preview`: what callers would hear, from the configuration alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.cli.preview.steps import Way
from adapter.cli.preview.words import way_in_words
from tests.config.conversing import CONVERSATION

CONFIG = """
twilio:
  public_url: https://voice.example.com
  accounts: [{sid: "*", auth_tokens: [0123456789abcdef]}]
lines:
  - {account: "*", number: "+14155550100", destination: {dial: "+14155550199"}}
  - {account: "*", number: "+14155550101", language: de-DE, destination: {queue: support}, texts: {neutral: "Grüezi."}}
"""
MENU = """
twilio:
  public_url: https://voice.example.com
  accounts: [{sid: "*", auth_tokens: [0123456789abcdef]}]
lines:
  - number: "+14155550100"
    destination: {dial: "+14155550199", whisper: true, accept: true, after: voicemail}
    confirm: {by: pin, variable: pin}
    menu: {options: [{intent: refund_request, key: "1"}, {intent: order_status, key: "2"}]}
    intents: {refund_request: {to: billing}}
    destinations: {billing: {queue: billing}}
"""
LANGUAGES = '    languages: {en-US: {voice: Polly.Joanna, key: "1"}, es-MX: {voice: Polly.Mia, key: "2"}}\n'


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(CONFIG, "utf-8")


def preview(*arguments: str, config: str | None = None) -> Result:
    if config is not None:
        Path("config.yaml").write_text(config, "utf-8")
    result = CliRunner().invoke(main, ["preview", *arguments])
    assert not isinstance(result.exception, Exception), result.exception
    return result


def rows(*arguments: str, config: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(preview("--json", *arguments, config=config).stdout)
    return found


def test_every_greeting_of_every_line_is_shown() -> None:
    shown = rows("--step", "handed_over")
    assert len(shown) == 10
    assert [(each["recommendation"], each["then"]) for each in shown[:5]] == [
        ("reuse", "dial +14155550199"),
        ("reuse", "dial +14155550199"),
        ("confirm", "dial +14155550199"),
        ("ignore", "dial +14155550199"),
        ("neutral", "dial +14155550199"),
    ]
    assert shown[0]["says"].startswith("Welcome back, Maria. We are still working on your refund request.")
    assert shown[1]["says"] == "Welcome back. One moment, please."
    assert "Maria" not in shown[2]["says"] + shown[2]["twiml"]
    assert (shown[9]["line"], shown[9]["says"]) == ("+14155550101", "Grüezi.")


def test_what_callers_hear_when_nobody_takes_the_call_is_shown() -> None:
    unreached = [each for each in rows("--line", "+14155550100", "--step", "over") if each["says"]]
    assert [(each["path"][-1], each["then"]) for each in unreached] == [("handed_over: busy", "hangs up")]
    assert "nobody can take your call" in unreached[0]["says"]
    assert "busy, no answer," in preview("--line", "+14155550100").stdout


def test_the_known_caller_and_the_language_can_be_chosen() -> None:
    shown = rows("--name", "José", "--intent", "new_card", "--language", "es")
    assert shown[0]["says"].startswith("Hola de nuevo, José.")
    assert "new card" in shown[0]["says"]


def test_people_read_it_as_text_with_the_twiml_on_demand() -> None:
    plain, with_twiml = preview().stdout, preview("--twiml").stdout
    assert "Line +14155550100" in plain
    assert "Willkommen" in plain
    assert "<Response>" not in plain
    assert "<Response>" in with_twiml


@pytest.mark.parametrize("config", [CONFIG, MENU, CONVERSATION], ids=["plain", "menu", "everything"])
def test_a_page_is_as_wide_as_a_page(config: str) -> None:
    lines = preview(config=config).stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert [line for line in lines if line != line.rstrip()] == []


def test_each_step_of_a_conversation_is_shown_with_how_callers_come_to_it() -> None:
    shown = rows(config=MENU)
    assert {each["step"] for each in shown} == {"who", "confirm", "menu", "handed_over", "voicemail", "over"}
    (asked,) = [each for each in shown if each["step"] == "confirm" and len(each["path"]) == 1]
    assert (asked["caller"], asked["recommendation"], asked["then"]) == (
        "confirm",
        "confirm",
        "waits for keys or words",
    )
    assert "your PIN" in asked["says"]
    refund = next(each for each in shown if each["then"] == "queue billing")
    assert refund["path"][-1] == "menu: refund_request"
    message = next(each for each in shown if each["then"] == "records a message")
    assert message["path"][-1].startswith("handed_over: ")


def test_what_agents_are_told_is_shown() -> None:
    told = [each["agent"] for each in rows(config=MENU) if each["then"].startswith("dial") and each["agent"]]
    assert any(each.startswith("Verified caller, Maria Miller, calling about order status.") for each in told)
    assert all(each.endswith("Press 1 to take the call.") for each in told)
    assert "Who answers hears: Verified caller" in preview().stdout


def test_the_same_words_with_the_same_consequence_are_shown_once() -> None:
    # How often somebody called makes a difference to the walk, and none to the words.
    menu = MENU.replace("{to: billing}", "{to: billing, escalate: [{attempt: 4, to: callback}]}") + "    offer: {}\n"
    shown = rows(config=menu)
    keys = [(each["step"], each["language"], each["says"], each["then"], each["agent"]) for each in shown]
    assert len(set(keys)) == len(keys)
    assert any(each["ways"] > 1 for each in shown)


def test_what_is_said_alike_of_several_intents_is_shown_once_on_the_page() -> None:
    more = 'key: "1"}, {intent: moving, key: "7"}, {intent: upgrade, key: "8"}, '
    config = MENU.replace('key: "1"}, ', more)
    assert config != MENU
    page = preview(config=config).stdout
    assert "calling about moving" in page
    assert "calling about upgrade" not in page
    assert "menu: moving, upgrade or order_status" in " ".join(page.split())
    agents = {each["agent"] for each in rows(config=config)}
    assert {
        f"Verified caller, Maria Miller, calling about {each}. Press 1 to take the call."
        for each in ("moving", "upgrade")
    } <= agents


def test_a_step_without_words_is_left_out_of_the_page() -> None:
    page = preview(config=MENU).stdout
    assert "answered" not in page
    assert "answered" in json.dumps(rows())


def test_one_step_alone_can_be_shown() -> None:
    assert {each["step"] for each in rows("--step", "confirm", config=MENU)} == {"confirm"}
    page = preview("--step", "menu").stdout
    assert "What is it about?  [menu]  waits for keys or words" in page
    assert "Put through" not in page
    assert preview("--step", "ask").exit_code == 2


def test_what_agents_hear_can_be_shown_alone() -> None:
    shown = rows("--step", "whisper", config=MENU)
    assert shown
    assert all(each["agent"] for each in shown)
    page = preview("--step", "whisper").stdout
    assert "Who answers hears: Verified caller" in page
    assert "What is it about?" not in page


def test_a_line_whose_agents_hear_nothing_says_so() -> None:
    page = preview("--step", "whisper").stdout
    assert "nothing is told to who answers" in page


def test_one_line_alone_can_be_shown() -> None:
    assert {each["line"] for each in rows("--line", "+14155550101")} == {"+14155550101"}
    result = preview("--line", "+1")
    assert result.exit_code == 1
    assert "there is no line +1; write one of +14155550100, +14155550101" in result.output


def test_several_languages_are_shown_one_after_the_other() -> None:
    page = preview(config=MENU + LANGUAGES).stdout
    places = [page.index(part) for part in ("Which language?", "─ en-US ─", "─ es-MX ─", "Muchas gracias")]
    assert places == sorted(places)
    assert "─ en-US ─" not in preview("--language", "es-MX").stdout
    documents = [ET.fromstring(each["twiml"]) for each in rows("--language", "es")]
    assert {say.get("voice") for document in documents for say in document.iter("Say")} == {"Polly.Mia"}


def test_no_number_of_the_walks_customer_is_shown() -> None:
    """The walk's proofs stand for what callers know; the page shows nobody's PIN."""
    assert "1111" not in preview(config=MENU).stdout


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        ([("reuse",), ("confirm",), ("ignore",)], "any caller"),
        ([("reuse",), ("ignore",)], "known or new caller"),
        ([("reuse",), ("reuse, locked",)], "known caller"),
        ([("reuse, locked",)], "known caller, whose number is locked out"),
        ([("ignore, two people, 1 times before",)], "new caller, on a shared number, who called about it once"),
        ([("reuse, 2 times before",)], "known caller, who called about it 2 times"),
        ([("reuse, only refund",)], "known caller, who left refund open"),
        ([("reuse, speaks de",)], "known caller, speaks de"),
        ([("reuse", "menu: silence"), ("reuse", "menu: wrong key")], "known caller → menu: silence or wrong key"),
        ([("reuse", "menu: x", "handed_over: busy")], "known caller → menu: x → busy"),
        ([("ignore", "identify: account number, reuse")], "new caller → identify: account number, then known"),
        ([("confirm", "confirm: wrong answer, locked")], "probable caller → confirm: wrong answer, then locked out"),
        ([("reuse", "menu: cut off, rings back, confirm")], "known caller → cut off, rings back"),
        ([("reuse, locked", "a: b"), ("ignore", "c: d")], "new caller → c: d"),
        ([("reuse, locked", "a: b"), ("reuse", "c: d", "a: b")], "known caller → c: d → a: b"),
        ([("reuse", "language: en", "menu: x")], "known caller → menu: x"),
        ([("reuse", "language: en")], "known caller"),
    ],
)
def test_ways_are_told_in_words(paths: list[tuple[str, ...]], words: str) -> None:
    assert way_in_words([Way(path, "reuse") for path in paths], "en") == words


def test_without_a_line_it_says_what_to_do() -> None:
    result = preview(config="{}")
    assert result.exit_code == 1
    assert "add one under `lines`" in result.output


def test_a_language_that_twilio_does_not_speak_is_not_shown_in_english() -> None:
    result = preview("--language", "xx-YY")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--language is none that Twilio speaks" in result.stderr
