"""Who wants to be forgotten: asked once more when they have proved who they are, and nobody else."""

from __future__ import annotations

from adapter.replay import HANG_UP, SILENCE, Ending, Keys

from .row import GONE, KNOWN, MARIA, SUPPORT, Row
from .world import FORGETTING as LINE

_MENU = "MENU? refund request=1 order status=2 forget me=9"
_PROVED = f"WELCOME PIN? VERIFIED Maria Lopez n0te {_MENU}"
FORGETTING = (
    Row(
        "a probable caller who gave the PIN is forgotten",
        LINE,
        (Keys("4711#"), "9", "1"),
        f"{_PROVED} FORGET? FORGOTTEN",
        (MARIA,),
        verdict="confirmed",
    ),
    Row(
        "in words, too",
        LINE,
        (Keys("4711#"), "please forget me", "yes"),
        f"{_PROVED} FORGET? FORGOTTEN",
        (MARIA,),
        verdict="confirmed",
    ),
    Row(
        "no keeps everything, and the wish is not left open",
        LINE,
        (Keys("4711#"), "9", "2"),
        f"{_PROVED} FORGET? CONNECTING",
        (MARIA,),
        SUPPORT,
        verdict="confirmed",
    ),
    Row(
        "silence is no yes",
        LINE,
        (Keys("4711#"), "9", SILENCE, SILENCE),
        f"{_PROVED} FORGET? AGAIN FORGET? CONNECTING",
        (MARIA,),
        SUPPORT,
        opens={"forget_me": 1},
        verdict="confirmed",
    ),
    Row(
        "a wrong key is no yes, and a yes after it is one",
        LINE,
        (Keys("4711#"), "9", "7", "1"),
        f"{_PROVED} FORGET? AGAIN FORGET? FORGOTTEN",
        (MARIA,),
        verdict="confirmed",
    ),
    Row(
        "hung up at the question nothing is forgotten",
        LINE,
        (Keys("4711#"), "9", HANG_UP),
        f"{_PROVED} FORGET?",
        (MARIA,),
        opens={"forget_me": 1},
        verdict="confirmed",
        ending=GONE,
    ),
    Row(
        "hung up with the no on its way, neither",
        LINE,
        (Keys("4711#"), "9", Keys("2", hangs_up=True)),
        f"{_PROVED} FORGET?",
        (MARIA,),
        verdict="confirmed",
        ending=GONE,
    ),
    Row(
        "hung up with the yes on its way everything is",
        LINE,
        (Keys("4711#"), "9", Keys("1", hangs_up=True)),
        f"{_PROVED} FORGET?",
        (MARIA,),
        verdict="confirmed",
        ending=GONE,
    ),
    Row(
        "who did not prove who they are is not asked",
        LINE,
        (SILENCE, SILENCE, SILENCE, "9"),
        f"WELCOME PIN? AGAIN PIN? AGAIN PIN? NOT_VERIFIED {_MENU} CONNECTING",
        (KNOWN,),
        SUPPORT,
        opens={"forget_me": 1},
    ),
    Row(
        "nor is who gave the wrong PIN",
        LINE,
        (Keys("1#"), Keys("2#"), Keys("3#"), "9"),
        f"WELCOME PIN? AGAIN PIN? AGAIN PIN? NOT_VERIFIED {_MENU} CONNECTING",
        (MARIA,),
        SUPPORT,
        opens={"forget_me": 1},
        verdict="rejected",
    ),
    Row(
        "a new caller has nothing to be forgotten and is put through",
        LINE,
        ("9",),
        f"WELCOME {_MENU} CONNECTING",
        to=SUPPORT,
        opens={"forget_me": 1},
        ending=Ending.HUNG_UP,
    ),
)
