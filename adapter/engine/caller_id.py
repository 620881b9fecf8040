"""Whether what stands where a caller's number should be *is* a number, for both edges alike.

Every withheld caller arrives under one of a few spellings, and some of them look like a telephone number: taken for
one, all withheld callers would share a single memory. So the spellings are looked for first and E.164 second
(semantics §5; Twilio, "Why am I getting calls from these strange numbers?").
Leaves out: guessing a country for national digits, and whose number it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

Note = Literal["withheld", "not_dialable", "missing"]


@dataclass(frozen=True, slots=True)
class CallerId:
    """`number`: E.164, the only form that may become an identity. `note` says why there is none, None when there is."""

    number: str | None = None
    note: Note | None = None


# What carriers dial into the number field when there is none: words spelled on a keypad.
_KEYPAD_SPELLINGS: Final = frozenset(
    {
        "266696687",  # ANONYMOUS; parses as a plausible number of Lesotho
        "7378742833",  # RESTRICTED; as ten digits, a plausible number of Texas
        "7378742883",  # the same misspelt, as several projects have copied it
        "2562533",  # BLOCKED
        "8656696",  # UNKNOWN
        "86282452253",  # UNAVAILABLE; parses as a plausible number of China
        "464",  # on Twilio's list, meaning unknown
    }
)
# Twilio: "a string that contains anonymous, unknown, or other descriptions".
_WITHHELD_WORDS: Final = re.compile(
    "anonym|restricted|unavailable|not available|unknown|private|blocked|withheld|suppressed|hidden|no caller ?id"
)
_SCHEME: Final = re.compile(r"(?:sips?|tel|client|whatsapp):")
# [0-9], not \d: that matches the digits of every script.
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
# 010 is Japan's prefix for calling abroad, so no number of Japan begins like this: it is made up (seen: +811045000).
_IMPOSSIBLE: Final = "+8110"


def read_ani(raw: str | None) -> CallerId:
    """Read Twilio's From or the API's `ani`. Never raises.

    A number inside a sip:, client: or whatsapp: address is "not_dialable": whoever runs that endpoint chose it, nobody
    verified it. An edge that answers malformed numbers with an error does so for "not_dialable" only.
    """
    text = (raw or "").strip()
    if not text:
        return CallerId(note="missing")
    if _is_withheld(text.casefold()):
        return CallerId(note="withheld")
    if not _E164.fullmatch(text) or text.startswith(_IMPOSSIBLE):
        return CallerId(note="not_dialable")
    return CallerId(number=text)


def _is_withheld(text: str) -> bool:
    if _WITHHELD_WORDS.search(text):
        return True
    user = _SCHEME.sub("", text, count=1).partition("@")[0].partition(";")[0]
    digits = user.removeprefix("+")
    # A leading 1 is what North American equipment makes of it.
    return digits in _KEYPAD_SPELLINGS or digits.removeprefix("1") in _KEYPAD_SPELLINGS
