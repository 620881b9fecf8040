"""Asks the product and the naive service the same thing and compares the two answers.

Customers are compared up to renaming: the first time both name one, the two names are bound for good.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree as ET

from werkzeug.test import TestResponse

from adapter.app import create_app
from adapter.engine.model import Mode, Organization, Tier
from adapter.engine.model import Plan as Budget
from adapter.usecases import sweep
from tests import databases
from tests.builders import Api, CountedIds, ToldClock, Twilio, a_config, a_line, issue_key

from .naive import Realm, Told
from .people import Asked, Who
from .remembered import Organization as NaiveOrganization
from .remembered import Plan

NOBODY = "00000000-0000-4000-8000-0000000000ff"
PLANS = {"globex": Plan(), "acme": Plan(10, 30, 15), "initech": Plan(3, None), "umbrella": Plan(None, 6, 8)}
REALMS = [f"{name}-{mode.value}" for name in PLANS for mode in Mode]
DIALED = {name: f"+1415555010{number}" for number, name in enumerate(PLANS)}


class Difference(AssertionError):
    """The product answered something else than the reference and the semantics say."""


class Drive:
    """One database and one naive service, side by side, on one clock."""

    def __init__(self) -> None:
        # In memory where there is such a folder: thousands of databases are made, and none has to survive a power cut.
        self._folder = TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.clock = ToldClock()
        organizations = [
            Organization(name, Tier("t", plan.per_minute), Budget(f"ba_{name}", plan.monthly, plan.billing_day))
            for name, plan in PLANS.items()
        ]
        lines = tuple(a_line(number=DIALED[name], organization=name) for name in PLANS)
        config = a_config(Path(self._folder.name), *organizations, lines=lines)
        databases.brought_up_to_date(config.database.url)
        self.app = create_app(config, clock=self.clock, ids=CountedIds())
        self.service = self.app.extensions["sticky-calls"]
        client = self.app.test_client()
        self.twilio = Twilio(client)
        self.apis = {realm: Api(client, issue_key(self.app, *_parts(realm))) for realm in REALMS}
        made: list[int] = []
        naive = {name: NaiveOrganization(name, plan) for name, plan in PLANS.items()}
        self.realms = {realm: Realm(naive[realm.partition("-")[0]], made) for realm in REALMS}
        self.names: dict[Who, str] = {}
        self.replies: dict[tuple[str, str], bytes] = {}
        self.ends: list[tuple[str, dict[str, Any], str]] = []
        self.steps = 0

    def close(self) -> None:
        self.service.store.close()
        databases.postgresql.take_back(Path(self._folder.name))
        self._folder.cleanup()

    # Requests

    def start(self, realm: str, call_id: str, hints: dict[str, Any], telco: str | None) -> None:
        body = {"call_id": call_id, "identity_hints": hints, **({"telco": {"line_type": telco}} if telco else {})}
        naive, now = self.realms[realm], self.clock.wall
        asked = self.asked(hints, telco)
        self.api(realm, lambda api: api.post("/v1/calls/start", body), lambda: naive.start(call_id, asked, now))

    def end(self, realm: str, body: dict[str, Any], key: str | None) -> None:
        naive, now = self.realms[realm], self.clock.wall
        asked = self.asked(body["identity_hints"], None) if "identity_hints" in body else None
        who = self.who(body["customer_ref"]) if "customer_ref" in body else None
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.api(
            realm,
            lambda api: api.post("/v1/calls/end", body, headers),
            lambda: naive.end(body["call_id"], who, asked, body, key, now),
        )
        if key and answer.status_code == 200:
            self.ends = [*self.ends[-5:], (realm, body, key)]
            replayed = answer.headers.get("Idempotency-Replayed") == "true"
            if replayed and self.replies[realm, key] != answer.data:
                raise Difference("a replayed answer differs in its bytes")
            self.replies[realm, key] = answer.data

    def verdict(self, realm: str, call_id: str, verdict: str) -> None:
        naive, now = self.realms[realm], self.clock.wall
        self.api(realm, lambda api: api.verdict(call_id, verdict), lambda: naive.verdict(call_id, verdict, now))

    def show_call(self, realm: str, call_id: str) -> None:
        naive = self.realms[realm]
        self.api(realm, lambda api: api.call(call_id), lambda: naive.show_call(call_id), part_of_call)

    def show_customer(self, realm: str, ref: str) -> None:
        naive, now, who = self.realms[realm], self.clock.wall, self.who(ref)
        self.api(realm, lambda api: api.customer(ref), lambda: naive.show_customer(who, now), part_of_customer)

    def forget(self, realm: str, ref: str) -> None:
        naive, now, who = self.realms[realm], self.clock.wall, self.who(ref)
        self.api(realm, lambda api: api.forget(ref), lambda: naive.forget(who, now))

    def bad_body(self, realm: str, path: str, body: Any) -> None:
        self.api(realm, lambda api: api.post(path, body), lambda: Told(400, {"error": "Bad Request"}))

    def wrong_key(self, path: str) -> None:
        self.steps += 1
        answer = Api(self.app.test_client(), "sk_prod_nobodynobody").post(path, {})
        self.compare(Told(401, {"error": "Unauthorized", "message": "Invalid or missing API key"}), answer)

    def voice(self, name: str, call_id: str, caller: str) -> None:
        naive = self.realms[f"{name}-prod"]
        expected = naive.voice(call_id, self.asked({"ani": caller}, None), self.clock.wall, self.clock.ticks)
        self.steps += 1
        answer = self.twilio.voice(call_id, caller, To=DIALED[name])
        says = ET.fromstring(answer.data).findtext("Say")
        if (answer.status_code, says) != (expected.status, expected.says):
            raise Difference(f"the caller hears {says!r} instead of {expected.says!r}")

    def status(self, name: str, call_id: str, caller: str, seconds: int) -> None:
        naive = self.realms[f"{name}-prod"]
        asked = self.asked({"ani": caller}, None)
        expected = naive.hang_up(call_id, asked, seconds, self.clock.wall, self.clock.ticks)
        self.steps += 1
        answer = self.twilio.status(call_id, caller, To=DIALED[name], CallDuration=str(seconds))
        if answer.status_code != expected.status:
            raise Difference(f"a status callback is answered {answer.status_code}")

    def sweep(self) -> None:
        self.steps += 1
        sweep(self.service)
        for realm in self.realms.values():
            realm.sweep(self.clock.wall)

    def look_at_everything(self) -> None:
        """Every call and every customer, in a minute of their own each, so that no limit hides anything."""
        for name, realm in self.realms.items():
            for call_id in list(realm.calls):
                self.clock.advance(seconds=61)
                self.show_call(name, call_id)
            for who in list(realm.people.contact):
                if who in self.names:
                    self.clock.advance(seconds=61)
                    self.show_customer(name, self.names[who])

    # Comparing

    def api(
        self,
        realm: str,
        ask: Callable[[Api], TestResponse],
        expect: Callable[[], Told],
        part: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    ) -> TestResponse:
        self.steps += 1
        refused, headers = self.realms[realm].organization.admit(self.clock.ticks, self.clock.wall)
        expected = refused or expect()
        answer = ask(self.apis[realm])
        expected = Told(expected.status, expected.body, {**headers, **expected.headers})
        try:
            self.compare(expected, answer, part if answer.status_code == 200 else dict)
        except Difference as difference:
            asked = answer.request
            raise Difference(f"{realm}: {asked.method} {asked.path}: {difference} in {answer.text}") from None
        return answer

    def compare(
        self, expected: Told, answer: TestResponse, part: Callable[[dict[str, Any]], dict[str, Any]] = dict
    ) -> None:
        told = answer.json
        if answer.status_code != expected.status:
            raise Difference(f"{answer.status_code} instead of {expected.status}: {answer.text}")
        names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After")
        for name in (*names, "Idempotency-Replayed"):
            if answer.headers.get(name) != expected.headers.get(name):
                raise Difference(f"{name}: {answer.headers.get(name)} instead of {expected.headers.get(name)}")
        if expected.status == 200:
            self.same(expected.body, part(told), "body")
        elif expected.body and "issues" in expected.body:
            self.same(expected.body["issues"], [issue["path"] for issue in told["details"]["issues"]], "issues")
        else:
            for name, value in (expected.body or {}).items():
                self.same(value, told.get(name), name)

    def same(self, expected: Any, told: Any, where: str) -> None:
        """Raise Difference unless equal, with customers bound to each other where they meet for the first time."""
        if isinstance(expected, Who):
            if self.names.setdefault(expected, told) != told or list(self.names.values()).count(told) != 1:
                raise Difference(f"{where}: customer {told} where {self.names[expected]} is right ({expected})")
        elif isinstance(expected, dict) and isinstance(told, dict):
            if list(expected) != list(told) and sorted(expected) != sorted(told):
                raise Difference(f"{where}: {sorted(told)} instead of {sorted(expected)}")
            for name, value in expected.items():
                self.same(value, told[name], f"{where}.{name}")
            if where.endswith(".variables") and list(expected) != list(told):
                raise Difference(f"{where}: order {list(told)} instead of {list(expected)}")
        elif isinstance(expected, list) and isinstance(told, list) and len(expected) == len(told):
            ordered = where.endswith((".open_intents", ".sources", ".timeline"))
            pairs = zip(expected, told, strict=True) if ordered else zip(by_text(expected), by_text(told), strict=True)
            for index, (one, other) in enumerate(pairs):
                self.same(one, other, f"{where}[{index}]")
        elif expected != told:
            raise Difference(f"{where}: {told!r} instead of {expected!r}")

    # Names

    def asked(self, hints: dict[str, Any], line: str | None) -> Asked:
        ani = hints.get("ani")
        number = ani if ani and ani.startswith("+1415") else None
        who = self.who(hints["customer_ref"]) if "customer_ref" in hints else None
        return Asked(number, ani is not None, None, list(hints.get("external_ids", {}).items()), who, line)

    def who(self, ref: str) -> Who:
        return next((who for who, name in self.names.items() if name == ref), Who(-1))

    def ref(self, realm: str, index: int) -> str:
        """0: nobody's customer_ref; up to 5: one of this realm's, the newest first; above: one of any realm's."""
        known = [name for name in self.names.values() if name is not None]
        own = [self.names[who] for who in self.realms[realm].people.made_at if who in self.names]
        near = own if index < 6 and own else known
        return near[-(1 + (index - 1) % len(near))] if near and index else NOBODY


def part_of_call(told: dict[str, Any]) -> dict[str, Any]:
    """Without what other tests compare: origin and dnis (orders of messages), the words of the explanation."""
    names = ("customer_ref", "call_start", "ani", "line_type", "identity", "timeline")
    return {name: told[name] for name in names} | {"basis": told["explanation"]["basis"]}


def part_of_customer(told: dict[str, Any]) -> dict[str, Any]:
    part = {name: value for name, value in told.items() if name != "customer_ref"}
    part["calls"] = [call["call_id"] for call in told["calls"]]
    kept = ("value", "source", "ttl_seconds")
    part["variables"] = {name: {each: value[each] for each in kept} for name, value in told["variables"].items()}
    return part


def by_text(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True, default=str))


def _parts(realm: str) -> tuple[str, Mode]:
    name, _, mode = realm.partition("-")
    return name, Mode(mode)
