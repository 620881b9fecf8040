"""Lists of entries in one JSON document: read as a whole, turned into webhooks one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from adapter.replay.recording import Broken, Recorded

from .exchange import NoWebhook


def webhooks_of(
    text: str, source: str, entries_of: Callable[[Any], Iterable[Any] | None], read: Callable[[Any], Recorded]
) -> Iterator[Recorded | Broken]:
    """Every entry of the document as a webhook. `entries_of`: where they are in it; None: nowhere."""
    try:
        entries = entries_of(_document(text))
    except NoWebhook as error:
        yield Broken(source, "the file", str(error))
        return
    if entries is None:
        yield Broken(source, "the file", "without a list of requests")
        return
    yield from each(entries, source, read)


def each(entries: Iterable[Any], source: str, read: Callable[[Any], Recorded]) -> Iterator[Recorded | Broken]:
    """Every entry as a webhook, or why it is none, counted from 1."""
    for number, entry in enumerate(entries, 1):
        try:
            yield read(entry)
        except NoWebhook as error:
            yield Broken(source, f"entry {number}", str(error))
        except (AttributeError, KeyError, TypeError, ValueError, IndexError, OverflowError):
            yield Broken(source, f"entry {number}", "not an entry of this format")


def _document(text: str) -> Any:
    """NoWebhook with line and reason."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise NoWebhook(f"line {error.lineno}: not JSON: {error.msg.lower()}") from None
    except RecursionError:
        raise NoWebhook("not JSON: nested too deeply") from None
