"""An answer read as TwiML: well-formed, of a kind that Twilio takes, and made of words that it knows.

Raises what ends or detours a call at Twilio; collects what it only warns of. Leaves out: carrying it out (`leg`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET
from xml.parsers import expat

from .exchange import LONGEST_DOCUMENT, Reply
from .transcript import Trouble
from .vocabulary import ATTRIBUTES, CHILDREN, OPAQUE, REQUIRED, VALUES

HTTP_FAILED: Final = 11200
TOO_MANY_REDIRECTS: Final = 11215
TOO_LONG: Final = 11750
NOT_XML: Final = 12100
NOT_IN_SCHEMA: Final = 12200
WRONG_CONTENT_TYPE: Final = 12300
NOTHING_TO_SAY: Final = 13520

_TWIML_TYPES: Final = frozenset({"text/xml", "application/xml", "text/html"})
_LONGEST_SIP_URI, _LONGEST_SIP_HEADERS = 255, 1024
_LONGEST_IDENTITY, _LONGEST_QUEUE_NAME, _LONGEST_PARAMETER = 256, 64, 500


class Fault(Exception):
    """An error that takes the call to the fallback URL, with Twilio's number."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Page:
    """A document and where it came from: what relative addresses and missing actions go by."""

    url: str
    root: ET.Element
    warnings: tuple[Trouble, ...] = ()


def read(reply: Reply, url: str) -> Page:
    """The document of an answer; Fault for everything Twilio does not carry out."""
    if reply.status >= 400:
        raise Fault(HTTP_FAILED, f"HTTP status {reply.status}")
    kind = reply.content_type.partition(";")[0].strip().lower()
    if not kind:
        raise Fault(HTTP_FAILED, "an answer without a content type")
    if len(reply.body) > LONGEST_DOCUMENT:
        raise Fault(TOO_LONG, "the document is longer than 64 kB")
    if kind.startswith("audio/"):
        return Page(url, _spoken("Play", url))
    if kind == "text/plain":
        return _plain(reply, url)
    if kind not in _TWIML_TYPES:
        raise Fault(WRONG_CONTENT_TYPE, f"content type {kind}")
    return _page(reply.body, url)


def _plain(reply: Reply, url: str) -> Page:
    """Plain text is TwiML if it can be, else it is read aloud."""
    try:
        return _page(reply.body, url)
    except Fault:
        return Page(url, _spoken("Say", reply.body.decode("utf-8", "replace")))


def _spoken(verb: str, text: str) -> ET.Element:
    root = ET.Element("Response")
    ET.SubElement(root, verb).text = text
    return root


def _page(body: bytes, url: str) -> Page:
    root = _parsed(body)
    return Page(url, root, tuple(Trouble(code, text, url) for code, text in _warnings(root)))


def _parsed(body: bytes) -> ET.Element:
    if not body.startswith(b"<"):
        raise Fault(NOT_XML, "the document does not begin with <")
    guard = expat.ParserCreate()
    # Entities can be made to grow without end, and no TwiML needs a document type.
    guard.StartDoctypeDeclHandler = _refuse
    try:
        guard.Parse(body, True)
        root = ET.fromstring(body)  # nosec B314  # noqa: S314 - read once already, without declarations
    except (expat.ExpatError, ET.ParseError, ValueError, LookupError) as error:
        raise Fault(NOT_XML, f"not XML: {error}") from None
    if root.tag != "Response":
        raise Fault(NOT_XML, f"the root is {root.tag}, not Response")
    return root


def _refuse(*_: object) -> None:
    raise Fault(NOT_XML, "a document type declaration")


def _warnings(element: ET.Element) -> Iterator[tuple[int, str]]:
    for text in _unknown(element):
        yield NOT_IN_SCHEMA, text
    if element.tag == "Say" and not words(element):
        yield NOTHING_TO_SAY, "Say without words"
    for text in _beyond_limits(element):
        yield NOT_IN_SCHEMA, text
    for child in element:
        if child.tag not in CHILDREN.get(element.tag, frozenset()):
            yield NOT_IN_SCHEMA, f"{child.tag} cannot stand in {element.tag}"
        elif child.tag not in OPAQUE:
            yield from _warnings(child)


def _unknown(element: ET.Element) -> Iterator[str]:
    for name, value in element.attrib.items():
        if name not in ATTRIBUTES.get(element.tag, frozenset()):
            yield f"{element.tag} has no attribute {name}"
        elif (form := VALUES.get((element.tag, name))) and not form.fullmatch(value):
            yield f"{element.tag} {name}={value!r}"
    for name in REQUIRED.get(element.tag, ()):
        if name not in element.attrib:
            yield f"{element.tag} needs an attribute {name}"


def _beyond_limits(element: ET.Element) -> Iterator[str]:
    """The lengths that Twilio documents."""
    text = (element.text or "").strip()
    address, _, headers = text.partition("?")
    identity = (element.findtext("Identity") or text).strip()
    limits: Mapping[str, tuple[tuple[str, int, int], ...]] = {
        "Sip": (("URI", len(address), _LONGEST_SIP_URI), ("headers", len(headers), _LONGEST_SIP_HEADERS)),
        "Client": (("identity", len(identity), _LONGEST_IDENTITY),),
        "Enqueue": (("name", len(text), _LONGEST_QUEUE_NAME),),
        "Parameter": (("name and value", len("".join(element.attrib.values())), _LONGEST_PARAMETER),),
    }
    for part, length, longest in limits.get(element.tag, ()):
        if length > longest:
            yield f"{element.tag}: the {part} has {length} characters, more than {longest}"


def words(element: ET.Element) -> str:
    """All text of an element, blanks as one."""
    return " ".join("".join(element.itertext()).split())
