"""The power fails at any moment of a recording: is what was answered there, and nothing half?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.faults.asked import Fact
from tests.faults.found import Found, found
from tests.faults.vfs import Call
from tests.powercut.disk import Disk
from tests.powercut.recording import Event, Recording, Told

_TELL_EVERY = 1_000
_MOST_EXAMPLES = 5


@dataclass
class Findings:
    """Cuts after which something that was told is `lost`, or the files are `broken`: torn, damaged, charged wrongly."""

    cuts: int = 0
    lost: int = 0
    broken: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, before_event: int, lost: Sequence[str], broken: Sequence[str]) -> None:
        self.cuts += 1
        self.lost += bool(lost)
        self.broken += bool(broken)
        if (lost or broken) and len(self.examples) < _MOST_EXAMPLES:
            self.examples.append(f"cut before event {before_event}: {', '.join([*lost[:3], *broken[:3]])}")


def cut(recording: Recording, cuts: int, seed: int, folder: Path) -> Iterator[Findings]:
    """`cuts` power cuts at random moments, told now and then; the last one tells all. `folder`: for the files."""
    random, findings = Random(seed), Findings()
    disk, told, done = Disk(dict(recording.before)), set[Fact](), 0
    events = recording.events
    for moment in sorted(random.randint(0, len(events)) for _ in range(cuts)):
        for event in events[done:moment]:
            if isinstance(event, Told):
                told.add(event.fact)
            else:
                disk.take(event)
        done = moment
        seen = _found_at(disk.cut_off_in(_next_call(events, moment), random), folder)
        findings.add(moment, seen.lost(told), seen.wrong)
        if findings.cuts % _TELL_EVERY == 0:
            yield findings
    if findings.cuts % _TELL_EVERY:
        yield findings


def _next_call(events: Sequence[Event], moment: int) -> Call | None:
    """What the cut falls into: it may be done in part."""
    event = events[moment] if moment < len(events) else None
    return event if isinstance(event, Call) else None


def _found_at(files: dict[str, bytes], folder: Path) -> Found:
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in files.items():
        path = folder / ("calls.db.inbox" if name.endswith(".journal") else "") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return found(folder)
