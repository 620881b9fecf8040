"""Requests as a server hands them to the app, to the byte, and what to look at in the answers.

The test client tidies addresses and refuses odd methods and headers; the internet does neither.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode
from xml.etree import ElementTree as ET

import pytest
from flask import Flask

from adapter.app import create_app
from adapter.errors import StoreUnavailable
from adapter.store.tables import metadata
from adapter.twilio.signature import sign
from tests import databases
from tests.builders import (
    ACCOUNT,
    AGENTS,
    AUTH_TOKEN,
    DIALED,
    PUBLIC_URL,
    Api,
    CountedIds,
    ToldClock,
    a_config,
    call_sid,
)

NEUTRAL = "Welcome. One moment, please."
Fields = Sequence[tuple[str, str]]


@dataclass
class Reply:
    """What came back over WSGI."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(app: Flask, method: str, target: str, body: bytes = b"", **headers: str) -> Reply:
    """One request as a server hands it over: the target as it came over the wire, which the test client would tidy."""
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _unescaped(path),
        "QUERY_STRING": query,
        "RAW_URI": target,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    told: list[Any] = []
    chunks = app.wsgi_app(environ, lambda status, pairs, *_: told.extend((status, dict(pairs))))
    try:
        answered = b"".join(chunks)
    finally:
        getattr(chunks, "close", lambda: None)()
    return Reply(int(told[0].split()[0]), told[1], answered)


def _unescaped(path: str) -> str:
    """PATH_INFO: percent-escapes decoded to bytes, bytes as Latin-1 (PEP 3333)."""
    return unquote_to_bytes(path.encode("latin-1", "replace")).decode("latin-1")


def posted(app: Flask, kind: str, fields: Fields, token: str = AUTH_TOKEN, signature: str | None = None) -> Reply:
    url = f"{PUBLIC_URL}/twilio/{kind}"
    signed = sign(url, fields, token) if signature is None else signature
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8", "X-Twilio-Signature": signed}
    return ask(app, "POST", f"/twilio/{kind}", urlencode(fields).encode(), **headers)


def got(app: Flask, kind: str, query: str, token: str = AUTH_TOKEN, signed_query: str | None = None) -> Reply:
    target = f"/twilio/{kind}?{query}"
    signed = f"{PUBLIC_URL}/twilio/{kind}?{query if signed_query is None else signed_query}"
    return ask(app, "GET", target, **{"X-Twilio-Signature": sign(signed, (), token)})


def a_call(number: int, caller: str = "+14155550123", **fields: str) -> list[tuple[str, str]]:
    usual = {"CallSid": call_sid(number), "AccountSid": ACCOUNT, "From": caller, "To": DIALED, "Direction": "inbound"}
    return list({**usual, "CallStatus": "ringing", **fields}.items())


def stored(folder: Path) -> str:
    """Everything in the database, as text."""
    return "\n".join(repr(row) for table in metadata.tables for row in databases.rows(folder, f"SELECT * FROM {table}"))


def speech(reply: Reply) -> str:
    """What the caller hears; asserts that it is TwiML that Twilio would take."""
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/xml; charset=utf-8")
    document = ET.fromstring(reply.body)
    assert document.tag == "Response"
    assert len(document) > 0, "an empty Response hangs up on the caller"
    return document.findtext("Say") or ""


def puts_through(reply: Reply) -> bool:
    return ET.fromstring(reply.body).findtext("Dial/Number") == AGENTS


@contextmanager
def an_app(folder: Path, *organizations: Any, **changes: Any) -> Iterator[Flask]:
    config = a_config(folder, *organizations, **changes)
    databases.brought_up_to_date(config.database.url)
    app = create_app(config, clock=ToldClock(), ids=CountedIds())
    yield app
    app.extensions["sticky-calls"].store.close()


def lose_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("the database is away")

    databases.replace_in_stores(monkeypatch, "begin", away)


def events(api: Api, call_id: str) -> list[str]:
    return [event["event"] for event in api.call(call_id).json["timeline"]]


def is_twiml(reply: Reply, method: str) -> bool:
    if not reply.headers["Content-Type"].startswith("text/xml"):
        return False
    return method == "HEAD" or ET.fromstring(reply.body).tag == "Response"


def is_json(reply: Reply, method: str) -> bool:
    if reply.headers["Content-Type"] != "application/json":
        return False
    if method == "HEAD":
        return True
    told = json.loads(reply.body)
    return isinstance(told, dict) and (reply.status < 400 or {"error", "message"} <= set(told))
