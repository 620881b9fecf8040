"""What the conversations are played in: lines of every kind, texts that name themselves, people who called before.

The texts are tokens ("PIN?", "VERIFIED Maria"), so that a whole conversation can be compared word by word and says
nothing about anybody's wording. Leaves out: the conversations (`table`).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import databases
from tests.builders import ACCOUNT, AUTH_TOKEN, PEPPER, Api

FULL, BY_NAME, BY_DIGITS, LANGUAGES, ASKS_ALL, KEYS_ONLY, CHAIN, OTHER_WAYS, PLAIN, STRICT = (
    f"+1415555010{place}" for place in range(10)
)

_WORDS = {
    "reuse": "REUSE {{ name }} {{ intent }} {{ attempt_count }}",
    "confirm": "CONFIRM",
    "ignore": "IGNORE",
    "neutral": "NEUTRAL",
    "welcome": "WELCOME",
    "welcome_back": "WELCOME_BACK {{ name }}",
    "resumed": "RESUMED",
    "ask_language": "LANGUAGE {{ key }}",
    "ask_who": "WHO?",
    "ask_name": "NAME?",
    "ask_digits": "DIGITS {{ count }}?",
    "ask_pin": "PIN?",
    "ask_account": "ACCOUNT {{ length }}?",
    "offer": "OFFER {{ intent }} {{ attempt_count }}?",
    "menu": "MENU?",
    "menu_option": "{{ intent }}={{ key }}",
    "ask_forget": "FORGET?",
    "forgotten": "FORGOTTEN",
    "again": "AGAIN",
    "verified": "VERIFIED {{ name }} {{ secret_note }}",
    "not_verified": "NOT_VERIFIED",
    "connecting": "CONNECTING",
    "unreached": "UNREACHED",
    "voicemail": "VOICEMAIL",
    "recorded": "RECORDED",
    "callback": "CALLBACK",
    "goodbye": "GOODBYE",
    "whisper": "WHISPER {{ name }}|{{ intent }}|{{ attempt }}|{{ recommendation }}|{{ verified }}",
    "whisper_accept": "ACCEPT?",
}
FORGETTING = "+14155550110"
MENU = "MENU? refund=1 order status=2 complaint=3"
_OPTIONS = [
    {"intent": "refund_request", "key": "1", "words": ["refund", "money back"]},
    {"intent": "order_status", "key": "2", "words": ["order", "package"]},
    {"intent": "complaint", "key": "3", "words": ["complaint", "order"]},
]
_SENIOR = "+14155550300"
_DESTINATIONS = {
    "billing": {"dial": "+14155550301", "whisper": True},
    "senior": {"dial": _SENIOR, "whisper": True, "accept": True, "after": "mailbox"},
    "orders": {"queue": "orders"},
    "mailbox": "voicemail",
}
_INTENTS = {
    "refund_request": {"to": "billing", "said": {"en": "refund"}, "escalate": [{"attempt": 3, "to": "senior"}]},
    "order_status": {"to": "orders"},
}
_KINDS: dict[str, Any] = {
    "room": {"conference": "room"},
    "task": {"workflow": "WW" + "0" * 32},
    "bot": {"relay": "wss://bot.example.com/relay"},
    "tap": {"stream": "wss://bot.example.com/stream"},
    "elsewhere": {"redirect": "https://ivr.example.com/next"},
    "message": "voicemail",
    "promise": "callback",
    "app": {"client": "desk", "whisper": True},
    "phone": {"sip": "sip:desk@example.com", "whisper": True, "accept": True},
}
SETTINGS: dict[str, Any] = {
    "disclosure": {"variables": {"name": "personal", "secret_note": "sensitive"}, "intents": {"divorce": "sensitive"}},
    "texts": {"en": _WORDS, "es": {name: f"ES:{text}" for name, text in _WORDS.items()}},
    "flows": {
        "full": {
            "destination": {"queue": "support"},
            "confirm": {"by": "pin", "variable": "pin", "tries": 3},
            "identify": {"external_id": "account_number", "length": 4},
            "offer": {"most": 2},
            "menu": {"options": _OPTIONS},
            "intents": _INTENTS,
            "destinations": _DESTINATIONS,
            "resume_minutes": 5,
        }
    },
    "lines": [
        {"number": FULL, "flow": "full"},
        {"number": BY_NAME, "destination": {"queue": "support"}, "confirm": {"by": "name"}},
        {
            "number": BY_DIGITS,
            "destination": {"queue": "support"},
            "confirm": {"by": "digits", "external_id": "customer_number", "digits": 4, "tries": 2},
        },
        {
            "number": LANGUAGES,
            "destination": {"queue": "support"},
            "menu": {"options": _OPTIONS[:1]},
            "intents": {"refund_request": {"said": {"en": "refund", "es": "reembolso"}}},
            "languages": {"en-US": {"key": "1"}, "es-MX": {"key": "2"}},
        },
        {
            "number": ASKS_ALL,
            "destination": {"queue": "support"},
            "confirm": {"by": "pin", "variable": "pin", "tries": 1, "always": True, "lockout_failures": 2},
        },
        {"number": KEYS_ONLY, "flow": "full", "speech": False},
        {
            "number": CHAIN,
            "destination": {"dial": "+14155550311", "accept": True, "after": {"busy": "second", "declined": "box"}},
            "destinations": {
                "second": {"sip": "sip:desk@example.com", "after": {"no_answer": "third", "failed": "third"}},
                "third": {"client": "desk", "after": "ring_back"},
                "box": "voicemail",
                "ring_back": "callback",
            },
        },
        {
            "number": OTHER_WAYS,
            "destination": "hangup",
            "menu": {"options": [{"intent": kind, "key": str(key)} for key, kind in enumerate(_KINDS, 1)]},
            "intents": {kind: {"to": kind} for kind in _KINDS},
            "destinations": _KINDS,
        },
        {
            "number": FORGETTING,
            "destination": {"queue": "support"},
            "confirm": {"by": "pin", "variable": "pin", "always": True},
            "menu": {"options": [*_OPTIONS[:2], {"intent": "forget_me", "key": "9", "words": ["forget me"]}]},
            "forget": {},
        },
        {"number": PLAIN, "destination": {"dial": "+14155550199"}},
        {
            "number": STRICT,
            "destination": {"dial": "+14155550199"},
            "strict_caller_id": True,
            "strict_forwarding": True,
            "confirm": {"by": "pin", "variable": "pin"},
        },
    ],
}

# Stands for four digits of the row's own caller, in external ids and scripts: what one row keeps, no other finds.
OWN_ACCOUNT = "{account}"

_callers = itertools.count(1)


def twilio_section(public_url: str, **further: object) -> dict[str, object]:
    """Twilio's part of the configuration, with its default deadline."""
    return {"public_url": public_url, "accounts": [{"sid": ACCOUNT, "auth_tokens": [AUTH_TOKEN]}], **further}


def configuration(folder: Path, public_url: str, **sections: Any) -> Path:
    """The configuration's file."""
    settings = {
        "database": {"url": databases.url_in(folder), "state_dir": f"{folder}/state"},
        "security": {"pepper": PEPPER.decode()},
        "organizations": [{"id": "acme", "tier": "unlimited"}],
        # A slow machine is no reason for the neutral greeting, where it is not what a test is about.
        "twilio": twilio_section(public_url, webhook_deadline_ms=12_000),
        **SETTINGS,
        **sections,
    }
    path = folder / "config.yaml"
    path.write_text(json.dumps(settings, indent=1), "utf-8")  # JSON is YAML, and knows no aliases
    return path


def own(text: str, number: str) -> str:
    """`text` with the account of who calls from `number` in it."""
    return text.replace(OWN_ACCOUNT, number[-4:])


def a_number() -> str:
    """A caller's number that nobody else in this process calls from."""
    return f"+1650{next(_callers):07d}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who called before: what an agent saved then. On a mobile they are known, else only probable."""

    variables: Mapping[str, str] = field(default_factory=dict)
    external_ids: Mapping[str, str] = field(default_factory=dict)
    intents: Mapping[str, int] = field(default_factory=dict)  # open, and in how many calls so far
    line_type: str | None = None

    def remembered(self, api: Api, number: str) -> str:
        """Let them have called from `number`; their customer_ref."""
        times = max([1, *self.intents.values()])
        external_ids = {key: own(value, number) for key, value in self.external_ids.items()}
        for call in range(times):
            body: dict[str, Any] = {
                "identity_hints": {
                    "ani": number,
                    "external_ids": external_ids,
                },
                "variable_updates": {name: {"value": value} for name, value in self.variables.items()},
                "intent_updates": [{"intent": name} for name, count in self.intents.items() if call < count],
            }
            if self.line_type:
                body["telco"] = {"line_type": self.line_type}
            answer = api.end(f"before_{number}_{next(_callers)}", **body)
            assert answer.status_code == 200, answer.json
        assert answer.json is not None
        ref: str = answer.json["customer_ref"]
        return ref


def probable(**variables: str) -> Person:
    """On a line of unknown type: 0.40, to be confirmed."""
    return Person(variables)


def known(intents: Mapping[str, int] | None = None, **variables: str) -> Person:
    """On a mobile: 0.60, greeted by name."""
    return Person(variables, intents=intents or {}, line_type="mobile")
