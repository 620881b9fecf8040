"""`sticky-calls import`: whatever the format, a recording comes out, without personal data unless asked for."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import responses
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.replay.recording import Recorded, read

PAYLOADS = Path(__file__).parent.parent / "recordings" / "payloads.jsonl"
ACCOUNT = "AC" + "a" * 32
FORM = "CallSid=CA1&From=%2B14155550123&To=%2B14155550100&CallStatus=ringing&CallToken=s3cret"
CONFIG = f"""
organizations: [{{id: default}}]
twilio:
  public_url: https://voice.example.com
  accounts: [{{sid: {ACCOUNT}, auth_tokens: [token]}}]
lines:
  - account: {ACCOUNT}
    number: "+14155550100"
    organization: default
    mode: prod
    destination: {{dial: "+14155550199"}}
"""


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "calls.jsonl"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return path


def run(*arguments: object, text: str | None = None) -> Result:
    return CliRunner(env={"ADAPTER_CONFIG": ""}).invoke(main, ["import", *map(str, arguments)], input=text)


def webhooks(path: Path) -> list[Recorded]:
    found = list(read(path))
    assert all(isinstance(each, Recorded) for each in found)
    return [each for each in found if isinstance(each, Recorded)]


def test_all_captured_payloads_become_a_recording_for_its_owner_only(output: Path) -> None:
    result = run(PAYLOADS, "-o", output)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "16 webhooks imported (6 voice, 6 status, 4 turn)\n"
    assert len(webhooks(output)) == 16
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert "+18185550109" not in output.read_text("utf-8")


def test_numbers_of_the_configuration_stay(output: Path, config: Path) -> None:
    assert run("-", "-o", output, "--config", config, text=FORM).exit_code == 0
    (found,) = webhooks(output)
    assert found.value("To") == "+14155550100"
    assert found.value("From") != "+14155550123"


def test_personal_data_is_kept_when_asked_for_and_secrets_never(output: Path) -> None:
    assert run("-", "-o", output, "--keep-personal", text=FORM).exit_code == 0
    (found,) = webhooks(output)
    assert found.value("From") == "+14155550123"
    assert "s3cret" not in output.read_text("utf-8")


def test_a_key_file_gives_the_same_pseudonyms_again(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"k" * 32)
    for name in "ab":
        assert run("-", "-o", tmp_path / name, "--key-file", tmp_path / "key", text=FORM).exit_code == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert "must" not in run("-", "-o", tmp_path / "c", "--key-file", tmp_path / "none", text=FORM).stdout


def test_what_cannot_be_read_is_told_and_the_rest_is_imported(tmp_path: Path, output: Path) -> None:
    (tmp_path / "forms").write_text(f"{FORM}\nnothing\n")
    (tmp_path / "letter").write_text("Dear Sir")
    result = run(tmp_path / "letter", tmp_path / "none", tmp_path / "forms", "-o", output)
    assert result.exit_code == 1
    assert len(webhooks(output)) == 1
    told = result.stderr.splitlines()
    assert told[0].startswith(f"{tmp_path}/letter: the file: not one of a recording, HAR, ngrok")
    assert told[1] == f"{tmp_path}/none: the file: no such file or directory"
    assert told[2] == f"{tmp_path}/forms: line 2: not a form with a CallSid"
    assert told[3] == "1 webhook imported (1 voice), 3 could not be read"


def test_a_recording_that_exists_is_not_overwritten(output: Path) -> None:
    output.write_text("mine")
    result = run("-", "-o", output, text=FORM)
    assert (result.exit_code, result.stderr) == (1, f"Error: {output}: file exists\n")
    assert output.read_text() == "mine"


def test_a_recording_can_go_to_standard_output() -> None:
    result = run("-", "-o", "-", text=FORM)
    assert json.loads(result.stdout)["recording"] == 1


def test_nothing_to_import_is_a_mistake_of_usage(output: Path) -> None:
    assert run("-o", output).exit_code == 2
    assert not output.exists()


def event(sid: str) -> dict[str, object]:
    request = {"method": "POST", "url": "https://voice.example.com/twilio/voice", "parameters": {"call_sid": sid}}
    return {"request": request, "response": {"response_code": 200, "date_created": "Sat, 07 Feb 2026 10:30:00 +0000"}}


def test_calls_are_fetched_from_twilio_by_sid_and_by_time(output: Path, config: Path) -> None:
    api = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}"

    with responses.RequestsMock() as mock:
        calls = [{"sid": sid, "direction": "inbound"} for sid in ("CA2", "CA1")]
        mock.get(f"{api}/Calls.json", json={"calls": calls, "next_page_uri": None})
        for sid in ("CA1", "CA2"):
            mock.get(f"{api}/Calls/{sid}/Events.json", json={"events": [event(sid)], "next_page_uri": None})
        result = run("--twilio", "CA1", "--from", "2026-02-07", "-o", output, "--config", config, "--keep-personal")
    assert result.exit_code == 0
    assert [each.call for each in webhooks(output)] == ["CA1", "CA2"]


def test_twilio_is_not_asked_without_an_account(output: Path) -> None:
    result = run("--twilio", "CA1", "-o", output)
    assert result.exit_code == 1
    assert "add it under twilio.accounts" in result.stderr


def test_a_running_ngrok_is_asked_and_told_when_it_does_not_answer(output: Path) -> None:
    with responses.RequestsMock() as mock:
        mock.get("http://127.0.0.1:4040/api/requests/http", json={"requests": []})
        assert run("--ngrok", "http://127.0.0.1:4040", "-o", output).exit_code == 0
    with responses.RequestsMock():
        result = run("--ngrok", "http://127.0.0.1:4040", "-o", f"{output}2")
    assert "ngrok's inspector does not answer" in result.stderr


def test_where_nothing_could_be_read_no_file_is_left_in_the_way(output: Path) -> None:
    assert run("-", "-o", output, text="nothing").exit_code == 1
    assert not output.exists()
    assert run("-", "-o", output, text=FORM).exit_code == 0


def test_an_import_that_is_stopped_leaves_no_half_of_a_recording(output: Path) -> None:
    """Nobody could tell it from a whole one, and the next attempt would find a file in its way."""
    # Whoever runs the tests in the background has Ctrl-C ignored in what they start.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{heard}; from adapter.cli import main; main()", "import", "-o", str(output), "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdin is not None
        running.stdin.write(f"{FORM}\n".encode() * 20_000)
        running.stdin.flush()
        # Its standard input stays open: it waits for more.
        while not output.exists():
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        said = running.communicate()[1].decode()
    assert (running.returncode, output.exists()) == (1, False), said
    assert "Traceback" not in said


def test_a_reader_who_has_heard_enough_is_no_error() -> None:
    command = f"{sys.executable} -m adapter import -o - {PAYLOADS} {PAYLOADS} {PAYLOADS} {PAYLOADS} | head -c 100"
    done = subprocess.run(command, shell=True, capture_output=True, check=False, text=True)
    assert (len(done.stdout), done.stderr) == (100, "")
