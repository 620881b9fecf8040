"""Verbs that put a call through: Dial with its nouns and whisper, Enqueue, Connect.

What becomes of it is asked of the caller's script; what Twilio then tells the action URL is made here.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from .caller import FAILED, HANG_UP, NO_ANSWER, Answered, Outcome, Unanswered
from .document import NOT_IN_SCHEMA, Fault, Page, words
from .leg import Leg, Looped, Next, Verb, visit
from .transcript import Ending, Handover, Role
from .verbs import SPOKEN, gather, hang_up, redirect

_DIAL_IN_WHISPER: Final = 13201
_INVALID_CALLER_ID: Final = 13214
_INVALID_NUMBER: Final = 13223
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_NUMBER: Final = re.compile(r"\+?[0-9][0-9 ().-]{2,24}")
_RING_SECONDS, _REFUSAL_SECONDS = 6.0, 2.0
_SIP_CODES: Final = {Unanswered.BUSY: "486", Unanswered.NO_ANSWER: "487", Unanswered.FAILED: "503"}
_QUEUE_RESULTS: Final = {
    Unanswered.BUSY: "queue-full",
    Unanswered.NO_ANSWER: "leave",
    Unanswered.FAILED: "system-error",
}
_CONNECTED: Final = {"ConversationRelay": "relay", "Stream": "stream"}


def dial(leg: Leg, verb: ET.Element, page: Page) -> Next:
    """Ring the nouns one after the other until somebody answers; with several, the last refusal counts."""
    outcome: Outcome = FAILED
    handover = Handover("number", "", status="failed")
    for noun in _nouns(verb):
        handover = _dialed(noun, verb)
        leg.around.transcript.handovers.append(handover)
        outcome = FAILED if _is_refused(leg, verb, handover, page) else _ring(leg, noun, handover, page)
        if outcome is HANG_UP or isinstance(outcome, Answered):
            break
    return _done(leg, verb, page, outcome, _dial_fields(handover, outcome))


def enqueue(leg: Leg, verb: ET.Element, page: Page) -> Next:
    """Wait in a queue, or as a task of a TaskRouter workflow."""
    workflow = verb.get("workflowSid")
    target = workflow if workflow is not None else (verb.text or "").strip()
    handover = Handover(
        "enqueue" if workflow is None else "workflow", target, _task(leg, verb, page), timeout_seconds=0
    )
    leg.around.transcript.handovers.append(handover)
    outcome = leg.caller.rings(handover)
    handover.bridged = isinstance(outcome, Answered)
    handover.status = _queue_result(outcome)
    fields = {"QueueResult": handover.status}
    if outcome is not FAILED and outcome is not Unanswered.BUSY:
        leg.around.wait(_RING_SECONDS)
        fields |= {"QueueSid": f"QU{secrets.token_hex(16)}", "QueueTime": f"{_RING_SECONDS:.0f}"}
    _talk(leg, outcome)
    return _done(leg, verb, page, outcome, fields)


def connect(leg: Leg, verb: ET.Element, page: Page) -> Next:
    """A session with another machine, over a WebSocket that is not opened here."""
    noun = next((child for child in verb if child.tag in _CONNECTED), None)
    if noun is None:
        leg.warn(NOT_IN_SCHEMA, "Connect without anything to connect to", page)
        return None
    handover = Handover(_CONNECTED[noun.tag], noun.get("url", ""), _parameters(noun), timeout_seconds=0)
    leg.around.transcript.handovers.append(handover)
    outcome = leg.caller.rings(handover)
    handover.bridged = isinstance(outcome, Answered)
    gone = outcome is HANG_UP or (isinstance(outcome, Answered) and outcome.caller_ends)
    handover.status = "completed" if gone else "ended" if handover.bridged else "failed"
    _talk(leg, outcome)
    fields = {"SessionId": f"VX{secrets.token_hex(16)}", "SessionStatus": handover.status}
    if isinstance(outcome, Answered):
        fields["SessionDuration"] = str(outcome.seconds)
    return _done(leg, verb, page, outcome, fields if handover.kind == "relay" else {})


def _done(leg: Leg, verb: ET.Element, page: Page, outcome: Outcome, fields: Mapping[str, str]) -> Next:
    """The action, if there is one; asked for, too, when the caller is gone, but then nobody hears the answer."""
    gone = outcome is HANG_UP or (isinstance(outcome, Answered) and outcome.caller_ends)
    if gone:
        leg.fields["CallStatus"] = "completed" if leg.answered else "no-answer"
    following = leg.goto(verb, page, fields)
    if not gone:
        return following
    if following is not None:
        leg.notify(following)
    return Ending.CALLER_HUNG_UP


def _is_refused(leg: Leg, verb: ET.Element, handover: Handover, page: Page) -> bool:
    """Whether Twilio rings no telephone at all: for want of a number, or of one that can be shown to who answers, as
    callers have none who come from a browser or by SIP."""
    if handover.kind != "number":
        return False
    shown = verb.get("callerId") or leg.fields["From"]
    if not _NUMBER.fullmatch(handover.target):
        leg.warn(_INVALID_NUMBER, "Dial: no telephone number", page)
    elif not _E164.fullmatch(shown):
        leg.warn(_INVALID_CALLER_ID, "Dial: no callerId, and the caller has no number to show", page)
    else:
        return False
    handover.status = FAILED.value
    return True


def _ring(leg: Leg, noun: ET.Element, handover: Handover, page: Page) -> Outcome:
    """One noun rings: it is asked what becomes of it, who answers hears the whisper, and then the two talk."""
    child = _child(leg, handover)
    _progress(child, noun, page, "initiated", "initiated")
    _progress(child, noun, page, "ringing", "ringing")
    outcome = leg.caller.rings(handover)
    if isinstance(outcome, Answered):
        leg.around.wait(_RING_SECONDS)
        child.person = outcome.agent
        child.fields["CallStatus"] = "in-progress"
        _progress(child, noun, page, "answered", "in-progress")
        outcome = _bridge(leg, child, noun, handover, outcome, page)
        handover.status = "completed"
    else:
        leg.around.wait(handover.timeout_seconds if outcome is NO_ANSWER else _REFUSAL_SECONDS)
        handover.status = "canceled" if outcome is HANG_UP else outcome.value
    _progress(child, noun, page, "completed", handover.status)
    if handover.kind == "conference":
        handover.status = FAILED.value if outcome is FAILED else "answered"
    return outcome


def _bridge(leg: Leg, child: Leg, noun: ET.Element, handover: Handover, outcome: Answered, page: Page) -> Answered:
    """Whoever answers is connected when the whisper's documents are at their end, and not when they hang up.

    Then the caller is still there: only after talking can it be the caller who ends the call.
    """
    if handover.kind != "conference" and noun.get("url"):
        before = len(leg.around.transcript.heard)
        handover.whisper = visit(noun, page, noun.get("url", "")).url
        ending = child.run(visit(noun, page, handover.whisper))
        if ending is Ending.LOOPED:
            raise Looped
        handover.bridged = ending in (Ending.DOCUMENT_ENDED, Ending.LEFT)
        handover.whisper = " ".join(each.text for each in leg.around.transcript.heard[before:])
    else:
        handover.bridged = True
    if not handover.bridged:
        return Answered(outcome.agent, seconds=round(_REFUSAL_SECONDS))
    leg.answered = True
    _talk(leg, outcome)
    return outcome


def _dial_fields(handover: Handover, outcome: Outcome) -> dict[str, str]:
    """What the action URL is told (Twilio, "Dial"): nothing of the other leg after a conference."""
    fields = {"DialCallStatus": handover.status}
    if handover.kind == "conference":
        return fields
    fields |= {"DialBridged": "true" if handover.bridged else "false"}
    if handover.sid:
        fields["DialCallSid"] = handover.sid
    if isinstance(outcome, Answered):
        fields["DialCallDuration"] = str(outcome.seconds)
    if handover.kind == "sip":
        fields["DialSipCallId"] = f"{handover.sid}@0.0.0.0"
        fields["DialSipResponseCode"] = _SIP_CODES[outcome] if isinstance(outcome, Unanswered) else "200"
    return fields


def _child(leg: Leg, handover: Handover) -> Leg:
    """The leg to whoever is called: a call of its own, which never falls back."""
    handover.sid = f"CA{secrets.token_hex(16)}"
    fields = {
        "AccountSid": leg.fields["AccountSid"],
        "ApiVersion": leg.fields["ApiVersion"],
        "CallSid": handover.sid,
        "ParentCallSid": leg.fields["CallSid"],
        "From": leg.fields["From"],
        "Caller": leg.fields["From"],
        "To": handover.target if handover.kind != "client" else f"client:{handover.target}",
        "Called": handover.target if handover.kind != "client" else f"client:{handover.target}",
        "Direction": "outbound-dial",
        "CallStatus": "ringing",
    }
    return Leg(leg.around, Role.AGENT, leg.person, fields, _WHISPER, falls_back=False, answered=True)


def _progress(child: Leg, noun: ET.Element, page: Page, event: str, status: str) -> None:
    """The noun's own status callback, which asks for nothing but `completed` unless it says so."""
    callback = noun.get("statusCallback")
    if callback and event in noun.get("statusCallbackEvent", "completed").split():
        there = visit(noun, page, callback)
        told = {"CallStatus": status, "CallbackSource": "call-progress-events"}
        child.notify(type(there)(noun.get("statusCallbackMethod", "POST"), there.url, told))


def _dialed(noun: ET.Element, verb: ET.Element) -> Handover:
    """The noun in words."""
    text = (noun.findtext("Identity") or noun.text or "").strip()
    timeout = verb.get("timeout", "")
    seconds = float(timeout) if timeout.isdecimal() else 30.0
    kind = "number" if noun.tag == "Dial" else noun.tag.lower()
    if kind != "sip":
        return Handover(kind, text, _parameters(noun), timeout_seconds=seconds)
    address, _, headers = text.partition("?")
    return Handover(kind, address, dict(parse_qsl(headers, keep_blank_values=True)), timeout_seconds=seconds)


def _nouns(verb: ET.Element) -> list[ET.Element]:
    """A Dial without nouns is a number itself."""
    return list(verb) or [verb]


def _parameters(noun: ET.Element) -> dict[str, str]:
    return {each.get("name", ""): each.get("value", "") for each in noun if each.tag == "Parameter"}


def _task(leg: Leg, verb: ET.Element, page: Page) -> dict[str, str]:
    """The attributes of the Task as text; a warning when they are no JSON object."""
    task = verb.find("Task")
    if task is None:
        return {}
    try:
        attributes = json.loads(words(task))
    except ValueError:
        attributes = None
    if not isinstance(attributes, dict):
        leg.warn(NOT_IN_SCHEMA, "the attributes of the Task are no JSON object", page)
        return {}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in attributes.items()}


def _queue_result(outcome: Outcome) -> str:
    if isinstance(outcome, Answered):
        return "bridged"
    return "hangup" if outcome is HANG_UP else _QUEUE_RESULTS[outcome]


def _talk(leg: Leg, outcome: Outcome) -> None:
    if isinstance(outcome, Answered):
        leg.around.wait(outcome.seconds)


def _refuse_dial(leg: Leg, verb: ET.Element, page: Page) -> Next:
    raise Fault(_DIAL_IN_WHISPER, "Dial where somebody is being dialed")


def _ignore(leg: Leg, verb: ET.Element, page: Page) -> Next:
    leg.warn(NOT_IN_SCHEMA, f"{verb.tag} means nothing to somebody who is being dialed", page)
    return None


_WHISPER: Final[Mapping[str, Verb]] = {
    **SPOKEN,
    "Gather": gather,
    "Hangup": hang_up,
    "Redirect": redirect,
    "Dial": _refuse_dial,
    **dict.fromkeys(("Enqueue", "Connect", "Record", "Reject", "Leave"), _ignore),
}
