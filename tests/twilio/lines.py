"""Lines of every shape: what each part of a conversation and each kind of destination makes of the TwiML."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from adapter.engine.line import (
    Confirm,
    Destination,
    DestinationKind,
    Disclosure,
    DisclosureRules,
    Escalation,
    Forget,
    Identify,
    IntentRule,
    Line,
    Menu,
    MenuOption,
    Offer,
    ProofKind,
    Spoken,
)
from adapter.engine.model import Outcome
from tests.builders import AGENTS, a_line

DESTINATIONS: Final = MappingProxyType(
    {
        "desk": Destination(DestinationKind.SIP, "sip:desk@pbx.example.com;transport=tls?x-a=b", 20, True),
        "app": Destination(DestinationKind.CLIENT, "alice", 20, True, True),
        "senior": Destination(
            DestinationKind.DIAL, AGENTS, 15, False, True, MappingProxyType(dict.fromkeys(Outcome, "message"))
        ),
        "queue": Destination(
            DestinationKind.QUEUE,
            "support",
            after=MappingProxyType({Outcome.BUSY: "ring back", Outcome.FAILED: "desk"}),
        ),
        "flex": Destination(DestinationKind.WORKFLOW, "WW" + "0" * 32),
        "room": Destination(DestinationKind.CONFERENCE, "front desk"),
        "bot": Destination(
            DestinationKind.RELAY, "wss://bot.example.com/relay", after=MappingProxyType({Outcome.FAILED: "stream"})
        ),
        "stream": Destination(DestinationKind.STREAM, "wss://bot.example.com/stream"),
        "ivr": Destination(DestinationKind.REDIRECT, "https://ivr.example.com/start?a=1&b=2"),
        "message": Destination(DestinationKind.VOICEMAIL),
        "ring back": Destination(DestinationKind.CALLBACK),
        "bye": Destination(DestinationKind.HANGUP),
    }
)
_RULES: Final = MappingProxyType(
    {
        name.replace(" ", "_"): IntentRule(
            name, MappingProxyType({"de": f"{name} auf Deutsch"}), (Escalation(3, "senior"),)
        )
        for name in DESTINATIONS
    }
)
_KEYS: Final = (*"1234567890", "", "")
MENU: Final = Menu(tuple(MenuOption(intent, key, (f"my {intent}",)) for intent, key in zip(_RULES, _KEYS, strict=True)))
DISCLOSED: Final = DisclosureRules(
    MappingProxyType(
        {
            "name": Disclosure.PERSONAL,
            "plan": Disclosure.PUBLIC,
            "city": Disclosure.PERSONAL,
            "balance": Disclosure.SENSITIVE,
            "pin": Disclosure.PUBLIC,
        }
    ),
    MappingProxyType({"flex": Disclosure.SENSITIVE, "desk": Disclosure.PUBLIC}),
)
LANGUAGES: Final = ("en-US", "de-DE", "es-ES", "fr-FR")


def _line(**parts: object) -> Line:
    return a_line(**{"account": "*", "number": "*", "destinations": DESTINATIONS, "disclosure": DISCLOSED, **parts})


PLAIN: Final = MappingProxyType(
    {f"plain, to {name}": _line(destination=destination) for name, destination in DESTINATIONS.items()}
)
CONVERSING: Final = MappingProxyType(
    {
        "menu": _line(menu=MENU, intents=_RULES),
        "menu by keys only": _line(menu=MENU, intents=_RULES, speech=False),
        "offer": _line(offer=Offer(2), intents=_RULES, resume_minutes=5),
        "name": _line(confirm=Confirm(), offer=Offer()),
        "pin": _line(confirm=Confirm(ProofKind.PIN, variable="pin", always=True), destination=DESTINATIONS["app"]),
        "digits": _line(
            confirm=Confirm(ProofKind.DIGITS, external_id="account_number"),
            identify=Identify("account_number", 8),
            menu=Menu(MENU.options[:3], 1),
            intents=_RULES,
        ),
        "forget": _line(
            confirm=Confirm(ProofKind.PIN, variable="pin"),
            menu=Menu(MENU.options[:2]),
            forget=Forget(MENU.options[0].intent),
        ),
        "account": _line(identify=Identify("account_number"), destination=DESTINATIONS["flex"]),
        "languages": _line(
            languages=tuple(
                Spoken(language, voice, key)
                for language, voice, key in zip(LANGUAGES, ("Polly.Joanna", None, None, None), "1234", strict=True)
            ),
            menu=Menu(MENU.options[:2]),
            intents=_RULES,
        ),
        "everything": _line(
            languages=(Spoken("en-GB", None, "1"), Spoken("de-AT", "Polly.Vicki", "2")),
            confirm=Confirm(tries=2),
            identify=Identify("account_number", tries=1),
            offer=Offer(1, 1),
            menu=Menu(MENU.options[:2], 1),
            intents={"desk": _RULES["desk"]},
            disclosure=DisclosureRules(DISCLOSED.variables),
        ),
    }
)
LINES: Final = MappingProxyType({**PLAIN, **CONVERSING})
