"""One conversation as told: who calls which line, what they do, and every word they hear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapter.replay import (
    Ending,
)

from .world import (
    OWN_ACCOUNT,
    Person,
    known,
    probable,
)


@dataclass(frozen=True, slots=True)
class Row:
    """`says`: all that the caller hears. `to`: where the call was put through to, one after the other. `opens`: the
    open intents of the call's customer afterwards, with their attempts. `verdict`: what the call found out."""

    name: str
    line: str
    script: tuple[object, ...]
    says: str
    people: tuple[Person, ...] = ()
    to: tuple[str, ...] = ()
    whispers: str = ""
    opens: Mapping[str, int] = field(default_factory=dict)
    verdict: str | None = None
    ending: Ending = Ending.HUNG_UP
    anonymous: bool = False
    stir: str | None = None
    forwarded: bool = False


SUPPORT, ORDERS, BILLING, SENIOR = ("support",), ("orders",), ("+14155550301",), ("+14155550300",)
GONE = Ending.CALLER_HUNG_UP
MARIA = probable(name="Maria Lopez", pin="4711", secret_note="n0te")
KNOWN = known(name="Maria Lopez", pin="4711", secret_note="n0te")
ANA, BEN = (
    Person({"name": name, "pin": pin}, {"crm_id": f"{name} {OWN_ACCOUNT}"}, line_type="landline")
    for name, pin in (("Ana Moss", "1111"), ("Ben Moss", "2222"))
)
CLIENT = Person({"name": "Maria Lopez", "pin": "4711"}, {"account_number": OWN_ACCOUNT})
NUMBERED = Person({"name": "Maria Lopez"}, {"customer_number": "77-123456"})
NAMED = probable(name="María López")
ONCE = known({"refund_request": 1}, name="Maria Lopez")
TWICE = known({"refund_request": 2}, name="Maria Lopez")
