"""Reads a recording line by line, in bounded memory: what cannot be read is told and the rest is read all the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from .lines import recorded_of
from .values import Recorded

# A webhook is at most 64 kB and its answer, too; escaped, either may grow sixfold. What is longer is no line of ours.
LONGEST_LINE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that could not be read. `position`: "line 3", "entry 3"; `reason` quotes nothing of it."""

    source: str
    position: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: {self.position}: {self.reason}"


def read(path: Path) -> Iterator[Recorded | Broken]:
    """The webhooks of one file in its order. Raises OSError when it cannot be opened."""
    with path.open("rb") as file:
        yield from read_stream(file, str(path))


def read_stream(file: BinaryIO, source: str) -> Iterator[Recorded | Broken]:
    """The webhooks of an open recording; empty lines are nothing. `source` names it in what is broken."""
    for number, line, is_whole in numbered_lines(file):
        found = _read_line(line, is_whole)
        if isinstance(found, str):
            yield Broken(source, f"line {number}", found)
        elif found is not None:
            yield found


def numbered_lines(file: BinaryIO) -> Iterator[tuple[int, bytes, bool]]:
    """(number from 1, line, whether it has its end). Of a line that is too long only the beginning is kept."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        yield number, line, line.endswith(b"\n") or len(line) > LONGEST_LINE
        while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE + 1)
            if not line or len(line) <= LONGEST_LINE:
                break


def _read_line(line: bytes, is_whole: bool) -> Recorded | str | None:
    if len(line) > LONGEST_LINE:
        return "longer than any webhook"
    if not line.strip():
        return None
    try:
        return recorded_of(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return "not UTF-8" if is_whole else "cut off: the file ends within this line"
    except ValueError as error:
        return str(error) if is_whole else "cut off: the file ends within this line"
