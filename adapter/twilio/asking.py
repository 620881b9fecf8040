"""A question, as TwiML: <Gather> around the words of the question, and what happens when nobody answers.

Leaves out: the words (`saying`), and what counts as an answer (`engine.flow`).
"""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import quoteattr

from twilio.twiml.voice_response import Gather, VoiceResponse  # type: ignore[import-untyped]

from adapter.engine.flow.steps import Ask

from .texts import plain

# Twilio, <Gather>: up to 500 hints of at most 100 characters, separated by commas.
MOST_HINTS: Final = 500
LONGEST_HINT: Final = 100  # characters
HINTS_BYTES: Final = 24_000  # as TwiML: 500 long ones would be more than a document may hold
_SECONDS_TO_ACCEPT: Final = 10  # somebody takes the telephone from the ear to press a key
_SHORTEST_WAIT, _LONGEST_WAIT = 1, 60  # seconds; Twilio listens for a minute at most


def gather(response: VoiceResponse, ask: Ask, action: str, language: str) -> Gather:
    """Listens for what `ask` asks for; the answer goes to `action`. Silence does, too, without any field, as Twilio
    goes on behind the Gather then. `language`: what callers are likely to speak."""
    heard = response.gather(
        input="dtmf speech" if ask.speech else "dtmf",
        action=action,
        method="POST",
        timeout=max(_SHORTEST_WAIT, min(ask.timeout_seconds, _LONGEST_WAIT)),
        num_digits=max(1, ask.digits) if ask.digits is not None else None,
        speech_timeout="auto" if ask.speech else None,
        hints=_hints(ask.hints) or None if ask.speech else None,
        language=plain(language) or None if ask.speech else None,
    )
    response.redirect(action, method="POST")
    return heard


def gather_key(response: VoiceResponse, action: str) -> Gather:
    """Listens for one key. Who presses none stays in this document."""
    return response.gather(input="dtmf", action=action, method="POST", timeout=_SECONDS_TO_ACCEPT, num_digits=1)


def _hints(words: tuple[str, ...]) -> str:
    """The first that fit, each once. A comma in one would make two of it; a long one is none that somebody says."""
    kept: list[str] = []
    size = 0
    for hint in dict.fromkeys(plain(word[: 4 * LONGEST_HINT].replace(",", " ")) for word in words):
        size += len(quoteattr(hint).encode())
        if len(kept) == MOST_HINTS or size > HINTS_BYTES:
            break
        if 0 < len(hint) <= LONGEST_HINT:
            kept.append(hint)
    return ", ".join(kept)
