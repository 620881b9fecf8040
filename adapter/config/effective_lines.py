"""Lines as they take effect, written as a configuration writes them: what they have from their flow is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from adapter.engine.line import Confirm, Destination, DisclosureRules, IntentRule, Line, MenuOption, ProofKind, Spoken
from adapter.engine.model import Outcome

from .destinations import ANSWERED, NUMBERED, OUTCOMES, WORDS

# Printed at the top level (disclosure), or by the order of the settings below.
_APART = ("disclosure",)


def line_as_written(line: Line) -> dict[str, Any]:
    """The line's settings in the order of `Line`; what is not set is left out."""
    shown = {field.name: getattr(line, field.name) for field in fields(line) if field.name not in _APART}
    shown |= {
        "mode": line.mode.value,
        "destination": _destination(line.destination),
        "destinations": {name: _destination(each) for name, each in line.destinations.items()},
        "languages": {each.language: _spoken(each) for each in line.languages},
        "confirm": line.confirm and _confirm(line.confirm),
        "identify": line.identify
        and _written({"external_id": line.identify.key, "length": line.identify.length, "tries": line.identify.tries}),
        "offer": line.offer and {"most": line.offer.most, "tries": line.offer.tries},
        "menu": line.menu and {"tries": line.menu.tries, "options": [_option(each) for each in line.menu.options]},
        "forget": line.forget and {"intent": line.forget.intent, "tries": line.forget.tries},
        "intents": {name: _intent(rule) for name, rule in line.intents.items()},
    }
    if line.languages:
        shown |= {"language": None, "voice": None}
    return _written(shown)


def disclosure_as_written(rules: DisclosureRules) -> dict[str, dict[str, str]]:
    """The classes of variables and intents."""
    return {
        "variables": {name: each.value for name, each in rules.variables.items()},
        "intents": {name: each.value for name, each in rules.intents.items()},
    }


def _written(shown: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if value not in (None, "", {}, [])}


def _destination(destination: Destination) -> str | dict[str, Any]:
    if destination.kind in WORDS:
        return destination.kind.value
    shown: dict[str, Any] = {
        destination.kind.value: destination.target,
        "timeout_seconds": destination.timeout_seconds if destination.kind in ANSWERED else None,
        "caller_id": destination.caller_id if destination.kind in NUMBERED else None,
        "after": _after(destination.after),
    }
    if destination.kind in ANSWERED:
        shown |= {"whisper": destination.whisper, "accept": destination.accept}
    return _written(shown)


def _after(after: Mapping[Outcome, str]) -> str | dict[str, str]:
    """One name for all outcomes, where it was written so: not every kind may name each of them."""
    if set(after) == set(OUTCOMES) and len(set(after.values())) == 1:
        return next(iter(after.values()))
    return {outcome.value: after[outcome] for outcome in Outcome if outcome in after}


def _spoken(language: Spoken) -> dict[str, Any]:
    return _written({"voice": language.voice, "key": language.key})


def _confirm(confirm: Confirm) -> dict[str, Any]:
    shown = {field.name: getattr(confirm, field.name) for field in fields(confirm)} | {"by": confirm.by.value}
    if confirm.by is not ProofKind.DIGITS:
        shown["digits"] = None
    return _written(shown)


def _option(option: MenuOption) -> dict[str, Any]:
    return _written({"intent": option.intent, "key": option.key, "words": list(option.words)})


def _intent(rule: IntentRule) -> dict[str, Any]:
    escalate = [{"attempt": each.attempt, "to": each.to} for each in rule.escalate]
    return _written({"to": rule.to, "said": dict(rule.said), "escalate": escalate})
