"""What becomes of a hand-over, and every kind of destination."""

from __future__ import annotations

from adapter.replay import (
    BUSY,
    FAILED,
    HANG_UP,
    NO_ANSWER,
    SILENCE,
    Ending,
    Message,
    answered,
    declined,
    mailbox,
    speech,
)

from .row import GONE, ONCE, SENIOR, TWICE, Row
from .world import (
    CHAIN,
    FULL,
    OTHER_WAYS,
    PLAIN,
)

# What becomes of a hand-over

_FIRST, _SECOND, _THIRD = "+14155550311", "sip:desk@example.com", "desk"
_OUTCOMES = (
    Row("somebody answers and takes the call", CHAIN, (answered("1"),), "IGNORE", (), (_FIRST,), "ACCEPT?"),
    Row("busy: the next one", CHAIN, (BUSY, answered()), "IGNORE CONNECTING", (), (_FIRST, _SECOND)),
    Row(
        "the next one does not answer: the third",
        CHAIN,
        (BUSY, NO_ANSWER, answered()),
        "IGNORE CONNECTING CONNECTING",
        (),
        (_FIRST, _SECOND, _THIRD),
    ),
    Row(
        "nobody at all: a promise to call back, kept as an open intent",
        CHAIN,
        (BUSY, FAILED, NO_ANSWER),
        "IGNORE CONNECTING CONNECTING CALLBACK",
        (),
        (_FIRST, _SECOND, _THIRD),
        opens={"callback_request": 1},
    ),
    Row(
        "a mailbox answers and presses nothing: ours takes the message",
        CHAIN,
        (mailbox(), Message()),
        "IGNORE VOICEMAIL RECORDED",
        (),
        (_FIRST,),
        "ACCEPT?",
    ),
    Row("an agent declines", CHAIN, (declined(), Message()), "IGNORE VOICEMAIL RECORDED", (), (_FIRST,), "ACCEPT?"),
    Row(
        "an agent presses another key",
        CHAIN,
        (answered("5"), Message()),
        "IGNORE VOICEMAIL RECORDED",
        (),
        (_FIRST,),
        "ACCEPT?",
    ),
    Row("no message is left", CHAIN, (declined(), SILENCE), "IGNORE VOICEMAIL", (), (_FIRST,), "ACCEPT?"),
    Row(
        "hung up at the voicemail",
        CHAIN,
        (declined(), HANG_UP),
        "IGNORE VOICEMAIL",
        (),
        (_FIRST,),
        "ACCEPT?",
        ending=GONE,
    ),
    Row(
        "hung up while leaving the message",
        CHAIN,
        (declined(), Message(hangs_up=True)),
        "IGNORE VOICEMAIL",
        (),
        (_FIRST,),
        "ACCEPT?",
        ending=GONE,
    ),
    Row(
        "an outcome without a next destination: nobody can be reached",
        CHAIN,
        (NO_ANSWER,),
        "IGNORE UNREACHED",
        (),
        (_FIRST,),
    ),
    Row("hung up while it rings", CHAIN, (HANG_UP,), "IGNORE", (), (_FIRST,), ending=GONE),
    Row("nobody answers a plain line", PLAIN, (NO_ANSWER,), "IGNORE UNREACHED", (), ("+14155550199",)),
    Row("somebody answers a plain line", PLAIN, (answered(),), "IGNORE", (), ("+14155550199",)),
    Row(
        "a known caller on a plain line",
        PLAIN,
        (answered(),),
        "REUSE Maria Lopez refund 1".replace("refund", "refund request"),
        (ONCE,),
        ("+14155550199",),
        opens={"refund_request": 1},
    ),
    Row(
        "busy at the senior, who would be dialed first: the mailbox",
        FULL,
        ("1", BUSY, Message()),
        "WELCOME_BACK Maria Lopez OFFER refund 2? CONNECTING VOICEMAIL RECORDED",
        (TWICE,),
        SENIOR,
        opens={"refund_request": 3},
    ),
)

# Every kind of destination

_MENU_OF_KINDS = "MENU? room=1 task=2 bot=3 tap=4 elsewhere=5 message=6 promise=7 app=8 phone=9"
_EACH = tuple(
    Row(
        f"destination {kind}",
        OTHER_WAYS,
        (key, *after),
        f"WELCOME {_MENU_OF_KINDS} {says}".strip(),
        (),
        to,
        whispers,
        {kind: 1, **more},
        ending=ending,
    )
    for key, kind, after, says, to, whispers, more, ending in (
        ("1", "room", (), "CONNECTING", ("room",), "", {}, Ending.HUNG_UP),
        ("2", "task", (), "CONNECTING", ("WW" + "0" * 32,), "", {}, Ending.HUNG_UP),
        ("3", "bot", (), "CONNECTING", ("wss://bot.example.com/relay",), "", {}, Ending.HUNG_UP),
        ("4", "tap", (), "CONNECTING", ("wss://bot.example.com/stream",), "", {}, Ending.HUNG_UP),
        ("5", "elsewhere", (), "CONNECTING", (), "", {}, Ending.LEFT),
        ("6", "message", (Message(),), "VOICEMAIL RECORDED", (), "", {}, Ending.HUNG_UP),
        ("7", "promise", (), "CALLBACK", (), "", {"callback_request": 1}, Ending.HUNG_UP),
        ("8", "app", (), "CONNECTING", ("desk",), "WHISPER |app|1|ignore|0", {}, Ending.HUNG_UP),
        (
            "9",
            "phone",
            (),
            "CONNECTING",
            ("sip:desk@example.com",),
            "WHISPER |phone|1|ignore|0 ACCEPT?",
            {},
            Ending.HUNG_UP,
        ),
    )
)
_REST = (
    Row(
        "nothing chosen, and the line hangs up",
        OTHER_WAYS,
        (SILENCE, SILENCE),
        f"WELCOME {_MENU_OF_KINDS} AGAIN {_MENU_OF_KINDS} GOODBYE",
    ),
    Row(
        "speech that looks like a key",
        OTHER_WAYS,
        (speech("room"),),
        f"WELCOME {_MENU_OF_KINDS} CONNECTING",
        (),
        ("room",),
        opens={"room": 1},
    ),
)

OUTCOMES = (*_OUTCOMES, *_EACH, *_REST)
