"""Mistakes in conversations that take more than one setting to see: names that point nowhere, keys given twice,
questions that cannot be answered.

Each line is judged together with its flow, and each mistake told where it is written. As in `references`, the values
are the texts as written; what is wrong by itself is the schema's to report and is passed over here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from marshmallow import ValidationError

from adapter.engine.line import Forget, ProofKind
from adapter.engine.policy import IdentityPolicy
from adapter.twilio.voices import LANGUAGES, speaks, spoken_in

from .destinations import OUTCOMES, WORDS, missing_destination
from .inheritance import Conversation, Placed, conversations
from .suggestions import did_you_mean
from .tree import Path, as_items, as_mapping
from .words import Language

Found = Iterator[tuple[Path, str]]
Written = Mapping[str, object]


def check_conversations(written: Written) -> Found:
    """Every mistake of this kind: (path, message). A flow's own mistake comes once for each of its lines."""
    yield from _flow_exists(written)
    for conversation in conversations(written):
        for check in _CHECKS:
            yield from check(conversation)
        yield from _identifying_keys_identify(conversation, written)


def _flow_exists(written: Written) -> Found:
    flows = as_mapping(written.get("flows"))
    for at, line in enumerate(as_items(written.get("lines"))):
        named = as_mapping(line).get("flow")
        if isinstance(named, str) and named not in flows:
            there = f"write one of {', '.join(flows)}" if flows else "describe it under flows"
            yield ("lines", at, "flow"), f'there is no flow "{named}"{did_you_mean(named, flows)}; {there}'


def _destination_is_there(conversation: Conversation) -> Found:
    place = conversation.setting("destination")
    if conversation.is_line and place.value is None:
        yield place.path, missing_destination()


def _names_lead_somewhere(conversation: Conversation) -> Found:
    known = [*conversation.table("destinations"), *WORDS]
    for path, name in _names(conversation):
        if name not in known:
            there = f"write one of {', '.join(known)}, or describe it under destinations"
            yield path, f'there is no destination "{name}"{did_you_mean(name, known)}; {there}'


def _names(conversation: Conversation) -> Iterator[tuple[Path, str]]:
    """Every place where a destination is referred to by its name."""
    for place in (conversation.setting("destination"), *conversation.table("destinations").values()):
        yield from _after(place)
    for place in conversation.table("intents").values():
        yield from _name_at(place.value, place.path, "to")
        for at, escalation in enumerate(as_items(as_mapping(place.value).get("escalate"))):
            yield from _name_at(escalation, (*place.path, "escalate", at), "to")


def _after(place: Placed) -> Iterator[tuple[Path, str]]:
    yield from _name_at(place.value, place.path, "after")
    below = as_mapping(place.value).get("after")
    for outcome in OUTCOMES:
        yield from _name_at(below, (*place.path, "after"), outcome.value)


def _name_at(holder: object, path: Path, key: str) -> Iterator[tuple[Path, str]]:
    name = as_mapping(holder).get(key)
    if isinstance(name, str):
        yield (*path, key), name


def _after_ends(conversation: Conversation) -> Found:
    """A caller whom nobody takes would be sent round: each destination is tried once, so the circle is a mistake."""
    places = conversation.table("destinations")
    ways = {name: {after for _, after in _after(place)} for name, place in places.items()}
    for name, place in places.items():
        if name in _reached_from(name, ways):
            message = (
                f'leads back to "{name}", where the caller was already; let it end in voicemail, callback or hangup'
            )
            yield (*place.path, "after"), message


def _reached_from(start: str, ways: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = set(ways[start])
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= ways.get(name, set()) - reached
    return reached


def _escalation_ascends(conversation: Conversation) -> Found:
    for place in conversation.table("intents").values():
        before = 0
        for at, escalation in enumerate(as_items(as_mapping(place.value).get("escalate"))):
            attempt = str(as_mapping(escalation).get("attempt"))
            if attempt.isascii() and attempt.isdecimal() and len(attempt) < 10:
                if int(attempt) <= before:
                    message = f"is not more than {before}, the one before it; write the attempts in ascending order"
                    yield (*place.path, "escalate", at, "attempt"), message
                before = int(attempt)


def _menu_can_be_answered(conversation: Conversation) -> Found:
    menu = conversation.setting("menu")
    options = as_items(as_mapping(menu.value).get("options"))
    keys = [(at, as_mapping(option).get("key")) for at, option in enumerate(options)]
    yield from _keys_once([((*menu.path, "options", at, "key"), key) for at, key in keys])
    for at, option in enumerate(options):
        if isinstance(option, dict) and not option.get("key"):
            path = (*menu.path, "options", at)
            if not option.get("words"):
                yield path, 'cannot be chosen; write a key ("1") or words (or both)'
            elif _is_off(conversation, "speech"):
                yield path, 'cannot be chosen: callers cannot speak here (speech: false); write a key ("1")'


def _forgetting_can_be_asked_for(conversation: Conversation) -> Found:
    forget = conversation.setting("forget")
    if not conversation.is_line or not isinstance(forget.value, dict):
        return
    if not isinstance(conversation.setting("confirm").value, dict):
        yield forget.path, "forgets nobody: only callers who prove who they are can be erased; write confirm, too"
    intent = forget.value.get("intent") or Forget().intent
    options = as_items(as_mapping(conversation.setting("menu").value).get("options"))
    if intent not in [as_mapping(option).get("intent") for option in options]:
        yield (*forget.path, "intent"), f"cannot be chosen: the menu has no option {intent}; write one"


def _keys_once(keys: list[tuple[Path, object]]) -> Found:
    first: dict[str, Path] = {}
    for path, key in keys:
        if not isinstance(key, str):
            continue
        if key in first:
            yield path, f"is {key}, which {'.'.join(str(part) for part in first[key])} has already; write another key"
        first.setdefault(key, path)


def _languages_can_be_chosen(conversation: Conversation) -> Found:
    languages = conversation.setting("languages")
    spoken = as_mapping(languages.value)
    keys = {name: as_mapping(settings).get("key") for name, settings in spoken.items()}
    yield from _keys_once([((*languages.path, name, "key"), key) for name, key in keys.items()])
    for name, key in keys.items():
        if key is None and any(keys.values()):
            yield (*languages.path, name, "key"), 'is missing, while other languages have one; write a key ("1")'
    for name in ("language", "voice"):
        place = conversation.setting(name)
        if spoken and place.value is not None:
            yield place.path, "is not needed beside languages, whose first is the default; leave it out here"


def _voices_speak_their_language(conversation: Conversation) -> Found:
    for path, voice, language in _voices(conversation):
        with suppress(ValidationError):
            if speaks(voice, Language().read(language)) is False:
                message = f"does not speak {language}: Twilio would end the call; write a voice of this language"
                yield path, message


def _voices(conversation: Conversation) -> Iterator[tuple[Path, str, str]]:
    voice, language = conversation.setting("voice"), conversation.setting("language")
    if isinstance(voice.value, str):
        yield voice.path, voice.value, language.value if isinstance(language.value, str) else "en-US"
    languages = conversation.setting("languages")
    for name, settings in as_mapping(languages.value).items():
        named = as_mapping(settings).get("voice")
        if isinstance(named, str):
            yield (*languages.path, name, "voice"), named, name


def _languages_are_spoken(conversation: Conversation) -> Found:
    """A language that no voice speaks, whatever its country: probably misspelt. With a voice, the voice is judged."""
    for path, written in _spoken(conversation):
        with suppress(ValidationError):
            language = Language().read(written)
            if not spoken_in(language):
                suggestion = did_you_mean(language, LANGUAGES) or ", as en-US, es-MX, de-DE or fr-FR"
                yield path, f"is no language that Twilio speaks; write one that it does{suggestion}"


def _spoken(conversation: Conversation) -> Iterator[tuple[Path, str]]:
    """Every language that is written without a voice."""
    language, languages = conversation.setting("language"), conversation.setting("languages")
    if isinstance(language.value, str) and conversation.setting("voice").value is None:
        yield language.path, language.value
    for name, settings in as_mapping(languages.value).items():
        if as_mapping(settings).get("voice") is None:
            yield (*languages.path, name), name


def _proof_can_be_given(conversation: Conversation) -> Found:
    confirm = conversation.setting("confirm")
    if not isinstance(confirm.value, dict):
        return
    by = str(confirm.value.get("by", ProofKind.NAME)).lower()
    given = {name for name in ("variable", "external_id", "digits") if confirm.value.get(name) is not None}
    for name in sorted(given - _PROOFS.get(by, given)):
        yield (*confirm.path, name), f"does nothing with by: {by}{_INSTEAD.get((by, name), '')}; leave it out"
    if by == ProofKind.PIN and "variable" not in given:
        yield (*confirm.path, "variable"), "is missing; write the name of the variable that holds the PIN"
    if by == ProofKind.DIGITS and len(given & {"variable", "external_id"}) != 1:
        yield confirm.path, "by: digits compares the last digits of one thing; write either external_id or variable"
    if by == ProofKind.NAME and _is_off(conversation, "speech"):
        yield (*confirm.path, "by"), "cannot be name where callers cannot speak (speech: false); write digits or pin"


# What each proof is compared with.
_PROOFS: Mapping[str, set[str]] = {
    ProofKind.NAME: set(),
    ProofKind.DIGITS: {"variable", "external_id", "digits"},
    ProofKind.PIN: {"variable"},
}
_INSTEAD: Mapping[tuple[str, str], str] = {
    (ProofKind.NAME, "variable"): " (the name is in name_variable)",
    (ProofKind.PIN, "digits"): " (a PIN is compared as a whole)",
}


def _typing_an_id_proves_nothing(conversation: Conversation) -> Found:
    confirm, identify = conversation.setting("confirm"), conversation.setting("identify")
    proof = as_mapping(confirm.value).get("external_id")
    if isinstance(proof, str) and proof == as_mapping(identify.value).get("external_id"):
        message = "is what callers say who they are with (identify), so knowing it proves nothing; write another"
        yield (*confirm.path, "external_id"), message


def _identifying_keys_identify(conversation: Conversation, written: Written) -> Found:
    listed = as_items(as_mapping(written.get("identity")).get("never_identifying_keys"))
    never = {str(key).lower() for key in listed or IdentityPolicy().never_identifying_keys}
    for name in ("identify", "confirm"):
        place = conversation.setting(name)
        for path, key in _name_at(place.value, place.path, "external_id"):
            if key.lower() in never:
                yield path, "is among identity.never_identifying_keys; write the key of an id that names a person"


def _is_off(conversation: Conversation, name: str) -> bool:
    return str(conversation.setting(name).value).lower() in ("false", "no", "off")


_CHECKS: tuple[Callable[[Conversation], Found], ...] = (
    _destination_is_there,
    _names_lead_somewhere,
    _after_ends,
    _escalation_ascends,
    _menu_can_be_answered,
    _forgetting_can_be_asked_for,
    _languages_can_be_chosen,
    _voices_speak_their_language,
    _languages_are_spoken,
    _proof_can_be_given,
    _typing_an_id_proves_nothing,
)
