"""Which words a step is spoken with, when the wanted text cannot be rendered, too: nobody waits for a broken template.

Leaves out: what texts are (`texts`), and where the words stand in the document (`twiml`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from twilio.twiml.voice_response import Gather, VoiceResponse  # type: ignore[import-untyped]

from adapter.engine.flow.steps import Say
from adapter.engine.line import Line

from .templates import TextFailed
from .texts import Templates, Texts, plain, tag

_LOG = logging.getLogger(__name__)

# A text and the Say that it was made for: its language and voice.
Spoken = tuple[str, Say]


class Sayings:
    """`texts`: the operator's per language, in place of the built-in ones."""

    def __init__(self, texts: Mapping[str, Templates] | None = None) -> None:
        self._texts = Texts(texts)
        self._built_in = Texts()

    def before_hand_over(self, says: Sequence[Say], line: Line) -> list[Spoken]:
        """The neutral text, once, stands in for all that cannot be spoken: the caller is put through anyway."""
        said: list[Spoken] = []
        for say in says:
            text = self._composed(say, line)
            if text is None and any(each.text == "neutral" for _, each in said):
                continue
            said.append((text, say) if text is not None else self._neutral(say, line))
        return said

    def at_the_end(self, says: Sequence[Say], line: Line) -> list[Spoken]:
        """The built-in text of the name, else nothing: no neutral welcome for somebody who is to hang up."""
        return [(self._or_built_in(say, line) or "", say) for say in says]

    def question(self, says: Sequence[Say], line: Line) -> list[Spoken]:
        """The built-in text of the name, as whoever hears no question cannot answer. Raises TextFailed for a step that
        asks without words."""
        said = [(self._or_built_in(say, line), say) for say in says]
        if not any(text for text, _ in said):
            said = [(self._plain(say), say) for say in says]
        if any(text is None for text, _ in said) or not any(text for text, _ in said):
            raise TextFailed("a question without words")
        return [(text or "", say) for text, say in said]

    def _composed(self, say: Say, line: Line) -> str | None:
        """None when it cannot be rendered. The line's own texts are in its first language."""
        own = line.texts if tag(say.language) == tag(line.spoken[0].language) else None
        return _rendered(self._texts, say, own)

    def _or_built_in(self, say: Say, line: Line) -> str | None:
        composed = self._composed(say, line)
        return composed if composed is not None else self._plain(say)

    def _plain(self, say: Say) -> str | None:
        return _rendered(self._built_in, say, None)

    def _neutral(self, say: Say, line: Line) -> Spoken:
        neutral = replace(say, text="neutral", facts={})
        return self._or_built_in(neutral, line) or "", neutral


def utter(verb: VoiceResponse | Gather, said: Sequence[Spoken]) -> None:
    """Adds a Say for each text. An operator's empty text means silence; an empty Say is an error at Twilio (13520)."""
    for text, say in said:
        if text:
            verb.say(text, voice=plain(say.voice or "") or None, language=plain(say.language) or None)


def _rendered(texts: Texts, say: Say, own: Templates | None) -> str | None:
    try:
        return texts.compose(say.text, say.language, say.facts, own)
    except TextFailed as error:
        _LOG.warning("text %r (%s) cannot be spoken: %s", say.text, say.language, error)
        return None
