"""Genuine webhooks, changed: none may be taken for Twilio's own that says something else than was signed.

Four changes leave a signature right, and are told apart (Twilio, "Webhooks security"): the order of a form's fields
and repeated fields (it is sorted and made a set), a query spelled plain or escaped, a question mark that no query
follows, and characters moved over the border between fields, which Twilio does not sign. The last is why every field is
read by itself (`twilio.forms`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode

from flask import Flask

from adapter.twilio import signature
from adapter.twilio.signature import sign
from adapter.web.webhooks import genuine
from tests import databases
from tests.abuse.findings import Findings
from tests.abuse.places import in_memory
from tests.abuse.planted import Bug, planted
from tests.builders import AUTH_TOKEN, PUBLIC_URL
from tests.conformance.wire import a_call, an_app, ask

_KINDS = ("voice", "status", "fallback", "turn/1")
_REFUSED = 403
_ACCEPTED = (200, 204)
_ALPHABET = "abcXYZ019+-_%&=/?:@ 'é;#."


@dataclass(frozen=True, slots=True)
class Webhook:
    """What is sent: path, query, form (as written) and signature."""

    method: str
    path: str
    query: str
    body: str
    signature: str

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def fields(self) -> list[tuple[str, str]]:
        """As the app reads them."""
        return parse_qsl(self.body if self.method == "POST" else self.query, keep_blank_values=True)


def examine(count: int, seed: int, store: str = "sqlite", bug: str | None = None) -> Findings:
    """What came of `count` changed webhooks. `bug`: one of `BUGS`."""
    databases.kind = store
    chance, findings = random.Random(seed), Findings()
    with in_memory() as folder, an_app(folder) as app, planted(BUGS, bug):
        while findings.tried < count:
            right = genuine_one(chance)
            if _status(app, right) == _REFUSED:
                findings.fault("blind: a genuine webhook was refused", right)
            for _ in range(20):
                judge(app, right, changed(right, chance), findings)
    databases.postgresql.take_back()
    return findings


def judge(app: Flask, right: Webhook, wrong: Webhook, findings: Findings) -> None:
    """Send it; only one that is signed by what Twilio signs may be accepted."""
    equivalent = equivalence(right, wrong)
    if equivalent:
        findings.told[equivalent] += 1
        return
    findings.tried += 1
    status = _status(app, wrong)
    findings.answers[str(status)] += 1
    if status in _ACCEPTED:
        findings.fault(f"accepted, status {status}", (right, wrong))


def equivalence(right: Webhook, wrong: Webhook) -> str:
    """Why this change leaves what was signed as it is; "" for a forgery."""
    if (right.method, right.signature) != (wrong.method, wrong.signature):
        return ""
    if right.path != wrong.path:
        same = (f"{right.target}?", right.body) == (wrong.target, wrong.body)
        return "a question mark before nothing" if same else ""
    if right.method == "GET":
        same = unquote(right.query) == unquote(wrong.query) and sorted(right.fields) == sorted(wrong.fields)
        return "the same query, spelled otherwise" if same else ""
    if right.query != wrong.query:
        return ""
    if {*right.fields} == {*wrong.fields}:
        return "the same fields"
    return "borders between fields" if _flat(right.fields) == _flat(wrong.fields) else ""


def _flat(fields: Sequence[tuple[str, str]]) -> str:
    return "".join(name + value for name, value in sorted({*fields}))


def genuine_one(chance: random.Random) -> Webhook:
    """As Twilio sends it."""
    kind = chance.choice(_KINDS)
    more = {"CallerName": "Zoë O'Neil", "FromCity": "SAN JOSE", "SpeechResult": "a+b & c=d"}
    told = {name: value for name, value in more.items() if chance.random() < 0.5}
    status = {"CallStatus": "completed", "CallbackSource": "call-progress-events"} if kind == "status" else {}
    written = urlencode(a_call(chance.randrange(1_000_000), **told, **status))
    path, method = f"/twilio/{kind}", chance.choice(("POST", "GET"))
    query, body = ("", written) if method == "POST" else (written, "")
    if method == "POST" and chance.random() < 0.3:
        query = "tenant=a&x=1"
    bare = Webhook(method, path, query, body, "")
    signed = sign(PUBLIC_URL + bare.target, bare.fields if method == "POST" else (), AUTH_TOKEN)
    return Webhook(method, path, query, body, signed)


def changed(right: Webhook, chance: random.Random) -> Webhook:
    """With something about it changed."""
    written = right.body or right.query
    kind = chance.randrange(8)
    if kind == 0:
        signed = chance.choice((_edited(right.signature, chance), _in_other_case(right.signature, chance)))
        return Webhook(right.method, right.path, right.query, right.body, signed)
    if kind == 1:
        path = chance.choice(("/" + _edited(right.path[1:], chance), *(f"/twilio/{kind}" for kind in _KINDS)))
        return Webhook(right.method, path, right.query, right.body, right.signature)
    if kind == 2:
        fields = parse_qsl(written, keep_blank_values=True)
        written = urlencode(_other_fields(fields, chance))
    elif kind == 3:
        other = {"POST": "GET", "GET": "POST"}[right.method]
        moved = (written, "") if other == "GET" else ("", written)
        return Webhook(other, right.path, *moved, right.signature)
    elif kind == 4:
        return Webhook(right.method, right.path, _edited(right.query, chance), right.body, right.signature)
    else:
        for _ in range(chance.choice((1, 1, 2, 5))):
            written = _edited(written, chance)
    query, body = (right.query, written) if right.method == "POST" else (written, "")
    return Webhook(right.method, right.path, query, body, right.signature)


def _other_fields(fields: list[tuple[str, str]], chance: random.Random) -> list[tuple[str, str]]:
    at = chance.randrange(len(fields))
    name, value = fields[at]
    kind = chance.randrange(5)
    if kind == 0:
        return fields[:at] + fields[at + 1 :]
    if kind == 1:
        return [*fields, (chance.choice(("From", "CallSid", "Extra")), "+14155550999")]
    if kind == 2:
        return chance.sample(fields, len(fields))
    if kind == 3:
        return [*fields[:at], (name + value[:1], value[1:]), *fields[at + 1 :]]
    return [*fields[:at], (name, chance.choice(("+14155550999", value.swapcase(), value + " "))), *fields[at + 1 :]]


def _in_other_case(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + text[at].swapcase() + text[at + 1 :]


def _edited(text: str, chance: random.Random) -> str:
    at, char = chance.randrange(len(text) + 1), chance.choice(_ALPHABET)
    return chance.choice((text[:at] + char + text[at:], text[:at] + text[at + 1 :], text[:at] + char + text[at + 1 :]))


def _status(app: Flask, webhook: Webhook) -> int:
    target = webhook.target.encode().decode("latin-1")
    headers = {"X-Twilio-Signature": webhook.signature.encode().decode("latin-1")}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    return ask(app, webhook.method, target, webhook.body.encode(), **headers).status


def _without_query(base: str, target: str) -> str:
    return signature.public_url(base, target).partition("?")[0]


def _values_alone(fields: Sequence[tuple[str, str]]) -> bytes:
    return "".join(value for _, value in sorted({*fields})).encode()


def _in_any_case(one: bytes, other: bytes) -> bool:
    return one.lower() == other.lower()


BUGS: dict[str, Bug] = {
    "query": (genuine, "public_url", _without_query),
    "names": (signature, "_flat", _values_alone),
    "case": (signature.hmac, "compare_digest", _in_any_case),
}
