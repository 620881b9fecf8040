"""How each channel carries what is known along with a call, and how much of it.

A context is in the order of importance. Every value is shortened to what the channel takes; if all of them together are
too much, what stands at the end is dropped first: the longest beginning that fits goes along.
Leaves out: the verbs (`handing_over`), and what may go along at all (`engine.disclosure`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from .texts import plain, shortened

Context = Sequence[tuple[str, str]]
T = TypeVar("T")

# Twilio, <Sip>: the URI has less than 255 characters, all headers together have less than 1024. Only X- headers of our
# own making are sent.
SIP_URI_CHARACTERS: Final = 254
SIP_HEADERS_CHARACTERS: Final = 1_023
SIP_VALUE_CHARACTERS: Final = 240  # as it is encoded; so that a single value leaves room for others
SIP_HEADER_PREFIX: Final = "X-Sticky-"
# Twilio, <Enqueue><Task>: no limit of the attributes was found documented; this one is our caution.
TASK_BYTES: Final = 4_096
# Longer ones are no context but documents; the API's own limit for an intent is 128.
LONGEST_VALUE: Final = 400
# A name as parameters, headers and JSON keys all take it.
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class ParameterLimits:
    """Of <Parameter name value>: how many, bytes of a name, bytes of a value, characters of both together, and bytes of
    all of them as TwiML."""

    most: int
    name_bytes: int
    value_bytes: int
    both_characters: int
    document_bytes: int


# Twilio Support, "Passing custom information via requests to Twilio": 8 a Dial, names of 32 bytes, values of 128.
CLIENT: Final = ParameterLimits(8, 32, 128, 160, 16_000)
# Twilio, <Stream>: name and value together have less than 500 characters. For how many there is no limit: the document
# itself must stay under 64 kB (error 11750).
STREAM: Final = ParameterLimits(100, 64, 4 * LONGEST_VALUE, 499, 32_000)
# Twilio documents no limit for <ConversationRelay>; the sister's are safe.
RELAY: Final = STREAM


def parameters(context: Context, limits: ParameterLimits) -> list[tuple[str, str]]:
    """What goes along as <Parameter>s."""
    taken: list[tuple[str, str]] = []
    size = 0
    for name, value in _clean(context):
        if len(name) > limits.name_bytes:
            continue  # never fits, however much is dropped behind it
        kept = _in_bytes(value[: limits.both_characters - len(name)], limits.value_bytes)
        size += len(quoteattr(name + kept).encode()) + len('<Parameter name="" value="" />')
        if len(taken) == limits.most or size > limits.document_bytes:
            break
        taken.append((name, kept))
    return taken


def sip_uri(target: str, context: Context) -> str:
    """`target` with the context as X- headers, behind those that it has already. Raises ValueError if it is too long
    without any."""
    uri, _, own = target.partition("?")
    headers = _beginning(
        [own] if own else [],
        (f"{_header(name)}={_quoted(value)}" for name, value in _clean(context)),
        lambda fields: len("&".join(fields)) <= SIP_HEADERS_CHARACTERS,
    )
    if len(uri) > SIP_URI_CHARACTERS or len(own) > SIP_HEADERS_CHARACTERS:
        raise ValueError("a SIP address that is too long")
    return uri + ("?" + "&".join(headers) if headers else "")


def task(context: Context) -> str:
    """The context as a TaskRouter task's attributes: a flat JSON object of texts."""
    return _json(_beginning([], _clean(context), lambda pairs: len(_json(pairs).encode()) <= TASK_BYTES))


def with_token(target: str, context: Context) -> str:
    """`target` with the call's id and nothing else, for whoever goes on there to ask us about the call: an address is
    logged wherever it passes."""
    call_id = dict(context).get("call_id", "")
    if not _NAME.fullmatch(call_id):
        return target
    address, mark, fragment = target.partition("#")
    return f"{address}{'&' if '?' in address else '?'}call_id={call_id}{mark}{fragment}"


def _clean(context: Context) -> list[tuple[str, str]]:
    """Only what can be written, without empty values."""
    cleaned = ((name, shortened(value, LONGEST_VALUE)) for name, value in context if _NAME.fullmatch(name))
    return [(name, value) for name, value in cleaned if value]


def _beginning(taken: list[T], more: Iterable[T], fits: Callable[[list[T]], bool]) -> list[T]:
    """`taken` and as many of `more`, from the first on, as fit together."""
    for each in more:
        if not fits([*taken, each]):
            break
        taken = [*taken, each]
    return taken


def _header(name: str) -> str:
    return SIP_HEADER_PREFIX + "-".join(part.capitalize() for part in re.split("[_-]", name))


def _quoted(value: str) -> str:
    """Percent-encoded, cut between characters."""
    return "".join(_beginning([], (quote(each, safe="") for each in value), _is_short))


def _is_short(escapes: list[str]) -> bool:
    return sum(map(len, escapes)) <= SIP_VALUE_CHARACTERS


def _json(pairs: Context) -> str:
    return json.dumps(dict(pairs), ensure_ascii=False, separators=(",", ":"))


def _in_bytes(value: str, limit: int) -> str:
    return plain(value.encode()[:limit].decode(errors="ignore"))
