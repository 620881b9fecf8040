"""What the engine decided about a call, in words: from the answer of GET /v1/calls/{call_id}."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.markup import escape

from .shown import plain


def decided(call: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(label, words) lines, with rich's markup (none of it is the call's): what is recommended, and why."""
    identity = call["identity"]
    if identity is None:
        yield "decided", "nothing: the call was not recognized"
        return
    sources = ", ".join(identity["sources"]) or "no evidence"
    sure = f"confidence {identity['confidence']:.2f} ({identity['level']})"
    yield "decided", f"[bold]{_plain(identity['recommendation'])}[/]  {_plain(f'{sure} from {sources}')}"
    for reason in call["explanation"]["evidence"]:
        yield "because", _plain(reason["text"])


def conversed(call: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the caller was found to want, and whether they were verified; nothing for a call without a conversation."""
    talk = call.get("conversation") or {}
    if talk.get("verified"):
        yield "verified", "in this call"
    if talk.get("intent"):
        yield "about", _plain(talk["intent"])
    if talk.get("opened_intents"):
        yield "left open", _plain(", ".join(talk["opened_intents"]))


def _plain(text: object) -> str:
    return escape(plain(str(text)))
