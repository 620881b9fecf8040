"""A telephone network in a box: plays whole calls against the webhooks of a server, as Twilio does.

From the voice URL through every document to the status callback at the end. Leaves out: sound, and what other servers
would say (a call that is redirected to another server has left).
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from types import MappingProxyType
from typing import Final

from .caller import Agent, Caller
from .exchange import Exchange
from .handover import connect, dial, enqueue
from .leg import Leg, Surroundings, Verb, Visit
from .transcript import Ending, Role, Transcript
from .verbs import SPOKEN, gather, hang_up, record, redirect, reject

ANONYMOUS: Final = "+266696687"  # what Twilio sends when the caller withholds the number; it spells ANONYMOUS
_VERBS: Final[Mapping[str, Verb]] = {
    **SPOKEN,
    "Gather": gather,
    "Redirect": redirect,
    "Reject": reject,
    "Hangup": hang_up,
    "Record": record,
    "Dial": dial,
    "Enqueue": enqueue,
    "Connect": connect,
}


def new_call_sid() -> str:
    """A CallSid that no other call has."""
    return f"CA{secrets.token_hex(16)}"


@dataclass(frozen=True, slots=True)
class Call:
    """An inbound call. `stir`: a letter (A: passed, fully attested) or a whole StirVerstat. `extra`: further fields,
    which win over the usual ones."""

    caller: str = "+14155550123"
    dialed: str = "+14155550100"
    sid: str = field(default_factory=new_call_sid)
    stir: str | None = None
    forwarded_from: str | None = None
    extra: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def fields(self, account: str) -> dict[str, str]:
        """What Twilio sends with every request of the caller's leg."""
        stir = f"TN-Validation-Passed-{self.stir}" if self.stir and len(self.stir) == 1 else self.stir
        optional = {"StirVerstat": stir, "ForwardedFrom": self.forwarded_from}
        return {
            "AccountSid": account,
            "ApiVersion": "2010-04-01",
            "CallSid": self.sid,
            "CallStatus": "ringing",
            "Direction": "inbound",
            "From": self.caller,
            "Caller": self.caller,
            "To": self.dialed,
            "Called": self.dialed,
            **{name: value for name, value in optional.items() if value is not None},
            **self.extra,
        }


def _no_time(_: float) -> None:
    """Nobody wants to know that time goes by."""


@dataclass(frozen=True, slots=True)
class Network:
    """Twilio's side of one account: whose webhooks go to the server at `public_url`, over `exchange`.

    `voice`, `fallback`, `status`: what is configured for the number, as paths below `public_url`; None: nothing.
    `most_requests`: a call that makes more goes round in circles. `now`: Unix seconds. `passes`: told the seconds that
    go by in a call, for tests that hold the server's clock.
    """

    exchange: Exchange
    public_url: str
    account: str
    voice: str = "/twilio/voice"
    fallback: str | None = "/twilio/fallback"
    status: str | None = "/twilio/status"
    most_requests: int = 60
    now: Callable[[], float] = time.time
    passes: Callable[[float], None] = _no_time

    def play(self, call: Call, caller: Caller) -> Transcript:
        """The whole call, and the status callback after it. Never raises for what the server does."""
        around = self._around(Transcript(call.sid))
        leg = Leg(around, Role.CALLER, caller, call.fields(self.account), _VERBS)
        transcript = around.transcript
        transcript.ending = leg.run(Visit("POST", self.public_url + self.voice))
        transcript.call_status = _final(leg, transcript.ending)
        if not leg.answered:
            transcript.seconds = 0
        if self.status is not None:
            unlimited = self._around(transcript, more=1)
            Leg(unlimited, Role.CALLER, caller, leg.fields, {}).notify(self._over(transcript))
        return transcript

    def tell(self, call: Call, status: str, **fields: str) -> Transcript:
        """One status callback by itself, as Twilio may send it late, twice or in another order."""
        around = self._around(Transcript(call.sid))
        leg = Leg(around, Role.CALLER, Agent(), {**call.fields(self.account), "CallStatus": status}, {})
        around.transcript.call_status = status
        over = self._over(around.transcript)
        leg.notify(Visit(over.method, over.url, {**over.fields, **fields}))
        return around.transcript

    def _around(self, transcript: Transcript, more: int = 0) -> Surroundings:
        fallback = None if self.fallback is None else self.public_url + self.fallback
        most = max(self.most_requests, len(transcript.requests)) + more
        return Surroundings(self.exchange, self.public_url, fallback, most, self.passes, transcript)

    def _over(self, transcript: Transcript) -> Visit:
        """CallDuration is in seconds, Duration in begun minutes (Twilio, "Call resource")."""
        seconds = math.ceil(transcript.seconds)
        fields = {
            "CallStatus": transcript.call_status,
            "CallDuration": str(seconds),
            "Duration": str(math.ceil(seconds / 60)),
            # Rounded up: the call took its seconds, even if it was played in less than one.
            "Timestamp": format_datetime(datetime.fromtimestamp(math.ceil(self.now()), UTC)),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": "0",
        }
        return Visit("POST", self.public_url + (self.status or "/twilio/status"), fields)


def _final(leg: Leg, ending: Ending) -> str:
    """A rejected call says why; one that nobody answered (Dial with answerOnBridge in front) was not completed."""
    if ending is Ending.REJECTED:
        return leg.fields["CallStatus"]
    return "completed" if leg.answered or ending is Ending.CUT_OFF else "no-answer"
