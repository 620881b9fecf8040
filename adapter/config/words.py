"""Settings about what callers hear: languages and texts."""

from __future__ import annotations

from typing import Any

from adapter.twilio.templates import FACTS

from .fields import Setting, Text
from .tables import Section


class Language(Text):
    """A language tag, in the spelling Twilio uses: en, en-US, es-419, zh-Hans-CN. `en_us` is understood as well."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("a language such as en, en-US or de-DE", r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*", **kwargs)

    def read(self, text: str) -> str:
        first, *rest = super().read(text).replace("_", "-").split("-")
        return "-".join([first.lower(), *(_subtag(part) for part in rest)])


def _subtag(part: str) -> str:
    """RFC 5646 §2.1.1: two letters are a region (US), four a script (Hans)."""
    return {2: part.upper(), 4: part.title()}.get(len(part), part)


class Template(Setting):
    """What callers hear, as a Jinja text. Which facts it may use depends on other settings: see `references`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("a sentence, with {{ name }} and {% if name %} where the text may use it", **kwargs)

    def read(self, text: str) -> str:
        if not text.strip():
            raise self.refuse("is empty")
        if not all(character.isprintable() or character in "\n\t" for character in text):
            raise self.refuse("holds a control character")
        return text


TextsSchema = Section.from_dict({name: Template() for name in FACTS}, name="TextsSchema")
