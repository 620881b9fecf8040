"""One client of the storm: calls that begin, end and are hung up, by API and by webhook, and how it takes no answer.

Half of the requests without an answer are sent again until there is one, as careful clients do; the other half are
left, to be read back afterwards.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from tests.builders import call_sid
from tests.crash.ledger import CallerLog, CallLog, Effect, Fate, Ledger
from tests.serving import WORKER_HEADER, Reply, Request, Server, caller_number, line_number

CALLS_A_CALLER = 5
NEUTRAL = "We could not look you up."
INTENT = "refund"
LAST = "last"
_VOICE = "/twilio/voice"
_PAUSE_SECONDS = 0.02
_PATIENCE_SECONDS = 60.0
# Some are given to a worker that is about to end: they are never answered.
_ANSWER_SECONDS = 10.0


@dataclass
class Client:
    """A thread's work. `number` sets its callers and calls apart from those of other clients."""

    server: Server
    key: str
    ledger: Ledger
    number: int
    stop: threading.Event
    dice: random.Random

    def run(self) -> None:
        """Callers call until told to stop; what is begun is brought to its end."""
        count = 0
        while not self.stop.is_set():
            caller = self.ledger.caller(CallerLog(caller_number(self.number * 10_000 + count)))
            for place in range(CALLS_A_CALLER):
                self._call(caller, call_sid(self.number * 1_000_000 + count * 10 + place), by_voice=place % 2 == 1)
            count += 1

    def _call(self, caller: CallerLog, call_id: str, *, by_voice: bool) -> None:
        call = CallLog(call_id, f"mark-{call_id[-8:]}")
        caller.calls.append(call)
        ref = self._begin_by_voice(caller, call) if by_voice else self._begin_by_api(caller, call)
        if ref is None:
            return
        self._end(caller, call, ref)
        self._hang_up(caller, call)

    def _begin_by_api(self, caller: CallerLog, call: CallLog) -> str | None:
        request = self._post("start", {"call_id": call.call_id, "identity_hints": {"ani": caller.number}})
        reply = self._effect(call, Effect.BEGIN, request, lambda reply: reply.status in (200, 409))
        if reply is None:
            return None
        told = json.loads(reply.body)
        if reply.status == 200:
            self._compare_memory(caller, told)
            return self._knows(caller, told["customer_ref"])
        # A 409 to the first try would be another call's id.
        return self._knows(caller, told["details"]["customer_ref"])

    def _begin_by_voice(self, caller: CallerLog, call: CallLog) -> str | None:
        request = self.server.webhook("voice", line_number(0), call.call_id, caller.number)
        reply = self._effect(call, Effect.BEGIN, request, lambda reply: reply.status == 200, _is_not_neutral)
        if reply is None:
            return None
        shown = self._until_answered(Request("GET", f"/v1/calls/{call.call_id}", self._headers()))
        if shown.status != 200:
            self.ledger.fault(f"{call.call_id}: acknowledged by TwiML, then {shown.status} {shown.body}")
            return None
        return self._knows(caller, json.loads(shown.body)["customer_ref"])

    def _end(self, caller: CallerLog, call: CallLog, ref: str) -> None:
        body = {
            "call_id": call.call_id,
            "customer_ref": ref,
            "intent": INTENT,
            "variables": {call.mark: call.call_id, LAST: call.call_id},
        }
        request = self._post("end", body, {"Idempotency-Key": f"end-{call.call_id}"})
        reply = self._effect(call, Effect.END, request, lambda reply: reply.status == 200)
        if reply is not None and self.dice.random() < 0.2:
            again = self._until_answered(request)
            if (again.status, again.body) != (200, reply.body) or "idempotency-replayed" not in again.headers:
                self.ledger.fault(f"{call.call_id}: the end's kept answer is gone: {again.status} {again.body}")

    def _hang_up(self, caller: CallerLog, call: CallLog) -> None:
        request = self.server.hang_up(line_number(0), call.call_id, caller.number)
        self._effect(call, Effect.HANG_UP, request, lambda reply: reply.status == 204)

    def _effect(
        self,
        call: CallLog,
        effect: Effect,
        request: Request,
        is_answer: Callable[[Reply], bool],
        is_done: Callable[[Reply], bool] = lambda reply: True,
    ) -> Reply | None:
        """Ask for it. None: its fate is unknown and stays so until the end of the storm."""
        call.fates[effect] = Fate.UNKNOWN
        reply = self._try(request)
        if (reply is None or not is_done(reply)) and self.dice.random() < 0.5:
            reply = self._until_answered(request, is_done)
        if reply is None or not is_done(reply):
            return None
        if not is_answer(reply):
            self.ledger.fault(f"{call.call_id}: {effect} was answered {reply.status} {reply.body}")
            return None
        call.fates[effect] = Fate.SAVED
        self.ledger.saved(_worker(reply))
        return reply

    def _until_answered(self, request: Request, is_done: Callable[[Reply], bool] = lambda reply: True) -> Reply:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            reply = self._try(request)
            if reply is not None and is_done(reply):
                return reply
            if time.monotonic() > deadline:
                raise RuntimeError(f"no answer for {_PATIENCE_SECONDS:.0f} s to {request.method} {request.path}")
            time.sleep(_PAUSE_SECONDS)

    def _try(self, request: Request) -> Reply | None:
        """None: no answer, or one that says that nothing can be known."""
        self.ledger.asked()
        try:
            reply = self._sent(request)
        except (OSError, http.client.HTTPException):
            return None
        self.ledger.answered(_worker(reply))
        if request.path == _VOICE:
            self.ledger.greeted()
            if not _puts_through(reply):
                self.ledger.fault(f"a caller was not put through: {reply.status} {reply.body[:300]}")
        return None if reply.status == 503 else reply

    def _sent(self, request: Request) -> Reply:
        """Where nobody listens nothing was asked: only what was sent and not answered is of unknown fate."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return self.server.send(request, timeout=_ANSWER_SECONDS)
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE_SECONDS)

    def _knows(self, caller: CallerLog, ref: str) -> str:
        caller.refs.add(ref)
        return ref

    def _compare_memory(self, caller: CallerLog, told: dict[str, Any]) -> None:
        """A start sees every end that was acknowledged before it."""
        attempts = next((intent["attempt_count"] for intent in told["open_intents"]), 0)
        least, most = caller.ends(Fate.SAVED), caller.ends(Fate.SAVED, Fate.UNKNOWN)
        if not least <= attempts <= most:
            self.ledger.fault(f"{told['call_id']}: told {attempts} attempts, not {least} to {most}")

    def _post(self, what: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Request:
        return Request("POST", f"/v1/calls/{what}", {**self._headers(), **(headers or {})}, json.dumps(body))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}


def _worker(reply: Reply) -> str:
    return reply.headers.get(WORKER_HEADER.lower(), "")


def _puts_through(reply: Reply) -> bool:
    """Whatever is broken: TwiML that Twilio can follow, and somebody is rung."""
    try:
        document = ET.fromstring(reply.body)
    except ET.ParseError:
        return False
    return reply.status == 200 and document.tag == "Response" and document.find("Dial") is not None


def _is_not_neutral(reply: Reply) -> bool:
    return NEUTRAL not in reply.body
