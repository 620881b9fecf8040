"""A newcomer sets up a line with a menu, a PIN and two queues from README alone, sees it and calls it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from adapter.app import create_app
from adapter.cli import main
from adapter.config import load
from adapter.replay import Call, Network, Script, Transcript, WsgiExchange
from tests.builders import ToldClock, issue_key
from tests.config.example import EXAMPLE

README = (EXAMPLE.parent / "README.md").read_text("utf-8")
LINE = "+14155550100"
MARIA = "+14155550123"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (example,) = [block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if block.startswith("twilio:")]
    path = tmp_path / "config.yaml"
    path.write_text(example, "utf-8")
    return path


@pytest.fixture
def app(config: Path, clock: ToldClock) -> Iterator[Flask]:
    made = create_app(load(config, {"ADAPTER_DATABASE__URL": f"sqlite:///{config.parent}/calls.db"}), clock=clock)
    yield made
    made.extensions["sticky-calls"].store.close()


@pytest.fixture
def call(app: Flask, config: Path, clock: ToldClock) -> Callable[..., Transcript]:
    twilio = load(config, {}).twilio
    url, account = str(twilio.public_url), twilio.accounts[0]

    def play(caller: str, *script: str) -> Transcript:
        network = Network(
            WsgiExchange(app, url, account.auth_tokens[0]), url, account.sid, now=lambda: clock.now() / 1_000
        )
        return network.play(Call(caller, LINE), Script(*script))

    return play


def save_the_pin(app: Flask) -> None:
    """README's curl."""
    command = re.search(r"calls/end \\\n.*?-d '(\{[^']*\"pin\".*?)'\n", README, re.DOTALL)
    assert command
    key = issue_key(app, "default")
    saved = app.test_client().post(
        "/v1/calls/end", json=json.loads(command[1]), headers={"Authorization": f"Bearer {key}"}
    )
    assert saved.status_code == 200


def test_every_command_can_be_pasted_in_a_clone() -> None:
    """No command of ours is on the PATH there."""
    shell = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
    inline = re.findall(r"`([^`]*sticky-calls [^`]*--[^`]*|[^`]*gunicorn -c [^`]*)`", README)
    ours = [line for line in [*shell, *inline] if "sticky-calls " in line or "gunicorn" in line]
    assert len(ours) > 8
    for line in ours:
        assert ".venv/bin/" in line or line.startswith("sticky-calls demo"), line
    for line in shell:
        assert "YOUR_" not in line


def heard(transcript: Transcript) -> str:
    return " ".join(each.text for each in transcript.heard)


def reached(transcript: Transcript) -> list[str]:
    assert (transcript.errors, transcript.warnings) == ([], [])
    return [each.target for each in transcript.handovers]


def test_the_newcomer_sees_it_with_preview(config: Path) -> None:
    page = CliRunner().invoke(main, ["preview", "--config", str(config)]).stdout
    for part in ("your PIN", "For refund, press 1. For order, press 2.", "→ queue billing", "→ queue support"):
        assert part in page


def test_who_knows_the_pin_is_called_by_name_and_who_does_not_is_served_all_the_same(
    app: Flask, call: Callable[..., Transcript]
) -> None:
    save_the_pin(app)
    first = call(MARIA, "4711#", "1")
    assert "PIN" in heard(first)
    assert "Thank you, Maria." in heard(first)
    assert reached(first) == ["billing"]
    assert "Are you calling about your refund?" in heard(call(MARIA, "4711#", "1"))
    guessing = call(MARIA, "1#", "2#", "3#", "2")
    assert "Maria" not in heard(guessing)
    assert "refund?" not in heard(guessing)
    assert reached(guessing) == ["support"]


def test_a_new_caller_says_what_it_is_about(call: Callable[..., Transcript]) -> None:
    assert reached(call("+14155550177", "I want my money back")) == ["billing"]
    assert reached(call("+14155550178", "where is my package")) == ["support"]
