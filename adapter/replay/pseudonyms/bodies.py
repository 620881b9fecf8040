"""The JSON of the REST API, asked and answered, with what is personal replaced: what a value is, its name tells.

Names that the API does not know mean nothing to it and are left out. What is said (intents, values of variables) is
replaced as in TwiML, where it is heard again. Leaves out: how a text is replaced (`text`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .harmless import SECRET
from .words import listed

Replace = Callable[[Any], Any]

# Whose names the client chooses, with a value each.
_IDS: Final = "external_ids"
_CHOSEN: Final = listed("variables variable_updates") | {_IDS}
_ANYTHING: Final = "resolution"
_VALUES: Final = listed("value source")
_CALLED_FROM: Final = "ani"
_DIALED: Final = "dnis"
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
_TIMES: Final = listed("call_start call_end erased_at")
_FIGURES: Final = listed("ttl_seconds attempt_count duration_seconds intents_updated variables_updated confidence")
_SAID: Final = listed(
    "call_id customer_ref intent intent_status status level sources recommendation source value line_type verdict"
)
_PARTS: Final = listed("identity_hints telco identity open_intents intent_updates")
NAMES: Final = _CHOSEN | {_ANYTHING, _CALLED_FROM, _DIALED} | _TIMES | _FIGURES | _SAID | _PARTS
# What callers prove themselves by where it is called so: without it a replay would go another way. See `known`, too.
_PROOF: Final = re.compile("pin", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Replacing:
    """How to replace: what is kept of a caller, an id, a word of ours or an intent, a name that a client chose, a
    caller's number, a dialed one, and JSON of any shape."""

    text: Callable[[str], str]
    id: Callable[[str], str]
    ours: Callable[[str], str]
    name: Callable[[str], str]
    number: Callable[[str], str]
    dialed: Callable[[str], str]
    anything: Replace


def known(value: object, proofs: Container[str] = ()) -> object:
    """Only what the API knows, without what is named like a secret. `proofs`: further names of what callers prove
    themselves by."""
    if isinstance(value, Mapping):
        return {name: _known(name, item, proofs) for name, item in value.items() if name in NAMES}
    return [known(item, proofs) for item in value] if isinstance(value, list) else value


def replaced(value: object, replacing: Replacing, name: str = "") -> object:
    """The value of this name as it may be written. What `known` leaves out must be gone before."""
    if isinstance(value, Mapping):
        if name == _ANYTHING:
            return replacing.anything(value)
        named = replacing.name if name in _CHOSEN else str
        inner = {_IDS: "id"}.get(name, "value") if name in _CHOSEN else None
        return {
            named(each): replaced(item, replacing, "" if isinstance(item, Mapping) and inner else inner or each)
            for each, item in value.items()
        }
    if isinstance(value, list):
        return [replaced(item, replacing, name) for item in value]
    return _leaf(value, replacing, name)


def body(text: str, replacing: Replacing | None, proofs: Container[str] = ()) -> str | None:
    """An answer of the API; None when it is none. `replacing` None: nothing but secrets goes. `proofs`: see `known`."""
    try:
        answered = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answered, dict):
        return None
    kept = known(answered, proofs)
    return json.dumps(replaced(kept, replacing) if replacing else kept, ensure_ascii=False, separators=(",", ":"))


def _known(name: str, item: object, proofs: Container[str]) -> object:
    if name == _ANYTHING:
        return _without_secrets(item)
    if name not in _CHOSEN or not isinstance(item, Mapping):
        return known(item, proofs)
    return {
        each: known(value, proofs)
        for each, value in item.items()
        if each in proofs or not SECRET.search(each) or _PROOF.fullmatch(each)
    }


def _without_secrets(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _without_secrets(item) for name, item in value.items() if not SECRET.search(str(name))}
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value


def _leaf(value: object, replacing: Replacing, name: str) -> object:
    if isinstance(value, str):
        if name in _TIMES and _TIME.fullmatch(value):
            return value
        by_name = {
            **dict.fromkeys(_VALUES, replacing.text),
            **dict.fromkeys(("id", "call_id", "customer_ref"), replacing.id),
            _CALLED_FROM: replacing.number,
            _DIALED: replacing.dialed,
        }
        return by_name.get(name, replacing.ours)(value)
    if value is None or isinstance(value, bool) or name in _FIGURES:
        return value
    return replacing.anything(value)
