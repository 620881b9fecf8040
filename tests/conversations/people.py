"""Several people on one number, and callers whom no number identifies."""

from __future__ import annotations

from adapter.replay import (
    HANG_UP,
    SILENCE,
    Keys,
    Speech,
)

from .row import ANA, BEN, BILLING, CLIENT, GONE, ORDERS, SUPPORT, Row
from .world import (
    BY_NAME,
    FULL,
    MENU,
    OWN_ACCOUNT,
    Person,
)

# Several people on one number

_SHARED = (
    Row(
        "the name decides whose memory it is",
        BY_NAME,
        ("this is Ben Moss",),
        "WELCOME WHO? VERIFIED Ben Moss CONNECTING",
        (ANA, BEN),
        SUPPORT,
        verdict="confirmed",
    ),
    Row(
        "so does the other name",
        BY_NAME,
        ("Ana Moss",),
        "WELCOME WHO? VERIFIED Ana Moss CONNECTING",
        (ANA, BEN),
        SUPPORT,
        verdict="confirmed",
    ),
    Row(
        "the PIN tells people apart, too",
        FULL,
        ("1111#", "2"),
        f"WELCOME PIN? VERIFIED Ana Moss {MENU} CONNECTING",
        (ANA, BEN),
        ORDERS,
        opens={"order_status": 1},
        verdict="confirmed",
    ),
    Row(
        "a third person on the number is new, and nobody's memory is touched",
        BY_NAME,
        ("Carl Moss", "Carl Moss", "Carl Moss"),
        "WELCOME WHO? AGAIN WHO? AGAIN WHO? NOT_VERIFIED CONNECTING",
        (ANA, BEN),
        SUPPORT,
    ),
    Row(
        "silence on a shared number",
        BY_NAME,
        (SILENCE, SILENCE, SILENCE),
        "WELCOME WHO? AGAIN WHO? AGAIN WHO? NOT_VERIFIED CONNECTING",
        (ANA, BEN),
        SUPPORT,
    ),
    Row("hung up at the question who it is", BY_NAME, (HANG_UP,), "WELCOME WHO?", (ANA, BEN), ending=GONE),
    Row(
        "keys are nobody's name",
        BY_NAME,
        ("1", "this is Ben Moss"),
        "WELCOME WHO? AGAIN WHO? VERIFIED Ben Moss CONNECTING",
        (ANA, BEN),
        SUPPORT,
        verdict="confirmed",
    ),
    Row(
        "hung up with the name on its way: it was theirs all the same",
        BY_NAME,
        (Speech("this is Ben Moss", hangs_up=True),),
        "WELCOME WHO?",
        (ANA, BEN),
        verdict="confirmed",
        ending=GONE,
    ),
)

# Callers who name their account

_SPOKEN = Person({"name": "Maria Lopez", "pin": "4711"}, {"account_number": "8812"})

_IDENTIFY = (
    Row(
        "an anonymous caller names the account, proves it and is known",
        FULL,
        (OWN_ACCOUNT, "4711#", "2"),
        f"WELCOME ACCOUNT 4? PIN? VERIFIED Maria Lopez {MENU} CONNECTING",
        (CLIENT,),
        ORDERS,
        opens={"order_status": 1},
        verdict="confirmed",
        anonymous=True,
    ),
    Row(
        "an account may be said",
        FULL,
        ("eight eight one two", "4711#", "2"),
        f"WELCOME ACCOUNT 4? PIN? VERIFIED Maria Lopez {MENU} CONNECTING",
        (_SPOKEN,),
        ORDERS,
        opens={"order_status": 1},
        verdict="confirmed",
        anonymous=True,
    ),
    Row(
        "an account that nobody has sounds the same",
        FULL,
        ("9999", "4711#", "4711#", "4711#", "2"),
        f"WELCOME ACCOUNT 4? PIN? AGAIN PIN? AGAIN PIN? NOT_VERIFIED {MENU} CONNECTING",
        (CLIENT,),
        ORDERS,
        opens={"order_status": 1},
        anonymous=True,
    ),
    Row(
        "somebody else's account without the PIN is of no use",
        FULL,
        (OWN_ACCOUNT, "1#", "2#", "3#", "2"),
        f"WELCOME ACCOUNT 4? PIN? AGAIN PIN? AGAIN PIN? NOT_VERIFIED {MENU} CONNECTING",
        (CLIENT,),
        ORDERS,
        opens={"order_status": 1},
        anonymous=True,
    ),
    Row(
        "an account of the wrong length is asked for again",
        FULL,
        ("881", OWN_ACCOUNT, "4711#", "2"),
        f"WELCOME ACCOUNT 4? AGAIN ACCOUNT 4? PIN? VERIFIED Maria Lopez {MENU} CONNECTING",
        (CLIENT,),
        ORDERS,
        opens={"order_status": 1},
        verdict="confirmed",
        anonymous=True,
    ),
    Row(
        "who names no account goes on",
        FULL,
        (SILENCE, SILENCE, "3"),
        f"WELCOME ACCOUNT 4? AGAIN ACCOUNT 4? {MENU} CONNECTING",
        (),
        SUPPORT,
        opens={"complaint": 1},
        anonymous=True,
    ),
    Row("hung up at the account", FULL, (HANG_UP,), "WELCOME ACCOUNT 4?", (), ending=GONE, anonymous=True),
    Row(
        "hung up with the account on its way: nobody proved anything",
        FULL,
        (Keys("9999", hangs_up=True),),
        "WELCOME ACCOUNT 4?",
        (CLIENT,),
        ending=GONE,
        anonymous=True,
    ),
    Row(
        "a number that is new is asked, too",
        FULL,
        (SILENCE, SILENCE, "1"),
        f"WELCOME ACCOUNT 4? AGAIN ACCOUNT 4? {MENU} CONNECTING",
        (),
        BILLING,
        "WHISPER |refund|1|ignore|0",
        {"refund_request": 1},
    ),
)

PEOPLE = (*_SHARED, *_IDENTIFY)
