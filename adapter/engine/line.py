"""A line: one dialed number of one Twilio account, and what is to happen to its calls. Configuration's values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .model import Mode


class DestinationKind(StrEnum):
    """Where a greeted caller is put through to."""

    DIAL = "dial"
    SIP = "sip"
    CLIENT = "client"
    QUEUE = "queue"
    REDIRECT = "redirect"
    HANGUP = "hangup"


@dataclass(frozen=True, slots=True)
class Destination:
    """`target`: E.164 number, sip: URI, client identity, queue name or absolute https URL; "" for hangup."""

    kind: DestinationKind
    target: str = ""
    timeout_seconds: int = 30


@dataclass(frozen=True, slots=True)
class Line:
    """`account` and `number` are exact or "*" (any). `strict_caller_id`: only StirVerstat Passed-A reaches reuse."""

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
