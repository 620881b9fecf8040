"""The rule itself, written without a look at the product's: what may whoever is on the line hear of a stored value?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from adapter.engine.line import Disclosure, Line, ProofKind
from tests.leaks.people import Person


class Leak(AssertionError):
    """Something was told to somebody it was not for."""


@dataclass
class Ear:
    """Who listens to a call: its line, what is on record of it now, and who the caller has shown to be."""

    line: Line
    call: dict[str, Any]
    proven: set[str]


@dataclass
class Rule:
    """Looks for everybody's marks in whatever is sent out. `heard` counts what was rightly told, by class."""

    people: list[Person]
    heard: Counter[str] = field(default_factory=Counter)

    def check(self, document: str, ear: Ear) -> None:
        """Raises Leak. `document`: TwiML for the caller, or for the agent who takes the call."""
        told = _everything_in(document)
        if ear.call["explanation"]["basis"] == "verified" and self._knows(ear.call["customer_ref"]):
            if ear.call["customer_ref"] not in ear.proven:
                raise Leak("verified without a proof")
            self.heard["verified"] += 1
        for person in self.people:
            for kind, name, mark in person.marks():
                if mark in told:
                    self._judge(person, kind, name, ear)

    def _knows(self, ref: str) -> bool:
        """Callers whom nobody knew have no memory to leak; they prove by what they said of themselves before."""
        return any(person.ref == ref for person in self.people)

    def _judge(self, person: Person, kind: str, name: str, ear: Ear) -> None:
        what = f"{kind} {name} of {person.name}"
        if ear.call["customer_ref"] != person.ref:
            raise Leak(f"{what}: told to somebody else")
        if kind == "account" or (kind == "variable" and name == _secret(ear.line)):
            raise Leak(f"{what}: told to anybody at all")
        wanted = _class(ear.line, kind, name)
        if wanted not in _classes(ear):
            raise Leak(f"{what}: {wanted.value}, told at {ear.call['identity']['recommendation']}")
        self.heard[wanted.value] += 1


def _classes(ear: Ear) -> set[Disclosure]:
    if ear.call["customer_ref"] in ear.proven:
        return {Disclosure.PUBLIC, Disclosure.PERSONAL, Disclosure.SENSITIVE}
    found = ear.call["identity"]["recommendation"]
    if found == "reuse":
        return {Disclosure.PUBLIC, Disclosure.PERSONAL}
    return {Disclosure.PUBLIC} if found == "confirm" else set()


def _class(line: Line, kind: str, name: str) -> Disclosure:
    rules = line.disclosure.variables if kind == "variable" else line.disclosure.intents
    return rules.get(name, Disclosure.PERSONAL)


def _secret(line: Line) -> str | None:
    if line.confirm is None or line.confirm.by is ProofKind.NAME:
        return None
    return line.confirm.variable or None


def _everything_in(document: str) -> str:
    """All text and all attributes, without encodings and spellings that hide a word."""
    root = ET.fromstring(document)
    parts = [part for element in root.iter() for part in (element.text, element.tail, *element.attrib.values()) if part]
    return unquote(" ".join(parts)).casefold().replace("_", " ").replace("\\", "")
