"""TwiML as a tree of values: the order of attributes, white space and how something is escaped are no difference.

What is handed on with a call has as many forms as there are channels; here it is Parameters in each of them. Else every
call with its own CallSid in a SIP address would be put through to somewhere else than every other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

_ADDRESSES: Final = frozenset({"Sip", "Redirect"})
_BLANK: Final = re.compile(r"\{(old|new)\}")


@dataclass(frozen=True, slots=True)
class Difference:
    """`kind` groups alike differences (says, destination, asks, …); `sentence` is for people; `before` and `after` are
    the bare values, "" for nothing."""

    kind: str
    sentence: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class Verb:
    """An element. `text`: its own, runs of white space as one space."""

    name: str
    attributes: Mapping[str, str]
    text: str
    verbs: tuple[Verb, ...]

    def attribute(self, name: str) -> str:
        """Its value, "" without one."""
        return self.attributes.get(name, "")


def filled(sentence: str, old: str, new: str) -> str:
    """The sentence with {old} and {new} in it, whatever braces the values have themselves."""
    return _BLANK.sub(lambda found: old if found[1] == "old" else new, sentence)


def tree(document: str) -> Verb | None:
    """The document; None when it is not well-formed, or has a DOCTYPE (TwiML has none, and entities can be endless)."""
    if "<!DOCTYPE" in document:
        return None
    try:
        return _verb(ET.fromstring(document.encode("utf-8", "replace")))  # nosec B314  # noqa: S314 - no entities without a DOCTYPE
    except (ET.ParseError, LookupError, ValueError, RecursionError):
        return None


def _verb(element: ET.Element) -> Verb:
    own = [element.text or "", *(child.tail or "" for child in element)]
    text, handed_on = _apart(element.tag, " ".join(" ".join(own).split()))
    parameters = (Verb("Parameter", {"name": name, "value": value}, "", ()) for name, value in handed_on.items())
    return Verb(element.tag, dict(element.attrib), text, (*map(_verb, element), *parameters))


def _apart(name: str, text: str) -> tuple[str, Mapping[str, str]]:
    """Where it leads, and what goes along: in the address, or as the attributes of a task."""
    if name in _ADDRESSES:
        address, _, query = text.partition("?")
        along = dict(parse_qsl(query, keep_blank_values=True))
        return (address, along) if along else (text, {})
    if name != "Task":
        return text, {}
    try:
        attributes = json.loads(text)
    except (ValueError, RecursionError):
        return text, {}
    if not isinstance(attributes, dict):
        return text, {}
    return "", {key: value if isinstance(value, str) else json.dumps(value) for key, value in attributes.items()}
