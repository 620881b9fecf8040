"""The TwiML that Twilio documents, as data, and whether a document keeps to it.

Verbs, nouns, attributes and their values from Twilio's pages on each of them ("TwiML for Programmable Voice"): the ones
that this project may ever write, with all attributes that they have there. What is not in it is an unknown word to
Twilio, too (warning 12200: ignored, so that a call takes a way nobody meant).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET
from xml.parsers import expat

LONGEST = 64_000  # bytes (error 11750)
Allowed = Callable[[str], bool]


def words(*allowed: str) -> Allowed:
    return lambda value: value in allowed


def whole(low: int, high: int = 10**9) -> Allowed:
    return lambda value: re.fullmatch(r"[0-9]{1,10}", value) is not None and low <= int(value) <= high


def matching(pattern: str) -> Allowed:
    return lambda value: re.fullmatch(pattern, value, re.DOTALL) is not None


def at_most(characters: int) -> Allowed:
    return lambda value: 0 < len(value) <= characters


def address(*schemes: str) -> Allowed:
    return lambda value: urlsplit(value).scheme in schemes and bool(urlsplit(value).netloc)


def hints(value: str) -> bool:
    entries = value.split(",")
    return len(entries) <= 500 and all(0 < len(entry.strip()) <= 100 for entry in entries)


def sip(value: str) -> bool:
    uri, _, headers = value.partition("?")
    names = [each.partition("=")[0].lower() for each in headers.split("&")] if headers else []
    return (
        re.fullmatch(r"sips?:[^\s?&]+", uri) is not None
        and len(uri) < 255
        and len(headers) < 1_024
        and re.fullmatch(r"[!-~]*", headers) is not None
        and all(name.startswith("x-") or name == "user-to-user" for name in names)
    )


WEB = address("http", "https")
METHOD = words("GET", "POST")
FLAG = words("true", "false")
KEYS = matching("[0-9*#]*")
LANGUAGE = matching("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
ACTION = {"action": WEB, "method": METHOD}
TOLD = {
    "url": WEB,
    "method": METHOD,
    "statusCallback": WEB,
    "statusCallbackEvent": matching("(initiated|ringing|answered|completed| )+"),
    "statusCallbackMethod": METHOD,
}


@dataclass(frozen=True)
class Element:
    """`attributes` by name; `needs`: those it cannot be without; `holds`: elements inside; `text`: its words."""

    attributes: dict[str, Allowed] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    holds: frozenset[str] = frozenset()
    text: Allowed | None = None


SAID = frozenset({"Say", "Play", "Pause"})
ELEMENTS: dict[str, Element] = {
    "Response": Element(
        holds=SAID | {"Gather", "Dial", "Enqueue", "Connect", "Record", "Redirect", "Hangup"},
    ),
    "Say": Element({"voice": at_most(100), "language": LANGUAGE, "loop": whole(0, 1_000)}, text=at_most(4_096)),
    "Play": Element({"loop": whole(0, 1_000), "digits": matching("[0-9*#wW]+")}, text=WEB),
    "Pause": Element({"length": whole(0)}),
    "Gather": Element(
        {
            **ACTION,
            "input": words("dtmf", "speech", "dtmf speech"),
            "timeout": whole(1),
            "speechTimeout": matching("auto|[1-9][0-9]*"),
            "maxSpeechTime": whole(1, 60),
            "finishOnKey": matching("[0-9*#]?"),
            "numDigits": whole(1),
            "hints": hints,
            "language": LANGUAGE,
            "profanityFilter": FLAG,
            "actionOnEmptyResult": FLAG,
            "bargeIn": FLAG,
            "speechModel": at_most(40),
            "enhanced": FLAG,
        },
        needs=frozenset({"action", "input"}),
        holds=SAID,
    ),
    "Dial": Element(
        {
            **ACTION,
            "answerOnBridge": FLAG,
            "callerId": at_most(255),
            "hangupOnStar": FLAG,
            "timeLimit": whole(1, 14_400),
            "timeout": whole(5, 600),
            "sequential": FLAG,
            "referUrl": WEB,
            "ringTone": matching("[a-z]{2}"),
        },
        needs=frozenset({"action"}),
        holds=frozenset({"Number", "Sip", "Client", "Conference"}),
    ),
    "Number": Element({**TOLD, "sendDigits": matching("[0-9*#w]+"), "byoc": at_most(34)}, text=matching(r"\+?[0-9]+")),
    "Sip": Element({**TOLD, "username": at_most(255), "password": at_most(255)}, text=sip),
    "Client": Element(TOLD, needs=frozenset(), holds=frozenset({"Identity", "Parameter"})),
    "Identity": Element(text=at_most(256)),
    "Conference": Element(
        {
            "muted": FLAG,
            "beep": words("true", "false", "onEnter", "onExit"),
            "startConferenceOnEnter": FLAG,
            "endConferenceOnExit": FLAG,
            "waitUrl": WEB,
            "waitMethod": METHOD,
            "maxParticipants": whole(2, 250),
        },
        text=at_most(128),
    ),
    "Enqueue": Element(
        {**ACTION, "waitUrl": WEB, "waitUrlMethod": METHOD, "workflowSid": matching("WW[0-9a-fA-F]{32}")},
        needs=frozenset({"action"}),
        holds=frozenset({"Task"}),
        text=at_most(64),
    ),
    "Task": Element({"priority": whole(0), "timeout": whole(1)}, text=matching(r"\{.*\}")),
    "Connect": Element(ACTION, needs=frozenset({"action"}), holds=frozenset({"ConversationRelay", "Stream"})),
    "ConversationRelay": Element(
        {"url": address("wss"), "welcomeGreeting": at_most(4_096), "language": LANGUAGE, "voice": at_most(100)},
        needs=frozenset({"url"}),
        holds=frozenset({"Parameter"}),
    ),
    "Stream": Element(
        # "The url does not support query string parameters."
        {"url": matching(r"wss://[^\s?#]+"), "name": at_most(100), "track": at_most(20)},
        needs=frozenset({"url"}),
        holds=frozenset({"Parameter"}),
    ),
    "Parameter": Element({"name": at_most(499), "value": at_most(499)}, needs=frozenset({"name", "value"})),
    "Record": Element(
        {
            **ACTION,
            "timeout": whole(1),
            "finishOnKey": KEYS,
            "maxLength": whole(2, 14_400),
            "playBeep": FLAG,
            "trim": words("trim-silence", "do-not-trim"),
            "transcribe": FLAG,
        },
        needs=frozenset({"action"}),
    ),
    "Redirect": Element({"method": METHOD}, text=WEB),
    "Hangup": Element(),
}
# After these nothing in the document is reached (their pages); a Say behind one would never be heard.
LAST = frozenset({"Dial", "Enqueue", "Connect", "Redirect", "Hangup"})
WHISPERED = SAID | {"Gather", "Hangup"}


def check(document: str, *, whisper: bool = False) -> list[str]:
    """What is wrong with a document, [] nothing. `whisper`: it is for who answered, who cannot be sent elsewhere."""
    try:
        encoded = document.encode()
        expat.ParserCreate().Parse(encoded, True)
    except (UnicodeEncodeError, expat.ExpatError) as error:
        return [f"is not well-formed: {type(error).__name__}"]
    root = ET.fromstring(encoded)
    faults = [] if len(encoded) < LONGEST else [f"has {len(encoded)} bytes"]
    faults += [] if root.tag == "Response" else [f"begins with <{root.tag}>"]
    faults += [] if encoded.startswith(b"<?xml") else ["has something before its beginning (error 12100)"]
    if whisper:
        faults += [f"<{each.tag}> in a whisper" for each in root if each.tag not in WHISPERED]
    elif len(root) == 0:
        faults.append("is empty: the caller is hung up on")
    return faults + list(_faults(root)) + list(_unreached(root))


def _faults(element: ET.Element) -> Iterator[str]:
    known = ELEMENTS.get(element.tag)
    if known is None:
        yield f"<{element.tag}> is no TwiML"
        return
    for name, value in element.attrib.items():
        if name not in known.attributes:
            yield f"<{element.tag} {name}> is not documented"
        elif not known.attributes[name](value):
            yield f"<{element.tag} {name}={value[:60]!r}> is not allowed"
    yield from (f"<{element.tag}> without {name}" for name in known.needs - set(element.attrib))
    yield from _words(element, known)
    yield from _nouns(element)
    for child in element:
        if child.tag not in known.holds:
            yield f"<{child.tag}> in <{element.tag}>"
        yield from _faults(child)


def _words(element: ET.Element, known: Element) -> Iterator[str]:
    text = element.text or ""
    if any((child.tail or "").strip() for child in element):
        yield f"words beside the nouns of <{element.tag}>"
    if len(element) == 0 and known.text is not None:
        if not known.text(text):
            yield f"<{element.tag}>{text[:60]!r} is not allowed"
    elif text.strip():
        yield f"words in <{element.tag}>"


def _nouns(element: ET.Element) -> Iterator[str]:
    """What belongs together inside one element."""
    inside = [child.tag for child in element]
    if element.tag in ("Dial", "Connect") and len(inside) != 1:
        yield f"<{element.tag}> of {len(inside)}"
    if element.tag == "Client" and inside.count("Identity") != 1:
        yield "<Client> without one <Identity>"
    if element.tag == "Enqueue" and ("workflowSid" in element.attrib) != (inside == ["Task"]):
        yield "<Task> goes with workflowSid"
    parameters = [each for each in element if each.tag == "Parameter"]
    if element.tag == "Client" and len(parameters) > 8:
        yield "more than 8 parameters for a client"
    for each in parameters:
        name, value = each.get("name", ""), each.get("value", "")
        if element.tag == "Client" and (len(name.encode()) > 32 or len(value.encode()) > 128):
            yield "a parameter that is too long for a client"
        if len(name) + len(value) >= 500:
            yield "a parameter that is too long for a stream"


def _unreached(root: ET.Element) -> Iterator[str]:
    tags = [each.tag for each in root]
    yield from (f"<{tag}> behind <{last}>" for last, tag in pairwise(tags) if last in LAST)
    for place, tag in enumerate(tags):
        # Silence comes back nowhere but through what stands behind.
        if tag in ("Gather", "Record") and tags[place + 1 :] not in (["Redirect"], ["Hangup"]):
            yield f"<{tag}> without a way on after silence"


def shape(document: str) -> list[tuple[str, list[str]]]:
    """Every element's name and attributes' names, in document order. Fails for what is not well-formed."""
    expat.ParserCreate().Parse(document.encode(), True)
    return [(element.tag, sorted(element.attrib)) for element in ET.fromstring(document.encode()).iter()]
