"""What is probably not meant is told before callers find out."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.config import load
from adapter.config.remarks import remarks
from tests.config.conversing import CONVERSATION, TWILIO
from tests.config.test_line_mistakes import ACCOUNTS, ONE


def remarked(folder: Path, text: str) -> list[str]:
    path = folder / "config.yaml"
    path.write_text(text, "utf-8")
    return list(remarks(load(path, {})))


def test_a_line_of_any_of_several_accounts_is_worth_a_thought(tmp_path: Path) -> None:
    lines = "lines: [{number: '+14155550100', destination: hangup}]"
    told = ["line +14155550100: answers for each of the 2 accounts; name the one it belongs to"]
    assert remarked(tmp_path, ACCOUNTS + lines) == told
    assert remarked(tmp_path, ACCOUNTS + lines.replace("{", f"{{account: {ONE}, ")) == []
    assert remarked(tmp_path, TWILIO + lines) == []


def test_a_number_that_any_line_may_answer_is_worth_a_thought(tmp_path: Path) -> None:
    lines = "lines: [{number: '%s', destination: {dial: '+14155550199'}}]"
    told = ["dial +14155550199: if it is a number of yours, line * answers it and it comes back"]
    assert remarked(tmp_path, TWILIO + lines % "*") == told
    assert remarked(tmp_path, TWILIO + lines % "+14155550100") == []


@pytest.mark.parametrize(
    ("language", "known"),
    [("fr", "fr-BE, fr-CA, fr-FR"), ("de-LI", "de-AT, de-CH, de-DE")],
)
def test_a_language_without_its_country_is_told_which_to_write(tmp_path: Path, language: str, known: str) -> None:
    lines = f"lines: [{{number: '+14155550100', destination: hangup, language: {language}}}]"
    assert remarked(tmp_path, TWILIO + lines) == [
        f"line +14155550100: {language} is not a known language of Twilio; write one of {known}"
    ]


def test_a_language_without_texts_is_told_which_are_missing(tmp_path: Path) -> None:
    lines = "lines: [{number: '+14155550100', destination: voicemail, language: it-IT, texts: {reuse: Ciao.}}]"
    texts = "texts: {it: {neutral: Benvenuti.}, it-IT: {ignore: Salve.}}\n"
    names = "confirm, unreached, voicemail, recorded, goodbye"
    told = f"line +14155550100: callers hear English in it-IT, as it has no text for {names}; see texts"
    assert remarked(tmp_path, TWILIO + texts + lines) == [told]


def test_only_texts_that_are_said_are_missed(tmp_path: Path) -> None:
    spanish = 'es-MX: {voice: Polly.Mia, key: "2"}'
    told = remarked(tmp_path, CONVERSATION.replace(spanish, 'nl-NL: {key: "2"}'))
    (missed,) = [each for each in told if "hear English in nl-NL" in each]
    for name in ("ask_pin", "ask_account", "offer", "menu_option", "whisper_accept", "callback", "ask_language"):
        assert f"{name}," in missed or f"{name};" in missed
    for name in ("ask_name", "ask_digits", "voicemail", "recorded"):
        assert name not in missed
