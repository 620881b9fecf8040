"""Where a call goes, as TwiML: one function for each kind of destination.

Whatever Twilio comes back from has an absolute action: without one it asks for the present document again, which would
greet the caller a second time. Leaves out: what goes along (`channels`), and what follows (`engine.flow`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from twilio.twiml.voice_response import Dial, VoiceResponse  # type: ignore[import-untyped]

from adapter.engine.flow.steps import HandOver, Record
from adapter.engine.line import Destination, DestinationKind

from . import channels
from .texts import plain

_SHORTEST_RING, _LONGEST_RING = 5, 600  # seconds; Twilio's range for Dial's timeout
_LONGEST_QUEUE_NAME: Final = 64  # characters; Twilio, <Enqueue>
_SHORTEST_MESSAGE, _LONGEST_MESSAGE = 2, 14_400  # seconds; Twilio, <Record maxLength>


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Absolute addresses. `action`: when the hand-over is over. `whisper`: what is told to who answers, "" nothing."""

    action: str
    whisper: str = ""


def put_through(response: VoiceResponse, hand_over: HandOver, callbacks: Callbacks) -> None:
    """Adds the verbs. Raises ValueError for a destination that Twilio would not take, KeyError for one that no call is
    put through to: of voicemail, callback and hang-up the conversation makes other steps."""
    kind, target = hand_over.destination.kind, plain(hand_over.destination.target)
    if not target:
        raise ValueError("a destination without a target")
    _PUT_THROUGH[kind](response, hand_over, target, callbacks)


def record(response: VoiceResponse, wanted: Record, action: str) -> None:
    """Takes a message. After silence Twilio does not ask for the action but goes on: to the same address."""
    response.record(
        action=action,
        method="POST",
        max_length=max(_SHORTEST_MESSAGE, min(wanted.seconds, _LONGEST_MESSAGE)),
        play_beep=True,
        finish_on_key="#",
    )
    response.redirect(action, method="POST")


def _ring(response: VoiceResponse, destination: Destination, callbacks: Callbacks) -> Dial:
    timeout = max(_SHORTEST_RING, min(destination.timeout_seconds, _LONGEST_RING))
    return response.dial(
        action=callbacks.action,
        method="POST",
        answer_on_bridge=True,
        timeout=timeout,
        caller_id=plain(destination.caller_id) or None,
    )


def _told(callbacks: Callbacks) -> dict[str, str]:
    return {"url": callbacks.whisper, "method": "POST"} if callbacks.whisper else {}


def _dial(response: VoiceResponse, hand_over: HandOver, target: str, callbacks: Callbacks) -> None:
    _ring(response, hand_over.destination, callbacks).number(target, **_told(callbacks))


def _sip(response: VoiceResponse, hand_over: HandOver, target: str, callbacks: Callbacks) -> None:
    uri = channels.sip_uri(target, hand_over.context)
    _ring(response, hand_over.destination, callbacks).sip(uri, **_told(callbacks))


def _client(response: VoiceResponse, hand_over: HandOver, target: str, callbacks: Callbacks) -> None:
    client = _ring(response, hand_over.destination, callbacks).client(**_told(callbacks))
    client.identity(target)
    for name, value in channels.parameters(hand_over.context, channels.CLIENT):
        client.parameter(name=name, value=value)


def _queue(response: VoiceResponse, hand_over: HandOver, target: str, callbacks: Callbacks) -> None:
    if len(target) > _LONGEST_QUEUE_NAME:
        raise ValueError("a queue's name that is too long")
    response.enqueue(target, action=callbacks.action, method="POST")


def _workflow(response: VoiceResponse, hand_over: HandOver, target: str, callbacks: Callbacks) -> None:
    queued = response.enqueue(None, workflow_sid=target, action=callbacks.action, method="POST")
    queued.task(channels.task(hand_over.context))


def _conference(response: VoiceResponse, hand_over: HandOver, target: str, callbacks: Callbacks) -> None:
    """The caller waits with music until somebody comes in who may start it: two callers must not meet there alone."""
    dial = response.dial(action=callbacks.action, method="POST")
    dial.conference(target, start_conference_on_enter=False)


def _relay(response: VoiceResponse, hand_over: HandOver, target: str, callbacks: Callbacks) -> None:
    relay = response.connect(action=callbacks.action, method="POST").conversation_relay(url=target)
    for name, value in channels.parameters(hand_over.context, channels.RELAY):
        relay.parameter(name=name, value=value)


def _stream(response: VoiceResponse, hand_over: HandOver, target: str, callbacks: Callbacks) -> None:
    stream = response.connect(action=callbacks.action, method="POST").stream(url=target)
    for name, value in channels.parameters(hand_over.context, channels.STREAM):
        stream.parameter(name=name, value=value)


def _redirect(response: VoiceResponse, hand_over: HandOver, target: str, callbacks: Callbacks) -> None:
    response.redirect(channels.with_token(target, hand_over.context), method="POST")


_PUT_THROUGH: Final[Mapping[DestinationKind, Callable[[VoiceResponse, HandOver, str, Callbacks], None]]] = {
    DestinationKind.DIAL: _dial,
    DestinationKind.SIP: _sip,
    DestinationKind.CLIENT: _client,
    DestinationKind.QUEUE: _queue,
    DestinationKind.WORKFLOW: _workflow,
    DestinationKind.CONFERENCE: _conference,
    DestinationKind.RELAY: _relay,
    DestinationKind.STREAM: _stream,
    DestinationKind.REDIRECT: _redirect,
}
