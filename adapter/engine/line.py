"""A line: one dialed number of one Twilio account, and what is to happen to its calls. Configuration's values.

A line of four settings greets and puts through; each part of the conversation (`confirm`, `identify`, `offer`, `menu`,
more than one language) is a setting of its own, absent by default. Leaves out: what the parts do (`engine.flow`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from .model import Mode, Outcome

# The name of `Line.destination` among the line's destinations.
DEFAULT = ""


def fits(written: str, number: str) -> bool:
    """Whether a line's number as it is written means this one: itself, or all that begin like it ("+1415*")."""
    return written == number or (written.endswith("*") and number.startswith(written[:-1]))


def _none() -> Mapping[str, str]:
    return MappingProxyType({})


class DestinationKind(StrEnum):
    """Where a caller is put through to, or what takes the call when nobody does."""

    DIAL = "dial"
    SIP = "sip"
    CLIENT = "client"
    QUEUE = "queue"
    WORKFLOW = "workflow"
    CONFERENCE = "conference"
    RELAY = "relay"
    STREAM = "stream"
    REDIRECT = "redirect"
    VOICEMAIL = "voicemail"
    CALLBACK = "callback"
    HANGUP = "hangup"


@dataclass(frozen=True, slots=True)
class Destination:
    """`target`: E.164 number, sip: URI, client identity, queue name, TaskRouter workflow SID, conference name, wss: URL
    (relay, stream), absolute https URL (redirect); "" for voicemail, callback and hangup.

    `whisper`: who answers is told who is calling (dial, sip, client). `accept`: and has to press 1 before the caller is
    connected, so that no mailbox takes the call. `after`: the name of the destination that comes next, by outcome.
    `caller_id`: the E.164 number that is shown to who is rung (dial, sip), "" for the caller's own.
    """

    kind: DestinationKind
    target: str = ""
    timeout_seconds: int = 30
    whisper: bool = False
    accept: bool = False
    after: Mapping[Outcome, str] = field(default_factory=lambda: MappingProxyType({}))
    caller_id: str = ""


class ProofKind(StrEnum):
    """How a caller shows who they are."""

    NAME = "name"
    DIGITS = "digits"
    PIN = "pin"


@dataclass(frozen=True, slots=True)
class Confirm:
    """How probable callers are verified before anything stored is spoken or handed on as theirs.

    `by` name: the name variable, said. digits: the last `digits` of the external id `external_id` or of the variable
    `variable`, keyed in or said. pin: the whole of the variable `variable`. `tries` at the question, `seconds` from its
    first asking; after `lockout_failures` wrong answers within `lockout_hours` a number is not asked any more.
    `always`: callers recommended for reuse are verified, too.
    """

    by: ProofKind = ProofKind.NAME
    variable: str = ""
    external_id: str = ""
    digits: int = 4
    tries: int = 3
    seconds: int = 60
    lockout_failures: int = 5
    lockout_hours: int = 24
    always: bool = False


@dataclass(frozen=True, slots=True)
class Identify:
    """Callers whom nothing identifies may name their account: `key` is the external id's key. `length`: exactly so many
    digits, or None."""

    key: str
    length: int | None = None
    tries: int = 2


@dataclass(frozen=True, slots=True)
class Offer:
    """Known callers are asked whether they call about what they left open: the newest `most` intents, one by one."""

    most: int = 1
    tries: int = 2


@dataclass(frozen=True, slots=True)
class MenuOption:
    """Chosen by `key` (0-9, one digit; "" none) or by any of `words` in what was said."""

    intent: str
    key: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Menu:
    """What the call is about, asked of everybody whose intent is not known yet. The first option that fits counts."""

    options: tuple[MenuOption, ...]
    tries: int = 2


@dataclass(frozen=True, slots=True)
class Forget:
    """Verified callers whose call is about `intent` are asked whether all that is stored of them is to be erased."""

    intent: str = "forget_me"
    tries: int = 2


@dataclass(frozen=True, slots=True)
class Escalation:
    """From the `attempt`-th call about an intent on (1 is the first), to the destination of this name."""

    attempt: int
    to: str


@dataclass(frozen=True, slots=True)
class IntentRule:
    """Where calls about an intent go, and how it is called aloud. `said`: words by language ("en"), else its name."""

    to: str = DEFAULT
    said: Mapping[str, str] = field(default_factory=_none)
    escalate: tuple[Escalation, ...] = ()


@dataclass(frozen=True, slots=True)
class Spoken:
    """A language that a line speaks. `key`: what callers press to choose it."""

    language: str
    voice: str | None = None
    key: str = ""


@lru_cache(maxsize=256)
def _alone(language: str, voice: str | None) -> tuple[Spoken, ...]:
    return (Spoken(language, voice),)


class Disclosure(StrEnum):
    """Who may hear a stored value: `public` anybody who was found, `personal` at reuse or verified, `sensitive` only
    callers verified in this call."""

    PUBLIC = "public"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"


@dataclass(frozen=True, slots=True)
class DisclosureRules:
    """The class of each variable and intent. What is not named here is `personal`.

    Only `variables` named here can be mentioned in texts and are handed on with a call, in this order.
    """

    variables: Mapping[str, Disclosure] = field(default_factory=lambda: MappingProxyType({}))
    intents: Mapping[str, Disclosure] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Line:
    """`account` and `number` are exact or "*" (any). `strict_caller_id`: only StirVerstat Passed-A reaches reuse;
    `strict_forwarding`: forwarded calls do not. `destination` is where calls go by default; `destinations` by name.

    `languages`: empty for `language` and `voice` alone; else the first is the default. `resume_minutes`: a caller cut
    off who rings back within this time is taken up where the call broke off; 0: never. `look_up_line_type`: ask
    Twilio's Lookup, after the call was greeted. `speech`: callers may speak as well as press keys.
    """

    account: str
    number: str
    organization: str
    mode: Mode
    destination: Destination
    language: str = "en-US"
    voice: str | None = None
    strict_caller_id: bool = False
    name_variable: str = "name"
    texts: dict[str, str] = field(default_factory=dict)
    strict_forwarding: bool = False
    look_up_line_type: bool = False
    destinations: Mapping[str, Destination] = field(default_factory=lambda: MappingProxyType({}))
    languages: tuple[Spoken, ...] = ()
    language_variable: str = "language"
    speech: bool = True
    confirm: Confirm | None = None
    identify: Identify | None = None
    offer: Offer | None = None
    menu: Menu | None = None
    forget: Forget | None = None
    intents: Mapping[str, IntentRule] = field(default_factory=lambda: MappingProxyType({}))
    resume_minutes: int = 0
    disclosure: DisclosureRules = field(default_factory=DisclosureRules)

    @property
    def converses(self) -> bool:
        """Whether callers can be asked anything: if not, they are greeted and put through at once."""
        # Asked at every call, most of which converse with nobody: no generator for them.
        if self.confirm is not None or self.identify is not None or self.offer is not None or self.menu is not None:
            return True
        return bool(self.languages) and sum(bool(each.key) for each in self.languages) > 1

    @property
    def spoken(self) -> tuple[Spoken, ...]:
        """All languages of the line, the default first; never empty."""
        return self.languages or _alone(self.language, self.voice)

    @property
    def key(self) -> str:
        """Names the line in addresses, where its number has no place: 12 hex digits."""
        return hashlib.sha256(f"{self.account}|{self.number}".encode()).hexdigest()[:12]

    def destination_named(self, name: str) -> Destination:
        """The destination of this name; the default one for "" and for a name that is configured no more."""
        return self.destinations.get(name, self.destination)
