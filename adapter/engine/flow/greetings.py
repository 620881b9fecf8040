"""The first words of a call.

Leaves out: the questions (`questions`), and everything said later (`going_on`, `handover`).
"""

from __future__ import annotations

from adapter.engine.line import Line
from adapter.engine.model import Recommendation, Talk

from .known import Known
from .places import is_proving_due
from .speaking import intent_facts, language_of, name_of, newest_intent, remembered, say
from .steps import Say


def greeting(line: Line, talk: Talk, known: Known) -> Say:
    """To who is put through without having been asked anything."""
    spoken = language_of(line, talk)
    if known.recommendation is not Recommendation.REUSE:
        return say(spoken, known.recommendation.value)
    facts = {"name": name_of(line, known), **intent_facts(line, spoken, newest_intent(talk, known))}
    return say(spoken, "reuse", remembered(line, known, facts))


def welcome(line: Line, talk: Talk, known: Known) -> Say:
    """Before a question, or a message is taken. Who is still to show who they are is not called by a name, as the name
    may be what they are asked for."""
    spoken = language_of(line, talk)
    if known.recommendation is not Recommendation.REUSE or is_proving_due(line, talk, known):
        return say(spoken, "welcome")
    return say(spoken, "welcome_back", remembered(line, known, {"name": name_of(line, known)}))
