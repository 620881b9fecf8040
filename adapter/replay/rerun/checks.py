"""Whether a webhook played again was answered as recorded, and if not, what is different."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from adapter.replay.compare import Difference, differences_of_answers, differences_of_receipts
from adapter.replay.compare.data import table
from adapter.replay.compare.trees import tree
from adapter.replay.recording import Answer, Receipt

from .targets import Rerun

_UUID: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_OWN: Final = re.compile(r"https?://[^\s\"'<>]{1,300}?/twilio/(?=(?:turn|whisper)/)")
_FINE: Final = frozenset({200, 204})


@dataclass(frozen=True, slots=True)
class Checked:
    """`trouble`: no answer, or one that Twilio could not use, "" none. `compared`: there was a recorded answer;
    `is_same_bytes`: and this is it, to the byte."""

    rerun: Rerun
    differences: tuple[Difference, ...] = ()
    trouble: str = ""
    compared: bool = False
    is_same_bytes: bool = False


def checked(rerun: Rerun, *, compare: bool = True) -> Checked:
    """`compare` False: any answer that Twilio can use will do."""
    before, after = rerun.recorded.answer, rerun.answer
    if after is None:
        return Checked(rerun, trouble=rerun.trouble or "no answer")
    trouble = "" if before is not None and before.status == after.status else _unusable(after)
    if not compare or before is None:
        return Checked(rerun, trouble=trouble)
    found = differing(before, after, rerun.recorded.receipt, rerun.receipt)
    return Checked(rerun, found, trouble, True, before == after)


def differing(
    before: Answer, after: Answer, decided: Receipt | None, decides: Receipt | None
) -> tuple[Difference, ...]:
    """What a caller would hear differently, and what was decided differently.

    Customers' ids are made up anew in every run: only which of them are the same within an answer counts. The service's
    own addresses count without their beginning, which is another on every machine.
    """
    heard: tuple[Difference, ...] = ()
    if before != after:
        heard = differences_of_answers(_comparable(before), _comparable(after))
    kinds = {each.kind for each in heard}
    # Where the call goes is told once, by what the caller's telephone is told.
    told = (each for each in differences_of_receipts(decided, decides) if each.kind not in kinds)
    return (*heard, *told)


def _unusable(answer: Answer) -> str:
    if answer.status not in _FINE:
        return f"answered with status {answer.status}"
    if not answer.body or table(answer.body) is not None or tree(answer.body) is not None:
        return ""
    return "answered with something that is no TwiML"


def _comparable(answer: Answer) -> Answer:
    seen: dict[str, str] = {}
    body = _UUID.sub(lambda found: seen.setdefault(found[0], f"id {len(seen) + 1}"), answer.body)
    return replace(answer, body=_OWN.sub("/twilio/", body))
