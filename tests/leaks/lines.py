"""Random lines whose texts print everything there is to print, so that only what is not there stays unsaid."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from adapter.engine.line import (
    Confirm,
    Destination,
    DestinationKind,
    Disclosure,
    DisclosureRules,
    Escalation,
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
from adapter.twilio.templates import FACTS, MAY_MENTION_VARIABLES
from tests.builders import AGENTS, a_line

VARIABLES = ("name", "plan", "town", "balance", "remark", "code")
MENU_INTENTS = ("billing", "sales")
# What a question is about, for the caller in `calls`; in every language.
MARKED = {
    "ask_who": "PROOF",
    "ask_name": "PROOF",
    "ask_digits": "PROOF",
    "ask_pin": "PROOF",
    "ask_account": "ACCOUNT",
    "menu": "MENU",
}
_TARGETS = {
    DestinationKind.DIAL: AGENTS,
    DestinationKind.SIP: "sip:agents@example.com",
    DestinationKind.CLIENT: "desk",
    DestinationKind.QUEUE: "support",
    DestinationKind.WORKFLOW: "WW" + "0" * 32,
    DestinationKind.CONFERENCE: "room",
    DestinationKind.RELAY: "wss://example.com/relay",
    DestinationKind.STREAM: "wss://example.com/stream",
    DestinationKind.REDIRECT: "https://example.com/ivr",
}


def a_random_line(random: Random, number: str, intents: tuple[str, ...]) -> Line:
    """`intents`: names that may be in somebody's memory; the line has a class and a route for some of them."""
    variables = _classes(random, VARIABLES)
    names = (*intents, *MENU_INTENTS)
    return a_line(
        number=number,
        destination=_destination(random),
        destinations={
            "seniors": _destination(random),
            "mailbox": Destination(DestinationKind.VOICEMAIL),
            "later": Destination(DestinationKind.CALLBACK),
        },
        texts=_texts(variables),
        strict_caller_id=random.random() < 0.2,
        strict_forwarding=random.random() < 0.2,
        languages=(Spoken("en-US", key="8"), Spoken("de-DE", key="9")) if random.random() < 0.2 else (),
        confirm=_confirm(random),
        identify=Identify("account", random.choice((None, 8))) if random.random() < 0.5 else None,
        offer=Offer(most=random.choice((1, 2, 3))) if random.random() < 0.6 else None,
        menu=_menu(random) if random.random() < 0.5 else None,
        intents={name: _rule(random) for name in names if random.random() < 0.5},
        resume_minutes=random.choice((0, 10)),
        disclosure=DisclosureRules(variables, _classes(random, names)),
    )


def _classes(random: Random, names: tuple[str, ...]) -> dict[str, Disclosure]:
    """Most have a class; the others have the one of what is not named."""
    return {name: random.choice(list(Disclosure)) for name in names if random.random() < 0.8}


def _texts(variables: dict[str, Disclosure]) -> dict[str, str]:
    shown = {name: sorted(FACTS[name] | variables.keys()) for name in MAY_MENTION_VARIABLES}
    everything = {name: " ".join(f"{{{{ {fact} }}}}" for fact in facts) for name, facts in shown.items()}
    return {**everything, "offer": f"OFFER {everything['offer']}", **MARKED}


def _destination(random: Random) -> Destination:
    kind = random.choice(list(_TARGETS))
    after = {outcome: random.choice(("seniors", "mailbox", "later")) for outcome in Outcome if random.random() < 0.6}
    plain = Destination(kind, _TARGETS[kind], after=after)
    if kind not in (DestinationKind.DIAL, DestinationKind.SIP, DestinationKind.CLIENT):
        return plain
    return replace(plain, whisper=random.random() < 0.7, accept=random.random() < 0.3)


def _confirm(random: Random) -> Confirm | None:
    proof = random.choice(
        (
            None,
            Confirm(ProofKind.NAME),
            Confirm(ProofKind.DIGITS, external_id="account"),
            Confirm(ProofKind.DIGITS, variable="code"),
            Confirm(ProofKind.PIN, variable="code"),
        )
    )
    if proof is None:
        return None
    return replace(
        proof, tries=random.choice((1, 2, 3)), lockout_failures=random.choice((2, 50)), always=_often(random)
    )


def _often(random: Random) -> bool:
    return random.random() < 0.3


def _menu(random: Random) -> Menu:
    options = (MenuOption("billing", key="3", words=("bill",)), MenuOption("sales", key="4", words=("buy",)))
    return Menu(options, tries=random.choice((1, 2)))


def _rule(random: Random) -> IntentRule:
    return IntentRule(
        to=random.choice(("", "seniors", "mailbox")),
        escalate=(Escalation(2, "seniors"),) if random.random() < 0.3 else (),
    )
