"""Lines of {"name", "kind", "params"}: how captured webhooks are passed on among developers. The kind becomes ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO, Final

from adapter.replay.recording import Broken, Recorded
from adapter.replay.recording.reader import numbered_lines

from .exchange import NoWebhook, pairs_of

# Whose turn it was is not told, so ours is the one that works without memory.
_PATHS: Final = {
    "voice": "/twilio/voice",
    "status": "/twilio/status",
    "fallback": "/twilio/fallback",
    "gather": "/twilio/turn/0",
    "dial": "/twilio/turn/0",
}


def read_named(file: BinaryIO, source: str) -> Iterator[Recorded | Broken]:
    """The webhooks of a file, line by line."""
    for number, line, is_whole in numbered_lines(file):
        if not line.strip():
            continue
        try:
            yield _webhook(line)
        except NoWebhook as error:
            yield Broken(source, f"line {number}", str(error))
        except ValueError:
            reason = "not JSON" if is_whole else "cut off: the file ends within this line"
            yield Broken(source, f"line {number}", reason)


def _webhook(line: bytes) -> Recorded:
    entry = json.loads(line)
    if not isinstance(entry, dict) or not isinstance(entry.get("params"), dict):
        raise NoWebhook("no params")
    path = _PATHS.get(str(entry.get("kind")))
    if path is None:
        raise NoWebhook(f"its kind is none of {', '.join(_PATHS)}")
    params = entry["params"]
    if not all(isinstance(value, str) for value in params.values()):
        raise NoWebhook("params with something that is not a text")
    return Recorded(
        "POST", path, tuple(params.items()), headers=pairs_of(entry.get("headers")), name=str(entry["name"])
    )
