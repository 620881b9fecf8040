"""Strings that somebody might be called, or say, or send, to make a document or a template do something else."""

from __future__ import annotations

import random
from typing import Final

from hypothesis import strategies as st

HOSTILE: Final = [
    "</Say><Dial>+19005550100</Dial><Say>",
    '"/><Redirect>https://evil.example.com</Redirect><x y="',
    "' onload='x",
    "]]><!-- & &amp; &#0; &#x41; <?xml?>",
    "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;",
    "{{ ''.__class__.__mro__ }}{% for x in range(99999999) %}{{ x }}{% endfor %}",
    "{% raw %}{{ 7 * 7 }}{# ",
    "${7*7} #{7*7} %7B%7B7*7%7D%7D",
    "<speak><break time='100s'/><audio src='https://evil.example.com/a.mp3'/></speak>",
    "&X-Evil=1?X-Evil=2;transport=udp\r\nX-Evil: 3",
    "%00%0d%0aX-Evil:%20yes",
    '","evil":"yes","x":"\\',
    "\x00\x01\x0b\x0c\x1f\x7f\x85\ufffe\uffff\ud800\udfff",
    "a" * 100_000,
    "&" * 100_000,
    "\U0010ffff" * 100_000,
    "\r\n" * 100_000,
    "\u202egnihton",
    "\u2066\u2069\u200f\u0627\u0644\u0639",
    "e\u0301\u0301\u0301" * 200,
    ",",
    " ",
    "",
]
hostile: Final = st.text() | st.text(st.characters(categories=["Cc", "Cs", "Cn", "Co"])) | st.sampled_from(HOSTILE)
_PIECES: Final = [
    *(value for value in HOSTILE if 0 < len(value) < 1_000),
    *"<>&\"'{}%#?;=,/\\ \n\r\t\x00\x0b\ud800\udc00\ufffe\u202e\u2028é漢😀a1",
    *("{{", "}}", "{%", "%}", "&#", "<![CDATA[", "]]>", "-->", "sip:", "?X-", "+1900", "__class__"),
]


def some_hostile(chance: random.Random) -> str:
    """One of them, or pieces of them put together: millions of different ones, the same for the same seed."""
    if chance.random() < 0.02:
        return chance.choice(HOSTILE)
    return "".join(chance.choices(_PIECES, k=chance.randrange(1, 9)))
