"""Twilio's webhooks: signature → command or turn → use case → TwiML (semantics §9; Twilio, "Webhooks security").

Twilio gets 403 for a bad signature and 200 with TwiML (or an empty 204) for everything else: any other status is an
error tone in a caller's ear. What cannot be had or saved by the deadline is done without (`in_time`). Leaves out:
whether a webhook is Twilio's (`genuine`), what is said (`twilio.twiml`) and what is decided (`usecases`, `engine`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, wraps

from flask import Blueprint, Response

from adapter.engine.flow import Step, Whispered, neutral, nothing_more, unknown_turn
from adapter.engine.line import Line
from adapter.engine.model import Principal, StartCall
from adapter.errors import AdapterError
from adapter.metrics import Metrics
from adapter.twilio.events import Ignored, distrust, line_for, line_of, read_status, read_voice, tells_progress
from adapter.twilio.forms import Unusable
from adapter.twilio.signature import Fields
from adapter.twilio.turns import Gone, read_turn, read_turn_of_nobody, read_whisper
from adapter.twilio.twiml import CONNECT, EMERGENCY, GIVE_UP, Speaker
from adapter.usecases import Greeting, Service, greet, hang_up, keep_hang_up, keep_turn, take_turn, whispered
from adapter.web.grace import GraceWarning
from adapter.web.recording import Recording
from adapter.web.timed import timed

from .answers import forbidden, nothing, twiml
from .counted import count_greeting, count_turn
from .genuine import genuine_fields, value
from .in_time import Deadline, InTime
from .recorded import note, recorded

_LOG = logging.getLogger(__name__)
_LONGEST_NUMBER = 6  # digits; a call of a million turns would be a loop


@dataclass(frozen=True, slots=True)
class VoiceEdge:
    """What the edge needs beside the use cases. `tokens`: auth tokens by AccountSid, "*" for any account.

    `deadline`: by when webhooks are answered. `offer_lookup` is told line, AccountSid, principal and number of a caller
    who was greeted; it returns at once. `recording`: to whom answered webhooks are offered. `metrics`: where they are
    counted and timed.
    """

    service: Service
    lines: tuple[Line, ...]
    tokens: Mapping[str, tuple[str, ...]] = field(repr=False)
    public_url: str
    speaker: Speaker
    deadline: Deadline
    grace: GraceWarning = field(default_factory=GraceWarning)
    offer_lookup: Callable[[Line, str, Principal, str], None] | None = None
    recording: Recording | None = None
    metrics: Metrics | None = None


# What a webhook of the caller's own leg is answered with, as TwiML.
Speak = Callable[[VoiceEdge, Line, Fields], str]


def build(edge: VoiceEdge) -> Blueprint:
    """All that Twilio calls, below `/twilio`, by GET as well as by POST.

    Numbers in addresses are read here: Werkzeug's own converter lets one of 5 000 digits become a 500.
    """
    blueprint = Blueprint("twilio", __name__, url_prefix="/twilio")
    for rule, view in (
        ("/voice", _always_twiml(partial(_spoken, edge, _voice), EMERGENCY)),
        ("/fallback", _always_twiml(partial(_spoken, edge, _fallback), EMERGENCY)),
        ("/turn/<number>", _always_twiml(partial(_turn, edge), EMERGENCY)),
        ("/whisper/<key>/<number>", _always_twiml(partial(_whisper, edge), CONNECT)),
        ("/whisper/<key>/<number>/answer", _always_twiml(partial(_whisper_answer, edge), CONNECT)),
        ("/status", partial(_status, edge)),
    ):
        heard = _timed(recorded(view, edge.recording, edge.lines), edge.metrics, rule.split("/")[1])
        blueprint.add_url_rule(rule, rule, heard, methods=["GET", "POST"])
    for rule in ("/", "/<path:anywhere>"):
        blueprint.add_url_rule(rule, rule, _always_twiml(partial(_anywhere, edge), EMERGENCY), methods=["GET", "POST"])
    return blueprint


def _timed(view: Callable[..., Response], metrics: Metrics | None, kind: str) -> Callable[..., Response]:
    return timed(view, metrics, lambda metrics, status, seconds: metrics.webhook(kind, status, seconds))


def _always_twiml(view: Callable[..., Response], otherwise: str) -> Callable[..., Response]:
    """Whatever breaks, the caller hears a sentence rather than "an application error has occurred"."""

    @wraps(view)
    def answer(**parts: str) -> Response:
        try:
            return view(**parts)
        except Exception as error:  # noqa: BLE001 - the edge's one net: a traceback must not become a dropped call
            _LOG.error("webhook failed: %s", type(error).__name__, exc_info=error)
            return twiml(otherwise)

    return answer


def _spoken(edge: VoiceEdge, speak: Speak) -> Response:
    fields = genuine_fields(edge.public_url, edge.tokens)
    if fields is None:
        return forbidden()
    if tells_progress(fields):
        return _heard(edge, fields)  # one address may serve both; no caller waits for this answer
    line = line_for(edge.lines, value(fields, "AccountSid"), value(fields, "To"))
    if line is None:
        _LOG.warning("no line is configured for the dialed number; see `lines` in the configuration")
        return twiml(EMERGENCY)
    return twiml(speak(edge, line, fields))


def _voice(edge: VoiceEdge, line: Line, fields: Fields) -> str:
    return edge.speaker.speak(_first_step(edge, line, fields), line)


def _first_step(edge: VoiceEdge, line: Line, fields: Fields) -> Step:
    """Who cannot be recognized now is greeted neutrally and put through."""
    command = read_voice(fields)
    if isinstance(command, Unusable):
        _LOG.warning("voice webhook not usable: %s", command.reason)
        return neutral(line)
    reason = distrust(line, fields, command.hints)
    if reason is not None:
        command = replace(command, hints=replace(command.hints, distrust=reason))
    try:
        principal, greeting = edge.deadline.begins().transact(partial(_greet, edge, line, command))
        note(edge.recording, greeting.step, greeting.call, greeting.reason)
        count_greeting(edge.metrics, line, greeting)
        edge.grace.warn(line.organization, greeting.rate, edge.service.clock.now())
    except Exception as error:  # noqa: BLE001 - whatever our mistake was, the caller can still be put through
        _say_what_broke("caller greeted neutrally", error)
        count_greeting(edge.metrics, line, broken := Greeting(neutral(line), "broken"))
        return broken.step
    if greeting.reason:
        _LOG.warning("caller greeted neutrally: %s", greeting.reason)
    if edge.offer_lookup is not None and command.hints.ani is not None:
        edge.offer_lookup(line, value(fields, "AccountSid"), principal, command.hints.ani)
    return greeting.step


def _greet(edge: VoiceEdge, line: Line, command: StartCall) -> tuple[Principal, Greeting]:
    principal = _principal(edge, line)
    return principal, greet(edge.service, principal, line, command)


def _fallback(edge: VoiceEdge, line: Line, fields: Fields) -> str:
    """Twilio comes here when another address failed: nothing is risked a second time, the call is just put through,
    unless somebody was rung already."""
    code = value(fields, "ErrorCode")
    _LOG.error("Twilio fell back: error %s", code if code.isdecimal() and len(code) < 8 else "unknown")
    return edge.speaker.speak(unknown_turn(line, read_turn_of_nobody(fields)), line)


def _anywhere(edge: VoiceEdge, anywhere: str = "") -> Response:
    """A number that is pointed at a mistyped address: a caller hears no error for that."""
    return _spoken(edge, _misled)


def _misled(edge: VoiceEdge, line: Line, fields: Fields) -> str:
    _LOG.error("Twilio asks at an address that is none of ours: `sticky-calls numbers check` tells of which number")
    return edge.speaker.speak(unknown_turn(line, read_turn_of_nobody(fields)), line)


def _turn(edge: VoiceEdge, number: str) -> Response:
    return _spoken(edge, lambda edge, line, fields: edge.speaker.speak(_next_step(edge, line, fields, number), line))


def _next_step(edge: VoiceEdge, line: Line, fields: Fields, number: str) -> Step:
    """Without memory of the call it ends where somebody was rung, and is put through where nobody was: never a loop."""
    turn = read_turn(fields, _number(number))
    if isinstance(turn, Unusable):
        _LOG.warning("turn not usable: %s", turn.reason)
        return unknown_turn(line, read_turn_of_nobody(fields))
    if isinstance(turn, Gone):
        return nothing_more()
    if turn.number == 0:
        return unknown_turn(line, turn)
    in_time = edge.deadline.begins()
    try:
        taken = in_time.transact(lambda: take_turn(edge.service, _principal(edge, line), line, turn))
        note(edge.recording, taken.step, taken.call)
        count_turn(edge.metrics, line, taken)
    except Exception as error:  # noqa: BLE001 - as above
        _say_what_broke("turn taken without memory", error)
        _keep(in_time, "a turn", partial(keep_turn, edge.service, line, turn))
        return unknown_turn(line, turn)
    return taken.step


def _whisper(edge: VoiceEdge, key: str, number: str) -> Response:
    """Asked by the leg of who answered, whose To is their number: the line stands in the address."""
    fields = genuine_fields(edge.public_url, edge.tokens)
    if fields is None:
        return forbidden()
    line = line_of(edge.lines, value(fields, "AccountSid"), key)
    if line is None:
        _LOG.warning("whisper for a line that is not configured")
        return twiml(CONNECT)
    turn = _number(number)
    return twiml(edge.speaker.whisper(_told(edge, line, fields, turn) or _untold(line), line, turn))


def _told(edge: VoiceEdge, line: Line, fields: Fields, number: int) -> Whispered | None:
    """None when there is nothing to tell, or no memory of the call."""
    asked = read_whisper(fields)
    if isinstance(asked, Unusable):
        _LOG.warning("whisper not usable: %s", asked.reason)
        return None
    if not number:
        return None
    try:
        return edge.deadline.begins().do(
            lambda: whispered(edge.service, _principal(edge, line), line, asked.call_id, number)
        )
    except Exception as error:  # noqa: BLE001 - a caller waits for this leg
        _say_what_broke("nothing whispered", error)
        return None


def _untold(line: Line) -> Whispered:
    """Nobody knows to which destination: if one of the line's wants to be asked, all are. A mailbox must take no call,
    whether our memory works or not."""
    return Whispered((), any(each.accept for each in (line.destination, *line.destinations.values())))


def _whisper_answer(edge: VoiceEdge, key: str, number: str) -> Response:
    """1 takes the call; any other key declines it. Needs no memory."""
    fields = genuine_fields(edge.public_url, edge.tokens)
    if fields is None:
        return forbidden()
    return twiml(CONNECT if value(fields, "Digits").strip() == "1" else GIVE_UP)


def _status(edge: VoiceEdge) -> Response:
    fields = genuine_fields(edge.public_url, edge.tokens)
    return forbidden() if fields is None else _heard(edge, fields)


def _heard(edge: VoiceEdge, fields: Fields) -> Response:
    """The terminal callback of the caller's own leg ends the call; every other one is only acknowledged."""
    command = read_status(fields, edge.service.clock.now())
    line = line_for(edge.lines, value(fields, "AccountSid"), value(fields, "To"))
    if isinstance(command, Ignored) or line is None:
        return nothing()
    in_time = edge.deadline.begins()
    try:
        saved = in_time.transact(lambda: hang_up(edge.service, _principal(edge, line), command))
    except Exception as error:  # noqa: BLE001 - whatever stands in its way: Twilio does not tell it twice
        _say_what_broke("a hang-up is to be kept for later, it is not saved", error)
        saved = False
    if not saved:
        _keep(in_time, "a hang-up", partial(keep_hang_up, edge.service, line, command))
    return nothing()


def _keep(in_time: InTime, what: str, keep: Callable[[], bool]) -> None:
    """What could not be saved. It may be saved after all, as it goes on beyond the deadline: that does no harm."""
    try:
        kept = in_time.do_at_last(keep)
    except Exception as error:  # noqa: BLE001 - the answer is due, whatever this disk does
        _say_what_broke(f"{what} is not kept in time", error)
    else:
        if not kept:
            _LOG.error("%s could neither be saved nor kept", what)


def _principal(edge: VoiceEdge, line: Line) -> Principal:
    principal = edge.service.directory.principal(line.organization, line.mode)
    if principal is None:
        raise AdapterError(f"line of an unknown organization: {line.organization}")
    return principal


def _number(text: str) -> int:
    """Of a turn; 0, a step without memory, for what is none."""
    return int(text) if len(text) <= _LONGEST_NUMBER and text.isascii() and text.isdecimal() else 0


def _say_what_broke(what: str, error: Exception) -> None:
    if isinstance(error, AdapterError):
        _LOG.error("%s: %s: %s", what, error.code, error.message)
    else:
        _LOG.error("%s: %s", what, type(error).__name__, exc_info=error)
