"""Webhooks in which personal values are planted, and the search for what is left of them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

from hypothesis import strategies as st

from adapter.replay.pseudonyms import Key, Pseudonyms, vocabulary
from adapter.replay.pseudonyms.harmless import NAMES
from adapter.replay.pseudonyms.words import folded
from adapter.replay.recording import Answer, Recorded, line_of
from tests.builders import AGENTS, DIALED

CALL = "CA" + "1" * 32
# Pseudonyms are made of other letters, so that none can hold a marked name by chance.
names = st.text(alphabet="qxwyjQXWYJ", min_size=5, max_size=11)
numbers = st.from_regex(r"\+(1[2-9][0-9]{2}[2-9][0-9]{6}|49[1-9][0-9]{8,9}|447[0-9]{9}|3906[0-9]{7})", fullmatch=True)
accounts = st.from_regex(r"[A-Z]{2}[0-9]{7,9}", fullmatch=True)

FIELDS = [*sorted(NAMES), "SipHeader_X-Name", "foo"]


def _json_escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


WRAPPED: dict[str, Callable[[str], str]] = {
    "plain": lambda value: value,
    "in words": lambda value: f"well my name is {value}, thank you",
    "percent-encoded": lambda value: quote(value, safe=""),
    "percent-encoded in full": lambda value: "".join(f"%{byte:02X}" for byte in value.encode()),
    "percent-encoded twice": lambda value: quote("".join(f"%{byte:02x}" for byte in value.encode())),
    "of a form": lambda value: f"name={quote_plus(value)}&x=1",
    "XML-escaped": lambda value: "".join(f"&#{ord(character)};" for character in value),
    "XML-escaped in hexadecimal": lambda value: "".join(f"&#x{ord(character):x};" for character in value),
    "in JSON": lambda value: json.dumps({"results": {"caller": {"given name": value, "tags": [value, 5, None]}}}),
    "a key of JSON": lambda value: json.dumps({value: True}),
    "JSON in JSON": lambda value: json.dumps({"a": json.dumps({"b": value})}),
    "JSON, percent-encoded": lambda value: quote(json.dumps({"parentCallInfo": value})),
    "escaped as JSON": lambda value: f'{{"broken": {_json_escaped(value)}',
    "in an address": lambda value: f"sip:{value}@{value}.example.com;user=phone",
    "a client": lambda value: f"client:{value}",
    "in mail": lambda value: f"{value}@example.com",
    "in a URL": lambda value: f"https://{value}:{value}@example.com/{value}?q={quote(value)}#{value}",
    "glued": lambda value: f"_{value}_/{value}-{value}",
    "with something invisible": lambda value: f"{value[:3]}\u200b{value[3:]}",
}
wrappings = st.sampled_from(sorted(WRAPPED))


def national(number: str) -> list[str]:
    """Ways to write a number."""
    digits = number[1:]
    rest = digits[1:] if digits[0] == "1" else digits[2:]
    return [
        number,
        digits,
        rest,
        f"0{rest}",
        f"({rest[:3]}) {rest[3:6]}-{rest[6:]}",
        f"{rest[:3]} {rest[3:6]} {rest[6:]}",
        " ".join(rest),
        "-".join(rest),
    ]


@st.composite
def marked(draw: st.DrawFn) -> tuple[Recorded, list[str]]:
    """A webhook, and what must not be left of it."""
    first, last, number, account = draw(names), draw(names), draw(numbers), draw(accounts)
    values = [first, last, f"{first} {last}", account, *national(number)]

    def planted() -> str:
        return WRAPPED[draw(wrappings)](draw(st.sampled_from(values)))

    fields = [("CallSid", CALL), ("From", number), ("FirstName", first), ("LastName", last)]
    fields += [(name, planted()) for name in draw(st.lists(st.sampled_from(FIELDS), max_size=6))]
    fields += [(planted(), "x")] if draw(st.booleans()) else []
    return (
        Recorded(
            draw(st.sampled_from(["POST", "GET"])),
            f"/twilio/{quote(planted())}?a={quote(planted())}",
            tuple(fields),
            1_770_460_200_000,
            {"user-agent": planted(), "content-type": planted(), "cookie": first, "x-twilio-signature": last},
            Answer(200, "text/xml", draw(documents(planted))),
            {"recommendation": "reuse", "confidence": 0.5, "name": first, planted(): planted(), "list": [planted()]},
            planted(),
        ),
        [first, last, account, number[-7:]],
    )


def documents(planted: Callable[[], str]) -> st.SearchStrategy[str]:
    """TwiML with values wherever there is a place for one; and what is no TwiML."""
    text, attribute = (lambda: html.escape(planted(), quote=False)), (lambda: html.escape(planted()))
    made: list[Callable[[], str]] = [
        lambda: f"<Response><Say voice='{attribute()}'>Welcome back, {text()}.</Say><Hangup/></Response>",
        lambda: (
            f'<Response><Dial callerId="{attribute()}"><Number url="{attribute()}">{text()}</Number></Dial></Response>'
        ),
        lambda: (
            f"<Response><Dial><Sip>sip:a@b.c?x-n={quote(planted())}</Sip><Client><Identity>{text()}</Identity>"
            f'<Parameter name="name" value="{attribute()}"/></Client></Dial></Response>'
        ),
        lambda: f"<Response><!-- {text().replace('--', '')} --><Say><![CDATA[{planted()}]]></Say></Response>",
        lambda: f'<Response><Gather hints="{attribute()}" numDigits="{attribute()}"/>{text()}</Response>',
        lambda: f"<Response><Say>{text()}",
        planted,
        lambda: json.dumps({"error": planted()}),
    ]
    return st.sampled_from(made).map(lambda make: make())


def cleaned(webhook: Recorded, key: bytes = b"k" * 32) -> Recorded:
    """The webhook as it would be recorded."""
    return Pseudonyms(Key(key), vocabulary(kept=[DIALED, AGENTS])).clean(webhook)


def left(webhook: Recorded, secrets: list[str]) -> list[str]:
    """Which of these can be read in the webhook's line, however it is written there."""
    text = line_of(webhook).decode("utf-8", "surrogatepass")
    layers = {text}
    for _ in range(4):
        layers |= {peeled(layer) for layer in layers}
    plain = [folded(layer) for layer in layers]
    bare = [re.sub(r"[ ().\-/+\"\u200b]", "", layer) for layer in plain]
    return [secret for secret in secrets if any(folded(secret) in each for each in (*plain, *bare))]


def peeled(text: str) -> str:
    """Without one layer of every escaping."""
    text = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return html.unescape(unquote_plus(text))


def field(webhook: Recorded, name: str) -> Any:
    """One field's value."""
    return webhook.value(name)
