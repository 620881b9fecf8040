"""The fixed words of the field, as the reference and Twilio spell them."""

from __future__ import annotations

from enum import StrEnum

Millis = int


class LineType(StrEnum):
    """What kind of line a number is (reference, telco.line_type)."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    VOIP = "voip"
    UNKNOWN = "unknown"


class Level(StrEnum):
    """Reference, identity.level."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very_high"


class Recommendation(StrEnum):
    """Reference, identity.recommendation."""

    REUSE = "reuse"
    CONFIRM = "confirm"
    IGNORE = "ignore"


class IntentStatus(StrEnum):
    """Reference, intent_status."""

    OPEN = "open"
    RESOLVED = "resolved"


class Mode(StrEnum):
    """Which half of an organization's data a key opens (semantics §1)."""

    TEST = "test"
    PROD = "prod"


class Verdict(StrEnum):
    """What an agent or bot found out about the caller in the call (semantics §8)."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class Distrust(StrEnum):
    """Why what a caller presents counts for less than it would elsewhere: they are asked, not greeted by name.

    `self_named`: an id that the caller keyed in or said in the call, as anybody could who has read it somewhere.
    """

    NOT_ATTESTED = "not_attested"
    FORWARDED = "forwarded"
    SELF_NAMED = "self_named"


class Origin(StrEnum):
    """Which edge a command came through."""

    API = "api"
    TWILIO = "twilio"


class Basis(StrEnum):
    """The evidence a call's customer rests on, strongest first."""

    VERIFIED = "verified"
    CUSTOMER_REF = "customer_ref"
    EXTERNAL_ID = "external_id"
    ANI = "ani"
    NEW = "new"
