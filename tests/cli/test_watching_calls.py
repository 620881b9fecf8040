"""`sticky-calls tail` and `stats`: what they see of calls, and that they name nobody."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from adapter.app import build_service
from adapter.cli import main
from adapter.cli.watching.following import Follower
from adapter.cli.watching.periods import Since, instant
from adapter.config import Config, load
from adapter.engine.line import Confirm, Menu, MenuOption, ProofKind
from adapter.engine.model import Hints, Mode, StartCall
from adapter.engine.policy import DAY, HOUR
from adapter.usecases import Service, start_call
from tests import databases
from tests.builders import NOW, PEPPER, Api, ToldClock, Twilio, a_config, a_line, call_sid
from tests.usecases.phone import Phone

CALLER, NAME = "+14155550123", "Marguerite"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return a_config(tmp_path, lines=(a_line(confirm=Confirm(by=ProofKind.PIN, variable="pin")),))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """What the commands read: the same database, without the lines."""
    settings: dict[str, Any] = {
        "database": {"url": databases.url_in(tmp_path), "state_dir": str(tmp_path / "state")},
        "organizations": [{"id": "acme", "tier": "unlimited", "billing_account": "ba_acme"}],
    }
    if databases.kind == "postgresql":
        settings["security"] = {"pepper": PEPPER.decode()}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    return tmp_path / "config.yaml"


@pytest.fixture
def a_day_of_calls(api: Api, twilio: Twilio, clock: ToldClock) -> None:
    """One call of the API, one of a caller who proves who they are, and one that goes on."""
    api.end("before", identity_hints={"ani": CALLER}, variables={"pin": "4711", "name": NAME})
    twilio.voice(call_sid(1), CALLER)
    clock.advance(seconds=20)
    twilio.post("turn/1", CallSid=call_sid(1), From=CALLER, CallStatus="in-progress", Digits="4711")
    clock.advance(seconds=40)
    twilio.status(call_sid(1), CALLER)
    twilio.voice(call_sid(2), "+14155550124")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def follower(service: Service) -> Follower:
    return Follower(service, service.directory.principals(Mode.PROD))


def kinds(seen: list[Any]) -> list[tuple[str, str]]:
    return [(each.call.call_id[-1], each.happening.kind) for each in seen]


def test_what_happens_to_a_call_is_seen_once_and_in_order(
    service: Service, api: Api, twilio: Twilio, clock: ToldClock
) -> None:
    api.end("before", identity_hints={"ani": CALLER}, variables={"pin": "4711", "name": NAME})
    watching = follower(service)
    watching.begin(0)
    twilio.voice(call_sid(1), CALLER)
    assert kinds(watching.look()) == [("1", "started"), ("1", "asked")]
    assert watching.look() == []
    clock.advance(seconds=20)
    twilio.post("turn/1", CallSid=call_sid(1), From=CALLER, CallStatus="in-progress", Digits="4711")
    assert kinds(watching.look()) == [("1", "verified"), ("1", "handed_over")]
    clock.advance(seconds=40)
    twilio.status(call_sid(1), CALLER)
    assert kinds(watching.look()) == [("1", "hung_up")]
    api.end(call_sid(1), identity_hints={"ani": CALLER})
    assert kinds(watching.look()) == [("1", "ended")]
    clock.advance(hours=1)
    assert watching.look() == []


def test_a_rejected_caller_is_another_customer(service: Service, api: Api) -> None:
    api.end("before", identity_hints={"ani": CALLER})
    watching = follower(service)
    watching.begin(0)
    api.start("call-1", ani=CALLER)
    watching.look()
    api.verdict("call-1", "rejected")
    assert kinds(watching.look()) == [("1", "rejected")]


def test_calls_that_are_over_are_let_go_and_not_seen_again(service: Service, api: Api, clock: ToldClock) -> None:
    watching = follower(service)
    for number in range(3):
        api.start(f"call-{number}", ani=CALLER)
        api.end(f"call-{number}", identity_hints={"ani": CALLER})
    assert len(watching.begin(10)) == 6
    for _ in range(10):
        clock.advance(seconds=50)
        assert watching.look() == []
    assert not watching._followed


def test_it_begins_with_the_latest_calls(service: Service, api: Api, clock: ToldClock) -> None:
    for number in range(5):
        api.start(f"call-{number}", ani=CALLER)
        clock.advance(seconds=1)
    assert kinds(follower(service).begin(2)) == [("3", "started"), ("4", "started")]
    assert follower(service).begin(0) == []


@pytest.mark.parametrize("ago", [{"hours": 4}, {"hours": 6}, {"days": 3}], ids=str)
def test_however_long_ago_the_latest_calls_were(
    service: Service, api: Api, clock: ToldClock, ago: dict[str, int]
) -> None:
    for number in range(5):
        api.start(f"call-{number}", ani=CALLER)
    clock.advance(**ago)
    assert kinds(follower(service).begin(2)) == [("3", "started"), ("4", "started")]
    api.start("call-5", ani=CALLER)
    watching = follower(service)
    assert kinds(watching.begin(2)) == [("4", "started"), ("5", "started")]
    assert watching.look() == []
    assert kinds(follower(service).begin(1)) == [("5", "started")]


def test_who_was_asked_long_ago_was_asked_then(service: Service, api: Api, twilio: Twilio, clock: ToldClock) -> None:
    api.end("before", identity_hints={"ani": CALLER}, variables={"pin": "4711", "name": NAME})
    twilio.voice(call_sid(1), CALLER)
    clock.advance(hours=1)
    api.start("call-2", ani="+14155550124")
    seen = [each for each in follower(service).begin(3) if each.call.call_id != "before"]
    assert kinds(seen) == [("1", "started"), ("1", "asked"), ("2", "started")]
    assert seen[1].happening.at == seen[0].happening.at


def test_tail_tells_the_day_of_calls_of_before(
    service: Service, api: Api, clock: ToldClock, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapter.app.SystemClock", lambda: clock)
    api.start("call-1", ani=CALLER)
    assert re.match(r"\d\d:\d\d:\d\d  ", run("tail", "--no-follow", "--config", str(written)).stdout)
    clock.advance(days=3)
    assert re.match(r"20\d\d-\d\d-\d\d \d\d:", run("tail", "--no-follow", "--config", str(written)).stdout)


@pytest.mark.usefixtures("a_day_of_calls")
def test_tail_shows_calls_and_nobody(written: Path, clock: ToldClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.app.SystemClock", lambda: clock)
    result = run("tail", "--no-follow", "--config", str(written))
    assert result.exit_code == 0, result.output
    assert "reuse 1.00  (ani:unknown, recency:1day)" in result.stdout
    assert "verified" in result.stdout
    assert "hung up after 60 s" in result.stdout
    told = run("tail", "--no-follow", "--json", "--config", str(written)).stdout
    lines = [json.loads(line) for line in told.splitlines()]
    assert [line["event"] for line in lines if line["call_id"] == call_sid(1)] == [
        "started",
        "verified",
        "handed_over",
        "hung_up",
    ]
    assert {line["dnis"] for line in lines} == {None, "+14155550100"}
    for private in (CALLER, NAME, "4711", "\x1b"):
        assert private not in result.stdout + told


def test_tail_says_that_there_is_nothing_to_be_seen(written: Path) -> None:
    result = run("tail", "--no-follow", "--config", str(written))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.endswith("There were no calls yet.\n")
    assert run("tail", "--no-follow", "--json", "--config", str(written)).output == ""


@pytest.mark.usefixtures("a_day_of_calls")
def test_stats_count_calls_and_name_nobody(written: Path) -> None:
    since = ("--since", "2026-02-07T10:00Z")
    told = json.loads(run("stats", *since, "--json", "--config", str(written)).stdout)
    assert (told["calls"], told["active"], told["origins"]) == (3, 1, {"twilio": 2, "api": 1})
    assert told["recommendations"] == {"reuse": 1, "confirm": 0, "ignore": 2}
    assert told["confidence_tenths"] == [2, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert told["verdicts"] == {"confirmed": 1}
    assert told["duration_seconds"] == {"median": 60, "p95": 60}
    assert told["destinations"] == {"default": 2}
    shown = run("stats", *since, "--config", str(written))
    assert re.search(r"calls +3  \(twilio 2, api 1\)", shown.stdout)
    assert "median 1:00" in shown.stdout
    for private in (CALLER, NAME, "4711"):
        assert private not in shown.stdout


def test_stats_of_more_calls_than_a_page(written: Path, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.cli.watching.stats._PAGE", 2)
    for number in range(5):
        api.start(f"call-{number}", ani=CALLER)
    told = json.loads(run("stats", "--since", "2026-02-07", "--json", "--config", str(written)).stdout)
    assert told["calls"] == 5


def test_nothing_is_counted_before_then_nor_of_others(written: Path, api: Api) -> None:
    api.start("call-1", ani=CALLER)
    for options in (["--since", "2026-02-08"], ["--since", "2026-02-07", "--mode", "test"]):
        assert json.loads(run("stats", *options, "--json", "--config", str(written)).stdout)["calls"] == 0
    assert run("stats", "--since", "2026-02-08", "--config", str(written)).exit_code == 0
    wrong = run("stats", "--organization", "acmee", "--config", str(written))
    assert (wrong.exit_code, 'did you mean "acme"' in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    ("written", "at"),
    [("24h", NOW - DAY), ("7d", NOW - 7 * DAY), ("120m", NOW - 2 * HOUR), ("2026-02-07T10:30Z", NOW)],
)
def test_a_time_ago_or_an_instant(written: str, at: int) -> None:
    assert instant(Since().convert(written, None, None), NOW) == at


@pytest.mark.parametrize("far", ["999999d", "0001-01-01T00:00+23:00", "9999-12-31T23:59:59-23:00"])
def test_a_time_before_or_after_all_calls_is_counted_from(written: Path, far: str) -> None:
    result = run("stats", "--since", far, "--json", "--config", str(written))
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["since"][:4] in ("1970", "9999")


@pytest.mark.parametrize("wrong", ["", "24", "-1h", "yesterday", "1y", "99999999d"])
def test_what_is_neither_is_a_mistake_of_usage(wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("stats", "--since", wrong).exit_code == 2


@pytest.mark.slow
@pytest.mark.sqlite
def test_ctrl_c_ends_it_without_a_word(written: Path) -> None:
    environ = {**os.environ, "ADAPTER_CONFIG": str(written), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "adapter", "tail", "--json"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watching:
        service = build_service(load(written, {}))
        principal = service.directory.principal("acme", Mode.PROD)
        assert principal is not None
        start_call(service, principal, StartCall("call-1", Hints(ani=CALLER)))
        service.store.close()
        assert watching.stdout is not None
        assert json.loads(watching.stdout.readline())["call_id"] == "call-1"
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=30)
    assert (watching.returncode, said) == (0, b"")


def test_what_a_call_is_about_does_not_steer_the_terminal(
    service: Service, written: Path, clock: ToldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapter.app.SystemClock", lambda: clock)
    pwned = "x\x1b[31mred\x1b]0;pwned\x07"
    phone = Phone(service, a_line(menu=Menu((MenuOption(pwned, "1"),))))
    phone.call("CA1")
    phone.presses("CA1", "1")
    for command in ("stats", "--since", "2000-01-01"), ("tail", "--no-follow"):
        shown = run(*command, "--config", str(written)).stdout
        assert "red" in shown
        assert all(line.isprintable() for line in shown.splitlines())
