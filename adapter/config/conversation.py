"""The settings of a conversation: what callers are asked on a line, and where their calls go. In flows and on lines.

No defaults here: what is not written is left to the dataclasses of `adapter.engine.line`, when the line is built.
Leaves out: what takes more than one setting to judge (`flow_references`).
"""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from adapter.engine.line import Disclosure, ProofKind

from .destinations import DestinationField, DestinationName
from .fields import Choice, Switch, Text, Whole
from .tables import Items, Section, Table
from .words import Language, TextsSchema

_MOST_OPTIONS = 12


def intent_name() -> Text:
    """An intent's name as the API knows it."""
    return Text("the name of an intent, such as refund_request", ".{1,128}", required=True)


def variable_name(what: str, **kwargs: Any) -> Text:
    """A variable's name as the API knows it."""
    return Text(f"the variable that holds {what}", ".{1,128}", **kwargs)


def external_id_key() -> Text:
    """The key of an external id as the API knows it."""
    return Text("the key of an external id, such as account_number", ".{1,128}")


def key_of_the_telephone() -> Text:
    """What is pressed to choose something."""
    return Text("one key of the telephone, 0 to 9", "[0-9]")


def tries() -> Whole:
    """Nobody listens to a question more often than ten times, and a loop must end."""
    return Whole(1, 10, unit="times that it is asked")


class ConfirmSchema(Section):
    by = Choice(tuple(ProofKind))
    variable = variable_name("what callers prove themselves with")
    external_id = external_id_key()
    digits = Whole(2, 20, unit="last digits")
    tries = tries()
    seconds = Whole(10, 600, unit="seconds")
    lockout_failures = Whole(1, 100, unit="wrong answers")
    lockout_hours = Whole(1, 720, unit="hours")
    always = Switch()


class IdentifySchema(Section):
    external_id = Text("the key of an external id, such as account_number", ".{1,128}", required=True)
    length = Whole(1, 64, unit="characters")
    tries = tries()


class OfferSchema(Section):
    most = Whole(1, 5, unit="open intents")
    tries = tries()


class MenuOptionSchema(Section):
    intent = intent_name()
    key = key_of_the_telephone()
    words = Items(Text("what callers may say, such as money back", ".{1,100}"))


class MenuSchema(Section):
    tries = tries()
    options = Items(
        fields.Nested(MenuOptionSchema),
        required=True,
        validate=validate.Length(
            min=1,
            max=_MOST_OPTIONS,
            error=f"has no option, or more than {_MOST_OPTIONS}, which nobody remembers; write 1 to {_MOST_OPTIONS}",
        ),
    )


class ForgetSchema(Section):
    intent = Text("the intent of who wants to be forgotten, such as forget_me", ".{1,128}")
    tries = tries()


class EscalationSchema(Section):
    attempt = Whole(1, 1_000, unit="the how-manieth call about it", required=True)
    to = DestinationName(required=True)


class IntentSchema(Section):
    to = DestinationName()
    said = Table(Language(), Text("how the intent is called aloud, such as refund", ".{1,128}"))
    escalate = Items(fields.Nested(EscalationSchema))


class SpokenSchema(Section):
    voice = Text("a voice of Twilio's <Say>, as Polly.Joanna", r"[A-Za-z0-9_.-]{1,64}")
    key = key_of_the_telephone()


class FlowSchema(Section):
    """All that a flow can say about a line."""

    destination = DestinationField()
    language = Language()
    voice = Text("a voice of Twilio's <Say>, as Polly.Joanna", r"[A-Za-z0-9_.-]{1,64}")
    languages = Table(Language(), fields.Nested(SpokenSchema))
    language_variable = variable_name("the caller's language")
    name_variable = variable_name("the caller's name")
    strict_caller_id = Switch()
    strict_forwarding = Switch()
    look_up_line_type = Switch()
    speech = Switch()
    confirm = fields.Nested(ConfirmSchema)
    identify = fields.Nested(IdentifySchema)
    offer = fields.Nested(OfferSchema)
    menu = fields.Nested(MenuSchema)
    forget = fields.Nested(ForgetSchema)
    intents = Table(intent_name(), fields.Nested(IntentSchema))
    destinations = Table(DestinationName(), DestinationField())
    # A day: who rings back later begins anew.
    resume_minutes = Whole(0, 1_440, unit="minutes")
    texts = fields.Nested(TextsSchema)


class DisclosureSchema(Section):
    """Who may hear what: the class of each variable and intent."""

    variables = Table(variable_name("something worth telling"), Choice(tuple(Disclosure)), load_default=dict)
    intents = Table(intent_name(), Choice(tuple(Disclosure)), load_default=dict)
