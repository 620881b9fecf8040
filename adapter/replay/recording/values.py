"""A recorded webhook as a value. Leaves out: how it is written (`lines`) and what must not be in it (`pseudonyms`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import unquote

from adapter.engine.model import Millis

_KINDS = frozenset({"voice", "fallback", "status", "turn", "whisper"})
Pairs = tuple[tuple[str, str], ...]
Receipt = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered: HTTP status, content type ("" none), and TwiML or whatever came instead."""

    status: int
    content_type: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One webhook. `at`: epoch milliseconds, None when nobody knows. `path`: as asked for; the query of a POST is part
    of it, the query of a GET is `fields`. `headers`: names in lower case. `receipt`: what was decided, as a plain
    mapping (strings, numbers, booleans, None, lists, mappings). `name`: the source's own name for it, "" none.

    Of a request to the REST API `fields` are empty; `sent` is its JSON, `key` whose API key it was: organization, mode.
    """

    method: str
    path: str
    fields: Pairs
    at: Millis | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    answer: Answer | None = None
    receipt: Receipt | None = None
    name: str = ""
    sent: object = None
    key: tuple[str, str] | None = None

    def value(self, name: str) -> str:
        """The first value of this field, "" without one."""
        return next((value for each, value in self.fields if each == name), "")

    @property
    def call(self) -> str:
        """The CallSid of the caller's own leg as far as this webhook tells: ParentCallSid, else CallSid. Of an API call
        its call_id, "" where it has none."""
        if self.is_api:
            return call_id_in(self.path) or _told(self.sent, "call_id")
        return self.value("ParentCallSid") or self.value("CallSid")

    @property
    def caller(self) -> str:
        """The number it is about, "" when it tells none."""
        if not self.is_api:
            return self.value("From")
        return _told(_hints(self.sent), "ani")

    @property
    def dialed(self) -> str:
        """The number that was called, "" when it tells none."""
        return _told(_hints(self.sent), "dnis") if self.is_api else self.value("To")

    @property
    def is_api(self) -> bool:
        """Whether it is a request to the REST API."""
        return self.key is not None

    @property
    def kind(self) -> str:
        """voice, fallback, status, turn, whisper or api: by the address if it is ours, else by the fields."""
        if self.is_api:
            return "api"
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[0] == "twilio" and len(parts) > 1 and parts[1] in _KINDS:
            return parts[1]
        return kind_of(dict(self.fields))


def call_id_in(path: str) -> str:
    """Of /v1/calls/{call_id}/identity; "" for other paths."""
    inner = path.removeprefix("/v1/calls/").removesuffix("/identity")
    return unquote(inner) if f"/v1/calls/{inner}/identity" == path else ""


def _hints(sent: object) -> object:
    return sent.get("identity_hints") if isinstance(sent, Mapping) else None


def _told(table: object, name: str) -> str:
    value = table.get(name) if isinstance(table, Mapping) else None
    return value if isinstance(value, str) else ""


def kind_of(fields: Mapping[str, str]) -> str:
    """What kind of webhook has these fields (Twilio, "TwiML for Programmable Voice", the requests' parameters)."""
    if fields.get("CallbackSource") == "call-progress-events":
        return "status"
    if "ErrorUrl" in fields:
        return "fallback"
    if fields.keys() & {"Digits", "SpeechResult", "msg", "DialCallStatus", "RecordingUrl", "QueueResult"}:
        return "turn"
    if fields.get("ParentCallSid"):
        return "whisper"
    ended = fields.get("CallStatus") in {"completed", "busy", "failed", "no-answer", "canceled"}
    return "status" if ended else "voice"
