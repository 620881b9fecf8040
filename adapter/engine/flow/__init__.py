"""The conversation: what a caller is asked, in which order, and where the call goes. Values in, values out.

A turn goes through `hear` (what did the caller do, what follows from it) and `go_on` (where next, what is said there);
in between the use case writes the effects and looks up who is known now. Leaves out: TwiML, texts, store, clock.
"""

from .going_on import begin, go_on
from .handover import whisper
from .hearing import estranged, hear, tries_at
from .known import (
    Effect,
    Forgotten,
    Heard,
    Identified,
    Known,
    Learned,
    Proof,
    Refuted,
    Verified,
    Withdrawn,
    WrongAnswer,
    known,
)
from .resuming import CALLBACK_INTENT, resumable, settlement
from .steps import Ask, Fact, HandOver, HangUp, Record, Say, Step, Whispered
from .without_memory import after_unknown_turn, neutral, nobody_left, nothing_more, unknown_turn

__all__ = [
    "CALLBACK_INTENT",
    "Ask",
    "Effect",
    "Fact",
    "Forgotten",
    "HandOver",
    "HangUp",
    "Heard",
    "Identified",
    "Known",
    "Learned",
    "Proof",
    "Record",
    "Refuted",
    "Say",
    "Step",
    "Verified",
    "Whispered",
    "Withdrawn",
    "WrongAnswer",
    "after_unknown_turn",
    "begin",
    "estranged",
    "go_on",
    "hear",
    "known",
    "neutral",
    "nobody_left",
    "nothing_more",
    "resumable",
    "settlement",
    "tries_at",
    "unknown_turn",
    "whisper",
]
