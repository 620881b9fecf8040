"""Requests full of marked personal data, and the search for the marks where none may be (`python -m tests.leaks`).

Marks are names, ids and values that begin with one odd word, and numbers of 555-01xx. They are sent in every field that
takes them, in requests that succeed and in requests that fail. Leaves out: who is told what in a call (`rule`).
"""

from __future__ import annotations

import logging
import re
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from flask import Flask, Response, request

from adapter import logs
from adapter.app import create_app
from adapter.config import RecordingConfig, SecurityConfig
from adapter.engine.line import Confirm, Line, Menu, MenuOption, ProofKind
from adapter.store.sqlite.backup import back_up
from adapter.usecases import Service, apply_waiting, sweep
from tests import databases
from tests.builders import PEPPER, Api, CountedIds, ToldClock, Twilio, a_config, a_line, call_sid, issue_key

WORD = "Qxjwq"
_TTL_SECONDS = 60
_MARK = re.compile(WORD.encode() + rb"\w*", re.IGNORECASE)
# Of the numbers that callers have here: those of 415 are the configuration's and the documentation's. A pseudonym is
# one of them by chance once in a million times.
_NUMBER = re.compile(rb"(?<!\d)1?((?!415)[2-9]\d\d)[ ().\-]{0,2}(555)[ .\-]?(01\d\d)(?!\d)")
_KEY = ("k1", b"1" * 32)


@dataclass(frozen=True, slots=True)
class Person:
    """Everything of theirs is a mark. `gone`: what is left of them is to be gone, too."""

    number: str
    name: str
    account: str
    note: str


def people(count: int) -> list[Person]:
    """`count` people, at most 60 000."""
    return [
        Person(f"+1{201 + at // 100}55501{at % 100:02d}", f"{WORD}name{at}", f"{WORD}id{at}", f"{WORD}note{at}")
        for at in range(count)
    ]


@dataclass
class World:
    """An app in `folder` with encryption and recording on, that logs everything."""

    folder: Path
    app: Flask
    clock: ToldClock
    crowd: list[Person]
    random: Random
    sent: int = 0
    told: list[bytes] = field(default_factory=list)
    refs: dict[str, Person] = field(default_factory=dict)

    @property
    def service(self) -> Service:
        found: Service = self.app.extensions["sticky-calls"]
        return found

    def send(self, requests: int) -> None:
        """So many more, of every kind."""
        client = self.app.test_client()
        api, twilio = Api(client, issue_key(self.app)), Twilio(client)
        until = self.sent + requests
        while self.sent < until:
            person = self.random.choice(self.crowd)
            self.clock.advance(seconds=1)
            for answer in self._visit(api, twilio, person):
                self.sent += 1
                if answer.status_code >= 400:
                    self.told.append(answer.data + repr(sorted(answer.headers)).encode())
            if self.random.random() < 0.01:
                self.upkeep()

    def upkeep(self) -> None:
        """What the housekeeping thread does."""
        apply_waiting(self.service)
        sweep(self.service)

    def _visit(self, api: Api, twilio: Twilio, person: Person) -> Iterator[Any]:
        kind = self.random.randrange(4)
        if kind == 0:
            yield from self._by_api(api, person)
        elif kind == 1:
            yield from self._by_telephone(twilio, person)
        elif kind == 2:
            yield from _mistakes(api, twilio, person, self.sent)
        else:
            yield from self._wrong_calls(twilio, person)

    def _by_api(self, api: Api, person: Person) -> Iterator[Any]:
        call, hints = f"call-{self.sent}", {"ani": person.number, "external_ids": {"crm": person.account}}
        started = api.start(call, "mobile", **hints)
        yield started
        body = {
            "customer_ref": started.json["customer_ref"],
            "variable_updates": {
                "name": {"value": person.name, "ttl_seconds": _TTL_SECONDS},
                "note": {"value": person.note, "ttl_seconds": _TTL_SECONDS},
                "pin": {"value": "4711", "ttl_seconds": _TTL_SECONDS},
            },
            "intent_updates": [{"intent": "refund", "status": "resolved", "resolution": {"for": person.name}}],
        }
        self.refs[started.json["customer_ref"]] = person
        yield api.end(call, f"{person.note}-{self.sent}", **body)
        yield api.call(call)

    def _by_telephone(self, twilio: Twilio, person: Person) -> Iterator[Any]:
        sid = call_sid(self.sent)
        yield twilio.voice(sid, person.number, CallerName=person.name, FromCity=person.note)
        turn = {"CallSid": sid, "From": person.number, "SpeechResult": f"my name is {person.name}"}
        yield twilio.post("turn/1", **turn)
        yield twilio.post("turn/2", **{**turn, "Digits": "1"})
        yield twilio.status(sid, person.number)

    def _wrong_calls(self, twilio: Twilio, person: Person) -> Iterator[Any]:
        """While the database is away, and with a signature that is not Twilio's."""
        sid = call_sid(self.sent)
        if self.random.random() < 0.1:
            databases.move_away(self.folder)
            try:
                yield twilio.voice(sid, person.number, CallerName=person.name)
                yield twilio.status(sid, person.number)
            finally:
                databases.bring_back(self.folder)
        forged = replace(twilio, token="somebody else's")
        yield forged.voice(sid, person.number, CallerName=person.name)
        yield twilio.post("voice", CallSid=person.name, From=person.number)
        yield twilio.client.get(f"/twilio/voice?From={quote(person.number)}&CallerName={person.name}")


def _mistakes(api: Api, twilio: Twilio, person: Person, number: int) -> Iterator[Any]:
    """What clients do wrong, with personal data in all of it."""
    yield api.start(f"x{number}", ani=person.number + "x", external_ids={person.account: person.name, "crm": 5})
    yield api.post("/v1/calls/end", {person.name: person.number, "call_id": [person.account]})
    yield api.client.post("/v1/calls/start", data=f'{{"call_id": "{person.name}', headers={"X-Note": person.note})
    yield api.client.get(f"/v1/customers/{quote(person.number)}?name={person.name}", headers=_bearer(person.note))
    yield api.client.get(f"/{person.name}/{quote(person.number)}")
    yield api.customer(person.name)
    yield api.end(f"e{number}", variables={"name": person.name * 300})
    yield api.post("/v1/calls/start", {"call_id": f"y{number}", "identity_hints": {"ani": person.number, "x": 1}})


def _bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def a_marked_line() -> Line:
    menu = Menu((MenuOption("refund", "1"), MenuOption("order", "2")))
    return a_line(confirm=Confirm(ProofKind.PIN, variable="pin"), menu=menu)


class Seeded(StrEnum):
    """Leaks made on purpose, to be found: each in the places that `LEAKS_INTO` names."""

    PLAIN = "plain"
    LOGGED = "logged"
    RECORDED = "recorded"
    ECHOED = "echoed"


LEAKS_INTO = {
    Seeded.PLAIN: {"database and its log", "backup", "inbox"},
    Seeded.LOGGED: {"logs"},
    Seeded.RECORDED: {"recordings"},
    Seeded.ECHOED: {"errors"},
}


@contextmanager
def world(folder: Path, seed: int, *, seeded: Seeded | None = None, crowd: int = 2_000) -> Iterator[World]:
    """The app, its log going to `folder`/log."""
    kept = "keep" if seeded is Seeded.RECORDED else "pseudonyms"
    config = a_config(
        folder,
        lines=(a_marked_line(),),
        security=SecurityConfig(PEPPER, () if seeded is Seeded.PLAIN else (_KEY,)),
        recording=RecordingConfig(str(folder / "recordings" / "calls.jsonl"), max_bytes=2**30, personal=kept),
    )
    (folder / "recordings").mkdir()
    root, stderr = logging.getLogger(), sys.stderr
    handlers, level = list(root.handlers), root.level
    with (folder / "log").open("w", encoding="utf-8") as log:
        try:
            sys.stderr = log
            logs.configure("debug")
            databases.brought_up_to_date(config.database.url)
            clock = ToldClock()
            app = create_app(config, clock=clock, ids=CountedIds())
            _sabotage(app, seeded)
            yield World(folder, app, clock, people(crowd), Random(seed))
            app.extensions["sticky-calls"].store.close()
        finally:
            sys.stderr = stderr
            root.handlers[:], root.level = handlers, level


def _sabotage(app: Flask, seeded: Seeded | None) -> None:
    """What somebody in a hurry would add to find a fault."""

    @app.after_request
    def tell(response: Response) -> Response:
        if seeded is Seeded.LOGGED:
            logging.getLogger("adapter.web").info("answered %s", request.get_data(as_text=True))
        if seeded is Seeded.ECHOED and response.status_code >= 400:
            response.set_data(response.get_data() + request.full_path.encode())
        return response


def found(world: World) -> dict[str, list[str]]:
    """Where marks are, by kind of place; every place is there, with what was found in it."""
    backup = world.folder / "backup.db"
    back_up(world.folder / "calls.db", backup, replace=True)
    sys.stderr.flush()
    places = {
        "database and its log": [file for file in world.folder.glob("calls.db*") if file.is_file()],
        "backup": [backup],
        "inbox": [*world.folder.glob("calls.db.inbox/*")],
        "logs": [world.folder / "log"],
        "recordings": [*(world.folder / "recordings").iterdir()],
    }
    searched = {name: marks_in(b"\n".join(file.read_bytes() for file in files)) for name, files in places.items()}
    return {**searched, "errors": marks_in(b"\n".join(world.told)), "health and metrics": _pages(world)}


def _pages(world: World) -> list[str]:
    client = world.app.test_client()
    names = {
        str(rule) for rule in world.app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments
    }
    return marks_in(b"\n".join(client.get(name).data for name in names if "twilio" not in name))


def marks_in(data: bytes) -> list[str]:
    """The marks that can be read, percent-encoded or escaped as JSON, too; each once, at most ten."""
    layers = {data, unquote_to_bytes(data), _unescaped(data)}
    marks = {mark.decode() for layer in layers for mark in _MARK.findall(layer)}
    marks |= {b"".join(number).decode() for layer in layers for number in _NUMBER.findall(layer)}
    return sorted(marks)[:10]


def _unescaped(data: bytes) -> bytes:
    return re.sub(rb"\\u00([0-9a-f]{2})", lambda escaped: bytes([int(escaped[1], 16)]), data)


def forgotten(world: World) -> dict[str, int]:
    """What is left a minute after everything has expired, and after everybody was erased; the last two need a database
    in which values are stored plainly to say anything: marks in its files, before and after `db compact`."""
    world.clock.advance(seconds=2 * _TTL_SECONDS)
    world.upkeep()
    expired = databases.count(world.folder, "variables")
    api = Api(world.app.test_client(), issue_key(world.app))
    for ref in world.refs:
        assert api.forget(ref).status_code in (200, 404)
    world.upkeep()
    erased = {uuid.UUID(ref).bytes for ref in world.refs}
    kept = sum(
        bytes(customer) in erased
        for table in ("customers", "numbers", "external_ids", "intents", "variables")
        for (customer,) in databases.rows(world.folder, f"SELECT customer FROM {table}")
    )
    before = len(_of_the_gone(world))
    world.service.store.compact()
    after = len(_of_the_gone(world))
    return {"expired rows": expired, "rows of the erased": kept, "in slack": before, "after compact": after}


def _of_the_gone(world: World) -> set[bytes]:
    """Names and notes of those who were erased. (Numbers are also those of callers who are still known.)"""
    marks = {mark.encode() for person in world.refs.values() for mark in (person.name, person.account)}
    held = b"\n".join(file.read_bytes() for file in world.folder.glob("calls.db*") if file.is_file())
    return marks & {match[0] for match in re.finditer(rb"Qxjwq[a-z]+\d+", held)}
