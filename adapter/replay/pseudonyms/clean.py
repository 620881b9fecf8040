"""A webhook as it may be recorded: what is personal replaced, what is secret left out.

Two rounds: what the fields say of the caller is learnt first, so that a caller called Bill does not ask for the bill;
then everything is replaced. A text of ours stays whatever callers are called; in the values within it, a word with a
capital is a name. Leaves out: what is harmless (`harmless`, `vocabulary`).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode

from adapter.engine.caller_id import read_ani
from adapter.replay.recording.values import Answer, Pairs, Receipt, Recorded, call_id_in

from . import harmless as known
from .bodies import Replacing, body, replaced
from .bodies import known as known_part
from .characters import digits
from .keyed import Key
from .text import Harmless, Replacer
from .twiml import twiml
from .vocabulary import Vocabulary
from .words import folded

_MOST_CALLS: Final = 2_000
_KEPT_DIGITS: Final = 2
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_KEYS_PRESSED: Final = re.compile("[0-9#*A-D]*")
# /twilio/turn/2, /twilio/whisper/0a1b2c3d4e5f/2/answer: the number of a turn, the key of a line.
_OWN: Final = re.compile(r"/twilio(?:/[a-z]{1,10}|/turn/\d{1,4}|/whisper/[0-9a-f]{12}(?:/\d{1,4}(?:/answer)?)?)")
_API_PATHS: Final = frozenset({"/v1/calls/start", "/v1/calls/end"})
_CUSTOMERS: Final = "/v1/customers/"
_SCHEME: Final = re.compile("[a-z]+:")
# As `twilio.events` reads the number of a line out of it.
_DIALED: Final = re.compile(r"((?:sips?|tel|whatsapp):)?(\+[1-9][0-9]{6,14})(?=[@;]|$)")
_USERINFO: Final = re.compile(r"(?<=//)[^/@\s\"'<>]+@")
_NOTHING: Final = Harmless(few_digits=False)
_OURS: Final = known.RECEIPT_WORDS | known.ADDRESS_WORDS | known.PATH_WORDS | {"x"}
_SPOKEN: Final = frozenset(folded(word) for word in known.SPOKEN)


def without_secrets(recorded: Recorded, proofs: Container[str] = ()) -> Recorded:
    """Tokens, signatures, cookies and credentials left out, and all headers but the chosen ones; the rest as it is.

    `proofs`: names of variables and external ids that stay whatever they are called.
    """
    answer = recorded.answer
    if recorded.is_api:
        return _api_without_secrets(recorded, proofs)
    return replace(
        recorded,
        path=_query(recorded.path, lambda name, value: (name, value)),
        fields=tuple((name, value) for name, value in recorded.fields if not known.SECRET.search(name)),
        headers={name: value for name, value in recorded.headers.items() if name in known.HEADERS},
        answer=answer and replace(answer, body=_USERINFO.sub("", answer.body)),
        receipt=_public(recorded.receipt) if recorded.receipt else recorded.receipt,
    )


class Pseudonyms:
    """Cleans the webhooks of a recording, one after the other. `kept_digits`: keys pressed that stay, being choices."""

    def __init__(self, key: Key, vocabulary: Vocabulary, *, kept_digits: int = _KEPT_DIGITS) -> None:
        self._key = key
        self._replacer = Replacer(key, vocabulary.words)
        self._vocabulary = vocabulary
        self._kept_digits = kept_digits
        self._calls: OrderedDict[str, set[str]] = OrderedDict()
        self._names = Harmless(known.JSON_WORDS | known.RECEIPT_WORDS | {"x"}, vocabulary.kept)
        self._addresses = Harmless(known.ADDRESS_WORDS, vocabulary.kept, few_digits=False)
        self._receipt_names = Harmless(vocabulary.words | known.RECEIPT_WORDS)
        self._private = Harmless(kept=vocabulary.kept, few_digits=False)
        ours = vocabulary.words | _OURS
        self._heard = Harmless(ours, vocabulary.kept | vocabulary.phrases, capitals=_OURS | vocabulary.variables)
        self._saved = Harmless(ours, vocabulary.kept, capitals=frozenset())
        self._chosen = Harmless(ours, vocabulary.kept)
        self._id = Harmless(kept=vocabulary.kept, distinct=True)
        self._decided = Harmless(vocabulary.words | known.RECEIPT_WORDS, vocabulary.kept)
        self._all_words = ours - _SPOKEN
        self._allowed = lru_cache(maxsize=1_000)(self._allowed_without)
        self._paths = Harmless(known.PATH_WORDS, vocabulary.kept)
        self._outcomes = Harmless(frozenset({"successful", "failed", "true", "false", "null"}), few_digits=False)

    def clean(self, recorded: Recorded) -> Recorded:
        """The webhook as it may be written."""
        public = without_secrets(recorded, self._vocabulary.proofs)
        personal = self._learn(public)
        spoken, said = self._allowed(personal)
        if public.is_api:
            return self._api_call(public)
        return replace(
            public,
            method=public.method if re.fullmatch("[A-Z]{3,7}", public.method) else "POST",
            path=self._path(public.path, spoken),
            fields=self._fields(public.fields, spoken, is_ours=_is_inbound(public)),
            headers={name: self._formed(known.HEADERS[name], value) for name, value in public.headers.items()},
            answer=public.answer and self._answer(public.answer, said),
            receipt=self._receipt(public.receipt),
            name=self._replacer.text(public.name, Harmless(known.RECEIPT_WORDS | known.PATH_WORDS)),
        )

    def _api_call(self, public: Recorded) -> Recorded:
        """What is saved is heard in later calls, so it is replaced like what is heard."""
        replacer, saved = self._replacer, self._saved
        replacing = Replacing(
            lambda text: replacer.known_text(text, saved),
            lambda text: replacer.known_text(text, self._id),
            lambda text: replacer.known_text(text, self._allowed(frozenset())[1]),
            lambda text: text if text.lower() in self._vocabulary.names else replacer.known_text(text, self._chosen),
            self._address,
            self._dialed,
            lambda value: replacer.value(value, saved),
        )
        answer = public.answer
        return replace(
            public,
            path=_api_path(public.path, replacing.id),
            headers={name: self._api_header(name, value) for name, value in public.headers.items()},
            sent=replaced(public.sent, replacing),
            answer=answer and replace(answer, body=body(answer.body, replacing, self._vocabulary.proofs) or ""),
        )

    def _api_header(self, name: str, value: str) -> str:
        """Of an Idempotency-Key only equality counts."""
        if name == "idempotency-key":
            return self._key.draw(name, value).hex()[:32]
        return self._formed(known.API_HEADERS[name], value)

    def _learn(self, recorded: Recorded) -> frozenset[str]:
        """The words that are personal in this call, from all its webhooks so far."""
        found = self._calls.setdefault(recorded.call, set())
        self._calls.move_to_end(recorded.call)
        if len(self._calls) > _MOST_CALLS:
            self._calls.popitem(last=False)
        for name, value in recorded.fields:
            if not known.PLACE.search(name) and not _is_told(name, value) and value not in self._vocabulary.kept:
                found.update(folded(word) for word in _WORD.findall(value))
        return frozenset(found & self._all_words)

    def _allowed_without(self, personal: frozenset[str]) -> tuple[Harmless, Harmless]:
        """What stays in this call in what is said by the caller, and in what is said to the caller beside our phrases:
        that are values, and with a capital they are names."""
        spoken = Harmless(self._vocabulary.listened - personal, self._vocabulary.kept)
        words = (self._vocabulary.words - personal) | _OURS
        return spoken, Harmless(words, self._heard.kept, capitals=frozenset())

    def _fields(self, fields: Pairs, spoken: Harmless, *, is_ours: bool) -> Pairs:
        """`is_ours`: what was dialed is a number of ours."""
        return tuple(
            (
                self._name(name),
                self._dialed(value) if is_ours and name in known.DIALED else self._field(name, value, spoken),
            )
            for name, value in fields
        )

    def _name(self, name: str) -> str:
        if name in known.NAMES:
            return name
        prefix = found[0] if (found := known.SIP_HEADER.match(name)) else ""
        return prefix + self._replacer.text(name[len(prefix) :], self._names)

    def _field(self, name: str, value: str, spoken: Harmless) -> str:
        if value in self._vocabulary.kept or _has_its_form(name, value):
            return value
        if name in known.KEYS:
            return self._pressed(value)
        if name in known.SPEECH:
            return self._replacer.text(value, spoken)
        if name in known.ADDRESSES:
            return self._address(value)
        if name == "AddOns":
            return self._add_ons(value)
        return self._replacer.known_text(value, self._private)

    def _pressed(self, value: str) -> str:
        few = len(value) <= self._kept_digits and _KEYS_PRESSED.fullmatch(value)
        return value if few else digits(self._key, value)

    def _address(self, value: str) -> str:
        """A caller who withheld the number goes on doing so: what stands for it stays, the rest of it does not."""
        if read_ani(value).note != "withheld":
            return self._replacer.known_text(value, self._addresses)
        user = _SCHEME.sub("", value.strip()).partition("@")[0].partition(";")[0]
        kept = {user} if user.removeprefix("+").isdecimal() else set()
        return self._replacer.text(
            value, Harmless(known.ADDRESS_WORDS | known.WITHHELD, self._vocabulary.kept | kept, few_digits=False)
        )

    def _dialed(self, value: str) -> str:
        """A number stays where another line, or none, would answer its pseudonym: of a pattern, or in an address."""
        if value in self._vocabulary.kept:
            return value
        drawn, found = self._address(value), _DIALED.match(value)
        if found is None:
            return drawn
        instead = _DIALED.match(drawn)
        if instead is not None and self._vocabulary.are_alike(found[2], instead[2]):
            return drawn
        return found[0] + self._address(value[found.end() :])

    def _add_ons(self, value: str) -> str:
        return self._replacer.text(value, self._outcomes, keys=Harmless(known.JSON_WORDS))

    def _path(self, path: str, spoken: Harmless) -> str:
        bare = path.partition("?")[0]
        parts = [self._replacer.known_text(part, self._paths) for part in bare.split("/")]
        done = bare if _OWN.fullmatch(bare) and _is_known(bare) else "/".join(parts)
        query = path[len(bare) :]
        return done + _query(query, lambda name, value: (self._name(name), self._field(name, value, spoken)))

    def _formed(self, form: re.Pattern[str], value: str) -> str:
        return value if form.fullmatch(value) else self._replacer.text(value, _NOTHING)

    def _answer(self, answer: Answer, said: Harmless) -> Answer:
        written = twiml(
            answer.body,
            lambda text: self._replacer.known_text(text, self._heard),
            lambda name: self._replacer.text(name, _NOTHING),
            lambda text: self._replacer.known_text(text, said),
        )
        kind = self._formed(known.CONTENT_TYPE, answer.content_type) if answer.content_type else ""
        return Answer(answer.status, kind, written)

    def _receipt(self, receipt: Receipt | None) -> Receipt | None:
        if receipt is None:
            return None
        cleaned: Receipt = self._replacer.value(dict(receipt), self._decided, self._receipt_names)
        return cleaned


def _api_without_secrets(recorded: Recorded, proofs: Container[str]) -> Recorded:
    answer = recorded.answer
    return replace(
        recorded,
        path=recorded.path.partition("?")[0],
        fields=(),
        headers={name: value for name, value in recorded.headers.items() if name in known.API_HEADERS},
        sent=known_part(recorded.sent, proofs),
        answer=answer and replace(answer, body=body(answer.body, None, proofs) or ""),
    )


def _api_path(path: str, text: Callable[[str], str]) -> str:
    """The customer's reference or the call's id in it replaced, as in the JSON."""
    if (call := call_id_in(path)) != "":
        return f"/v1/calls/{quote(text(call))}/identity"
    if path.startswith(_CUSTOMERS):
        return _CUSTOMERS + quote(text(unquote(path.removeprefix(_CUSTOMERS))))
    return path if path in _API_PATHS else "/v1"


def _is_inbound(webhook: Recorded) -> bool:
    """Of the caller's own leg; the number of who answers a hand-over, or is rung by us, is somebody's."""
    return not webhook.value("ParentCallSid") and webhook.value("Direction") in ("", "inbound")


def _is_known(path: str) -> bool:
    return path.split("/")[2] in known.PATH_WORDS


def _has_its_form(name: str, value: str) -> bool:
    form = known.FORMS.get(name)
    return not value or (form is not None and form.fullmatch(value) is not None)


def _is_told(name: str, value: str) -> bool:
    """Whether the field says nothing of the caller by words of its own: those are looked at for the call's answers."""
    told = name in known.SPEECH or name in known.ADDRESSES or name in known.KEYS or name == "AddOns"
    return told or _has_its_form(name, value)


def _query(path: str, each: Any) -> str:
    """The path with every parameter of its query as `each` makes it, secret ones left out."""
    bare, mark, query = path.partition("?")
    if not mark:
        return bare
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if not known.SECRET.search(pair[0])]
    replaced = [each(name, value) for name, value in pairs]
    # Untouched it stays to the byte: the query is part of what Twilio signs.
    if replaced == parse_qsl(query, keep_blank_values=True):
        return path
    return bare + mark + urlencode(replaced, errors="replace") if replaced else bare


def _public(value: Any) -> Any:
    """A receipt without what is named like a secret, however deep."""
    if isinstance(value, Mapping):
        return {name: _public(item) for name, item in value.items() if not known.SECRET.search(str(name))}
    return [_public(item) for item in value] if isinstance(value, list | tuple) else value
