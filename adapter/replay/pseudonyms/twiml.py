"""TwiML with what is personal replaced, and byte for byte the same where nothing is.

Not parsed and written anew: a replay must be able to compare bytes. What is no TwiML (a page of errors, JSON) is
treated as any text. Leaves out: what is personal (`text`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Final
from xml.etree import ElementTree as ET

from .words import listed

Replace = Callable[[str], str]

_TAGS: Final = listed(
    "Response Say Gather Dial Number Sip Client Identity Parameter Queue Conference Enqueue Task Redirect "
    "Hangup Record Pause Play Reject Leave Connect ConversationRelay Stream Start Stop Refer ReferSip Pay "
    "Prompt Language Siprec"
)
_SWITCH: Final = re.compile("true|false")
_FEW: Final = re.compile(r"\d{1,4}")
_WORDS: Final = re.compile("[a-z]+(?:[ -][a-z]+)*")
_FORMS: Final = {
    "voice": re.compile(r"man|woman|alice|(?:Polly|Google|Amazon)\.[A-Za-z0-9.-]{1,40}"),
    "language": re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{2,4})?"),
    "method": re.compile("GET|POST"),
    "input": re.compile("dtmf|speech|dtmf speech|speech dtmf"),
    "finishOnKey": re.compile("[0-9#*]?"),
    "speechTimeout": re.compile(r"auto|\d{1,2}"),
    **dict.fromkeys(["timeout", "numDigits", "loop", "length", "timeLimit", "maxLength", "maxSpeechTime"], _FEW),
    **dict.fromkeys(["answerOnBridge", "actionOnEmptyResult", "playBeep", "profanityFilter", "sequential"], _SWITCH),
    "record": re.compile("true|false|do-not-record|record-from-(?:answer|ringing)(?:-dual)?"),
    "trim": re.compile("trim-silence|do-not-trim"),
    "reason": re.compile("rejected|busy"),
    "statusCallbackEvent": re.compile("(?:initiated|ringing|answered|completed| )+"),
    "workflowSid": re.compile("WW[0-9a-fA-F]{32}"),
    "statusCallbackMethod": re.compile("GET|POST"),
    "speechModel": _WORDS,
    "enhanced": _SWITCH,
}
# Names of attributes that stay, though their values are looked at like any text.
_ATTRIBUTES: Final = frozenset(_FORMS) | listed(
    "action url callerId hints name value statusCallback waitUrl recordingStatusCallback encoding version "
    "beep endConferenceOnExit startConferenceOnEnter muted track referUrl partialResultCallback transcribe "
    "transcribeCallback ringTone priority"
)
_PIECE: Final = re.compile(r"<(?P<closing>/?)(?P<tag>[^\s<>/?!]+)(?P<rest>[^<>]*)>|(?P<declaration><\?xml[^<>]*\?>)")
_ATTRIBUTE: Final = re.compile(r"(?P<before>\s+)(?P<name>[^\s=<>/]+)(?P<equals>\s*=\s*)(?P<quoted>\"[^\"]*\"|'[^']*')")
_DECLARATION: Final = re.compile(r"<\?xml(?: (?:version|encoding|standalone)=[\"'][A-Za-z0-9.-]{1,12}[\"'])*\s*\?>")


def twiml(document: str, replace: Replace, name: Replace, said: Replace) -> str:
    """`replace` for texts and values, `name` for tags and attributes that TwiML does not know, `said` for what is
    spoken and for values that are handed on."""
    if "<!" in document or not is_xml(document):
        return replace(document)
    done, end, inside = [], 0, replace
    for found in _PIECE.finditer(document):
        done.append(_escaped(document[end : found.start()], inside, quotes=False))
        done.append(_tag(found, said if found["tag"] == "Parameter" else replace, name))
        inside = said if found["tag"] == "Say" and not found["closing"] else replace
        end = found.end()
    return "".join([*done, _escaped(document[end:], replace, quotes=False)])


def is_xml(document: str) -> bool:
    """Whether a parser accepts it. Documents with a DOCTYPE are none: TwiML has no entities of its own."""
    if "<!DOCTYPE" in document:
        return False
    try:
        ET.fromstring(document.encode("utf-8", "replace"))  # nosec B314  # noqa: S314 - no entities without a DOCTYPE
    except (ET.ParseError, ValueError, LookupError):
        return False
    return True


def _tag(found: re.Match[str], replace: Replace, name: Replace) -> str:
    if found["declaration"]:
        return found[0] if _DECLARATION.fullmatch(found[0]) else '<?xml version="1.0" encoding="UTF-8"?>'
    tag = found["tag"] if found["tag"] in _TAGS else name(found["tag"])
    rest = _ATTRIBUTE.sub(lambda attribute: _attribute(attribute, replace, name), found["rest"])
    return f"<{found['closing']}{tag}{rest}>"


def _attribute(found: re.Match[str], replace: Replace, name: Replace) -> str:
    quote, value = found["quoted"][0], found["quoted"][1:-1]
    form = _FORMS.get(found["name"])
    if form is None or not form.fullmatch(html.unescape(value)):
        value = _escaped(value, replace, quotes=True)
    known = found["name"] if found["name"] in _ATTRIBUTES else name(found["name"])
    return f"{found['before']}{known}{found['equals']}{quote}{value}{quote}"


def _escaped(text: str, replace: Replace, *, quotes: bool) -> str:
    """Taken apart, replaced, escaped again; as it was if nothing was replaced, however it was escaped."""
    if not text.strip():
        return text
    plain = html.unescape(text)
    replaced = replace(plain)
    return text if replaced == plain else html.escape(replaced, quote=quotes)
