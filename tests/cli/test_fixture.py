"""`sticky-calls fixture`: the test it writes passes, and fails once an answer has changed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapter.cli import main
from adapter.replay.recording import Recorded, line_of, read
from adapter.testing import differences
from tests.replay.day import Day, a_day


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return a_day(tmp_path_factory.mktemp("day"), 10, people=0)


def written(day: Day, folder: Path, *options: str) -> Path:
    test = folder / "theirs" / "test_calls.py"
    command = ["fixture", str(day.recording), "--config", str(day.config), "-o", str(test), *options]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    return test


def passes(test: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    return subprocess.run(command, cwd=test.parent, capture_output=True, check=False).returncode == 0


@pytest.mark.slow
def test_the_test_passes_until_an_answer_changes(day: Day, tmp_path: Path) -> None:
    test = written(day, tmp_path)
    assert passes(test)
    recording = test.with_suffix(".jsonl")
    recording.write_bytes(recording.read_bytes().replace(b">MENU?<", b">CHOICE?<"))
    assert not passes(test)
    assert any("says “MENU?” instead of “CHOICE?”" in each for each in differences(recording, day.config))


def test_only_the_chosen_calls_are_in_it(day: Day, tmp_path: Path) -> None:
    webhooks = [each for each in read(day.recording) if isinstance(each, Recorded)]
    test = written(day, tmp_path, "--call", webhooks[0].call)
    kept = [each for each in read(test.with_suffix(".jsonl")) if isinstance(each, Recorded)]
    assert kept == [each for each in webhooks if each.call == webhooks[0].call]
    assert differences(test.with_suffix(".jsonl"), day.config) == []


def test_nothing_is_overwritten(day: Day, tmp_path: Path) -> None:
    test = written(day, tmp_path)
    before = test.read_text()
    command = ["fixture", str(day.recording), "--config", str(day.config), "-o", str(test)]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, test.read_text()) == (1, before)
    assert "file exists" in result.stderr


def test_a_torn_recording_passes_for_none(day: Day, tmp_path: Path) -> None:
    torn = tmp_path / "calls.jsonl"
    torn.write_bytes(day.recording.read_bytes()[:-10])
    with pytest.raises(ValueError, match="cut off"):
        differences(torn, day.config)


@pytest.mark.parametrize("left", ["nothing", "no answers", "no line"])
def test_a_recording_in_which_nothing_can_differ_passes_for_none(left: str, day: Day, tmp_path: Path) -> None:
    """A test must not pass because what it should look at is gone."""
    webhooks = [each for each in read(day.recording) if isinstance(each, Recorded) and left != "nothing"]
    if left == "no answers":
        webhooks = [replace(each, answer=None) for each in webhooks]
    if left == "no line":
        webhooks = [
            replace(each, fields=tuple((name, "+1999" if name == "To" else value) for name, value in each.fields))
            for each in webhooks
        ]
    emptied = tmp_path / "calls.jsonl"
    emptied.write_bytes(b"".join(map(line_of, webhooks)))
    with pytest.raises(ValueError, match="nothing to compare"):
        differences(emptied, day.config)


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("Dear team, it rang.", (), "not one of a recording"),
        ("", (), "no webhook fits, so nothing was written"),
        ('{"recording": 1}', ("--call", "CA0"), "no webhook fits, so nothing was written"),
    ],
    ids=["unreadable", "empty", "no such call"],
)
def test_what_fails_leaves_nothing_in_the_way_of_the_next_attempt(
    text: str, options: tuple[str, ...], says: str, day: Day, tmp_path: Path
) -> None:
    source, test = tmp_path / "source", tmp_path / "theirs" / "test_calls.py"
    source.write_text(text)
    command = ["fixture", str(source), "--config", str(day.config), "-o", str(test), *options]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, says in result.stderr) == (1, True), result.output
    assert list(test.parent.iterdir()) == []
    assert written(day, tmp_path).exists()
