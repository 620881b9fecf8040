"""Which texts a line would say in English, because its language has none: built in are only a few languages.

Leaves out: what is wrong with a text that is there (`text_references`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adapter.engine.line import DestinationKind, Line, ProofKind
from adapter.twilio.templates import FACTS
from adapter.twilio.texts import tag
from adapter.twilio.words import BUILT_IN


def missing_texts(line: Line, texts: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """(language, names) of each language of the line that lacks texts which the line says. `texts`: by language."""
    own = {tag(language): written for language, written in texts.items()}
    wanted = texts_of(line)
    for at, spoken in enumerate(line.spoken):
        whole = tag(spoken.language)
        base = whole.partition("-")[0]
        there = {*BUILT_IN.get(base, ()), *own.get(whole, ()), *own.get(base, ()), *(line.texts if at == 0 else ())}
        if missing := [name for name in FACTS if name in wanted - there]:
            yield spoken.language, missing


def texts_of(line: Line) -> set[str]:
    """The texts that callers and agents of this line can hear."""
    return {name for names, is_said in _said_if(line) if is_said for name in names.split()}


def _said_if(line: Line) -> Iterator[tuple[str, bool]]:
    everywhere = (line.destination, *line.destinations.values())
    kinds = {each.kind for each in everywhere}
    proof = line.confirm.by if line.confirm else None
    yield "reuse confirm ignore neutral unreached goodbye", True
    yield "welcome welcome_back again connecting", line.converses
    yield "resumed", line.resume_minutes > 0
    yield "ask_language", len(line.spoken) > 1
    yield "ask_who verified not_verified", proof is not None
    yield "ask_name", proof is ProofKind.NAME
    yield "ask_digits", proof is ProofKind.DIGITS
    yield "ask_pin", proof is ProofKind.PIN
    yield "ask_account", line.identify is not None
    yield "offer", line.offer is not None
    yield "menu menu_option", line.menu is not None
    yield "ask_forget forgotten", line.forget is not None
    yield "voicemail recorded", DestinationKind.VOICEMAIL in kinds
    yield "callback", DestinationKind.CALLBACK in kinds
    yield "whisper", any(each.whisper for each in everywhere)
    yield "whisper_accept", any(each.accept for each in everywhere)
