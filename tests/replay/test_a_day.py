"""A recorded day played again: the same to the byte, and what is changed in between is found, named and counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.engine.caller_id import read_ani
from adapter.replay.recording import Recorded, line_of, read
from tests.conversations.world import PLAIN
from tests.replay.day import Day, a_day

CALLS = 60
TIMES_FASTER = 200


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return a_day(tmp_path_factory.mktemp("day"), CALLS)


Change = Callable[[dict[str, Any]], object]


def changed(day: Day, folder: Path, change: Change) -> Path:
    """The day's configuration, something in it changed."""
    settings = json.loads(day.config.read_text())
    change(settings)
    path = folder / "new.yaml"
    path.write_text(json.dumps(settings, indent=1))
    return path


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def found(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    told: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (1 if told["different"] or told["troubles"] else 0)
    return told


def replayed(day: Day, config: Path) -> dict[str, Any]:
    return found("replay", day.recording, "--fresh", "--config", config, "--memory", day.memory)


def test_a_day_is_answered_the_same_to_the_byte_and_much_faster(day: Day) -> None:
    told = replayed(day, day.config)
    assert told["same_bytes"] == told["compared"] == told["webhooks"] == day.webhooks
    assert (told["calls"], told["differences"], told["troubles"]) == (calls_of(day), [], {})
    assert told["recorded_seconds"] > TIMES_FASTER * told["seconds"]


def test_calls_of_a_day_overlap(day: Day) -> None:
    webhooks = [each for each in read(day.recording) if isinstance(each, Recorded)]
    at = [each.at for each in webhooks]
    assert at == sorted(at, key=lambda each: each or 0)
    begun, ended = {}, {}
    for place, each in enumerate(webhooks):
        begun.setdefault(each.call, place)
        ended[each.call] = place
    assert any(begun[one] < begun[other] < ended[one] for one in begun for other in begun)


def test_a_day_under_pseudonyms_is_answered_the_same(tmp_path: Path) -> None:
    """Nobody was known in the morning: what was remembered of real numbers, a pseudonym does not find."""
    day = a_day(tmp_path, 2 * CALLS, seed=7, people=0, personal="pseudonyms")
    told = found("replay", day.recording, "--fresh", "--config", day.config)
    assert (told["webhooks"], told["compared"]) == (day.webhooks, day.webhooks)
    assert told["differences"] == []


def texts(settings: dict[str, Any]) -> dict[str, str]:
    words: dict[str, str] = settings["texts"]["en"]
    return words


def line(settings: dict[str, Any], number: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in settings["lines"] if each["number"] == number)
    return found


def menu(settings: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = settings["flows"]["full"]["menu"]["options"][0]
    return first


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        pytest.param(
            lambda s: texts(s).update(unreached="SORRY"), "says", "now says “SORRY” instead of “UNREACHED”", id="word"
        ),
        pytest.param(
            lambda s: s.update(identity={"reuse_from": 0.7}),
            "recommendation",
            "is recommended for confirm instead of reuse",
            id="threshold",
        ),
        pytest.param(
            lambda s: menu(s).update(key="7"), "says", "now says “refund=7” instead of “refund=1”", id="menu key"
        ),
        pytest.param(
            lambda s: s.update(identity={"ani_landline": 0.2}),
            "confidence",
            "(ani.known 0.2 instead of 0.3)",
            id="rule",
        ),
        pytest.param(
            lambda s: line(s, PLAIN).update(destination={"dial": "+14155550177"}),
            "destination",
            "is put through to +14155550177 instead of +14155550199",
            id="destination",
        ),
    ],
)
def test_one_change_is_found_named_and_counted(
    day: Day, tmp_path: Path, change: Change, kind: str, sentence: str
) -> None:
    new = changed(day, tmp_path, change)
    one = replayed(day, new)
    other = found("what-if", "--config", new, "--against", day.config, "--memory", day.memory, day.recording)
    for told in (one, other):
        named = [each for each in told["differences"] if each["kind"] == kind and sentence in each["sentence"]]
        assert named, told["differences"]
        assert named[0]["webhooks"] > 0
        assert named[0]["examples"][0]["call"].startswith("CA")
    assert one["different"] == other["different"]
    assert one["differences"] == other["differences"]


def test_a_changed_word_is_counted_exactly(day: Day, tmp_path: Path) -> None:
    """As often as the recording says it."""
    said = sum(">MENU?<" in each.answer.body for each in recorded(day.recording) if each.answer)
    told = replayed(day, changed(day, tmp_path, lambda s: texts(s).update(menu="CHOICE?")))
    (only,) = told["differences"]
    assert only["sentence"] == "now says “CHOICE?” instead of “MENU?”"
    assert (only["webhooks"], told["different"], told["followed"]) == (said, said, 0)


def test_what_if_has_a_matrix_of_recommendations(day: Day, tmp_path: Path) -> None:
    new = changed(day, tmp_path, lambda s: s.update(identity={"reuse_from": 0.7}))
    told = found("what-if", "--config", new, "--against", day.config, "--memory", day.memory, day.recording)
    counts = {(each["old"], each["new"]): each["calls"] for each in told["recommendations"]}
    assert counts["reuse", "confirm"] == told["changes"]["recommendation"]
    assert ("confirm", "reuse") not in counts
    assert sum(counts.values()) == sum(each.kind == "voice" for each in recorded(day.recording))
    shown = run("what-if", "--config", new, "--memory", day.memory, day.recording).stdout
    callers = f"{told['changed_callers']} of {told['callers']} callers are treated differently"
    assert f"{callers}, in {told['changed_calls']} of {calls_of(day)} calls." in shown
    assert "was recommended" in shown
    assert "Another recommendation: the caller …" in shown


def test_what_if_counts_every_caller_once(day: Day, tmp_path: Path) -> None:
    """As the recording tells who calls."""
    webhooks = recorded(day.recording)
    new = changed(day, tmp_path, lambda s: s.update(identity={"reuse_from": 0.7}))
    told = found("what-if", "--config", new, "--against", day.config, "--memory", day.memory, day.recording)
    assert told["callers"] == len({read_ani(each.caller).number or each.call for each in first_of_calls(webhooks)})
    reused = {
        each.caller
        for each in webhooks
        if each.kind == "voice" and (each.receipt or {}).get("recommendation") == "reuse"
    }
    assert told["changes_of_callers"]["recommendation"] == len(reused) < told["changes"]["recommendation"]
    cells = {(each["old"], each["new"]): each["callers"] for each in told["recommendations"]}
    assert cells["reuse", "confirm"] == len(reused)


def test_what_comes_after_a_call_went_another_way_is_counted_apart(day: Day, tmp_path: Path) -> None:
    new = changed(day, tmp_path, lambda s: s["flows"]["full"]["confirm"].update(always=True))
    told = replayed(day, new)
    assert told["followed"] == sum(told["followed_by_kind"].values()) > 0
    assert told["compared"] + told["followed"] == told["webhooks"]
    assert 0 < told["followed_calls"] <= told["changed_calls"]
    shown = run("replay", day.recording, "--fresh", "--config", new, "--memory", day.memory).stdout
    assert f"later in {told['followed_calls']} calls that had gone another way, such as CA" in shown


def test_what_if_of_an_unchanged_configuration_shows_nothing(day: Day) -> None:
    told = found("what-if", "--config", day.config, "--against", day.config, "--memory", day.memory, day.recording)
    assert (told["different"], told["changed_calls"], told["differences"]) == (0, 0, [])


def test_what_if_of_calls_to_other_numbers_is_no_agreement(day: Day, tmp_path: Path) -> None:
    """Both configurations apologize, in the same words."""
    other = changed(day, tmp_path, lambda s: s.update(lines=[{**s["lines"][0], "number": "+12125550100"}]))
    told = run("what-if", "--config", day.config, "--against", other, "--memory", day.memory, day.recording)
    assert told.exit_code == 1
    assert f"nothing was compared: {other} has no line for any of these calls" in told.stderr
    fewer = changed(day, tmp_path, lambda s: s.update(lines=s["lines"][1:]))
    told = run("what-if", "--config", fewer, "--against", fewer, "--memory", day.memory, day.recording)
    assert (told.exit_code, "new.yaml has no line for: what they are answered" in told.stderr) == (0, True)


def test_a_memory_that_holds_the_calls_already_does_not_hide_what_would_change(day: Day, tmp_path: Path) -> None:
    """Whoever asks today about yesterday's calls names today's database."""
    evening = day.memory.with_name("calls.db")
    new = changed(day, tmp_path, lambda s: s.update(identity={"reuse_from": 0.7}))
    told = found("what-if", "--config", new, "--against", day.config, "--memory", evening, day.recording)
    assert told["changes"]["recommendation"] > 0
    same = found("what-if", "--config", day.config, "--against", day.config, "--memory", evening, day.recording)
    assert (same["different"], same["troubles"]) == (0, {})


def test_two_configurations_are_compared_whatever_was_recorded(day: Day, tmp_path: Path) -> None:
    new = changed(day, tmp_path, lambda s: texts(s).update(menu="CHOICE?"))
    told = found("what-if", "--config", new, "--against", new, "--memory", day.memory, day.recording)
    assert told["differences"] == []
    told = found("what-if", "--config", new, "--memory", day.memory, day.recording)
    assert [each["sentence"] for each in told["differences"]] == ["now says “CHOICE?” instead of “MENU?”"]


def test_accepted_answers_are_the_recorded_ones_from_then_on(day: Day, tmp_path: Path) -> None:
    new = changed(day, tmp_path, lambda s: texts(s).update(menu="CHOICE?"))
    copy = tmp_path / "calls.jsonl"
    copy.write_bytes(day.recording.read_bytes())
    again = ("replay", copy, "--fresh", "--config", new, "--memory", day.memory)
    assert run(*again).exit_code == 1
    assert run(*again, "--accept").exit_code == 0
    assert run(*again).exit_code == 0
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["calls.jsonl", "new.yaml"]


def test_what_is_not_played_is_accepted_as_it_was(day: Day, tmp_path: Path) -> None:
    copy = tmp_path / "calls.jsonl"
    copy.write_bytes(day.recording.read_bytes())
    new = changed(day, tmp_path, lambda s: texts(s).update(menu="CHOICE?"))
    first = recorded(day.recording)[0].call
    run("replay", copy, "--fresh", "--config", new, "--memory", day.memory, "--call", first, "--accept")
    before = [line_of(each) for each in recorded(day.recording) if each.call != first]
    assert [line_of(each) for each in recorded(copy) if each.call != first] == before
    assert len(recorded(copy)) == day.webhooks


def test_a_recording_with_a_torn_line_is_not_written_anew(day: Day, tmp_path: Path) -> None:
    copy = tmp_path / "calls.jsonl"
    torn = day.recording.read_bytes()[:-20]
    copy.write_bytes(torn)
    result = run("replay", copy, "--fresh", "--config", day.config, "--memory", day.memory, "--accept")
    assert result.exit_code == 1
    assert "cut off" in result.stderr
    assert copy.read_bytes() == torn


def first_of_calls(webhooks: list[Recorded]) -> list[Recorded]:
    """What tells who calls."""
    seen: dict[str, Recorded] = {}
    for each in webhooks:
        seen.setdefault(each.call, each)
    return [each for call, each in seen.items() if call]


def calls_of(day: Day) -> int:
    """Those of the telephone, and those that agents' own systems name."""
    calls = {each.call for each in recorded(day.recording)} - {""}
    assert sum(call.startswith("CA") for call in calls) == CALLS < len(calls)
    return len(calls)


def recorded(file: Path) -> list[Recorded]:
    return [each for each in read(file) if isinstance(each, Recorded)]
