"""Twilio, played: a telephone network in a box, and recorded webhooks sent again.

    exchange = WsgiExchange(app, public_url, token)             # or HttpExchange(public_url, token, base_url)
    network = Network(exchange, public_url, account)
    call = Call(caller="+14155550123", dialed="+14155550100", stir="A")
    played = network.play(call, Script("1", "refund please", SILENCE, answered("1")))
    played.said         # all that the caller heard          played.whispered    # all that the agent heard
    played.questions    # each Gather and Record             played.handovers    # target, context, status, bridged
    played.requests     # url, fields, status, document      played.clean        # no errors, no warnings
    played.ending, played.call_status, played.errors, played.warnings

Recorded webhooks: `recording` (the format), `pseudonyms`, `importers`, `compare`, `rerun` (playing them again).
`caller`: who is at the phone (Script, Keys, Speech, SILENCE, HANG_UP, answered, BUSY …). `troubles`: webhooks twice,
late, lost. `phone`: Network and Call. Leaves out: what the answers should be (tests), the demo's words (`cli.demo`).
"""

from .caller import (
    BUSY,
    FAILED,
    HANG_UP,
    NO_ANSWER,
    SILENCE,
    Agent,
    Answered,
    Caller,
    Keys,
    Message,
    Person,
    Script,
    ScriptError,
    Speech,
    answered,
    declined,
    mailbox,
    speech,
)
from .exchange import Exchange, HttpExchange, NoAnswer, Reply, WsgiExchange
from .phone import ANONYMOUS, Call, Network, new_call_sid
from .transcript import Ending, Handover, Heard, Question, Request, Role, Transcript, Trouble
from .troubles import Held, Lost, Remembered, Twice

__all__ = [
    "ANONYMOUS",
    "BUSY",
    "FAILED",
    "HANG_UP",
    "NO_ANSWER",
    "SILENCE",
    "Agent",
    "Answered",
    "Call",
    "Caller",
    "Ending",
    "Exchange",
    "Handover",
    "Heard",
    "Held",
    "HttpExchange",
    "Keys",
    "Lost",
    "Message",
    "Network",
    "NoAnswer",
    "Person",
    "Question",
    "Remembered",
    "Reply",
    "Request",
    "Role",
    "Script",
    "ScriptError",
    "Speech",
    "Transcript",
    "Trouble",
    "Twice",
    "WsgiExchange",
    "answered",
    "declined",
    "mailbox",
    "new_call_sid",
    "speech",
]
