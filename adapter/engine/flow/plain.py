"""What the caller hears next, as values: the name of a text, the facts it may mention, and where the call goes.

No TwiML, no templates: `adapter.twilio.twiml` speaks a step. What a text must not say is not among its facts, so no
template can leak it (reference, "Don't expose confidence scores"; semantics §9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from adapter.engine.line import Destination, Line
from adapter.engine.model import Memory, Recommendation, Started


@dataclass(frozen=True, slots=True)
class Step:
    """`text` names a template of the line's language; `facts` is all that the template can see."""

    text: str
    destination: Destination
    facts: Mapping[str, str | int | None] = field(default_factory=lambda: MappingProxyType({}))


def greeting(line: Line, started: Started | None) -> Step:
    """The first step of a call. `started` None: we could not find out who it is, so nobody is greeted as anybody."""
    if started is None:
        return Step("neutral", line.destination)
    if started.identity.recommendation is Recommendation.REUSE:
        return Step("reuse", line.destination, MappingProxyType(_spoken(started.memory, line.name_variable)))
    return Step(started.identity.recommendation.value, line.destination)


def _spoken(memory: Memory, name_variable: str) -> dict[str, str | int | None]:
    """name, intent (the newest open one, words instead of underscores) and its attempt_count; None where unknown."""
    name = next((v.value for v in memory.variables if v.name == name_variable), None)
    newest = memory.open_intents[-1] if memory.open_intents else None
    return {
        "name": name,
        "intent": newest.intent.replace("_", " ") if newest else None,
        "attempt_count": newest.attempt_count if newest else None,
    }
