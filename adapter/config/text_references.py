"""Mistakes in texts, and in what may be told to whom: both need the variables named under `disclosure`.

Leaves out: what a text may be (`adapter.twilio.templates` judges it), and the form of each value (`words`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adapter.engine.line import ProofKind
from adapter.twilio.templates import FACTS, problem

from .inheritance import Conversation, conversations
from .tree import Path, as_items, as_mapping

Found = Iterator[tuple[Path, str]]
Written = Mapping[str, object]

# A call that is handed over says these of itself; a variable of the same name would be taken for them.
_TAKEN = frozenset({"call_id", "customer_ref", "recommendation", "verified", "intent", "attempt"})

# Proofs that nobody but the customer should know; a name is no secret.
_KEPT = frozenset({ProofKind.DIGITS.value, ProofKind.PIN.value})


def check_texts(written: Written) -> Found:
    """Every text that cannot be spoken, and every variable that cannot be told: (path, message)."""
    variables = as_mapping(as_mapping(written.get("disclosure")).get("variables"))
    for path, texts in _all_texts(written):
        yield from _texts_can_be_spoken(path, texts, frozenset(variables))
    for name in variables:
        if name in _TAKEN:
            message = "has the name of something that every call carries anyway; save it under another name"
            yield ("disclosure", "variables", name), message
    for conversation in conversations(written):
        yield from _secrets_are_not_told(conversation, variables)


def _all_texts(written: Written) -> Iterator[tuple[Path, object]]:
    for language, texts in as_mapping(written.get("texts")).items():
        yield ("texts", language), texts
    for name, flow in as_mapping(written.get("flows")).items():
        yield ("flows", name, "texts"), as_mapping(flow).get("texts")
    for at, line in enumerate(as_items(written.get("lines"))):
        yield ("lines", at, "texts"), as_mapping(line).get("texts")


def _texts_can_be_spoken(path: Path, texts: object, variables: frozenset[str]) -> Found:
    for name, text in as_mapping(texts).items():
        if name in FACTS and isinstance(text, str) and text.strip():
            fault = problem(name, text, variables=variables)
            if fault is not None:
                yield (*path, name), fault


def _secrets_are_not_told(conversation: Conversation, variables: Mapping[str, object]) -> Found:
    confirm = as_mapping(conversation.setting("confirm").value)
    secret = confirm.get("variable")
    if isinstance(secret, str) and secret in variables and str(confirm.get("by")).lower() in _KEPT:
        message = "is what callers prove themselves with (confirm), and never told to anybody; leave it out"
        yield ("disclosure", "variables", secret), message
