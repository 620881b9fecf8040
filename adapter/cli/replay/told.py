"""Each webhook of a replay with what it is answered, in words: `sticky-calls replay --show`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import Final

from rich.console import Console
from rich.markup import escape

from adapter.replay.compare import Difference, Verb, does, tree
from adapter.replay.recording import Answer, Recorded
from adapter.replay.rerun import Checked

# What callers did, by the field that tells it.
_DID: Final[Mapping[str, str]] = {
    "Digits": "pressed {}",
    "SpeechResult": "said “{}”",
    "DialCallStatus": "whom we rang: {}",
    "QueueResult": "queue: {}",
    "RecordingDuration": "left a message of {} s",
}
_WITHOUT_VERBS: Final = {200: "nothing to do", 204: "taken note of"}
_LONGEST: Final = 300


def tell(checked: Checked, differences: tuple[Difference, ...], on: Console) -> None:
    """A line about the webhook, one about its answer, and one for each difference."""
    recorded, answer = checked.rerun.recorded, checked.rerun.answer
    on.print(f"[bold]{escape(_asked(recorded))}[/]", soft_wrap=True)
    on.print(f"  {escape(checked.trouble or _answered(answer, recorded))}{_decided(checked)}", soft_wrap=True)
    for each in differences:
        on.print(f"  [yellow]≠ {escape(each.sentence)}[/]", soft_wrap=True)


def _asked(recorded: Recorded) -> str:
    at = "" if recorded.at is None else f"{datetime.fromtimestamp(recorded.at / 1_000, UTC):%Y-%m-%d %H:%M:%S}  "
    name = f"  ({recorded.name})" if recorded.name else ""
    return _short(f"{at}{recorded.kind} of {recorded.call or recorded.path}{name}{_did(recorded)}")


def _did(recorded: Recorded) -> str:
    if recorded.kind == "status":
        return f": {recorded.value('CallStatus')}"
    told = (text.format(recorded.value(field)) for field, text in _DID.items() if recorded.value(field))
    return "".join(f": {each}" for each in islice(told, 1))


def _answered(answer: Answer | None, recorded: Recorded) -> str:
    if answer is None:
        return "no answer"
    if recorded.is_api:
        return f"status {answer.status}"
    document = tree(answer.body)
    done = list(_done(document)) if document is not None else []
    return _short("; ".join(done)) or _WITHOUT_VERBS.get(answer.status, f"status {answer.status}")


def _done(document: Verb) -> Iterator[str]:
    """What is said one after the other is told at once."""
    for is_said, verbs in groupby(_in_turn(document), lambda verb: verb.name == "Say"):
        if is_said:
            yield f"says “{' '.join(verb.text for verb in verbs)}”"
        else:
            yield from map(does, verbs)


def _in_turn(document: Verb) -> Iterator[Verb]:
    """What is said at a question comes before the question. What stands behind one is for silence, which is told of."""
    for verb in document.verbs:
        yield from (nested for nested in verb.verbs if nested.name in ("Say", "Play"))
        yield verb
        if verb.name in ("Gather", "Record"):
            return


def _decided(checked: Checked) -> str:
    receipt = checked.rerun.receipt or {}
    if "recommendation" not in receipt:
        return ""
    return f"  [dim]({receipt['recommendation']}, {receipt.get('confidence')})[/]"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
