"""A step, spoken: what the caller hears, then where the call goes, as TwiML (Twilio, "TwiML for Programmable Voice").

Whatever happens a document comes out, because a caller who waits must be put through: a text that fails gives way to
the neutral one, an operator's neutral text to the built-in one, a destination that cannot be written to an apology.
Leaves out: choosing the step (`adapter.engine.flow`), and following the call after it is put through.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from twilio.twiml.voice_response import Dial, VoiceResponse  # type: ignore[import-untyped]

from adapter.engine.flow.plain import Step
from adapter.engine.line import Destination, DestinationKind, Line

from .templates import TextFailed
from .texts import Templates, Texts, plain

EMERGENCY: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    "<Response><Say>We are sorry. We cannot take your call right now. Please call again in a few minutes.</Say>"
    "<Hangup/></Response>"
)

_LONGEST_DOCUMENT: Final = 64_000  # bytes; Twilio refuses 64 kB (error 11750)
_SHORTEST_RING, _LONGEST_RING = 5, 600  # seconds; Twilio's range for Dial's timeout

_log = logging.getLogger(__name__)


class Speaker:
    """Turns steps to TwiML. `texts`: the operator's texts per language, in place of the built-in ones."""

    def __init__(self, texts: Mapping[str, Templates] | None = None) -> None:
        self._texts = Texts(texts)
        self._built_in = Texts()

    def speak(self, step: Step, line: Line) -> str:
        """A whole TwiML document: UTF-8, under 64 kB, well-formed whatever the facts hold. Never raises."""
        try:
            document = _document(self._greeting(step, line), line, step.destination)
        except Exception as error:  # noqa: BLE001  the last resort of a call: the error is worth less than the caller
            return _apology(error)
        return document if len(document.encode()) < _LONGEST_DOCUMENT else _apology(None)

    def _greeting(self, step: Step, line: Line) -> str:
        for name in (step.text, "neutral"):
            try:
                return self._texts.compose(name, line.language, step.facts, line.texts)
            except TextFailed as error:
                _log.warning("text %r (%s) cannot be spoken: %s", name, line.language, error)
        return self._built_in.compose("neutral", line.language, {})


def _apology(error: Exception | None) -> str:
    _log.error("no TwiML for a step: %s", type(error).__name__ if error else "too long")
    return EMERGENCY


def _document(greeting: str, line: Line, destination: Destination) -> str:
    response = VoiceResponse()
    # An operator's empty text means silence; an empty Say is an error at Twilio (13520).
    if greeting:
        response.say(greeting, voice=line.voice and plain(line.voice), language=plain(line.language))
    target = plain(destination.target)
    if not target and destination.kind is not DestinationKind.HANGUP:
        raise ValueError("a destination without a target")
    _PUT_THROUGH[destination.kind](response, target, destination.timeout_seconds)
    return str(response)


def _ring(response: VoiceResponse, seconds: int) -> Dial:
    """Without an action the call ends after the Dial, so that nothing is asked of us twice."""
    timeout = max(_SHORTEST_RING, min(seconds, _LONGEST_RING))
    return response.dial(answer_on_bridge=True, timeout=timeout)


def _dial(response: VoiceResponse, target: str, seconds: int) -> None:
    _ring(response, seconds).number(target)


def _sip(response: VoiceResponse, target: str, seconds: int) -> None:
    _ring(response, seconds).sip(target)


def _client(response: VoiceResponse, target: str, seconds: int) -> None:
    _ring(response, seconds).client(target)


def _queue(response: VoiceResponse, target: str, seconds: int) -> None:
    response.enqueue(target)


def _redirect(response: VoiceResponse, target: str, seconds: int) -> None:
    response.redirect(target, method="POST")


def _hang_up(response: VoiceResponse, target: str, seconds: int) -> None:
    response.hangup()


_PUT_THROUGH: Final[Mapping[DestinationKind, Callable[[VoiceResponse, str, int], None]]] = {
    DestinationKind.DIAL: _dial,
    DestinationKind.SIP: _sip,
    DestinationKind.CLIENT: _client,
    DestinationKind.QUEUE: _queue,
    DestinationKind.REDIRECT: _redirect,
    DestinationKind.HANGUP: _hang_up,
}
