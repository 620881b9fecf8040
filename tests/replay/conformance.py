"""The interpreter's conformance table, row by row: what a server answers, what a caller does, what is then seen.

The rows are in test_verbs, test_handover, test_leg and test_document.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adapter.replay import Call, Ending, Request, Script, Transcript
from tests.builders import PUBLIC_URL

from .pages import Answer, around, pages

CUT_OFF = "We are sorry. An application error has occurred. Goodbye."
BYE = "<Say>Goodbye.</Say>"
# What each request of the caller's leg carries, and ids that are made up; only the rest is compared.
IDS = {"DialCallSid", "DialSipCallId", "ParentCallSid", "QueueSid", "RecordingSid", "RecordingUrl", "SessionId"}
USUAL = {*Call().fields(""), *IDS}


@dataclass
class Case:
    """What the server answers, what the caller does, and what is seen: requests as "path Field=value …"."""

    rule: str
    voice: Answer
    script: tuple[Any, ...] = ()
    others: dict[str, Any] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    said: str = ""
    whispered: str = ""
    ending: Ending = Ending.DOCUMENT_ENDED
    status: str = "completed"
    errors: list[int] = field(default_factory=list)
    warnings: list[int] = field(default_factory=list)
    network: dict[str, Any] = field(default_factory=dict)
    caller: str = Call().caller


def the_network_does_as_twilio_does(case: Case) -> None:
    """Play it and compare everything, the frame that every call has included."""
    played = around(pages(case.voice, **case.others), **case.network).play(Call(case.caller), script_of(case.script))
    assert [seen(each) for each in played.requests[1:-1]] == case.requests
    assert (played.said, played.whispered) == (case.said, case.whispered)
    assert (played.ending, played.call_status) == (case.ending, case.status)
    assert [each.code for each in played.errors] == case.errors
    assert [each.code for each in played.warnings] == case.warnings
    the_call_was_told_of(played)


def script_of(items: tuple[Any, ...]) -> Script:
    """ "!words" hangs up when these words are heard."""
    hung = next((item[1:] for item in items if isinstance(item, str) and item.startswith("!")), None)
    return Script(*(item for item in items if item != f"!{hung}"), hangs_up_hearing=hung)


def seen(request: Request) -> str:
    """CallStatus only where it is not the usual one."""
    told = [
        f"{name}={value}"
        for name, value in request.fields.items()
        if name not in USUAL or (name == "CallStatus" and value != "in-progress")
    ]
    method = "" if request.method == "POST" else f"{request.method} "
    return " ".join([method + request.url.removeprefix(PUBLIC_URL), *told])


def the_call_was_told_of(played: Transcript) -> None:
    """First the voice URL, while it rings; last the status callback."""
    first, last = played.requests[0], played.requests[-1]
    assert (first.url, first.fields["CallStatus"]) == (f"{PUBLIC_URL}/twilio/voice", "ringing")
    assert (last.url, last.fields["CallStatus"]) == (f"{PUBLIC_URL}/twilio/status", played.call_status)
    assert last.fields["CallDuration"].isdecimal()
    assert last.fields["CallbackSource"] == "call-progress-events"
