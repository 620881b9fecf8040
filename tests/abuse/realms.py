"""Neighbours: organizations in both modes, each of which asks for what is another's, in every way there is.

Each attempt is made twice: with an id of another realm, and with one that nobody has. Both answers must be the same to
the byte (but for the id itself), nothing of the other realm may be in them, and the other realm stays as it was.
"""

from __future__ import annotations

import json
import random
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from adapter.engine.model import Call, Mode, Realm
from adapter.store import calls
from adapter.store.organizations import Registered
from adapter.store.transaction import Transaction
from tests import databases
from tests.abuse.findings import Findings
from tests.abuse.places import in_memory
from tests.abuse.planted import Bug, planted
from tests.builders import Api, a_line, an_organization, call_sid, issue_key
from tests.conformance.wire import Reply, an_app, ask, posted

ORGANIZATIONS = ("acme", "bell", "cord")
# In everything that a realm keeps; nothing of the answers' own words has it.
_MARK = "vault"
_CUSTOMERS = 8
_CHECKED_EVERY = 2_000
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Kept:
    """One customer of a realm, with everything they can be asked for by."""

    call_id: str
    ref: str
    ani: str
    account: str
    idempotency_key: str
    sid: str


@dataclass
class Neighbour:
    """One realm: its key, its line, what it keeps."""

    organization: str
    mode: Mode
    key: str
    line: str
    kept: list[Kept] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.organization}/{self.mode}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request as one neighbour makes it; `key`: whose."""

    method: str
    path: str
    body: Mapping[str, Any] | None
    key: str
    idempotency_key: str = ""


def examine(count: int, seed: int, store: str = "sqlite", bug: str | None = None) -> Findings:
    """What came of `count` attempts. `bug`: one of `BUGS`."""
    databases.kind = store
    findings, chance = Findings(), random.Random(seed)
    lines = tuple(
        a_line(organization=name, mode=mode, number=_number(place, mode))
        for place, name in enumerate(ORGANIZATIONS)
        for mode in Mode
    )
    organizations = [an_organization(name) for name in ORGANIZATIONS]
    with (
        planted(BUGS, bug),
        in_memory() as folder,
        an_app(folder, *organizations, lines=lines) as app,
    ):
        neighbours = [_moved_in(app, name, mode, place) for place, name in enumerate(ORGANIZATIONS) for mode in Mode]
        before = _vaults(app, neighbours)
        while findings.tried < count:
            _attempt(app, chance, neighbours, findings)
            if findings.tried % _CHECKED_EVERY == 0 or findings.tried == count:
                _compare(before, _vaults(app, neighbours), findings)
    databases.postgresql.take_back()
    return findings


def _number(place: int, mode: Mode) -> str:
    return f"+1415555{1_000 + 2 * place + (mode is Mode.TEST)}"


def _moved_in(app: Flask, organization: str, mode: Mode, place: int) -> Neighbour:
    """With customers of their own, whose every value has the mark."""
    found = Neighbour(organization, mode, issue_key(app, organization, mode), _number(place, mode))
    client = Api(app.test_client(), found.key)
    for at in range(_CUSTOMERS):
        unique = f"{organization}-{mode}-{at}"
        ani = f"+1{650 + 2 * place + (mode is Mode.TEST)}555{1_000 + at}"
        sid = call_sid(1_000_000 + hash_of(unique))
        started = client.start(unique, "mobile", ani=ani, external_ids={"crm": f"{_MARK}-{unique}"}).json
        kept = Kept(unique, started["customer_ref"], ani, f"{_MARK}-{unique}", f"key-{unique}", sid)
        saved = {"customer_ref": kept.ref, "variables": {"name": f"{_MARK} {unique}"}, "intent": f"{_MARK}_intent"}
        assert client.end(unique, kept.idempotency_key, **saved).status_code == 200
        _webhook(app, found, "voice", sid, ani)
        found.kept.append(kept)
    return found


def hash_of(text: str) -> int:
    """The same in every process."""
    return uuid.uuid5(uuid.NAMESPACE_URL, text).int % 10**9


def _vaults(app: Flask, neighbours: list[Neighbour]) -> dict[str, bytes]:
    """Everything each realm has, as its own key shows it."""
    found = {}
    for each in neighbours:
        paths = [f"/v1/customers/{kept.ref}" for kept in each.kept]
        paths += [f"/v1/calls/{call}" for kept in each.kept for call in (kept.call_id, kept.sid)]
        found[each.name] = b"\n".join(_asked(app, Attempt("GET", path, None, each.key)).body for path in paths)
    return found


def _compare(before: Mapping[str, bytes], now: Mapping[str, bytes], findings: Findings) -> None:
    for name, was in before.items():
        if now[name] != was:
            findings.fault("written in another realm", (name, was[:300], now[name][:300]))
        if _MARK.encode() not in was:
            findings.fault("blind: a realm does not see its own", name)


def _attempt(app: Flask, chance: random.Random, neighbours: list[Neighbour], findings: Findings) -> None:
    """As one neighbour, for something of another's, and for the same of nobody's."""
    who, whose = chance.sample(neighbours, 2)
    theirs = chance.choice(whose.kept)
    nobodys = _nobodys(chance)
    findings.tried += 1
    if chance.random() < 0.15:
        _by_telephone(app, chance, who, theirs, nobodys, findings)
        return
    kind = chance.choice(_KINDS)
    fresh = f"{who.organization}-{who.mode}-{findings.tried}-{chance.randrange(10**9)}"
    replies = []
    for kept, call_id in ((theirs, fresh), (nobodys, fresh + "x")):
        replies.append((_asked(app, _KIND[kind](who.key, kept, call_id)), kept, call_id))
    (foreign, *_), (unknown, *_) = replies
    for reply, kept, _ in replies:
        _forget_again(app, who, reply, kept)
    findings.answers[f"{kind} {foreign.status}"] += 1
    shown = [_without_ids(reply, kept, call_id) for reply, kept, call_id in replies]
    if _MARK.encode() in foreign.body.replace(theirs.account.encode(), b""):
        findings.fault(f"read: {kind}", (who.name, whose.name, foreign))
    if shown[0] != shown[1]:
        findings.fault(f"told from unknown: {kind}", (who.name, whose.name, foreign, unknown))


def _forget_again(app: Flask, who: Neighbour, reply: Reply, kept: Kept) -> None:
    """Whom we know by now under what we tried is our own customer: the next attempt is to be the first again."""
    ref = json.loads(reply.body or b"{}").get("customer_ref")
    if reply.status == 200 and ref and ref != kept.ref:
        _asked(app, Attempt("DELETE", f"/v1/customers/{ref}", None, who.key))


def _by_telephone(
    app: Flask, chance: random.Random, who: Neighbour, theirs: Kept, nobodys: Kept, findings: Findings
) -> None:
    """Twilio tells of a call to our line that has the id of a call to theirs."""
    kind = chance.choice(("status", "turn/1", "turn/2", "fallback"))
    foreign, unknown = (_webhook(app, who, kind, kept.sid, kept.ani) for kept in (theirs, nobodys))
    findings.answers[f"{kind} {foreign.status}"] += 1
    if _MARK.encode() in foreign.body:
        findings.fault(f"read: {kind}", (who.name, foreign))
    if foreign.body.replace(theirs.sid.encode(), b"*") != unknown.body.replace(nobodys.sid.encode(), b"*"):
        findings.fault(f"told from unknown: {kind}", (who.name, foreign, unknown))


def _webhook(app: Flask, who: Neighbour, kind: str, sid: str, ani: str) -> Reply:
    line = a_line(number=who.line)
    form = {"CallSid": sid, "AccountSid": line.account, "From": ani, "To": who.line, "Direction": "inbound"}
    form["CallStatus"] = "completed" if kind == "status" else "in-progress"
    if kind == "status":
        form["CallbackSource"] = "call-progress-events"
    return posted(app, kind, list(form.items()))


def _nobodys(chance: random.Random) -> Kept:
    """As long as those of somebody."""
    number = chance.randrange(1_000_000_000)
    ref = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    ani = f"+1202555{chance.randrange(1_000, 10_000)}"
    return Kept(f"nobody-{number}", ref, ani, f"none-{number}", f"key-nobody-{number}", call_sid(2 * 10**9 + number))


def _asked(app: Flask, attempt: Attempt) -> Reply:
    headers = {"Authorization": f"Bearer {attempt.key}"}
    if attempt.idempotency_key:
        headers["Idempotency-Key"] = attempt.idempotency_key
    body = b"" if attempt.body is None else json.dumps(attempt.body).encode()
    return ask(app, attempt.method, attempt.path, body, **headers)


def _without_ids(reply: Reply, kept: Kept, call_id: str) -> tuple[Any, ...]:
    """What is left to tell one from the other: all but the request's id and what was asked for."""
    body = reply.body
    for text in (kept.call_id, kept.ani, kept.account, call_id):
        body = body.replace(text.encode(), b"*")
    body = _UUID.sub(b"uuid", body)
    headers = {name: value for name, value in reply.headers.items() if name not in ("X-Request-Id", "Content-Length")}
    return reply.status, headers, body


def _show_call(key: str, kept: Kept, _: str) -> Attempt:
    return Attempt("GET", f"/v1/calls/{kept.call_id}", None, key)


def _verdict(key: str, kept: Kept, _: str) -> Attempt:
    return Attempt("POST", f"/v1/calls/{kept.call_id}/identity", {"verdict": "rejected"}, key)


def _show_customer(key: str, kept: Kept, _: str) -> Attempt:
    return Attempt("GET", f"/v1/customers/{kept.ref}", None, key)


def _forget(key: str, kept: Kept, _: str) -> Attempt:
    return Attempt("DELETE", f"/v1/customers/{kept.ref}", None, key)


def _start_by_ref(key: str, kept: Kept, call_id: str) -> Attempt:
    return Attempt("POST", "/v1/calls/start", {"call_id": call_id, "identity_hints": {"customer_ref": kept.ref}}, key)


def _end_by_ref(key: str, kept: Kept, call_id: str) -> Attempt:
    body = {"call_id": call_id, "customer_ref": kept.ref, "variables": {"name": "taken"}}
    return Attempt("POST", "/v1/calls/end", body, key)


def _start_by_account(key: str, kept: Kept, call_id: str) -> Attempt:
    hints = {"external_ids": {"crm": kept.account}}
    return Attempt("POST", "/v1/calls/start", {"call_id": call_id, "identity_hints": hints}, key)


def _start_by_number(key: str, kept: Kept, call_id: str) -> Attempt:
    body = {"call_id": call_id, "identity_hints": {"ani": kept.ani}, "telco": {"line_type": "mobile"}}
    return Attempt("POST", "/v1/calls/start", body, key)


def _replay(key: str, kept: Kept, call_id: str) -> Attempt:
    """Another realm's Idempotency-Key, with the very body that it was used with."""
    saved = {"customer_ref": kept.ref, "variables": {"name": f"{_MARK} {kept.call_id}"}, "intent": f"{_MARK}_intent"}
    return Attempt("POST", "/v1/calls/end", {"call_id": kept.call_id, **saved}, key, kept.idempotency_key)


_KIND = {
    "show a call": _show_call,
    "reject a call": _verdict,
    "show a customer": _show_customer,
    "erase a customer": _forget,
    "start by customer_ref": _start_by_ref,
    "start by external id": _start_by_account,
    "start by number": _start_by_number,
    "end by customer_ref": _end_by_ref,
    "replay an end": _replay,
}
_KINDS = tuple(_KIND)


def _one_mode(self: Registered, mode: Mode) -> Realm:
    return Realm(self.account, 2 * self.number)


def _in_every_realm(tx: Transaction, call_id: str) -> Call | None:
    """As if the query did not say which realm."""
    own = tx._scope
    try:
        for account in range(len(ORGANIZATIONS)):
            for realm in range(2):
                tx._scope = {"account": account, "realm": realm}
                if (found := _FIND(tx, call_id)) is not None:
                    return found
        return None
    finally:
        tx._scope = own


_FIND = calls.find
BUGS: dict[str, Bug] = {"mode": (Registered, "realm", _one_mode), "query": (calls, "find", _in_every_realm)}
