"""Files of customers, read a record at a time: CSV with a header, or JSON Lines. Leaves out: what a record may be."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from adapter.config.suggestions import did_you_mean
from adapter.web.rest.customer_records import FIELDS

# A name in two parts: external_ids.customer_id, variables.name.
_TABLES: Final = ("external_ids", "variables")
_COLUMNS: Final = ("ani", "line_type", "customer_ref", "last_contact", "intent", "intent_status")
_LONGEST_LINE: Final = 1_000_000
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Read:
    """One record: its line in the file, how many bytes were read up to its end, and its value or what is wrong."""

    line: int
    end: int
    value: object = None
    wrong: str = ""


def content_name(file: Path) -> str:
    """Names the file's content: the same for the same bytes, whatever the file is called."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def records(file: Path) -> Iterator[Read]:
    """Every record in order, those that cannot be read, too. click.UsageError when the file is of neither kind."""
    with file.open("rb") as opened:
        if file.suffix.lower() == ".csv":
            yield from _of_csv(opened)
        elif file.suffix.lower() in (".jsonl", ".ndjson", ".json"):
            yield from _of_lines(opened)
        else:
            raise click.UsageError(f"{file} is neither .csv nor .jsonl")


def _of_lines(opened: BinaryIO) -> Iterator[Read]:
    end = 0
    for number, line in enumerate(iter(lambda: opened.readline(_LONGEST_LINE), b""), 1):
        end += len(line)
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
        if not text:
            continue
        try:
            yield Read(number, end, json.loads(text))
        except ValueError:
            yield Read(number, end, wrong="is no JSON in UTF-8")


def _of_csv(opened: BinaryIO) -> Iterator[Read]:
    source = _Counted(opened)
    reader = csv.reader(source, strict=True)
    try:
        header = next(reader, [])
    except (csv.Error, UnicodeDecodeError):
        raise click.UsageError("its first line is no CSV in UTF-8; unpack it, and save it as CSV in UTF-8") from None
    _check(header)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, UnicodeDecodeError) as error:
            yield Read(
                source.lines,
                source.read,
                wrong=f"cannot be read: {error if isinstance(error, csv.Error) else 'no UTF-8'}",
            )
            continue
        if len(row) > len(header):
            yield Read(source.lines, source.read, wrong=f"has {len(row)} values for {len(header)} columns")
        elif row:
            yield Read(source.lines, source.read, _record(header, row))


def _check(header: list[str]) -> None:
    """A misspelled column, and one that is there twice, would lose a value of everybody's.

    Called by its place: where the header is missing, its first line is a person's.
    """
    known = {name for name in FIELDS if name not in ("numbers", *_TABLES)}
    for place, column in enumerate(header, 1):
        table, dot, name = column.partition(".")
        if not (column in known or (dot and name and table in _TABLES)):
            wanted = "columns are " + ", ".join([*_COLUMNS, "external_ids.NAME and variables.NAME"])
            meant = did_you_mean(column, _COLUMNS)
            raise click.UsageError(f"line 1: column {place} of the header is not known here{meant}; {wanted}")
        if column in header[: place - 1]:
            raise click.UsageError(f"line 1: column {place} of the header is there twice; keep one of them")


def _record(header: list[str], row: list[str]) -> dict[str, Any]:
    """Empty cells are left out."""
    record: dict[str, Any] = {}
    for column, cell in zip(header, row, strict=False):
        table, dot, name = column.partition(".")
        if cell and dot:
            record.setdefault(table, {})[name] = cell
        elif cell:
            record[column] = cell
    return record


class _Counted:
    """The lines of a file as text, and how many they and their bytes were, those that are no text, too."""

    def __init__(self, opened: BinaryIO) -> None:
        self._opened = opened
        self.read = 0
        self.lines = 0

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> str:
        line = self._opened.readline(_LONGEST_LINE)
        if not line:
            raise StopIteration
        is_first = self.read == 0
        self.read += len(line)
        self.lines += 1
        return line.decode("utf-8-sig" if is_first else "utf-8")
