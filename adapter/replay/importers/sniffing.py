"""Which importer a file is for, by how it begins, never by its name."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

from adapter.errors import AdapterError
from adapter.replay.recording import Broken, Recorded, read_stream

from .captures import is_capture, read_capture, read_capture_lines
from .curl import COMMAND, read_curl
from .events import read_events
from .forms import read_forms
from .har import read_har
from .ngrok import read_ngrok

Reader = Callable[[BinaryIO, str], Iterator[Recorded | Broken]]

_HEAD: Final = 256 * 1024
_MARKS: Final = re.compile("CallSid|isBase64Encoded")
# How files begin that would be of a known format, if they were opened first.
_NO_TEXT: Final = {
    b"\x1f\x8b": "packed with gzip; unpack it first",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
}
_MOST_BYTES: Final = 256 * 1024 * 1024  # of documents that have to be read as a whole


class Unreadable(AdapterError):
    """A file of no known format."""

    code = "unreadable_recording"


def imported(file: BinaryIO, source: str) -> Iterator[Recorded | Broken]:
    """Every webhook of an open file. Raises Unreadable when it is of no known format."""
    buffered = io.BufferedReader(_Raw(file), _HEAD)
    head = buffered.peek(_HEAD)[:_HEAD]
    reader = sniff(head)
    if reader is None:
        for beginning, advice in _NO_TEXT.items():
            if head.startswith(beginning):
                raise Unreadable(f"{source}: {advice}")
        formats = "a recording, HAR, ngrok, Call Events, JSON with a CallSid, a form or curl"
        raise Unreadable(f"{source}: not one of {formats}")
    return reader(buffered, source)


def sniff(head: bytes) -> Reader | None:
    """The importer for a file that begins so; None for no known format. An empty file is an empty recording."""
    text = head.decode("utf-8-sig", "replace").strip()
    if not text:
        return read_stream
    if text[0] in "{[":
        return _by_lines(text) or _by_keys(text) or (_whole(read_capture) if _MARKS.search(text) else None)
    if COMMAND.match(re.sub(r"\A(?:#[^\n]*\n\s*)+", "", text)):
        return _whole(read_curl)
    if re.search(r"(?:^|&)CallSid=", text, re.MULTILINE):
        return _whole(read_forms)
    # Its first lines are torn: what follows may tell.
    return _by_lines(text)


def _by_lines(text: str) -> Reader | None:
    lines = text.splitlines()
    # What stands on one line there may be an object, too.
    is_document = text.startswith("[") or lines[0].rstrip().endswith(("{", "["))
    for line in lines:
        entry = _json(line)
        if not isinstance(entry, dict):
            continue
        if "recording" in entry:
            return read_stream
        if is_capture(entry) and not is_document:
            return read_capture_lines
    if re.search(r'^\{"recording": ?\d', text, re.MULTILINE):
        return read_stream
    return None


def _by_keys(text: str) -> Reader | None:
    """Of a document on many lines, or cut off: the first key that is known of one format."""
    for key, mark, reader in _KEYS:
        begins = rf'[\[{{]\s*(?:\{{\s*)?(?:"[a-z_]+":\s*(?:"[^"]*"|-?\d+|null),\s*)*"{key}"\s*:'
        if mark in text and re.match(begins, text):
            return _whole(reader)
    return None


# Others use some of these keys, too: what stands beside them is ours to know.
_KEYS: Final[tuple[tuple[str, str, Callable[[str, str], Iterator[Recorded | Broken]]], ...]] = (
    ("log", '"entries"', read_har),
    ("events", '"call_sid"', read_events),
    ("requests", '"tunnel_name"', read_ngrok),
    ("tunnel_name", "", read_ngrok),
    ("request", '"call_sid"', read_events),
)


def _whole(read: Callable[[str, str], Iterator[Recorded | Broken]]) -> Reader:
    def reader(file: BinaryIO, source: str) -> Iterator[Recorded | Broken]:
        data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            yield Broken(source, "the file", "too long to be read as a whole")
            return
        yield from read(data.decode("utf-8-sig", "replace"), source)

    return reader


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


class _Raw(io.RawIOBase):
    """Any binary file, pipes too, as what a buffered reader can look ahead in."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
