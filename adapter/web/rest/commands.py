"""Which command a request's JSON is, or *every* reason why it is none (reference, 400; semantics §7).

Each `read_*` gives the engine's value or a list of issues, never both and never an exception. Leaves out: what JSON is
allowed (`schemas`), and what only the store can know (an unknown customer_ref).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from marshmallow import Schema, ValidationError
from marshmallow.exceptions import SCHEMA

from adapter.engine.idempotency import MAX_KEY_CHARS, is_usable
from adapter.engine.model import EndCall, Hints, IntentUpdate, Issue, LineType, StartCall, VariableUpdate, Verdict

from .body import Path, dotted, shown
from .fields import Name
from .schemas import MAX_INTENTS, MAX_TTL_SECONDS, MAX_VARIABLES, end_request, start_request, verdict_request

_Value = TypeVar("_Value")
_Mention = tuple[str, Path]


def read_start(body: object) -> StartCall | list[Issue]:
    """POST /v1/calls/start."""
    return _read(start_request(), body, _start)


def read_end(body: object, max_ttl_seconds: int = MAX_TTL_SECONDS) -> EndCall | list[Issue]:
    """POST /v1/calls/end: simple form, advanced form, or both in one (then simple first)."""
    return _read(end_request(max_ttl_seconds), body, _end, _issues_across_forms)


def read_verdict(body: object) -> Verdict | list[Issue]:
    """POST /v1/calls/{call_id}/identity."""
    return _read(verdict_request(), body, lambda loaded: loaded["verdict"])


def issues_of_idempotency_key(key: str | None) -> list[Issue]:
    """What is wrong with the header's value; none was sent: nothing (semantics §7)."""
    if key is None or is_usable(key):
        return []
    return [Issue(("Idempotency-Key",), f"Idempotency-Key must be 1 to {MAX_KEY_CHARS} printable ASCII characters")]


def _read(
    schema: Schema,
    body: object,
    build: Callable[[dict[str, Any]], _Value],
    across: Callable[[dict[str, Any]], Iterable[Issue]] = lambda _: (),
) -> _Value | list[Issue]:
    issues = list(across(body)) if isinstance(body, dict) else []
    try:
        loaded = schema.load(body)  # type: ignore[arg-type]
    except ValidationError as error:
        return [*_flat(error.messages, ()), *issues]
    return issues or build(loaded)


def _flat(messages: Any, path: Path) -> Iterator[Issue]:
    """marshmallow's tree of messages as the reference's list of issues."""
    if isinstance(messages, str):
        yield Issue(path, f"{dotted(path)} {messages}")
    elif isinstance(messages, list):
        for message in messages:
            yield from _flat(message, path)
    else:
        for step, below in messages.items():
            # A client's own name may be "_schema" too.
            here = step == SCHEMA and not isinstance(step, Name)
            yield from _flat(below, path if here else (*path, shown(step)))


def _issues_across_forms(body: dict[str, Any]) -> Iterator[Issue]:
    """Named twice: which of the two values would win? Neither (semantics §7). The bounds count both forms. No more is
    looked at of a form than shows that it is too long."""
    intents, variables = list(_intents(body)), list(_variables(body))
    yield from _second_mentions(intents)
    yield from _second_mentions(variables)
    yield from _too_many(intents, "intent_updates", "intent", MAX_INTENTS)
    yield from _too_many(variables, "variable_updates", "variables", MAX_VARIABLES)


def _intents(body: dict[str, Any]) -> Iterator[_Mention]:
    if isinstance(body.get("intent"), str):
        yield body["intent"], ("intent",)
    updates = body.get("intent_updates")
    for index, update in enumerate(updates[: MAX_INTENTS + 1] if isinstance(updates, list) else ()):
        if isinstance(update, dict) and isinstance(update.get("intent"), str):
            yield update["intent"], ("intent_updates", index, "intent")


def _variables(body: dict[str, Any]) -> Iterator[_Mention]:
    for form in ("variables", "variable_updates"):
        named = body.get(form)
        names = islice(named, MAX_VARIABLES + 1) if isinstance(named, dict) else ()
        yield from ((name, (form, shown(name))) for name in names)


def _second_mentions(mentions: list[_Mention]) -> Iterator[Issue]:
    seen: set[str] = set()
    for name, path in mentions:
        if name in seen:
            yield Issue(path, f"{dotted(path)} is named twice in this request")
        seen.add(name)


def _too_many(mentions: list[_Mention], form: str, other: str, at_most: int) -> Iterator[Issue]:
    """Only when neither form is too long by itself: that is an issue already."""
    here = sum(1 for _, path in mentions if path[0] == form)
    if len(mentions) > at_most >= max(here, len(mentions) - here):
        yield Issue((form,), f"{form} and {other} must not hold more than {at_most} together")


def _start(loaded: dict[str, Any]) -> StartCall:
    return StartCall(loaded["call_id"], _hints(loaded["identity_hints"], _line_type(loaded)))


def _end(loaded: dict[str, Any]) -> EndCall:
    hints = loaded.get("identity_hints")
    return EndCall(
        call_id=loaded["call_id"],
        customer_ref=loaded.get("customer_ref"),
        hints=None if hints is None else _hints(hints, None),
        line_type=_line_type(loaded),
        intents=tuple(_intent_updates(loaded)),
        variables=tuple(_variable_updates(loaded)),
    )


def _line_type(loaded: dict[str, Any]) -> LineType | None:
    found: LineType | None = loaded.get("telco", {}).get("line_type")
    return found


def _hints(loaded: dict[str, Any], line_type: Any) -> Hints:
    caller = loaded.get("ani")
    return Hints(
        ani=caller.number if caller else None,
        dnis=loaded.get("dnis"),
        external_ids=tuple(loaded.get("external_ids", {}).items()),
        customer_ref=loaded.get("customer_ref"),
        line_type=line_type,
        ani_note=caller.note if caller else None,
    )


def _intent_updates(loaded: dict[str, Any]) -> Iterator[IntentUpdate]:
    if "intent" in loaded:
        status = {"status": loaded["intent_status"]} if "intent_status" in loaded else {}
        yield IntentUpdate(loaded["intent"], **status)
    for update in loaded.get("intent_updates", ()):
        yield IntentUpdate(update["intent"], update["status"], update.get("resolution"))


def _variable_updates(loaded: dict[str, Any]) -> Iterator[VariableUpdate]:
    for name, value in loaded.get("variables", {}).items():
        yield VariableUpdate(name, value)
    for name, update in loaded.get("variable_updates", {}).items():
        yield VariableUpdate(name, update["value"], update.get("source"), update.get("ttl_seconds"))
