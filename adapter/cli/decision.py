"""What the engine decided about a call, in words: from the answer of GET /v1/calls/{call_id}."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def decided(call: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(label, words) lines, with rich's markup: what is recommended, why, and what the conversation came to."""
    identity = call["identity"]
    if identity is None:
        yield "decided", "nothing: the call was not recognized"
        return
    sources = ", ".join(identity["sources"]) or "no evidence"
    sure = f"confidence {identity['confidence']:.2f} ({identity['level']})"
    yield "decided", f"[bold]{identity['recommendation']}[/]  {sure} from {sources}"
    for reason in call["explanation"]["evidence"]:
        yield "because", str(reason["text"])


def conversed(call: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the caller was found to want, and whether they were verified; nothing for a call without a conversation."""
    talk = call.get("conversation") or {}
    if talk.get("verified"):
        yield "verified", "in this call"
    if talk.get("intent"):
        yield "about", str(talk["intent"])
    if talk.get("opened_intents"):
        yield "left open", ", ".join(talk["opened_intents"])
