"""A step, spoken: what the caller hears, then what happens, as TwiML (Twilio, "TwiML for Programmable Voice").

Whatever happens a document comes out, because a caller who waits must be put through: a text that fails gives way to
another, a question that cannot be asked and a destination that cannot be written to the line's default destination, and
if that fails, too, to an apology.
Leaves out: choosing the step (`engine.flow`), the words (`saying`), single verbs (`asking`, `handing_over`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from twilio.twiml.voice_response import VoiceResponse  # type: ignore[import-untyped]

from adapter.engine.flow import Ask, HandOver, HangUp, Record, Step, Whispered, neutral
from adapter.engine.flow.speaking import say
from adapter.engine.line import Line

from .addresses import Addresses
from .asking import gather, gather_key
from .handing_over import Callbacks, put_through, record
from .saying import Sayings, utter
from .texts import Templates

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>'
EMERGENCY: Final = (
    f"{_HEAD}<Response>"
    "<Say>We are sorry. We cannot take your call right now. Please call again in a few minutes.</Say>"
    "<Hangup/></Response>"
)
# After a whisper: the caller is connected, or the leg of who answered is given up.
CONNECT: Final = f"{_HEAD}<Response/>"
GIVE_UP: Final = f"{_HEAD}<Response><Hangup/></Response>"

_LONGEST_DOCUMENT: Final = 64_000  # bytes; Twilio refuses 64 kB (error 11750)

_log = logging.getLogger(__name__)


class Speaker:
    """Turns steps to TwiML. `texts`: the operator's texts per language, in place of the built-in ones; `public_url`:
    what Twilio was told to call, where everything that follows goes."""

    def __init__(self, texts: Mapping[str, Templates] | None = None, public_url: str = "") -> None:
        self._sayings = Sayings(texts)
        self._addresses = Addresses(public_url)

    def speak(self, step: Step, line: Line) -> str:
        """A whole TwiML document: UTF-8, under 64 kB, well-formed whatever the facts hold. Never raises."""
        return self._written(step, line) or self._written(neutral(line), line) or EMERGENCY

    def whisper(self, whispered: Whispered, line: Line, turn: int) -> str:
        """What who answers the hand-over of this turn hears before the caller is connected. For what cannot be written
        it raises what it may: the edge connects then."""
        response = VoiceResponse()
        said = self._sayings.at_the_end(whispered.says, line)
        if not whispered.accept:
            utter(response, said)
            return str(response)
        if not any(text for text, _ in said):
            said = self._sayings.question([say(line.spoken[0], "whisper_accept")], line)
        utter(gather_key(response, self._addresses.whisper_answer(line, turn)), said)
        # Whoever presses nothing is a mailbox, or does not want the call.
        response.hangup()
        return str(response)

    def _written(self, step: Step, line: Line) -> str:
        """ "" when it cannot be."""
        try:
            document = self._document(step, line)
        except Exception as error:  # noqa: BLE001  the last resort of a call: the error is worth less than the caller
            _log.error("no TwiML for a step: %s", type(error).__name__)
            return ""
        if len(document.encode()) < _LONGEST_DOCUMENT:
            return document
        _log.error("no TwiML for a step: too long")
        return ""

    def _document(self, step: Step, line: Line) -> str:
        response, action = VoiceResponse(), self._addresses.turn(step.turn)
        if isinstance(step.then, Ask):
            said = self._sayings.question(step.says, line)
            utter(gather(response, step.then, action, step.says[0].language), said)
        elif isinstance(step.then, HandOver):
            utter(response, self._sayings.before_hand_over(step.says, line))
            put_through(response, step.then, Callbacks(action, self._whisper_address(step, step.then, line)))
        else:
            utter(response, self._sayings.at_the_end(step.says, line))
            _finish(response, step.then, action)
        return str(response)

    def _whisper_address(self, step: Step, hand_over: HandOver, line: Line) -> str:
        """Without memory there is nothing to tell, but a mailbox must not take the call all the same."""
        wanted = hand_over.destination.accept or (hand_over.destination.whisper and step.turn > 0)
        return self._addresses.whisper(line, step.turn) if wanted else ""


def _finish(response: VoiceResponse, then: Record | HangUp, action: str) -> None:
    if isinstance(then, Record):
        record(response, then, action)
    else:
        response.hangup()
