"""For users' own test suites: are recorded calls answered as they were? `sticky-calls fixture` writes such a test.

    assert differences(Path("calls.jsonl"), Path("config.yaml")) == []

Beside it: `adapter.replay`, a telephone network to play calls of one's own. Leaves out: a plugin for pytest.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapter.cli.fresh import fresh
from adapter.config import load
from adapter.replay.recording import Recorded, read
from adapter.replay.rerun import Checked, checked, in_order, play


def differences(recording: Path, config: Path, memory: Path | None = None) -> list[str]:
    """What is answered differently, a sentence each, as "voice of CA…: now says “Hi” instead of “Hello”".

    The calls are played to an app of this configuration, without ADAPTER_ variables, on a store of its own, with the
    recording's clock. `memory`: a database to begin with a copy of. ConfigError; ValueError for a line that cannot be
    read, OSError for a file that cannot.
    """
    found: list[str] = []
    with fresh(load(config, {}), memory) as target:
        play(in_order(_whole(recording)), [target], lambda rerun: found.extend(_told(checked(rerun))))
    return found


def _whole(recording: Path) -> Iterator[Recorded]:
    """A test must not pass because what it should look at is gone."""
    for each in read(recording):
        if not isinstance(each, Recorded):
            raise ValueError(str(each))
        yield each


def _told(result: Checked) -> list[str]:
    recorded = result.rerun.recorded
    sentences = [*([result.trouble] if result.trouble else []), *(each.sentence for each in result.differences)]
    return [f"{recorded.kind} of {recorded.call}: {sentence}" for sentence in sentences]
