"""What the caller hears next and what then happens to the call, as values: no TwiML, no templates.

`adapter.twilio.twiml` speaks a step. What a text must not say is not among its facts, so no template can leak it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from adapter.engine.line import Destination

Fact = str | int | None


@dataclass(frozen=True, slots=True)
class Say:
    """`text` names a template of the language; `facts` is all that the template can see."""

    text: str
    language: str
    facts: Mapping[str, Fact] = field(default_factory=lambda: MappingProxyType({}))
    voice: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """Wait for keys or words. `digits`: so many end the input, None: the # key or a pause does. `hints`: words that
    are likely to be said; empty with `speech` False. Silence comes back as a turn, too."""

    digits: int | None = None
    speech: bool = True
    hints: tuple[str, ...] = ()
    timeout_seconds: int = 5


@dataclass(frozen=True, slots=True)
class HandOver:
    """Put the caller through. `context`: what goes along where the channel can carry it, the most important first:
    a channel that is too small drops from the end. Names are [a-z0-9_]; values may be anything."""

    destination: Destination
    context: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """Take a message of at most `seconds`."""

    seconds: int = 120


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


@dataclass(frozen=True, slots=True)
class Step:
    """Say these, then do that. `turn`: the number that the next webhook of this call carries (in its address); 0: the
    step was made without memory, what comes after it is answered without memory, too."""

    says: tuple[Say, ...]
    then: Ask | HandOver | Record | HangUp
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Whispered:
    """What the person who answers is told before the caller is connected. `accept`: they have to press 1 to take it."""

    says: tuple[Say, ...]
    accept: bool = False
