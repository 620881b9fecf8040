"""How a webhook reaches the server under test, signed as Twilio signs it: over HTTP, or by calling a WSGI app.

Leaves out: what is asked and what is made of the answer (`adapter.replay.leg`), and disturbances (`troubles`).
"""

from __future__ import annotations

import io
import sys
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes, urlencode, urlsplit

import requests

from adapter.twilio.signature import sign

LONGEST_DOCUMENT = 64 * 1024  # bytes; more is Twilio's error 11750, so no more than one byte beyond it is ever read
_CONNECT_SECONDS, _ANSWER_SECONDS = 5, 15  # Twilio's own limits ("Connection overrides")
_FORM = "application/x-www-form-urlencoded; charset=UTF-8"

# A webhook's fields. As pairs where one of them may come twice, as in some captures.
Form = Mapping[str, str] | Sequence[tuple[str, str]]
Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `content_type` as sent, "" when there is none; `location` of a redirect, else ""."""

    status: int
    content_type: str
    body: bytes
    location: str = ""


class NoAnswer(Exception):
    """No connection, or nothing came back in time."""


class Exchange(Protocol):
    """Sends one webhook. `url` is absolute and public; `fields` go into the form of a POST and the query of a GET."""

    def send(self, method: str, url: str, fields: Form) -> Reply:
        """The answer, redirects not followed. NoAnswer when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it goes out: the URL that is asked for (and signed), the headers, and the body."""

    url: str
    headers: Mapping[str, str]
    body: str


def signed(method: str, url: str, fields: Form, token: str) -> Outgoing:
    """The fields where Twilio puts them, and its signature over all of it (Twilio, "Webhooks security")."""
    pairs = list(fields.items() if isinstance(fields, Mapping) else fields)
    headers = {"User-Agent": "TwilioProxy/1.1", "Accept": "*/*", "I-Twilio-Idempotency-Token": str(uuid.uuid4())}
    if method == "GET":
        asked = f"{url}{'&' if '?' in url else '?'}{urlencode(pairs)}" if pairs else url
        return Outgoing(asked, {**headers, "X-Twilio-Signature": sign(asked, (), token)}, "")
    signature = sign(url, pairs, token)
    return Outgoing(url, {**headers, "X-Twilio-Signature": signature, "Content-Type": _FORM}, urlencode(pairs))


@dataclass(slots=True)
class HttpExchange:
    """Over the network. Signed for `public_url`, but connected to `base_url` (scheme, host, port) if one is given.

    `token` is the account's auth token.
    """

    public_url: str
    token: str = field(repr=False)
    base_url: str | None = None
    _session: requests.Session = field(default_factory=requests.Session, repr=False)

    def __post_init__(self) -> None:
        # A proxy in the environment must not see (or break) calls to this machine.
        self._session.trust_env = False

    def send(self, method: str, url: str, fields: Form) -> Reply:
        """See `Exchange`."""
        return self.ask(method, signed(method, url, fields, self.token))

    def ask(self, method: str, out: Outgoing) -> Reply:
        """Any request as it stands, not signed. NoAnswer."""
        try:
            with self._session.request(
                method,
                self._address(out.url),
                data=out.body or None,
                headers=dict(out.headers),
                timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as answer:
                body = answer.raw.read(LONGEST_DOCUMENT + 1, decode_content=True)
                headers = answer.headers
                kind, location = headers.get("Content-Type", ""), headers.get("Location", "")
                return Reply(answer.status_code, kind, body, location)
        except (requests.RequestException, OSError) as error:
            raise NoAnswer(type(error).__name__) from error

    def close(self) -> None:
        """Close kept connections."""
        self._session.close()

    def _address(self, url: str) -> str:
        return url if self.base_url is None else self.base_url.rstrip("/") + beyond(self.public_url, url)


@dataclass(frozen=True, slots=True)
class WsgiExchange:
    """Into a WSGI app in this process. The path of `public_url`, if any, is what a proxy in front takes away."""

    app: WsgiApp
    public_url: str
    token: str = field(repr=False)

    def send(self, method: str, url: str, fields: Form) -> Reply:
        """See `Exchange`. An exception of the app comes through."""
        return self.ask(method, signed(method, url, fields, self.token))

    def ask(self, method: str, out: Outgoing) -> Reply:
        """Any request as it stands, not signed."""
        answered: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Callable[[bytes], object]:
            answered.append((status, headers))
            return lambda _: None

        chunks = self.app(self._environ(method, out), start_response)
        try:
            body = b"".join(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        status, headers = answered[-1]
        named = {name.lower(): value for name, value in headers}
        return Reply(int(status.split()[0]), named.get("content-type", ""), body, named.get("location", ""))

    def _environ(self, method: str, out: Outgoing) -> Environ:
        """PEP 3333, with the raw request line as gunicorn gives it."""
        target = beyond(self.public_url, out.url) or "/"
        path, _, query = target.partition("?")
        public = urlsplit(self.public_url)
        body = out.body.encode()
        return {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": target,
            "REQUEST_URI": target,
            "SERVER_NAME": public.hostname or "localhost",
            "SERVER_PORT": str(public.port or (443 if public.scheme == "https" else 80)),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": out.headers.get("Content-Type", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": public.scheme,
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "HTTP_HOST": public.netloc.rpartition("@")[2],
            **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in out.headers.items()},
        }


def is_under(public_url: str, url: str) -> bool:
    """Whether `url` is one of the server's own addresses."""
    return url == public_url or url.startswith((f"{public_url}/", f"{public_url}?"))


def beyond(public_url: str, url: str) -> str:
    """The part of `url` behind `public_url`, without a fragment; ValueError for an address elsewhere."""
    if not is_under(public_url, url):
        raise ValueError("an address of another server")
    return url.partition("#")[0][len(public_url) :]
