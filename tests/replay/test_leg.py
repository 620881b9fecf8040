"""How a call goes from document to document."""

from __future__ import annotations

import pytest

from adapter.replay import Ending
from tests.builders import PUBLIC_URL

from .conformance import BYE, CUT_OFF, Case, the_network_does_as_twilio_does
from .pages import moved

ASK = '<Gather action="/turn" numDigits="1"><Say>Press one.</Say></Gather><Say>Nothing came.</Say>'

GOING_ON = [
    Case("Redirect asks by POST", "<Redirect>/turn</Redirect>", (), {"turn": BYE}, ["/turn"], "Goodbye."),
    Case(
        "Redirect by GET",
        '<Redirect method="GET">/turn</Redirect>',
        (),
        {"turn": BYE},
        ["GET /turn"],
        "Goodbye.",
    ),
    Case(
        "a relative address is the document's",
        "<Redirect>next</Redirect>",
        (),
        {"twilio__next": BYE},
        ["/twilio/next"],
        "Goodbye.",
    ),
    Case(
        "a fragment is never sent",
        f"<Redirect>{PUBLIC_URL}/turn#rc=2</Redirect>",
        (),
        {"turn": BYE},
        ["/turn"],
        "Goodbye.",
    ),
    Case(
        "another server is not asked: the call has left",
        "<Redirect>https://ivr.example.net/</Redirect>",
        ending=Ending.LEFT,
    ),
    Case(
        "a server whose name only begins like ours is another",
        f"<Redirect>{PUBLIC_URL}.example.net/</Redirect>",
        ending=Ending.LEFT,
    ),
    Case(
        "a redirect of HTTP loses the digits",
        ASK,
        ("1",),
        {"turn": moved("/elsewhere"), "elsewhere": BYE},
        ["/turn Digits=1 FinishedOnKey= msg=Gather End", "GET /elsewhere"],
        "Press one. Goodbye.",
    ),
    Case("307 keeps the method", moved("/turn", 307), (), {"turn": BYE}, ["/turn CallStatus=ringing"], "Goodbye."),
    Case(
        "ten redirects of HTTP are followed, the eleventh is 11215",
        moved("/turn", 307),
        (),
        {"turn": moved("/turn", 307)},
        ["/turn CallStatus=ringing"] * 10,
        CUT_OFF,
        ending=Ending.CUT_OFF,
        errors=[11215],
    ),
    Case(
        "a call that goes round in circles is stopped",
        "<Redirect/>",
        network={"most_requests": 3},
        requests=["/twilio/voice"] * 2,
        ending=Ending.LOOPED,
        errors=[0],
    ),
]


@pytest.mark.parametrize("case", [*GOING_ON], ids=lambda case: case.rule)
def test_documents_follow_each_other_as_at_twilio(case: Case) -> None:
    the_network_does_as_twilio_does(case)
