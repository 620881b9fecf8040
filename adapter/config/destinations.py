"""Where a call goes: one of the kinds, how long it rings, what is said to who answers, and what comes after it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from marshmallow import ValidationError, fields

from adapter.engine.line import Destination, DestinationKind
from adapter.engine.model import Outcome

from .fields import Address, PhoneNumber, Switch, Text, Whole
from .tables import Section
from .tree import as_mapping

# Kinds that need nothing beside their name, so that the word alone is a destination.
WORDS: Final = (DestinationKind.VOICEMAIL, DestinationKind.CALLBACK, DestinationKind.HANGUP)
# Kinds with somebody who answers a telephone of their own: only there can Twilio play something to them first.
ANSWERED: Final = (DestinationKind.DIAL, DestinationKind.SIP, DestinationKind.CLIENT)
# Kinds that show whom they ring a number; a client is shown nothing else than an identity.
NUMBERED: Final = (DestinationKind.DIAL, DestinationKind.SIP)
# Outcomes that something can come after; when somebody answered, the call is over with them.
OUTCOMES: Final = tuple(outcome for outcome in Outcome if outcome is not Outcome.ANSWERED)
_QUEUED: Final = (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED)
# What Twilio can tell of a kind (`adapter.twilio.turns`): a full queue is busy, and whoever leaves it got no answer; a
# conference, or a session with another machine, can only fail.
_POSSIBLE: Final[Mapping[DestinationKind, tuple[Outcome, ...]]] = MappingProxyType(
    {
        **dict.fromkeys(ANSWERED, OUTCOMES),
        **dict.fromkeys((DestinationKind.QUEUE, DestinationKind.WORKFLOW), _QUEUED),
        **dict.fromkeys((DestinationKind.CONFERENCE, DestinationKind.RELAY, DestinationKind.STREAM), (Outcome.FAILED,)),
    }
)

_WANTED = (
    "hangup, voicemail or callback, or exactly one of dial, sip, client, queue, workflow, conference, relay, stream and"
    " redirect below it"
)


class DestinationName(Text):
    """The name of a destination, as a destination is given it or as another setting refers to it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("the name of a destination: letters, digits, _ . and -", r"[A-Za-z0-9_.-]{1,64}", **kwargs)


class AfterSchema(Section):
    """One name for each outcome."""

    busy = DestinationName()
    no_answer = DestinationName()
    declined = DestinationName()
    failed = DestinationName()


class AfterField(fields.Nested):
    """`after: mailbox` for every outcome, or a name for each."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(AfterSchema, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, partial: Any = None, **kwargs: Any
    ) -> Mapping[Outcome, str]:
        if isinstance(value, str):
            return MappingProxyType(dict.fromkeys(OUTCOMES, DestinationName().read(value)))
        loaded = super()._deserialize(value, attr, data, partial, **kwargs)
        return MappingProxyType({outcome: loaded[outcome] for outcome in OUTCOMES if outcome in loaded})


class DestinationSchema(Section):
    """Exactly one of the kinds, and how it is reached."""

    dial = PhoneNumber()
    sip = Text("a SIP address such as sip:desk@example.com", r"sips?:[^\s@]+@[^\s@]{1,240}")
    client = Text("the client's identity, without client:", r"(?!client:)[^\s:]{1,121}")
    queue = Text("the queue's name, at most 64 characters", r".{1,64}")
    workflow = Text("the SID of a TaskRouter workflow (WW and 32 hex digits)", r"WW[0-9a-fA-F]{32}")
    conference = Text("the conference's name, at most 128 characters", r".{1,128}")
    relay = Address("the address for ConversationRelay as wss://bot.example.com/relay", ("wss",), query=True)
    stream = Address("the address for the media stream as wss://bot.example.com/stream", ("wss",))
    redirect = Address("it as https://example.com/next-twiml", ("https",), query=True)
    # Twilio's <Dial timeout>: 600 is the longest it takes, below 5 nobody reaches a telephone.
    timeout_seconds = Whole(5, 600, unit="seconds")
    whisper = Switch()
    accept = Switch()
    caller_id = PhoneNumber()
    after = AfterField()


_OPTIONS = ("timeout_seconds", "whisper", "accept", "caller_id", "after")


class DestinationField(fields.Nested):
    """A word (voicemail, callback, hangup), or a mapping with exactly one of the other kinds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(DestinationSchema, error_messages={"required": missing_destination()}, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, partial: Any = None, **kwargs: Any
    ) -> Destination:
        if isinstance(value, str) and value in WORDS:
            return Destination(DestinationKind(value))
        if not isinstance(value, dict):
            raise ValidationError(f"is not a destination; write {_WANTED}")
        loaded = super()._deserialize(value, attr, data, partial, **kwargs)
        kinds = [name for name in loaded if name not in _OPTIONS]
        if len(kinds) != 1:
            raise ValidationError(f"names {len(kinds)} destinations; write {_WANTED}")
        kind = DestinationKind(kinds[0])
        _check_options(kind, loaded, as_mapping(value.get("after")))
        options = {name: loaded[name] for name in _OPTIONS if name in loaded}
        return Destination(kind, loaded[kind], **options)


def missing_destination() -> str:
    """What to say where a line has no destination."""
    return f"is missing; write {_WANTED}"


# option: the kinds that can have it, and why the others cannot
_WORKS_WITH: Final[Mapping[str, tuple[tuple[DestinationKind, ...], str]]] = MappingProxyType(
    {
        "whisper": (ANSWERED, "where Twilio can speak to who answers"),
        "accept": (ANSWERED, "where Twilio can speak to who answers"),
        "timeout_seconds": (ANSWERED, "where something rings"),
        "caller_id": (NUMBERED, "which show a number to whom they ring"),
    }
)


def _check_options(kind: DestinationKind, loaded: Mapping[str, Any], after: Mapping[str, object]) -> None:
    """An option that this kind cannot have would be a promise that nobody keeps. `after`: as written by outcomes."""
    wrong: dict[str, Any] = {}
    for option, (kinds, why) in _WORKS_WITH.items():
        if loaded.get(option) and kind not in kinds:
            wrong[option] = [f"works with {', '.join(kinds)} only, {why}; leave it out"]
    if kind is DestinationKind.REDIRECT and loaded.get("after"):
        wrong["after"] = ["cannot follow a redirect: the address decides what comes next; leave it out"]
    elif never := [outcome for outcome in after if outcome not in _POSSIBLE.get(kind, OUTCOMES)]:
        wrong["after"] = {outcome: [f"never comes of a {kind}; leave it out"] for outcome in never}
    if wrong:
        raise ValidationError(wrong)
