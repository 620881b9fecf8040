"""A recorded day: random people call a real app with recording switched on, several at a time; agents save something.

Everything is drawn from a seed, and whoever is furthest behind in time goes next, so that a day is always the same.
Leaves out: playing it again (`test_a_day`, `python -m tests.replay`).
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from adapter.app import create_app
from adapter.clock import CountedIds, ToldClock
from adapter.config import Config, RecordingConfig, load
from adapter.replay import (
    ANONYMOUS,
    BUSY,
    FAILED,
    HANG_UP,
    NO_ANSWER,
    SILENCE,
    Call,
    Handover,
    Heard,
    Keys,
    Message,
    Network,
    Question,
    Reply,
    Speech,
    WsgiExchange,
    answered,
    declined,
    mailbox,
)
from adapter.replay.caller import Answer, Left, Outcome, Reaction
from adapter.replay.exchange import Outgoing
from adapter.replay.recording import recorder
from adapter.store.sqlite.copying import copy_database
from tests import databases
from tests.builders import ACCOUNT, AUTH_TOKEN, NOW, PUBLIC_URL, Api, issue_key
from tests.conversations.world import BY_NAME, FULL, SETTINGS, configuration

_PATTERN = {"number": "+1628*", "flow": "full"}
_LINES = [line["number"] for line in SETTINGS["lines"]]
_OTHERWISE = ["+16285550142", f"sip:{FULL}@acme.sip.twilio.com", f"whatsapp:{BY_NAME}"]  # is a line dialed, too
# What a network tells of a caller, in words that are ours, too: "new order", "menu" and "mobile" mean something.
_TOWNS = ["NEW YORK", "MOBILE", "WELCOME", "NORMAL", "SEATTLE"]
_CALLER_NAMES = ["WIRELESS CALLER", "MENU ONE", "ORDER DEPT", "LOPEZ MARIA", ""]
_WORDS = [
    "refund please",
    "money back",
    "my order",
    "complaint",
    "yes",
    "no",
    "Maria Lopez",
    "Ana Moss",
    "Will Key",
    "hm",
    "4711",
]
_KEYS = ["1", "2", "3", "9", "4711", "4711#", "1111", "2222", "0", "#", "12"]
_NAMES = [("Maria Lopez", "4711"), ("Ana Moss", "1111"), ("Will Key", "2222")]
_PHONES = 4
_SAVED = 0.3  # of all calls an agent saves something
_DAY_SECONDS = 86_400
_STIR = [None, None, "A", "B", "C", "TN-Validation-Failed-A"]


@dataclass
class Somebody:
    """Does whatever comes to mind."""

    chance: random.Random

    def hears(self, heard: Heard) -> Reaction | None:
        return HANG_UP if self.chance.random() < 0.01 else None

    def asked(self, question: Question) -> Answer:
        choice = self.chance.random()
        if choice < 0.1:
            return SILENCE
        if choice < 0.15:
            return HANG_UP
        hangs_up = self.chance.random() < 0.05
        if question.speech and choice < 0.5:
            return Speech(self.chance.choice(_WORDS), hangs_up=hangs_up)
        return Keys(self.chance.choice(_KEYS), hangs_up=hangs_up)

    def rings(self, handover: Handover) -> Outcome:
        seconds = self.chance.randrange(5, 300)
        outcomes: list[Outcome] = [BUSY, NO_ANSWER, FAILED, declined(), mailbox(seconds), HANG_UP]
        return self.chance.choice([*outcomes, *(answered(seconds=seconds) for _ in outcomes)])

    def records(self, question: Question) -> Left:
        return self.chance.choice([Message(self.chance.randrange(1, 60)), Message(3, hangs_up=True), SILENCE, HANG_UP])


@dataclass
class Times:
    """What time it is at each telephone. Who is furthest behind may go on: nobody comes late for what another did."""

    clock: ToldClock
    of: dict[int, float] = field(default_factory=dict)
    turns: threading.Condition = field(default_factory=threading.Condition)

    def pass_at(self, phone: int, seconds: float) -> None:
        with self.turns:
            self.of[phone] += seconds
            self.turns.notify_all()

    def wait_for(self, phone: int) -> None:
        """Call with `turns` held."""
        self.turns.wait_for(lambda: min(self.of, key=lambda each: (self.of[each], each)) == phone)
        self.clock.tell(round(1_000 * self.of[phone]))

    def end(self, phone: int) -> None:
        with self.turns:
            del self.of[phone]
            self.turns.notify_all()


@dataclass
class InTurn:
    """An exchange whose webhooks go out in the order of time of all telephones."""

    inner: WsgiExchange
    times: Times
    phone: int
    sent: list[int]
    key: str

    def send(self, method: str, url: str, fields: Mapping[str, str]) -> Reply:
        with self.times.turns:
            self.times.wait_for(self.phone)
            self.sent[0] += 1
            return self.inner.send(method, url, fields)

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The API, as an agent's desktop. Only what is saved is recorded."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        with self.times.turns:
            self.times.wait_for(self.phone)
            reply = self.inner.ask(method, Outgoing(PUBLIC_URL + path, headers, json.dumps(body) if body else ""))
            self.sent[0] += method != "GET" and reply.status == 200
        self.times.pass_at(self.phone, 0.7)
        told: dict[str, Any] = json.loads(reply.body)
        return told


@dataclass(frozen=True)
class Day:
    """`memory`: the database as it was in the morning. `webhooks`: how many were sent."""

    config: Path
    recording: Path
    memory: Path
    webhooks: int


def a_day(folder: Path, calls: int, seed: int = 1, people: int | None = None, **recording: Any) -> Day:
    """`calls` calls of a day, recorded with these settings. `people`: how many called before (a fifth of the calls)."""
    file = folder / "calls.jsonl"
    wanted = {"file": str(file), "personal": "keep", "max_bytes": 10**9, **recording}
    path = configuration(folder, PUBLIC_URL, recording=wanted, lines=[*SETTINGS["lines"], _PATTERN])
    kept = load(path, {})
    if wanted["personal"] == "keep":  # the morning's memory has them; under pseudonyms only a recording can
        kept = replace(kept, recording=RecordingConfig())
    known = _remember(kept, random.Random(seed), calls // 5 if people is None else people)
    memory = folder / "morning.db"
    copy_database(folder / "calls.db", memory)
    times, sent = Times(ToldClock(NOW)), [0]
    app = create_app(load(path, {}), clock=times.clock, ids=CountedIds())
    times.of = dict.fromkeys(range(_PHONES), NOW / 1_000)
    exchange = WsgiExchange(app, PUBLIC_URL, AUTH_TOKEN)
    key = issue_key(app)
    threads = [
        threading.Thread(
            target=_calls,
            args=(InTurn(exchange, times, phone, sent, key), random.Random(f"{seed} {phone}"), known),
            kwargs={"count": len(range(phone, calls, _PHONES))},
        )
        for phone in range(_PHONES)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close_all()
    app.extensions["sticky-calls"].store.close()
    return Day(path, file, memory, sent[0])


def _calls(exchange: InTurn, chance: random.Random, people: list[str], count: int) -> None:
    times, phone = exchange.times, exchange.phone
    try:
        network = Network(
            exchange,
            PUBLIC_URL,
            ACCOUNT,
            now=lambda: times.of[phone],
            passes=lambda passed: times.pass_at(phone, passed),
        )
        for number in range(count):
            # The day's end is not reached to the second: what counts is how many calls there are in it.
            due = NOW / 1_000 + _DAY_SECONDS * (number + chance.random()) / count
            times.pass_at(phone, max(0.0, due - times.of[phone]))
            call = _a_call(chance, people)
            network.play(call, Somebody(chance))
            if chance.random() < _SAVED:
                _save(exchange, chance, call)
    finally:
        times.end(phone)


def _a_call(chance: random.Random, people: list[str]) -> Call:
    caller = chance.choice([*people, f"+1917{chance.randrange(10**7):07d}", ANONYMOUS])
    if chance.random() < 0.3:
        caller = f"+1917{chance.randrange(40):07d}"
    forwarded = "+14155559999" if chance.random() < 0.05 else None
    sid = f"CA{chance.getrandbits(128):032x}"
    dialed, told = chance.choice(_LINES), random.Random(sid)  # of its own: the day goes on as without it
    if told.random() < 0.2:
        dialed = told.choice(_OTHERWISE)
    town, name = told.choice(_TOWNS), told.choice(_CALLER_NAMES)
    extra = {"FromCity": town, "CallerCity": town, "FromState": "NY", "ToCity": "NOVATO", "CallerName": name}
    return Call(caller, dialed, sid=sid, stir=chance.choice(_STIR), forwarded_from=forwarded, extra=extra)


def _save(exchange: InTurn, chance: random.Random, call: Call) -> None:
    """What agents do after a call, in the ways that integrations do it."""
    name, pin = chance.choice(_NAMES)
    about = {"ani": call.caller, "external_ids": {"customer_number": f"88-{chance.randrange(60):06d}"}}
    learnt = {"variables": {"name": name, "pin": pin, "plan": chance.choice(["basic", "gold"])}}
    way = chance.randrange(4)
    if way == 0:
        exchange.ask("POST", "/v1/calls/end", {"call_id": call.sid, "identity_hints": about, **learnt})
    elif way == 1:  # the reference comes from reading the call, which no recording has
        ref = exchange.ask("GET", f"/v1/calls/{call.sid}").get("customer_ref")
        exchange.ask("POST", "/v1/calls/end", {"call_id": call.sid, "customer_ref": ref, "intent": "complaint"})
    elif way == 2:
        own = f"crm {call.sid[2:12]}/7"
        ref = exchange.ask("POST", "/v1/calls/start", {"call_id": own, "identity_hints": about}).get("customer_ref")
        exchange.ask("POST", f"/v1/calls/{quote(own)}/identity", {"verdict": chance.choice(["confirmed", "rejected"])})
        updates = {"note": {"value": "left-handed", "ttl_seconds": 86_400}}
        exchange.ask("POST", "/v1/calls/end", {"call_id": own, "customer_ref": ref, "variable_updates": updates})
    else:
        own = f"bye-{call.sid[2:12]}"
        ref = exchange.ask("POST", "/v1/calls/start", {"call_id": own, "identity_hints": about}).get("customer_ref")
        exchange.ask("DELETE", f"/v1/customers/{ref}")


def _remember(config: Config, chance: random.Random, count: int) -> list[str]:
    """People who called before; their numbers."""
    databases.brought_up_to_date(config.database.url)
    app = create_app(config, clock=ToldClock(NOW - 86_400_000))
    api = Api(app.test_client(), issue_key(app))
    numbers = [f"+1650{number:07d}" for number in range(count)]
    for at, number in enumerate(numbers):
        name, pin = chance.choice(_NAMES)
        answer = api.end(
            f"before_{at}",
            identity_hints={"ani": number, "external_ids": {"customer_number": f"77-{at:06d}"}},
            telco={"line_type": chance.choice(["mobile", "landline", "voip"])},
            variable_updates={"name": {"value": name}, "pin": {"value": pin}},
            intent_updates=[{"intent": chance.choice(["refund_request", "order_status"])}],
        )
        assert answer.status_code == 200, answer.json
    app.extensions["sticky-calls"].store.close()
    return numbers
