"""Whether a webhook is Twilio's: HMAC-SHA1 over the URL it asked for and the form it sent (Twilio, "Security").

Not twilio-python's RequestValidator: that computes two signatures each time and raises on odd input. Leaves out
replays: the scheme has no timestamp, so a signed request stays valid for ever and a repeated one must change nothing.
Nor are the borders between fields signed: who reads a form must refuse doubled names and check every value's form.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import parse_qsl, quote, unquote

Fields = Sequence[tuple[str, str]]

_SIGNATURE_LENGTH: Final = 28  # the base64 text of a SHA-1; anything else is refused before it costs a hash
_HIGHEST_PORT: Final = 65_535
_BODY_HASH: Final = "bodySHA256"
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}

_ABSOLUTE: Final = re.compile(r"(https?)://([^/?#]*)(.*)", re.DOTALL)
_HOST_AND_PORT: Final = re.compile(r"((?:[^@]*@)?(?:\[[^\]@]*\]|[^:@\[\]]*))(?::([0-9]{1,5}))?")
_ABSOLUTE_FORM: Final = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
# Escapes that mean the same once decoded. Not %26, %3D, %2B, %25, %23 and the like: those change what a query says.
_HARMLESS_ESCAPES: Final = re.compile(r"%27|%3[Aa]|%40|(?:%[89A-Fa-f][0-9A-Fa-f])+")
_HARMLESS_PLAIN: Final = re.compile(r"[':@]|[^\x00-\x7f]+")


def is_genuine(url: str, fields: Fields, signature: str, tokens: Sequence[str], body: bytes | None = None) -> bool:
    """Whether one of `tokens` signed this request. Never raises: what cannot be checked is not genuine.

    `url` is `public_url(...)`, `fields` the posted form in any order (empty for GET). `tokens` are several only while a
    token is being rotated. `body` is given for a JSON body and only then: it must hash to the URL's bodySHA256.
    """
    try:
        return (
            has_form(signature)
            and (body is None or _is_body_signed(url, body))
            and _is_signed(url, fields, signature.encode(), [token.encode() for token in tokens if token])
        )
    except (ValueError, TypeError, AttributeError):
        # ValueError: lone surrogates. The others: a header or token that is not there, None where text should be.
        return False


def has_form(signature: str) -> bool:
    """Whether it can be a signature at all: what is none is refused before its request costs anything."""
    return len(signature) == _SIGNATURE_LENGTH


def sign(url: str, fields: Fields, token: str) -> str:
    """The X-Twilio-Signature that Twilio would send. Raises ValueError for lone surrogates."""
    return _digest(token.encode(), url.encode() + _flat(fields)).decode()


def public_url(base: str, raw_target: str) -> str:
    """The URL that Twilio asked for: the configured public address, then the request target as it came over the wire.

    `base`: scheme, host, perhaps a port and the path prefix that the proxy takes away, spelled as in Twilio's console.
    `raw_target`: WSGI's RAW_URI or REQUEST_URI, bytes as Latin-1 (PEP 3333). Of an absolute-form target only path and
    query count, since its host is the sender's claim. Twilio signs neither userinfo nor a fragment: `base` loses both,
    a target keeps its fragment and so fits no signature, since servers differ in whether they read fields out of it.
    """
    scheme, _, rest = base.partition("://")
    authority, slash, prefix = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    host = authority.rpartition("@")[2]
    return f"{scheme}://{host}{(slash + prefix).rstrip('/')}{_origin_form(_as_unicode(raw_target))}"


def _origin_form(target: str) -> str:
    path = target if target.startswith("/") else _ABSOLUTE_FORM.sub("", target)
    return path if path.startswith("/") else "/" + path


def _as_unicode(target: str) -> str:
    try:
        return target.encode("latin-1").decode()
    except UnicodeError:
        return target


def _is_body_signed(url: str, body: bytes) -> bool:
    """Exactly one bodySHA256 in the query, and it is this body's. Without one nothing vouches for the body."""
    query = url.partition("?")[2]
    named = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == _BODY_HASH]
    return len(named) == 1 and hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), named[0].encode())


def _is_signed(url: str, fields: Fields, signature: bytes, tokens: Sequence[bytes]) -> bool:
    flat = _flat(fields)
    candidates = (_digest(token, spelling.encode() + flat) for spelling in _spellings(url) for token in tokens)
    # The base64 text is compared, not its bytes: several texts decode to the same bytes.
    return any(hmac.compare_digest(candidate, signature) for candidate in candidates)


def _flat(fields: Fields) -> bytes:
    """Names and values without delimiters, names sorted by code point, a name's values de-duplicated and sorted."""
    return "".join(name + value for name, value in sorted(set(fields))).encode()


def _digest(token: bytes, message: bytes) -> bytes:
    return base64.b64encode(hmac.digest(token, message, "sha1"))


def _spellings(url: str) -> Iterator[str]:
    """The ways Twilio may have spelled this URL, likeliest first; none for what is no http URL or has an odd port."""
    if not (whole := _ABSOLUTE.fullmatch(url)):
        return
    scheme, authority, rest = whole.groups()
    path, mark, query = rest.partition("?")
    for place in _places(scheme, authority):
        for spelled in dict.fromkeys((query, _decoded(query), _encoded(query))):
            yield f"{scheme}://{place}{path}{mark}{spelled}"
        if mark and not query:
            yield f"{scheme}://{place}{path}"  # URL libraries lose a "?" that nothing follows


def _places(scheme: str, authority: str) -> list[str]:
    """Without a port and with one, since Twilio drops it for https and keeps it for http, mostly."""
    if not (parts := _HOST_AND_PORT.fullmatch(authority)) or int(parts[2] or 0) > _HIGHEST_PORT:
        return []
    return [parts[1], f"{parts[1]}:{parts[2] or _DEFAULT_PORTS[scheme]}"]


def _decoded(query: str) -> str:
    """Signed plain, escaped on the way: browsers and HTTP libraries escape quotes and letters that need none."""
    return _HARMLESS_ESCAPES.sub(_decode, query)


def _decode(escape: re.Match[str]) -> str:
    try:
        return unquote(escape[0], errors="strict")
    except UnicodeDecodeError:
        return escape[0]


def _encoded(query: str) -> str:
    """Signed escaped, decoded on the way (Werkzeug and Express do so)."""
    return _HARMLESS_PLAIN.sub(lambda plain: quote(plain[0], safe=""), query)
