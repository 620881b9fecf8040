"""What a record of a bulk import may be: in the words of the API, or as `customers export` writes it.

A record's numbers, ids, variables and intents are held to the rules of POST /v1/calls/end. Leaves out: files (`cli`),
what becomes of a record (`usecases.customer_import`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from adapter.engine.model import EndCall, Hints, Issue, Millis
from adapter.engine.policy import VariablePolicy
from adapter.usecases import Record

from .commands import read_end

Json = Mapping[str, Any]

FIELDS: Final = frozenset(
    {
        *("customer_ref", "ani", "line_type", "numbers", "external_ids", "last_contact"),
        *("variables", "variable_updates", "intent", "intent_status", "intents", "intent_updates"),
        *("created_at", "calls"),  # of an export; they are not imported
    }
)
_MOST_NUMBERS: Final = 50
_MOST_ATTEMPTS: Final = 1_000_000


def read_record(value: object, place: int, policy: VariablePolicy, now: Millis) -> Record | list[Issue]:
    """The record, or every reason why it is none. `place`: its number in the file."""
    if not isinstance(value, Mapping):
        return [Issue((), "the record must be an object")]
    issues = [Issue((str(name),), f"{name} is not known here") for name in value.keys() - FIELDS]
    numbers = _numbers(value)
    read = partial(read_end, max_ttl_seconds=policy.max_ttl_seconds)
    first = read(_as_end(value, numbers[0] if numbers else {}))
    more = [read(_as_end({}, number)) for number in numbers[1:]]
    issues += [_of_record(issue) for each in (first, *more) if isinstance(each, list) for issue in each]
    contact = _instant("last_contact", value, now)
    seen = [_instant("last_seen", number, now) for number in numbers]
    attempts = _attempts(value.get("intents"))
    issues += [each for each in (contact, *seen, attempts) if isinstance(each, Issue)]
    if len(numbers) > _MOST_NUMBERS:
        issues.append(Issue(("numbers",), f"numbers must not hold more than {_MOST_NUMBERS}"))
    if issues or isinstance(first, list) or isinstance(contact, Issue) or isinstance(attempts, Issue):
        return issues
    rest = tuple(_hints(each) for each in more if isinstance(each, EndCall))
    if not any(each.ani or each.external_ids or each.customer_ref for each in (_hints(first), *rest)):
        return [Issue(("ani",), "ani is a withheld number, by which nobody would find this customer again")]
    when = tuple(each for each in seen if not isinstance(each, Issue))
    return Record(place, _hints(first), rest, first.intents, first.variables, contact, when, attempts)


def _numbers(value: Json) -> list[Json]:
    """Each with `ani`, and perhaps `line_type` and `last_seen`; the record's own first."""
    own = [{name: value[name] for name in ("ani", "line_type") if value.get(name)}] if value.get("ani") else []
    listed = value.get("numbers") or []
    more = (
        [each if isinstance(each, Mapping) else {"ani": each} for each in listed]
        if isinstance(listed, list)
        else [{"ani": 0}]
    )
    return [*own, *more]


def _as_end(value: Json, number: Json) -> dict[str, Any]:
    hints = {"ani": number.get("ani"), "external_ids": _external_ids(value.get("external_ids"))}
    hints["customer_ref"] = value.get("customer_ref")
    end: dict[str, Any] = {
        "call_id": "import",
        "identity_hints": {k: v for k, v in hints.items() if v not in (None, {})},
    }
    if number.get("line_type"):
        end["telco"] = {"line_type": number["line_type"]}
    variables = value.get("variables")
    if isinstance(variables, Mapping) and any(isinstance(each, Mapping) for each in variables.values()):
        end["variable_updates"], variables = dict(_updates(variables)), None
    intents = value.get("intents", value.get("intent_updates"))
    if isinstance(intents, list):
        intents = [_said(each) if isinstance(each, Mapping) else each for each in intents]
    renamed = {"variables": variables, "intent_updates": intents}
    named = ("variable_updates", "intent", "intent_status")
    return end | {k: v for k, v in {**{n: value.get(n) for n in named}, **renamed}.items() if v is not None}


def _updates(variables: Json) -> Iterator[tuple[str, Any]]:
    for name, each in variables.items():
        yield name, _said(each) if isinstance(each, Mapping) else {"value": each}


def _said(each: Json) -> Json:
    """An export writes null where there is nothing."""
    return {name: value for name, value in each.items() if value is not None or name == "value"}


def _external_ids(written: Any) -> Any:
    """By key; an export lists them."""
    if isinstance(written, list) and all(isinstance(each, Mapping) for each in written):
        return {str(each.get("key")): each.get("value") for each in written}
    return written


def _hints(end: EndCall) -> Hints:
    hints = end.hints or Hints()
    if end.line_type is None:
        return hints
    return Hints(hints.ani, None, hints.external_ids, hints.customer_ref, end.line_type, hints.ani_note)


def _of_record(issue: Issue) -> Issue:
    """In the record's words."""
    path = tuple(step for step in issue.path if step not in ("identity_hints", "telco"))
    message = issue.message.removeprefix("identity_hints.").removeprefix("telco.")
    return Issue(path, message.replace("identity_hints", "the record"))


def _attempts(intents: object) -> tuple[tuple[str, int], ...] | Issue:
    """By intent, where an export tells them."""
    listed = [each for each in intents if isinstance(each, Mapping)] if isinstance(intents, list) else []
    told = [(str(each.get("intent")), each["attempt_count"]) for each in listed if "attempt_count" in each]
    if all(type(count) is int and 0 <= count <= _MOST_ATTEMPTS for _, count in told):
        return tuple(told)
    return Issue(("intents",), f"attempt_count must be a whole number up to {_MOST_ATTEMPTS:,}")


def _instant(name: str, of: Json, now: Millis) -> Millis | Issue | None:
    written = of.get(name)
    if written in (None, ""):
        return None
    wrong = Issue((name,), f"{name} must be an instant of the past, like 2026-02-07T10:30:00Z")
    try:
        read = datetime.fromisoformat(str(written))
        at = round((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1_000)
    except (ValueError, OverflowError):
        return wrong
    return at if 0 < at <= now else wrong
