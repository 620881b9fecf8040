"""Which option of a menu a caller chose, and how an intent is called aloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import eq

from adapter.engine.line import Line, Menu, MenuOption
from adapter.engine.model import Turn

from .plurals import is_same_word
from .words import occurs, primary, words


def chosen(line: Line, menu: Menu, turn: Turn, language: str) -> str:
    """The intent of the first option that fits, by key or else by words; "" for none.

    Words in the other number ("refunds" for "refund") count where no option's very words were said.
    """
    if turn.digits:
        return next((option.intent for option in menu.options if option.key == turn.digits), "")
    said = words(turn.speech)
    return _first_named(line, menu, said, language, eq) or _first_named(
        line, menu, said, language, partial(is_same_word, language=language)
    )


def called(line: Line, intent: str, language: str) -> str:
    """The intent as it is said: the line's word for it in this language, else its name with spaces."""
    rule = line.intents.get(intent)
    if rule is not None and rule.said:
        for tag in (language, primary(language)):
            if tag in rule.said:
                return rule.said[tag]
    return intent.replace("_", " ")


def hints(line: Line, menu: Menu, language: str) -> tuple[str, ...]:
    """What callers are likely to say, for speech recognition: each once, in the order of the options."""
    return tuple(dict.fromkeys(phrase for option in menu.options for phrase in _phrases(line, option, language)))


def _first_named(
    line: Line, menu: Menu, said: Sequence[str], language: str, is_same: Callable[[str, str], bool]
) -> str:
    for option in menu.options:
        if any(occurs(words(phrase), said, is_same) for phrase in _phrases(line, option, language)):
            return option.intent
    return ""


def _phrases(line: Line, option: MenuOption, language: str) -> Iterator[str]:
    yield from option.words
    yield called(line, option.intent, language)
