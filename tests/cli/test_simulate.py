"""`sticky-calls simulate`: a telephone in the terminal, against a running server of the same configuration."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import responses
import yaml
from click.testing import CliRunner, Result
from flask import Flask
from werkzeug.serving import make_server

from adapter.app import create_app
from adapter.cli import main
from adapter.cli.simulate.dialogue import Shown
from adapter.config import load
from tests.builders import ACCOUNT, AUTH_TOKEN, DIALED, PUBLIC_URL, issue_key
from tests.serving import free_port

CALLER = "+14155550123"
SETTINGS: dict[str, Any] = {
    "twilio": {"public_url": PUBLIC_URL, "accounts": [{"sid": ACCOUNT, "auth_tokens": [AUTH_TOKEN]}]},
    "lines": [{"account": ACCOUNT, "number": DIALED, "flow": "desk"}],
    "flows": {
        "desk": {
            "destination": {"queue": "support"},
            "menu": {"options": [{"intent": "refund", "key": "1", "words": ["money back"]}]},
            "intents": {"refund": {"to": "billing"}},
            "destinations": {
                "billing": {"dial": "+14155550199", "whisper": True, "accept": True, "after": "voicemail"}
            },
        }
    },
}


@dataclass
class Desk:
    """A running server and its configuration."""

    config: Path
    app: Flask

    def call(self, *options: str, typed: str | None = None, key: str = "") -> Result:
        """`sticky-calls simulate` with these options, and these lines typed."""
        environ = {"ADAPTER_API_KEY": key, "ADAPTER_CONFIG": None}
        arguments = ["simulate", "--config", str(self.config), *options]
        return CliRunner(env=environ).invoke(main, arguments, input=typed)


def _write(folder: Path, **changes: Any) -> Path:
    path = folder / "config.yaml"
    database = {"url": f"sqlite:///{folder / 'calls.db'}"}
    path.write_text(yaml.safe_dump({"database": database, **SETTINGS, **changes}, sort_keys=False), "utf-8")
    return path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    port = free_port()
    path = _write(tmp_path, server={"bind": f"127.0.0.1:{port}"})
    app = create_app(load(path, {}))
    server = make_server("127.0.0.1", port, app, threaded=False)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Desk(path, app)
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["sticky-calls"].store.close()


def test_a_script_is_played_and_the_call_shown_as_a_dialogue(desk: Desk) -> None:
    result = desk.call("--script", "money back please")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == f"{CALLER} calls {DIALED} (line {DIALED}) at http://127.0.0.1:{lines[0].rpartition(':')[2]}"
    assert "☎ They say: Hello, and thank you for calling. (en-US)" in lines
    assert "You: money back please" in lines
    assert "→ Put through to the telephone +14155550199" in lines
    assert "☏ The agent hears: Press 1 to take the call." in lines
    assert "The agent: 1" in lines
    assert lines[-1].startswith("The call is over: hung up by the document. completed, ")


def test_lines_are_typed_by_the_caller_and_by_who_answers(desk: Desk) -> None:
    result = desk.call(typed="\nmoney back\nanswer\n1\n")
    assert result.exit_code == 0, result.output
    assert "You (keys, words, Enter = silence, Ctrl-D = hang up) > money back" in result.output
    assert (
        "What happens? (answered, busy, no-answer, failed, decline, mailbox, hangup; Enter = answered) > answer"
        in result.output
    )
    assert "The agent (keys, Enter = silence, Ctrl-D = hang up) > 1" in result.output


def test_the_end_of_the_input_hangs_up_and_the_server_is_told(desk: Desk) -> None:
    key = issue_key(desk.app, "default")
    result = desk.call("--json", typed="", key=key)
    played = json.loads(result.stdout)
    assert (result.exit_code, played["ending"]) == (0, "the caller hung up")
    assert [each["event"] for each in played["call"]["timeline"]] == ["greeted", "hung_up"]


def test_a_mailbox_does_not_take_the_call(desk: Desk) -> None:
    result = desk.call("--json", "--script", "1,mailbox")
    played = json.loads(result.stdout)
    assert [(each["kind"], each["status"], each["bridged"]) for each in played["handovers"]] == [
        ("number", "completed", False)
    ]
    assert [each["records"] for each in played["questions"] if each["role"] == "caller"] == [False, True]
    assert "● Recording" in result.stderr


def test_an_impossible_answer_is_asked_again(desk: Desk) -> None:
    result = desk.call(typed="\n\nmailbox\nno answer\n")
    assert "There is no 'mailbox' here." in result.output
    assert "→ Put through to the queue support" in result.output


@pytest.mark.parametrize(
    ("typed", "status"), [("busy", "queue-full"), ("no answer", "leave"), ("failed", "system-error")]
)
def test_a_queue_may_be_full_or_left_but_does_not_decline(desk: Desk, typed: str, status: str) -> None:
    result = desk.call("--json", typed=f"\n\ndecline\n{typed}\n")
    assert "What happens? (answered, busy, no-answer, failed, hangup; Enter = answered) > decline" in result.stderr
    assert "There is no 'decline' here." in result.stderr
    assert [each["status"] for each in json.loads(result.stdout)["handovers"]] == [status]
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("script", "status", "bridged"),
    [
        ("1,answered", "completed", True),
        ("1,answer", "completed", True),
        ("1,answered:1", "completed", True),
        ("1,Answered: 2", "completed", False),
        ("1,answered:silence", "completed", False),
        ("1,no-answer,message", "no-answer", False),
        ("1,no answer,please call me back", "no-answer", False),
        ("1,busy,silence", "busy", False),
        ("1,failed,hang up", "failed", False),
        ("1,declined,hangup", "completed", False),
        ("1,hangup", "canceled", False),
    ],
)
def test_a_script_says_what_becomes_of_the_call(desk: Desk, script: str, status: str, bridged: bool) -> None:
    result = desk.call("--json", "--script", script)
    (handover,) = json.loads(result.stdout)["handovers"]
    assert (handover["status"], handover["bridged"]) == (status, bridged)
    assert "before the last" not in result.stderr


@pytest.mark.parametrize("word", ["bussy", "answered:", "busy:1", "message"])
def test_a_misspelt_word_is_no_answer(desk: Desk, word: str) -> None:
    result = desk.call("--script", f"1,{word}")
    assert result.exit_code == 1
    said = f"the call is put through, but the script goes on with '{word}'; there it can be answered, busy, no-answer"
    assert said in result.output


def test_the_help_tells_every_word_and_that_calls_are_remembered() -> None:
    shown = " ".join(CliRunner().invoke(main, ["simulate", "--help"]).output.split())
    for word in ("answered:1", "busy", "no-answer", "failed", "decline", "mailbox", "hangup", "silence", "message"):
        assert word in shown
    assert "it counts, and what comes of it is remembered in the database of that server" in shown
    assert "`mode: test`" in shown


def test_with_a_key_it_shows_what_was_decided(desk: Desk, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(issue_key(desk.app, "default"), "utf-8")
    result = desk.call("--key-file", str(key_file), "--script", "1")
    shown = [" ".join(line.split()) for line in result.output.splitlines()]
    assert "decided ignore confidence 0.00 (low) from no evidence" in shown
    assert "because The caller's number has not called before." in shown
    assert "about refund" in shown


def test_who_calls_is_said_by_options(desk: Desk) -> None:
    options = ["--from", "+14155550124", "--stir", "b", "--forwarded-from", "+14155550111", "--json", "--script", "1"]
    fields = json.loads(desk.call(*options).stdout)["requests"][0]["fields"]
    assert (fields["From"], fields["StirVerstat"]) == ("+14155550124", "TN-Validation-Passed-B")
    assert (fields["ForwardedFrom"], fields["AccountSid"]) == ("+14155550111", ACCOUNT)


def test_a_withheld_number_is_sent_as_twilio_sends_it(desk: Desk) -> None:
    played = json.loads(desk.call("--anonymous", "--json", "--script", "1").stdout)
    assert played["requests"][0]["fields"]["From"] == "+266696687"
    assert desk.call("--anonymous", "--from", CALLER).exit_code == 2


def test_an_attestation_that_there_is_not_is_told(desk: Desk) -> None:
    result = desk.call("--stir", "z", "--script", "1")
    assert (result.exit_code, "is A, B or C, or a whole value" in result.stderr) == (2, True)


def test_a_server_with_another_token_refuses_the_call_and_that_is_explained(desk: Desk, tmp_path: Path) -> None:
    accounts = [{"sid": ACCOUNT, "auth_tokens": ["another"]}]
    url = f"http://{load(desk.config, {}).server.bind}"
    (tmp_path / "other").mkdir()
    path = _write(tmp_path / "other", twilio={"public_url": PUBLIC_URL, "accounts": accounts})
    result = CliRunner().invoke(main, ["simulate", "--config", str(path), "--url", url, "--script", "1"])
    assert result.exit_code == 1
    assert "403: the server refuses the signature. Does it run with this configuration?" in result.output
    assert "Error 11200: HTTP status 403" in result.output


def test_a_script_that_is_too_long_or_does_not_fit_is_told(desk: Desk) -> None:
    assert "before the last 1 of the script" in desk.call("--script", "1,answer,1").output
    result = desk.call("--script", "busy")
    assert (result.exit_code, "the script does not fit the call" in result.output) == (1, True)


@pytest.mark.parametrize("is_stopped", [False, True], ids=["a script that does not fit", "Ctrl-C"])
def test_a_call_that_is_given_up_is_over_for_the_server_too(
    is_stopped: bool, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_stopped:
        monkeypatch.setattr(Shown, "rings", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert desk.call("--script", "1,money").exit_code == 1
    counted = json.loads(CliRunner().invoke(main, ["stats", "--json", "--config", str(desk.config)]).stdout)
    assert (counted["calls"], counted["active"]) == (1, 0)


@responses.activate
def test_an_error_is_told_and_exits_with_1_even_when_the_fallback_saved_the_call(tmp_path: Path) -> None:
    url = "http://127.0.0.1:8080"
    responses.get(f"{url}/v1/health", json={})
    responses.post(f"{url}/twilio/voice", status=500)
    responses.post(f"{url}/twilio/fallback", body="<Response><Hangup/></Response>", content_type="text/xml")
    responses.post(f"{url}/twilio/status", status=204)
    result = CliRunner().invoke(main, ["simulate", "--config", str(_write(tmp_path)), "--script", "1"])
    assert (result.exit_code, "Error 11200: HTTP status 500" in result.output) == (1, True)
    assert "The call is over: hung up by the document." in result.output


@responses.activate
def test_another_servers_text_cannot_steer_the_terminal(tmp_path: Path) -> None:
    url = "http://127.0.0.1:8080"
    responses.get(f"{url}/v1/health", json={})
    responses.post(f"{url}/twilio/voice", body="[bold]\x1b[31m\x9b2J", content_type="text/plain")
    responses.post(f"{url}/twilio/status", status=204)
    result = CliRunner().invoke(main, ["simulate", "--config", str(_write(tmp_path)), "--script", "1"])
    assert "☎ They say: [bold] [31m 2J" in result.output.replace("\x9b", "CSI")


def test_when_nobody_answers_it_says_how_to_start_the_server(tmp_path: Path) -> None:
    path = _write(tmp_path, server={"bind": f"0.0.0.0:{free_port()}"})
    result = CliRunner().invoke(main, ["simulate", "--config", str(path)])
    assert result.exit_code == 1
    assert "nobody answers at http://127.0.0.1:" in result.output
    assert f"`sticky-calls serve --config {path}`" in result.output


@pytest.mark.parametrize(
    ("changes", "options", "told"),
    [
        ({"server": {"bind": "unix:/run/calls.sock"}}, [], "say --url"),
        ({}, ["--to", "+14155550999"], f"no line is configured for +14155550999; there are {DIALED}"),
        ({"lines": []}, [], "there is no line to call"),
    ],
    ids=["unix", "number", "no-line"],
)
def test_what_cannot_be_called_is_told(changes: dict[str, Any], options: list[str], told: str, tmp_path: Path) -> None:
    path = _write(tmp_path, **changes)
    result = CliRunner().invoke(main, ["simulate", "--config", str(path), *options])
    assert result.exit_code == 1
    assert told in result.output


@pytest.mark.parametrize(
    ("line", "account", "number"),
    [
        ({"number": "*"}, ACCOUNT, DIALED),
        ({"number": "+1212*"}, ACCOUNT, "+12125550100"),
        ({"account": ACCOUNT, "number": "+12125550177"}, ACCOUNT, "+12125550177"),
    ],
)
def test_a_pattern_is_called_at_a_number_that_fits(
    line: dict[str, str], account: str, number: str, desk: Desk, tmp_path: Path
) -> None:
    """Against a server that knows other lines: it is only about what is sent."""
    (tmp_path / "other").mkdir()
    path = _write(tmp_path / "other", lines=[{**line, "destination": "hangup"}])
    url = f"http://{load(desk.config, {}).server.bind}"
    result = CliRunner().invoke(main, ["simulate", "--config", str(path), "--url", url, "--json", "--script", "1"])
    fields = json.loads(result.stdout)["requests"][0]["fields"]
    assert (fields["AccountSid"], fields["To"]) == (account, number)


def test_any_account_is_called_with_a_made_up_one(tmp_path: Path, desk: Desk) -> None:
    (tmp_path / "other").mkdir()
    accounts = [{"sid": "*", "auth_tokens": [AUTH_TOKEN]}]
    path = _write(
        tmp_path / "other",
        twilio={"public_url": PUBLIC_URL, "accounts": accounts},
        lines=[{"number": DIALED, "destination": "hangup"}],
    )
    url = f"http://{load(desk.config, {}).server.bind}"
    result = CliRunner().invoke(main, ["simulate", "--config", str(path), "--url", url, "--json", "--script", "1"])
    assert json.loads(result.stdout)["requests"][0]["fields"]["AccountSid"] == "AC" + "0" * 32


@pytest.mark.slow
def test_at_a_terminal_ctrl_d_hangs_up(desk: Desk) -> None:
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "adapter", "simulate", "--config", str(desk.config)]
    with subprocess.Popen(command, stdin=terminal, stdout=subprocess.PIPE, text=True) as simulated:
        os.write(master, b"money back\nanswer\n\x04\x04")
        shown, _ = simulated.communicate(timeout=60)
    os.close(terminal)
    os.close(master)
    assert simulated.returncode == 0
    assert "☏ The agent hears: Press 1 to take the call." in shown
    assert "● Recording" in shown
    assert shown.count("(hangs up)") == 2
