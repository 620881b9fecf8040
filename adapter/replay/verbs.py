"""What TwiML's verbs do to a leg, but for those that put a call through (`handover`)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Final
from xml.etree import ElementTree as ET

from .caller import HANG_UP, SILENCE, Answer, Keys, Message, Speech
from .document import Page, words
from .leg import Leg, Next, visit
from .transcript import Ending, Question


def say(leg: Leg, verb: ET.Element, page: Page) -> Next:
    """Words. Without words: nothing is heard (13520)."""
    text = words(verb)
    if text and not leg.hear(text, verb.get("language", ""), verb.get("voice", "")):
        return Ending.CALLER_HUNG_UP
    return None


def play(leg: Leg, verb: ET.Element, page: Page) -> Next:
    """A sound, or keys."""
    text = words(verb) or verb.get("digits", "")
    return None if leg.hear(text, played=True) else Ending.CALLER_HUNG_UP


def pause(leg: Leg, verb: ET.Element, page: Page) -> Next:
    """Silence."""
    leg.around.wait(_number(verb, "length", 1))
    return None


def hang_up(leg: Leg, verb: ET.Element, page: Page) -> Next:
    """The end."""
    return Ending.HUNG_UP


def redirect(leg: Leg, verb: ET.Element, page: Page) -> Next:
    """Another document takes over."""
    return visit(verb, page, words(verb) or page.url)


def reject(leg: Leg, verb: ET.Element, page: Page) -> Next:
    """In front of everything else: not answered at all. Later it is a hang-up."""
    if leg.answered:
        return Ending.HUNG_UP
    leg.fields["CallStatus"] = "busy" if verb.get("reason") == "busy" else "no-answer"
    return Ending.REJECTED


def gather(leg: Leg, verb: ET.Element, page: Page) -> Next:
    """A question. Silence goes on with the next verb, unless the document wants to be told of it."""
    before = len(leg.around.transcript.heard)
    for nested in verb:
        if nested.tag in SPOKEN and (ending := SPOKEN[nested.tag](leg, nested, page)):
            return ending
    said = " ".join(each.text for each in leg.around.transcript.heard[before:] if not each.played)
    question = _question(leg, verb, page, said)
    leg.around.transcript.questions.append(question)
    answer = leg.person.asked(question)
    if answer is HANG_UP:
        return Ending.CALLER_HUNG_UP
    fields = _understood(question, answer)
    if isinstance(answer, Keys | Speech):
        leg.around.wait(answer.seconds)
    if not fields:
        leg.around.wait(question.timeout_seconds)
        if verb.get("actionOnEmptyResult") != "true":
            return None
    following = leg.goto(verb, page, fields, page.url)
    if following is not None and isinstance(answer, Keys | Speech) and answer.hangs_up:
        leg.fields["CallStatus"] = "completed"
        leg.notify(following)
        return Ending.CALLER_HUNG_UP
    return following


def _question(leg: Leg, verb: ET.Element, page: Page, said: str) -> Question:
    kinds = verb.get("input", "dtmf").split()
    digits = verb.get("numDigits", "")
    hints = verb.get("hints", "")
    return Question(
        leg.role,
        said,
        keys="dtmf" in kinds,
        speech="speech" in kinds,
        digits=int(digits) if digits.isdecimal() and int(digits) > 0 else None,
        finish_on=verb.get("finishOnKey", "#"),
        timeout_seconds=_number(verb, "timeout", 5),
        language=verb.get("language", "en-US"),
        hints=tuple(hint.strip() for hint in hints.split(",")) if hints.strip() else (),
        action=visit(verb, page, verb.get("action") or page.url).url,
    )


def _understood(question: Question, answer: Answer) -> dict[str, str]:
    """What Twilio makes of it: nothing, if the question is not open to it."""
    if isinstance(answer, Speech) and question.speech and answer.text.strip():
        sure = {} if answer.confidence is None else {"Confidence": f"{answer.confidence}"}
        return {"SpeechResult": answer.text, **sure}
    if isinstance(answer, Keys) and question.keys:
        digits, ended_by = _typed(question, answer.keys)
        if digits:
            return {"Digits": digits, "FinishedOnKey": ended_by, "msg": "Gather End"}
    return {}


def _typed(question: Question, keys: str) -> tuple[str, str]:
    """The digits, and the key that ended them. That key means nothing before there is a digit."""
    digits = ""
    for key in keys:
        if key in question.finish_on:
            if digits:
                return digits, key
            continue
        digits += key
        if len(digits) == question.digits:
            break
    return digits, ""


def record(leg: Leg, verb: ET.Element, page: Page) -> Next:
    """A message. An empty recording goes on with the next verb; the one who hangs up after talking is told of, too."""
    question = Question(
        leg.role,
        "",
        keys=True,
        speech=True,
        finish_on=verb.get("finishOnKey", "1234567890*#"),
        timeout_seconds=_number(verb, "timeout", 5),
        action=visit(verb, page, verb.get("action") or page.url).url,
        records=True,
    )
    leg.around.transcript.questions.append(question)
    left = leg.caller.records(question)
    if left is SILENCE or not isinstance(left, Message):
        leg.around.wait(question.timeout_seconds)
        return Ending.CALLER_HUNG_UP if left is HANG_UP else None
    return _recorded(leg, verb, page, left)


def _recorded(leg: Leg, verb: ET.Element, page: Page, left: Message) -> Next:
    seconds = min(left.seconds, int(_number(verb, "maxLength", 3600)))
    leg.around.wait(seconds)
    sid = f"RE{secrets.token_hex(16)}"
    account = leg.fields["AccountSid"]
    fields = {
        "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/{account}/Recordings/{sid}",
        "RecordingSid": sid,
        "RecordingDuration": str(seconds),
        "Digits": "hangup" if left.hangs_up else left.key,
    }
    if left.hangs_up:
        leg.fields["CallStatus"] = "completed"
    following = leg.goto(verb, page, fields, page.url)
    if not left.hangs_up or following is None:
        return following
    leg.notify(following)
    return Ending.CALLER_HUNG_UP


def _number(verb: ET.Element, name: str, default: float) -> float:
    written = verb.get(name, "")
    return float(written) if written.isdecimal() else default


SPOKEN: Final[Mapping[str, Callable[[Leg, ET.Element, Page], Next]]] = {"Say": say, "Play": play, "Pause": pause}
