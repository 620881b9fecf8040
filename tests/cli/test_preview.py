"""`sticky-calls preview`: what callers would hear, from the configuration alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main

CONFIG = """
twilio:
  public_url: https://voice.example.com
  accounts: [{sid: "*", auth_tokens: [0123456789abcdef]}]
lines:
  - {account: "*", number: "+14155550100", destination: {dial: "+14155550199"}}
  - {account: "*", number: "+14155550101", language: de-DE, destination: {queue: support}, texts: {neutral: "Grüezi."}}
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(CONFIG, "utf-8")


def preview(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["preview", *arguments])


def test_every_greeting_of_every_line_is_shown() -> None:
    shown = json.loads(preview("--json").stdout)
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


def test_the_known_caller_and_the_language_can_be_chosen() -> None:
    shown = json.loads(preview("--json", "--name", "José", "--intent", "new_card", "--language", "es").stdout)
    assert shown[0]["says"].startswith("Hola de nuevo, José.")
    assert "new card" in shown[0]["says"]


def test_people_read_it_as_text_with_the_twiml_on_demand() -> None:
    plain, with_twiml = preview().stdout, preview("--twiml").stdout
    assert "Line +14155550100" in plain
    assert "Willkommen" in plain
    assert "<Response>" not in plain
    assert "<Response>" in with_twiml


def test_without_a_line_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("{}")
    result = preview()
    assert result.exit_code == 1
    assert "add one under `lines`" in result.output
