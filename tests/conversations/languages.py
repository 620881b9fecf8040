"""Lines that speak several languages."""

from __future__ import annotations

from adapter.replay import (
    HANG_UP,
    SILENCE,
    Keys,
)

from .row import GONE, SUPPORT, Row
from .world import (
    LANGUAGES,
    known,
)

# Languages

_OPTION_ES = "ES:MENU? ES:reembolso=1"
_LANGUAGES = (
    Row(
        "the default language by key",
        LANGUAGES,
        ("1", "1"),
        "WELCOME LANGUAGE 1 ES:LANGUAGE 2 MENU? refund=1 CONNECTING",
        (),
        SUPPORT,
        opens={"refund_request": 1},
    ),
    Row(
        "another language by key",
        LANGUAGES,
        ("2", "1"),
        f"WELCOME LANGUAGE 1 ES:LANGUAGE 2 {_OPTION_ES} ES:CONNECTING",
        (),
        SUPPORT,
        opens={"refund_request": 1},
    ),
    Row(
        "words of that language choose",
        LANGUAGES,
        ("2", "quiero un reembolso"),
        f"WELCOME LANGUAGE 1 ES:LANGUAGE 2 {_OPTION_ES} ES:CONNECTING",
        (),
        SUPPORT,
        opens={"refund_request": 1},
    ),
    Row(
        "a wrong key at the languages",
        LANGUAGES,
        ("5", "2", "1"),
        f"WELCOME LANGUAGE 1 ES:LANGUAGE 2 AGAIN LANGUAGE 1 ES:LANGUAGE 2 {_OPTION_ES} ES:CONNECTING",
        (),
        SUPPORT,
        opens={"refund_request": 1},
    ),
    Row(
        "silence at the languages is the default one",
        LANGUAGES,
        (SILENCE, SILENCE, "1"),
        "WELCOME LANGUAGE 1 ES:LANGUAGE 2 AGAIN LANGUAGE 1 ES:LANGUAGE 2 MENU? refund=1 CONNECTING",
        (),
        SUPPORT,
        opens={"refund_request": 1},
    ),
    Row(
        "a remembered language is not asked for",
        LANGUAGES,
        ("1",),
        f"ES:WELCOME_BACK Maria Lopez {_OPTION_ES} ES:CONNECTING",
        (known(name="Maria Lopez", language="es-MX"),),
        SUPPORT,
        opens={"refund_request": 1},
    ),
    Row(
        "a remembered language that the line does not speak is asked for",
        LANGUAGES,
        ("1", "1"),
        "WELCOME_BACK Maria Lopez LANGUAGE 1 ES:LANGUAGE 2 MENU? refund=1 CONNECTING",
        (known(name="Maria Lopez", language="fr-FR"),),
        SUPPORT,
        opens={"refund_request": 1},
    ),
    Row(
        "hung up with the language on its way",
        LANGUAGES,
        (Keys("2", hangs_up=True),),
        "WELCOME LANGUAGE 1 ES:LANGUAGE 2",
        (),
        ending=GONE,
    ),
    Row("hung up at the languages", LANGUAGES, (HANG_UP,), "WELCOME LANGUAGE 1 ES:LANGUAGE 2", (), ending=GONE),
)

SPEAKING = _LANGUAGES
