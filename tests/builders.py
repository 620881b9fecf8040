"""What tests are built from: a clock that is told the time, ids that count, clients that authenticate and sign."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adapter.config import Config, DatabaseConfig, TwilioAccount, TwilioConfig
from adapter.engine.line import Destination, DestinationKind, Line
from adapter.engine.model import Mode, Organization, Plan, Tier
from adapter.store import keys
from adapter.twilio.signature import sign
from tests import databases

NOW = 1_770_460_200_000  # 2026-02-07T10:30:00.000Z, the reference's own example
ACCOUNT = "AC" + "a" * 32
AUTH_TOKEN = "token-of-the-tests"
PUBLIC_URL = "https://voice.example.com"
DIALED = "+14155550100"
AGENTS = "+14155550199"
PEPPER = b"pepper-of-the-tests-32-bytes-lng"


@dataclass
class ToldClock:
    """Wall time and steady time, moved by hand."""

    wall: int = NOW
    ticks: int = NOW

    def now(self) -> int:
        return self.wall

    def steady(self) -> int:
        return self.ticks

    def advance(self, *, days: float = 0, hours: float = 0, seconds: float = 0, ms: int = 0) -> None:
        """Time passes."""
        passed = ms + round(1000 * (seconds + 3_600 * hours + 86_400 * days))
        self.wall += passed
        self.ticks += passed

    def set_wall(self, wall: int) -> None:
        """Somebody sets the clock; no time passes."""
        self.wall = wall


@dataclass
class CountedIds:
    """Ids that count: the same run gives the same ids."""

    count: int = 0

    def customer_ref(self) -> str:
        self.count += 1
        return str(uuid.UUID(int=(4 << 76) | (8 << 60) | self.count))

    def request_id(self) -> str:
        return "req_test"


def a_line(**changes: Any) -> Line:
    """The tests' line: dials the agents."""
    values = {
        "account": ACCOUNT,
        "number": DIALED,
        "organization": "acme",
        "mode": Mode.PROD,
        "destination": Destination(DestinationKind.DIAL, AGENTS),
    }
    return Line(**{**values, **changes})


def an_organization(name: str = "acme", per_minute: int | None = None, monthly: int | None = None) -> Organization:
    """Unlimited unless said otherwise: most tests are not about limits."""
    return Organization(name, Tier("test", per_minute), Plan(f"ba_{name}", monthly))


def a_twilio(*accounts: TwilioAccount) -> TwilioConfig:
    """A slow machine is no reason for the neutral greeting here: tests are about what is said, not how fast."""
    return TwilioConfig(PUBLIC_URL, accounts, webhook_deadline_ms=12_000)


def a_config(folder: Path, *organizations: Organization, **changes: Any) -> Config:
    """A configuration with one Twilio account, one line and the database that belongs to `folder`."""
    values = {
        "database": DatabaseConfig(databases.url_in(folder), state_dir=str(folder / "state")),
        "organizations": organizations or (an_organization(),),
        "twilio": a_twilio(TwilioAccount(ACCOUNT, (AUTH_TOKEN,))),
        "lines": (a_line(),),
    }
    config = Config(**{**values, **changes})
    if config.database.is_postgresql and config.security.pepper is None:
        return replace(config, security=replace(config.security, pepper=PEPPER))
    return config


def issue_key(app: Flask, organization: str = "acme", mode: Mode = Mode.PROD) -> str:
    """A new API key of the app's organization."""
    service = app.extensions["sticky-calls"]
    secret, _ = keys.issue(service.store, service.directory.pepper, organization, mode, "tests", service.clock.now())
    return secret


@dataclass
class Api:
    """A REST client of the app under test."""

    client: FlaskClient
    key: str

    def start(self, call_id: str, telco: str | None = None, **hints: Any) -> TestResponse:
        body: dict[str, Any] = {"call_id": call_id, "identity_hints": hints}
        if telco:
            body["telco"] = {"line_type": telco}
        return self.post("/v1/calls/start", body)

    def end(self, call_id: str, idempotency_key: str | None = None, **body: Any) -> TestResponse:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self.post("/v1/calls/end", {"call_id": call_id, **body}, headers)

    def verdict(self, call_id: str, verdict: str) -> TestResponse:
        return self.post(f"/v1/calls/{call_id}/identity", {"verdict": verdict})

    def call(self, call_id: str) -> TestResponse:
        return self.client.get(f"/v1/calls/{call_id}", headers=self._auth())

    def customer(self, ref: str) -> TestResponse:
        return self.client.get(f"/v1/customers/{ref}", headers=self._auth())

    def forget(self, ref: str) -> TestResponse:
        return self.client.delete(f"/v1/customers/{ref}", headers=self._auth())

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> TestResponse:
        return self.client.post(path, data=json.dumps(body), headers={**self._auth(), **(headers or {})})

    def _auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}


@dataclass
class Twilio:
    """Twilio's side: signs what it sends for the configured public URL."""

    client: FlaskClient
    public_url: str = PUBLIC_URL
    token: str = AUTH_TOKEN
    defaults: dict[str, str] = field(
        default_factory=lambda: {
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
            "Direction": "inbound",
            "To": DIALED,
            "Called": DIALED,
        }
    )

    def voice(self, call_sid: str, caller: str = "+14155550123", **fields: str) -> TestResponse:
        return self.post("voice", CallSid=call_sid, From=caller, Caller=caller, CallStatus="ringing", **fields)

    def status(self, call_sid: str, caller: str = "+14155550123", **fields: str) -> TestResponse:
        told = {
            "CallSid": call_sid,
            "From": caller,
            "Caller": caller,
            "CallStatus": "completed",
            "CallbackSource": "call-progress-events",
            "CallDuration": "35",
            "Duration": "1",
            "SequenceNumber": "0",
        }
        return self.post("status", **{**told, **fields})

    def post(self, kind: str, **fields: str) -> TestResponse:
        """POST /twilio/{kind} with the usual fields and these, signed."""
        form = {**self.defaults, **fields}
        signature = sign(f"{self.public_url}/twilio/{kind}", list(form.items()), self.token)
        return self.client.post(f"/twilio/{kind}", data=form, headers={"X-Twilio-Signature": signature})


def call_sid(number: int) -> str:
    """A well-formed CallSid."""
    return f"CA{number:032x}"
