"""Two decisions compared: what is recommended, how sure, which step and destination, and the rule that made it so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from adapter.replay.recording import Receipt

from .trees import Difference, filled

# What is compared, in this order: key of the receipt, kind of the difference, sentence.
_COMPARED: Final = (
    ("recommendation", "recommendation", "is recommended for {new} instead of {old}"),
    ("confidence", "confidence", "is recognized with confidence {new} instead of {old}"),
    ("place", "place", "stands at {new} instead of {old}"),
    ("step", "step", "gets the step {new} instead of {old}"),
    ("intent", "intent", "calls about {new} instead of {old}"),
    ("destination", "destination", "is put through to {new} instead of {old}"),
)
_BY_RULES: Final = frozenset({"recommendation", "confidence"})


def differences_of_receipts(before: Receipt | None, after: Receipt | None) -> tuple[Difference, ...]:
    """Nothing when one of them is not known. Keys that one receipt has not are not compared either.

    Rules are read from "rules" (names, or tables with "rule" and perhaps "counted") and "sources" (names).
    """
    if before is None or after is None:
        return ()
    return tuple(_differences(before, after))


def _differences(before: Receipt, after: Receipt) -> Iterator[Difference]:
    why = _why(before, after)
    for key, kind, sentence in _COMPARED:
        if key not in before or key not in after or before[key] == after[key]:
            continue
        old, new = _told(before[key]), _told(after[key])
        yield Difference(kind, filled(sentence, old, new) + (why if key in _BY_RULES else ""), old, new)


def _why(before: Receipt, after: Receipt) -> str:
    """The rules that only one of the two names, else that the same rules weigh differently."""
    old, new = _rules(before), _rules(after)
    gone, come = [rule for rule in old if rule not in new], [rule for rule in new if rule not in old]
    parts = [*([f"now {', '.join(come)}"] if come else []), *([f"no longer {', '.join(gone)}"] if gone else [])]
    if parts:
        return f" ({'; '.join(parts)})"
    weighed = [f"{rule} {_told(new[rule])} instead of {_told(old[rule])}" for rule in new if new[rule] != old[rule]]
    return f" ({', '.join(weighed)})" if weighed else ""


def _rules(receipt: Receipt) -> dict[str, object]:
    """Rules that counted or were a reason, with their weight where it is told."""
    found: dict[str, object] = {}
    for key in ("rules", "sources"):
        listed = receipt.get(key)
        for each in listed if isinstance(listed, list | tuple) else ():
            if isinstance(each, Mapping) and each.get("rule"):
                found[str(each["rule"])] = each.get("weight")
            elif isinstance(each, str):
                found[each] = None
    return found


def _told(value: object) -> str:
    return "none" if value is None or value == "" else str(value)
