"""`sticky-calls replay` and `record`: to a real server and to an app of its own; wrong usage; other files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.cli.dialed import dialed
from adapter.cli.replay.line import OnLine
from adapter.config import load
from adapter.replay.recording import Recorded, line_of, read
from adapter.replay.rerun import Rerun
from tests.builders import ACCOUNT, AUTH_TOKEN
from tests.conversations.world import PLAIN, SETTINGS
from tests.replay.day import Day, a_day
from tests.serving import Server, serving

PAYLOADS = Path(__file__).parents[1] / "recordings" / "payloads.jsonl"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return a_day(tmp_path_factory.mktemp("day"), 20, people=0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), workers=2, **json.loads(json.dumps(SETTINGS))) as server:
        yield server


def run(*arguments: object, **environ: str) -> Result:
    result = CliRunner(env={"ADAPTER_CONFIG": None, "ADAPTER_API_KEY": None, **environ}).invoke(
        main, [str(each) for each in arguments]
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def webhooks_of(day: Day) -> list[Recorded]:
    return [each for each in read(day.recording) if isinstance(each, Recorded)]


def one_call(day: Day) -> list[Recorded]:
    """The first call, which nobody's memory could have changed."""
    webhooks = webhooks_of(day)
    return [each for each in webhooks if each.call == webhooks[0].call]


def changed(webhooks: list[Recorded], folder: Path) -> Path:
    """A recording of them whose first answer had other words."""
    first = line_of(webhooks[0])
    for now, then in ((b">MENU?<", b">CHOICE?<"), (b">WELCOME<", b">HI<"), (b"IGNORE", b"HI")):
        first = first.replace(now, then)
    file = folder / "calls.jsonl"
    file.write_bytes(b"".join([first, *map(line_of, webhooks[1:])]))
    return file


@pytest.mark.slow
def test_a_call_is_answered_by_a_server_as_recorded_while_nobody_is_known_there(day: Day, server: Server) -> None:
    call = one_call(day)[0].call
    options = ("--to", server.url, "--config", server.config_path, "--call", call, "--fresh-sids", "--json")
    first, second = (run("replay", day.recording, *options) for _ in range(2))
    told = json.loads(first.stdout)
    assert told["webhooks"] == told["compared"] == len(one_call(day))
    assert (told["differences"], told["troubles"], first.exit_code) == ([], {}, 0)
    # By then the caller has called once before, in a call of another CallSid.
    told = json.loads(second.stdout)
    assert told["differences"][0]["sentence"] == "now says “CONFIRM” instead of “IGNORE”"
    assert second.exit_code == 1


@pytest.mark.slow
def test_load_has_percentiles_and_no_errors(day: Day, server: Server) -> None:
    options = ("--to", server.url, "--config", server.config_path, "--concurrency", 4, "--repeat", 3, "--json")
    result = run("replay", day.recording, *options, ADAPTER_API_KEY=server.key("acme"))
    told = json.loads(result.stdout)
    assert (told["webhooks"], told["troubles"], told["compared"]) == (3 * day.webhooks, {}, 0)
    assert told["calls"] == 3 * len({each.call for each in webhooks_of(day)} - {""})
    latency = told["latency_ms"]
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["max"]
    assert result.exit_code == 0


@pytest.mark.slow
def test_what_agents_save_is_sent_with_an_api_key_only(day: Day, server: Server, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(server.key("acme"))
    saved = sum(each.is_api for each in webhooks_of(day))
    options = ("--to", server.url, "--config", server.config_path, "--only", "api", "--fresh-sids", "--check", "valid")
    without = run("replay", day.recording, *options, "--json")
    assert json.loads(without.stdout)["troubles"] == {"not sent: no API key for its organization": saved}
    assert without.exit_code == 1
    told = json.loads(run("replay", day.recording, *options, "--json", "--key-file", key).stdout)
    # What belongs to calls of the telephone, which were not played, is refused.
    assert saved > 0 == sum(count for trouble, count in told["troubles"].items() if "not sent" in trouble)
    key.write_text("sk_prod_unknown_guessed")
    told = json.loads(run("replay", day.recording, *options, "--json", "--key-file", key).stdout)
    assert told["troubles"] == {"answered with status 401": saved}


@pytest.mark.slow
def test_a_wrong_token_is_told_as_refused(day: Day, server: Server, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("guessed\n")
    options = ("--to", server.url, "--token-file", token, "--until", "2026-02-07T10:30:00")
    assert "nothing was played" in run("replay", day.recording, *options).output, "nothing that early"
    result = run("replay", day.recording, *options[:-2], "--only", "voice", "--json")
    assert json.loads(result.stdout)["troubles"] == {"answered with status 403": 20}
    assert result.exit_code == 1
    token.write_text(AUTH_TOKEN)
    result = run("replay", day.recording, *options[:-2], "--only", "voice", "--check", "valid")
    assert result.exit_code == 0, result.output


def test_nobody_at_the_address_is_told(day: Day, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("any")
    result = run("replay", day.recording, "--to", "http://127.0.0.1:9", "--token-file", token, "--only", "voice")
    assert result.exit_code == 1
    assert "no answer: ConnectionError" in result.stdout


def test_captured_payloads_import_and_replay(day: Day) -> None:
    """They have no answers, so any will do that Twilio can use."""
    result = run("replay", PAYLOADS, "--fresh", "--config", day.config, "--json")
    told = json.loads(result.stdout)
    assert (told["webhooks"], told["compared"], told["unreadable"]) == (16, 0, 0)
    assert told["troubles"] == {}
    assert result.exit_code == 0


def test_older_files_of_a_recording_come_first(day: Day, tmp_path: Path) -> None:
    lines = day.recording.read_bytes().splitlines(keepends=True)
    (tmp_path / "calls.jsonl.1").write_bytes(b"".join(lines[:30]))
    (tmp_path / "calls.jsonl").write_bytes(b"".join(lines[30:]))
    result = run("replay", tmp_path / "calls.jsonl", "--fresh", "--config", day.config, "--json")
    assert json.loads(result.stdout)["same_bytes"] == day.webhooks
    assert result.exit_code == 0


def test_lines_that_workers_wrote_a_moment_late_are_played_in_their_time(day: Day, tmp_path: Path) -> None:
    lines = day.recording.read_bytes().splitlines(keepends=True)
    late = [line for start in range(0, len(lines), 10) for line in reversed(lines[start : start + 10])]
    (tmp_path / "calls.jsonl").write_bytes(b"".join(late))
    result = run("replay", tmp_path / "calls.jsonl", "--fresh", "--config", day.config, "--json")
    assert json.loads(result.stdout)["same_bytes"] == day.webhooks


def test_the_table_tells_figures_and_differences(day: Day, tmp_path: Path) -> None:
    webhooks = one_call(day)
    file = changed(webhooks, tmp_path)
    result = run("replay", file, "--fresh", "--config", day.config)
    assert result.exit_code == 1
    assert f"{len(webhooks) - 1}, " in result.stdout
    assert "1 in 1 call of 1 caller" in result.stdout
    assert f"of {webhooks[0].call} from {webhooks[0].value('From')}" in result.stdout


def test_each_answer_can_be_shown_in_words(day: Day, tmp_path: Path) -> None:
    webhooks = one_call(day)
    file = changed(webhooks, tmp_path)
    result = run("replay", file, "--fresh", "--config", day.config, "--show")
    told = result.stdout.splitlines()
    assert told[0].endswith(f"voice of {webhooks[0].call}")
    assert told[1].startswith("  says “")
    assert told[1].endswith("(ignore, 0)")
    assert sum(line.endswith(f"of {webhooks[0].call}: completed") for line in told) == 1
    assert "  taken note of" in told
    assert any(line.startswith("  ≠ now says “") for line in told)


def test_captured_webhooks_of_other_applications_can_be_shown_and_accepted(day: Day, tmp_path: Path) -> None:
    options = ("--fresh", "--config", day.config)
    shown = run("replay", PAYLOADS, *options, "--show").stdout
    assert "(gather_speech_synthetic): said “I'd like to order some food”" in shown
    assert shown.count("\n  ") == 16
    file = tmp_path / "calls.jsonl"
    assert run("import", PAYLOADS, "-o", file).exit_code == 0
    assert run("replay", file, *options, "--accept").exit_code == 0
    assert "answered as before  16, 16 of them to the byte" in run("replay", file, *options).stdout


def test_calls_to_other_peoples_numbers_are_played_as_calls_to_ours_when_told_so(day: Day) -> None:
    options = ("--fresh", "--config", day.config, "--show")
    told = run("replay", PAYLOADS, *options)
    hint = (
        "15 of these webhooks are of numbers that no line is configured for; --line plays them as calls of one of yours"
    )
    assert (told.exit_code, hint in told.stderr) == (0, True)
    assert "We cannot take your call right now" in told.stdout
    told = run("replay", PAYLOADS, *options, "--line", PLAIN)
    assert (told.exit_code, told.stderr) == (0, "")
    assert "We cannot take your call right now" not in told.stdout
    assert (
        told.stdout.count("is put through to +14155550199") == 9
    )  # each voice webhook and each answer out of the blue
    assert "no line is configured for +1" in run("replay", PAYLOADS, *options, "--line", "+1").stderr
    assert "no line" not in run("replay", day.recording, *options).stderr


def test_only_the_callers_own_leg_gets_another_number(day: Day) -> None:
    seen: list[Recorded] = []

    class Seen:
        def send(self, recorded: Recorded) -> Rerun:
            seen.append(recorded)
            return Rerun(recorded, None)

    target = OnLine(Seen(), dialed(load(day.config, {}), PLAIN))
    caller = Recorded("POST", "/ivr", (("CallSid", "CA1"), ("To", "+1"), ("Called", "+1"), ("AccountSid", "AC1")))
    agent = Recorded("POST", "/ivr", (("CallSid", "CA2"), ("ParentCallSid", "CA1"), ("To", "+2")))
    saved = Recorded("POST", "/v1/calls/start", (), sent={"call_id": "x"}, key=("acme", "prod"))
    bare = Recorded("POST", "/ivr", (("CallSid", "CA3"),))
    assert [target.send(each).recorded for each in (caller, agent, saved, bare)] == [caller, agent, saved, bare]
    assert [[each.value(name) for name in ("To", "Called", "AccountSid")] for each in seen] == [
        [PLAIN, PLAIN, ACCOUNT],
        ["+2", "", ACCOUNT],
        ["", "", ""],
        [PLAIN, "", ACCOUNT],
    ]


def test_what_is_refused_is_told_with_its_call(day: Day, tmp_path: Path) -> None:
    first = one_call(day)[0]
    file = tmp_path / "captured.json"
    file.write_text(json.dumps({**dict(first.fields), "From": ["+14155550123", "+14155550124"]}))
    result = run("replay", file, "--fresh", "--config", day.config)
    assert result.exit_code == 1
    assert f"1: answered with status 403  voice of {first.call} from +14155550123" in result.stdout
    told = json.loads(run("replay", file, "--fresh", "--config", day.config, "--json").stdout)
    assert told["trouble_examples"]["answered with status 403"][0]["call"] == first.call


def test_a_torn_line_is_told_and_the_rest_is_played(day: Day, tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_bytes(day.recording.read_bytes()[:-10])
    result = run("replay", file, "--fresh", "--config", day.config, "--json")
    told = json.loads(result.stdout)
    assert (told["webhooks"], told["unreadable"], told["different"]) == (day.webhooks - 1, 1, 0)
    assert "cut off" in result.stderr
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "say --to URL or --fresh"),
        (("--fresh", "--to", "http://x"), "say --to URL or --fresh"),
        (("--to", "127.0.0.1:8080"), "write the server's address as http://"),
        (("--to", "http://x", "--memory", PAYLOADS), "--memory goes with --fresh"),
        (("--fresh", "--concurrency", 2), "--concurrency goes with --to"),
        (("--fresh", "--token-file", PAYLOADS), "go with --to"),
        (("--fresh", "--accept", "--repeat", 2), "--accept goes with neither"),
        (("--fresh", "--accept"), "--accept writes recordings only"),
        (("--fresh", "--show", "--json"), "--show goes without --json"),
        (("--fresh", "--speed", "fast"), "write 1x, 10x, … or max"),
        (("--fresh", "--speed", "0x"), "write 1x, 10x, … or max"),
        (("--fresh", "--until", "noon"), "write a time as"),
        (("--to", "http://x"), "webhooks have to be signed"),
    ],
)
def test_wrong_usage_is_told_with_exit_code_2(options: tuple[Any, ...], says: str) -> None:
    result = run("replay", PAYLOADS, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


def test_a_file_of_no_known_format_is_told(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("call mum\n")
    result = run("replay", file, "--fresh")
    assert result.exit_code == 1
    assert "not one of a recording" in result.stderr


def test_a_memory_that_is_no_database_is_told(day: Day) -> None:
    result = run("replay", day.recording, "--fresh", "--config", day.config, "--memory", PAYLOADS)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")


def test_a_replay_leaves_the_memory_that_it_began_with_alone(day: Day) -> None:
    before = day.memory.read_bytes()
    assert run("replay", day.recording, "--fresh", "--config", day.config, "--memory", day.memory).exit_code == 0
    assert day.memory.read_bytes() == before


@pytest.mark.parametrize("none", [("--call", "CA" + "9" * 32), ("--number", "+19995550000"), ("--until", "2001-01-01")])
def test_a_choice_that_nothing_fits_does_not_pass_as_the_same(day: Day, none: tuple[str, str]) -> None:
    result = run("replay", day.recording, "--fresh", "--config", day.config, *none)
    assert result.exit_code == 1
    assert "nothing was played" in result.output


def test_an_empty_recording_does_not_pass_as_the_same(day: Day, tmp_path: Path) -> None:
    empty = tmp_path / "calls.jsonl"
    empty.touch()
    for command in (("replay", empty, "--fresh", "--config", day.config), ("what-if", empty, "--config", day.config)):
        result = run(*command)
        assert result.exit_code == 1
        assert re.search("nothing was (played|compared): no calls", result.stderr)


def test_answers_that_were_not_recorded_are_no_agreement(day: Day, tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_bytes(b"".join(line_of(replace(each, answer=None)) for each in webhooks_of(day)))
    result = run("what-if", file, "--config", day.config)
    assert result.exit_code == 1
    assert "nothing was compared: no answer was recorded" in result.stderr


def test_record_says_how_to_switch_it_on() -> None:
    assert "recording:\n  file:" in run("record").stdout


def test_record_tells_what_the_recording_holds(day: Day) -> None:
    shown = run("record", "--config", day.config).stdout
    held = json.loads(run("record", "--config", day.config, "--json").stdout)["files"]
    assert held[0]["kinds"]["voice"] > 0
    assert "personal data as it is" in shown
    assert "20 voice" in shown
    assert "2026-02-07 " in shown
