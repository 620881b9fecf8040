"""Random requests of every form: most of them nearly right, so that they get far before they are wrong.

The same for the same seed. Leaves out: sending them (`fuzz` in process, `sockets` as bytes).
"""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from adapter.twilio.signature import sign
from tests.builders import ACCOUNT, AUTH_TOKEN, DIALED, PUBLIC_URL, a_line, call_sid
from tests.twilio.hostile import some_hostile

_NO_TURNS = ("turn/-1", "turn/\u0661", "turn/" + "9" * 5_000)
WEBHOOKS = ("voice", "status", "fallback", "turn/0", "turn/1", "turn/2", *_NO_TURNS)
WHISPERS = (f"whisper/{a_line().key}/1", f"whisper/{a_line().key}/1/answer")
_TWILIO = tuple(f"/twilio/{name}" for name in (*WEBHOOKS, *WHISPERS))
_CALLERS = ("+14155550123", "+14155550124", "anonymous", "", "sip:a@b", "+266696687", "client:desk")
_STATUSES = ("ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled")
_FIELDS = ("From", "To", "Direction", "ParentCallSid", "StirVerstat", "Timestamp", "CallDuration", "Digits")
_FIELDS += ("SpeechResult", "DialCallStatus", "QueueResult", "SessionStatus", "RecordingUrl", "ForwardedFrom")
_HEADERS = ("Content-Type", "Idempotency-Key", "Host", "Accept", "X-Forwarded-For", "Range", "Cookie", "Expect")
_METHODS = ("POST",) * 8 + ("GET",) * 6 + ("DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "TRACE", "BREW", "get", "")
_NUMBERS: tuple[Any, ...] = (0, -1, 1, 2**31, 2**63, 10**400, 1e308, -0.0, 1.5, True, None)
REFS = tuple(f"00000000-0000-4000-8000-{number:012d}" for number in range(1, 40))


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as it goes over the wire."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody who tries everything. `keys`: API keys they have got hold of."""

    chance: random.Random
    keys: tuple[str, ...]

    def request(self) -> Asked:
        """The next one."""
        return self._webhook() if self.chance.random() < 0.4 else self._api()

    def _api(self) -> Asked:
        method, target, document = self._operation()
        body = b"" if document is None else self._written(document)
        headers = {"Authorization": f"Bearer {self.chance.choice(self.keys)}"}
        if self._rarely(0.1):
            headers["Authorization"] = self.chance.choice(("", "Bearer", "Basic eDp5", f"Bearer {self._word(60)}"))
        if self._rarely(0.3):
            headers["Idempotency-Key"] = self.chance.choice(("key-1", "key-2", self._word(20)))
        return self._spoiled(Asked(method, target, headers, body))

    def _operation(self) -> tuple[str, str, Any]:
        call, ref = self._call_id(), self.chance.choice((*REFS, self._word(36)))
        kind = self.chance.randrange(8)
        if kind < 2:
            return "POST", "/v1/calls/start", self._start(call)
        if kind < 4:
            return "POST", "/v1/calls/end", self._end(call)
        if kind == 4:
            verdict = self.chance.choice(("confirmed", "rejected", self._anything()))
            return "POST", f"/v1/calls/{_quoted(call)}/identity", {"verdict": verdict}
        if kind == 5:
            return "GET", f"/v1/calls/{_quoted(call)}", None
        if kind == 6:
            return self.chance.choice(("GET", "GET", "DELETE")), f"/v1/customers/{_quoted(ref)}", None
        return "GET", self.chance.choice(("/v1/health", "/v1/openapi.json", "/", "/docs/", "/metrics", "//v1")), None

    def _start(self, call: str) -> Any:
        return self._mutated({"call_id": call, "identity_hints": self._hints(), "telco": {"line_type": "mobile"}})

    def _end(self, call: str) -> Any:
        updates = [{"intent": self._word(12) or "x", "status": self.chance.choice(("open", "resolved"))}]
        return self._mutated(
            {
                "call_id": call,
                "customer_ref": self.chance.choice(REFS),
                "identity_hints": self._hints(),
                "intent": "refund",
                "intent_updates": [{**updates[0], "resolution": {"a": self._anything()}}],
                "variables": {"name": self._word(20), self._word(8) or "x": self._word(8)},
                "variable_updates": {"pin": {"value": "4711", "source": None, "ttl_seconds": 60}},
            }
        )

    def _hints(self) -> dict[str, Any]:
        ids = {"crm": self._word(10) or "1"}
        hints = {"ani": self.chance.choice(_CALLERS[:3]), "external_ids": ids, "customer_ref": self.chance.choice(REFS)}
        return {name: value for name, value in hints.items() if not self._rarely(0.4)}

    def _webhook(self) -> Asked:
        form = self._form()
        if self._rarely(0.1):
            return self._json_webhook(self._written(self._mutated(dict(form))))
        method = self.chance.choice(("POST", "POST", "GET"))
        target, written = self.chance.choice(_TWILIO), urlencode(form, errors="replace")
        if method == "GET":
            target, written = f"{target}?{written}", ""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if not self._rarely(0.05):
            sent = [(n.encode("utf-8", "replace").decode(), v.encode("utf-8", "replace").decode()) for n, v in form]
            headers["X-Twilio-Signature"] = sign(PUBLIC_URL + target, sent if method == "POST" else (), AUTH_TOKEN)
        return self._spoiled(Asked(method, target, headers, written.encode()), by=0.15)

    def _json_webhook(self, body: bytes) -> Asked:
        """Of which the hash is signed, as a part of the address."""
        target = f"{self.chance.choice(_TWILIO)}?bodySHA256={hashlib.sha256(body).hexdigest()}"
        signature = sign(PUBLIC_URL + target, (), AUTH_TOKEN)
        headers = {"Content-Type": "application/json", "X-Twilio-Signature": signature}
        return self._spoiled(Asked("POST", target, headers, body), by=0.15)

    def _form(self) -> list[tuple[str, str]]:
        usual = {
            "AccountSid": ACCOUNT,
            "CallSid": call_sid(self.chance.randrange(500)),
            "From": self.chance.choice(_CALLERS),
            "To": DIALED,
            "CallStatus": self.chance.choice(_STATUSES),
        }
        for _ in range(self.chance.randrange(4)):
            usual[self.chance.choice(_FIELDS)] = self.chance.choice((*_CALLERS, *_STATUSES, "1", "35", self._word(30)))
        return list(usual.items())

    def _call_id(self) -> str:
        if self._rarely(0.2):
            return self._word(20) or "x"
        return self.chance.choice((call_sid(self.chance.randrange(500)), f"call-{self.chance.randrange(200)}"))

    def _mutated(self, document: dict[str, Any]) -> Any:
        """With one to three things changed, or none."""
        for _ in range(self.chance.choice((0, 0, 1, 1, 2, 3))):
            path = self.chance.choice(list(document) or [""])
            document = dict(document)
            if self._rarely(0.3):
                document.pop(path, None)
            elif isinstance(document.get(path), dict) and self._rarely(0.6):
                document[path] = self._mutated(document[path])
            else:
                document[self.chance.choice((path, path, self._word(10)))] = self._anything()
        return document

    def _anything(self, depth: int = 0) -> Any:
        kind = self.chance.randrange(8 if depth < 3 else 4)
        if kind < 2:
            return self._word(40)
        if kind < 4:
            return self.chance.choice(_NUMBERS)
        inner = [self._anything(depth + 1) for _ in range(self.chance.randrange(4))]
        return inner if kind < 6 else {self._word(10): each for each in inner}

    def _written(self, document: Any) -> bytes:
        body = json.dumps(document).encode()
        kind = self.chance.randrange(40)
        if kind == 0:
            return b"[" * self.chance.choice((10, 100, 100_000)) + body
        if kind == 1:
            return body[: self.chance.randrange(len(body) + 1)]
        if kind == 2:
            return body + b" " * 300_000
        if kind == 3:
            at = self.chance.randrange(len(body))
            return body[:at] + bytes([self.chance.randrange(256)]) + body[at + 1 :]
        return body.replace(b'"call_id"', b'"call_id": "twice", "call_id"') if kind == 4 else body

    def _spoiled(self, asked: Asked, by: float = 0.25) -> Asked:
        """Sometimes with something about it that no program would send."""
        if not self._rarely(by):
            return asked
        kind = self.chance.randrange(5)
        if kind == 0:
            return Asked(self.chance.choice(_METHODS), asked.target, asked.headers, asked.body)
        if kind == 1:
            target = asked.target + _quoted(self._word(20), "/%?;&=#")
            return Asked(asked.method, target, asked.headers, asked.body)
        if kind == 2:
            return Asked(asked.method, asked.target, asked.headers, self.chance.randbytes(self.chance.randrange(300)))
        name, value = self.chance.choice(_HEADERS), self._word(60)
        if kind == 3:
            value = self.chance.choice(("multipart/form-data; boundary=x", "text/plain", "7", "0, 1", "100-continue"))
        return Asked(asked.method, asked.target, {**asked.headers, name: value}, asked.body)

    def _word(self, longest: int) -> str:
        if self._rarely(0.3):
            return some_hostile(self.chance)[: longest * 4]
        return "".join(self.chance.choices("abcxyz019-_ é漢😀\x00\ud800\"'\\/%&", k=self.chance.randrange(longest)))

    def _rarely(self, share: float) -> bool:
        return self.chance.random() < share


def _quoted(text: str, safe: str = "") -> str:
    return quote(text, safe=safe, errors="replace")
