"""Mistakes between lines: a number that any account could call as another organization's, and calls that come back.

As in `references`, the values are the texts as written. Leaves out: what a line says about itself (`flow_references`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from adapter.engine.line import fits

from .inheritance import Placed, conversations
from .settings import DEFAULT_ORGANIZATION
from .tree import Path, as_items, as_mapping

Found = Iterator[tuple[Path, str]]
Written = Mapping[str, object]

ANY = "*"


def check_lines(written: Written) -> Found:
    """Every mistake of this kind: (path, message)."""
    yield from _callers_belong_to_one_organization(written)
    for place in _destinations(written):
        yield from _redirect_leads_away(place, as_mapping(written.get("twilio")).get("public_url"))
        yield from _dialed_number_is_no_line(place, written)


def _callers_belong_to_one_organization(written: Written) -> Found:
    """A webhook proves its account, not the number that it names: signed with one organization's token, it would be
    answered from another one's memory."""
    accounts = _named(as_mapping(written.get("twilio")).get("accounts"), "sid")
    organizations = _named(written.get("organizations"), "id") or {DEFAULT_ORGANIZATION}
    if len(accounts) < 2 or len(organizations) < 2:
        return
    for at, line in enumerate(as_items(written.get("lines"))):
        if isinstance(line, dict) and (line.get("account") or ANY) == ANY:
            message = (
                "is any account, while there are several organizations: each account could call the number as its"
                " own and hear what another organization remembers; write the SID of the account the number belongs to"
            )
            yield ("lines", at, "account"), message


def _named(entries: object, key: str) -> set[str]:
    return {str(as_mapping(entry).get(key)) for entry in as_items(entries)}


def _destinations(written: Written) -> Iterator[Placed]:
    for conversation in conversations(written):
        yield conversation.setting("destination")
        yield from conversation.table("destinations").values()


def _redirect_leads_away(place: Placed, public_url: object) -> Found:
    address = as_mapping(place.value).get("redirect")
    if isinstance(address, str) and isinstance(public_url, str) and _is_below(public_url, address):
        message = "is this service itself (twilio.public_url), so the call would go in circles; write another address"
        yield (*place.path, "redirect"), message


def _is_below(base: str, address: str) -> bool:
    try:
        ours, theirs = urlsplit(base), urlsplit(address)
        same = (ours.hostname, ours.port or 443) == (theirs.hostname, theirs.port or 443)
    except ValueError:
        return False
    return same and f"{theirs.path}/".startswith(ours.path.rstrip("/") + "/")


def _dialed_number_is_no_line(place: Placed, written: Written) -> Found:
    number = as_mapping(place.value).get("dial")
    for at, line in enumerate(as_items(written.get("lines"))):
        answered = as_mapping(line).get("number")
        if isinstance(number, str) and isinstance(answered, str) and answered != ANY and fits(answered, number):
            message = f"is answered by lines.{at}, so the call would come back; write a number that reaches somebody"
            yield (*place.path, "dial"), message
            return
