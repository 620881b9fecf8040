"""TwiML as a tree of values: the order of attributes, white space and how something is escaped are no difference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

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
        return _verb(ET.fromstring(document.encode("utf-8", "replace")))  # noqa: S314 - no entities without a DOCTYPE
    except (ET.ParseError, LookupError, ValueError, RecursionError):
        return None


def _verb(element: ET.Element) -> Verb:
    own = [element.text or "", *(child.tail or "" for child in element)]
    verbs = tuple(_verb(child) for child in element)
    return Verb(element.tag, dict(element.attrib), " ".join(" ".join(own).split()), verbs)
