"""Why a signature does not fit, guessed for the log: which other address it fits, and what is different in it.

Only for telling people: what is tried here comes from headers that anybody can send, so it accepts nothing.
Leaves out: whether a webhook is Twilio's (`signature`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .signature import Fields, is_genuine, public_url

_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,40}")
_LONGEST: Final = 300
_MASK: Final = "***"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose signature did not fit. `hosts`: what its headers say it was sent to (Host, X-Forwarded-Host)."""

    base_url: str
    raw_target: str
    hosts: tuple[str, ...]
    form: Fields
    signature: str


@dataclass(frozen=True, slots=True)
class _Tried:
    url: str
    differs: tuple[str, ...]


def cause(asked: Asked, tokens: Sequence[str]) -> str:
    """A sentence for whoever looks after the service, without a value of any field and without a token."""
    if not asked.signature:  # a colon or comma right behind the name, and the log masks the next word
        return "it has no X-Twilio-Signature header: not Twilio, or the proxy takes the header away"
    if not tokens:
        return "no auth token is configured for this account"
    for tried in _candidates(asked):
        if is_genuine(tried.url, asked.form, asked.signature, tokens):
            return f"Twilio signed {shown(tried.url)}: another {' and '.join(tried.differs)}; {_advice(tried.differs)}"
    return "wrong auth token, or the address or a field was changed on the way; run `sticky-calls doctor`"


def shown(url: str) -> str:
    """An address for the log: of the query the names alone, since the values are callers' numbers."""
    place, mark, query = url.partition("?")
    names = [each.partition("=")[0] for each in query.split("&")] if query else []
    values = [f"{name if _NAME.fullmatch(name) else _MASK}={_MASK}" for name in names]
    return f"{place[:_LONGEST]}{mark}{'&'.join(values)[:_LONGEST]}"


def _candidates(asked: Asked) -> Iterator[_Tried]:
    """Likeliest first: as few differences as possible."""
    scheme, _, rest = asked.base_url.partition("://")
    host, _, prefix = rest.rstrip("/").partition("/")
    tried = [
        _Tried(public_url(f"{a_scheme}://{a_host}{a_prefix}", target), tuple(filter(None, differs)))
        for a_scheme, in_scheme in ((scheme, ""), ("http" if scheme == "https" else "https", "scheme"))
        for a_host, in_host in _hosts(host, asked.hosts)
        for a_prefix, in_prefix in _prefixes(prefix)
        for target, in_path, in_query in _targets(asked.raw_target)
        if (differs := (in_scheme, in_host, in_prefix or in_path, in_query)) != ("", "", "", "")
    ]
    return iter(sorted(tried, key=lambda each: len(each.differs)))


def _hosts(host: str, told: Sequence[str]) -> list[tuple[str, str]]:
    name = _without_port(host)
    found = {host: "", name: "port"} | ({host: ""} if name == host else {})
    for each in told:
        found.setdefault(each, "port" if _without_port(each) == name else "host")
        found.setdefault(_without_port(each), "host")
    return list(found.items())


def _without_port(host: str) -> str:
    return re.sub(r":[0-9]+$", "", host)


def _prefixes(prefix: str) -> list[tuple[str, str]]:
    return [(f"/{prefix}", ""), ("", "path prefix")] if prefix else [("", "")]


def _targets(target: str) -> list[tuple[str, str, str]]:
    """(target, what differs in the path, what differs in the query)."""
    path, mark, query = target.partition("?")
    slash = path.rstrip("/") if path.endswith("/") else f"{path}/"
    paths, queries = [(path, ""), (slash, "slash at the end")], [(mark + query, "")]
    if query:
        queries.append(("", "query"))
    return [(a_path + a_query, in_path, in_query) for a_path, in_path in paths for a_query, in_query in queries]


def _advice(differs: Sequence[str]) -> str:
    if {"scheme", "host", "port", "path prefix"} & set(differs):
        return "write twilio.public_url as the number's addresses have it, or run `sticky-calls numbers point`"
    return "the proxy must pass the address on as it came"
