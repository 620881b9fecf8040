"""A recording may be of any length: what is kept of it while it is played does not grow with it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from adapter.cli.replay.source import Source
from adapter.replay.recording import Answer, Recorded, line_of
from adapter.replay.rerun import Rerun, Selection, Tally, checked, play
from tests.builders import call_sid

WEBHOOK = Recorded(
    "POST",
    "/twilio/voice",
    (("CallSid", call_sid(0)), ("From", "+19170000000"), ("To", "+14155550100")),
    1_770_460_200_000,
    answer=Answer(200, "text/xml", "<Response><Say>Welcome</Say></Response>"),
)
ROUND = 400


class Parrot:
    """Answers as recorded, but for each call by its own name: everything is different from everything."""

    def send(self, recorded: Recorded) -> Rerun:
        said = f"<Response><Say>Welcome {recorded.call}</Say></Response>"
        return Rerun(recorded, Answer(200, "text/xml", said), seconds=0.001)


def a_long_recording(folder: Path, calls: int) -> Path:
    line, old = line_of(WEBHOOK), (call_sid(0).encode(), b"+19170000000")
    file = folder / "calls.jsonl"
    with file.open("wb") as out:
        for count in range(calls):
            out.write(line.replace(old[0], call_sid(count).encode()).replace(old[1], b"+1917%07d" % count))
    return file


def kept_after_each_round(file: Path, tally: Tally) -> Iterator[int]:
    """Bytes of everything that lives."""
    webhooks = iter(Source([file], Selection()))
    while True:
        before = tally.webhooks
        play(islice(webhooks, ROUND), [Parrot()], lambda rerun: tally.add(checked(rerun)))
        if tally.webhooks == before:
            return
        yield tracemalloc.get_traced_memory()[0]


def kept(folder: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Of five rounds. `most`: how much may be kept of single calls."""
    for cap in ("tally._MOST_CALLS", "tally._MOST_GROUPS", "distinct._MOST_KEPT"):
        monkeypatch.setattr(f"adapter.replay.rerun.{cap}", most)
    file, tally = a_long_recording(folder, 5 * ROUND), Tally()
    tracemalloc.start()
    try:
        after = list(kept_after_each_round(file, tally))
    finally:
        tracemalloc.stop()
    assert (tally.webhooks, tally.different, len(after)) == (5 * ROUND, 5 * ROUND, 5)
    return after


def test_what_is_kept_does_not_grow_with_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first round on nothing may come to it."""
    first, *further = kept(tmp_path, monkeypatch, ROUND // 2)
    assert max(further) < 1.1 * first


def test_what_would_grow_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control: nothing is let go of."""
    first, *further = kept(tmp_path, monkeypatch, 10**6)
    assert max(further) > 2 * first
