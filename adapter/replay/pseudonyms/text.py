"""Any text: words, numbers, addresses and codes replaced, whatever stands between them kept.

What is not known to be harmless is personal: only words of `Harmless.words` and values told to be kept stay. Texts
within texts (JSON, percent-encoding, XML entities, \\u escapes) are taken apart, replaced and put together again.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
import uuid
from collections import OrderedDict
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote

from .characters import characters, digits, number
from .keyed import Key
from .spelled import digit_said, say
from .words import folded, word

_DEEPEST: Final = 6
_MOST_SEEN: Final = 5_000
_FEW_DIGITS: Final = 2  # a choice, a count, an hour: no more than that is nobody's

_TOKEN: Final = re.compile(
    r"(?P<sid>(?<![^\W_])[A-Z]{2}[0-9a-fA-F]{32}(?![^\W_]))"
    r"|(?P<uuid>(?<![^\W_])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![^\W_]))"
    r"|(?P<ip>(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]))"
    r"|(?P<e164>(?<![\w+])\+[1-9]\d{6,14}(?![^\W_]))"
    r"|(?P<run>(?<![^\W_])\d+(?:(?![\W_]{0,2}\+[1-9]\d{6})[\W_]{1,3}\d+)*(?![^\W_]))"
    r"|(?P<word>[^\W_]+)"
)
_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_BETWEEN_SPELLED: Final = re.compile(r"[\W_]{1,3}")
_MAILBOX: Final = re.compile(r"[\w.+-]{1,64}(?=@)")
_COUNTED: Final = re.compile(r"\d{1,2}([a-z]+)")  # 7day
# Invisible: a name must not become two words by them, nor a number two numbers.
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_PUNCTUATION: Final = "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"


@dataclass(frozen=True, slots=True)
class Harmless:
    """What stays in a text. `words`: folded; `kept`: values exactly so (numbers of lines, addresses of agents);
    `few_digits`: one or two digits alone, too. `capitals`: of the words, those that also stay with a capital, as names
    are written; None: all. `distinct`: two words never become one."""

    words: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    few_digits: bool = True
    capitals: frozenset[str] | None = None
    distinct: bool = False


_NOTHING: Final = Harmless()


@dataclass(slots=True)
class Replacer:
    """Replaces under one key. `taken`: words that no pseudonym may be, since they mean something to the line."""

    key: Key
    taken: Set[str] = frozenset()
    _kept: dict[frozenset[str], re.Pattern[str] | None] = field(default_factory=dict)
    # What fields say is said again and again: places, our own texts, the number in From and in Caller.
    _seen: OrderedDict[tuple[str, Harmless], str] = field(default_factory=OrderedDict)

    def known_text(self, text: str, harmless: Harmless) -> str:
        """The same as `text`, remembered for a while."""
        key = (text, harmless)
        if (found := self._seen.get(key)) is None:
            found = self._seen[key] = self.text(text, harmless)
            if len(self._seen) > _MOST_SEEN:
                self._seen.popitem(last=False)
        return found

    def text(self, text: str, harmless: Harmless, depth: int = 0, keys: Harmless | None = None) -> str:
        """The text with everything personal replaced. `keys`: what stays in the names of JSON within it."""
        if not text or text in harmless.kept:
            return text
        if not text.isascii():
            text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
        if depth > _DEEPEST:
            return characters(self.key, text)
        layered = self._layers(text, harmless, depth, keys)
        return layered if layered is not None else self._flat(text, harmless)

    def value(self, value: Any, harmless: Harmless, keys: Harmless | None = None, depth: int = 0) -> Any:
        """Anything that JSON holds. `keys`: what stays in names, `harmless` where it is not given."""
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, str):
            return self.text(value, harmless, depth)
        if isinstance(value, int | float):
            return self._figure(value, harmless)
        if depth > _DEEPEST:
            return None
        if isinstance(value, dict):
            names = keys or harmless
            return {
                self.text(str(name), names, depth + 1): self.value(item, harmless, keys, depth + 1)
                for name, item in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item, harmless, keys, depth + 1) for item in value]
        return self.text(str(value), harmless, depth + 1)

    def _layers(self, text: str, harmless: Harmless, depth: int, keys: Harmless | None) -> str | None:
        if text.lstrip()[:1] in ("{", "[") and (parsed := _json(text)) is not None:
            compact = '": ' not in text
            replaced = self.value(parsed, harmless, keys, depth + 1)
            return json.dumps(replaced, ensure_ascii=False, separators=(",", ":") if compact else (", ", ": "))
        if _ESCAPE.search(text):
            return self.text(_ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)), text), harmless, depth + 1)
        if _PERCENT.search(text):
            plain = "".join(mark for mark in _PUNCTUATION if mark in text)
            return quote(
                self.text(unquote(text), harmless, depth + 1),
                safe=plain + (" " if " " in text else ""),
                errors="replace",
            )
        if _ENTITY.search(text) and (plain := html.unescape(text)) != text:
            return html.escape(self.text(plain, harmless, depth + 1), quote=False)
        return None

    def _figure(self, figure: float, harmless: Harmless) -> float:
        """A number of JSON: one or two digits, and what lies between 0 and 1 to two places, is nobody's."""
        if harmless.few_digits and (abs(figure) < 10**_FEW_DIGITS and round(figure, 2) == figure):
            return figure
        found = characters(self.key, str(abs(figure)).replace("e", "E"))
        try:
            return type(figure)(found)
        except ValueError:  # a float with an exponent, or nan
            return type(figure)(0)

    def _flat(self, text: str, harmless: Harmless) -> str:
        pattern = self._pattern(harmless.kept)
        if pattern is None:
            return self._tokens(text, harmless)
        done, end = [], 0
        for found in pattern.finditer(text):
            done += [self._tokens(text[end : found.start()], harmless), found[0]]
            end = found.end()
        return "".join([*done, self._tokens(text[end:], harmless)])

    def _pattern(self, kept: frozenset[str]) -> re.Pattern[str] | None:
        if kept not in self._kept:
            longest = sorted((re.escape(value) for value in kept if value), key=len, reverse=True)
            # Never within a longer word or number: +1415555 is not kept for the sake of +14155550100.
            either = "|".join(longest)
            self._kept[kept] = re.compile(rf"(?<![\w+@.%-])(?:{either})(?![\w@%-])") if longest else None
        return self._kept[kept]

    def _tokens(self, text: str, harmless: Harmless) -> str:
        found = list(_TOKEN.finditer(text))
        said = self._spelled(text, found)
        done, end = [], 0
        mailboxes = _mailboxes(text) if harmless.capitals is not None else set()
        for index, token in enumerate(found):
            done.append(text[end : token.start()])
            allowed = _NOTHING if token.start() in mailboxes else harmless
            done.append(said[index] if index in said else self._token(token, allowed))
            end = token.end()
        return "".join([*done, text[end:]])

    def _token(self, token: re.Match[str], harmless: Harmless) -> str:
        text = token[0]
        if token["sid"]:
            return text
        if token["uuid"]:
            return str(uuid.UUID(bytes=self.key.draw("uuid", text.lower())[:16], version=4))
        if token["ip"]:
            # RFC 2544's range: nobody's, and never on the internet.
            drawn = self.key.draw("ip", text)
            return f"198.{18 + drawn[0] % 2}.{drawn[1]}.{drawn[2]}"
        if token["e164"]:
            return number(self.key, text)
        if token["run"]:
            few = sum(character.isdecimal() for character in text) <= _FEW_DIGITS
            return text if few and harmless.few_digits else digits(self.key, text)
        return self._word(text, harmless)

    def _word(self, text: str, harmless: Harmless) -> str:
        plain = folded(text)
        is_name = harmless.capitals is not None and not text.islower() and plain not in harmless.capitals
        if plain in harmless.words and not is_name:
            return text
        if harmless.few_digits and (counted := _COUNTED.fullmatch(plain)) and counted[1] in harmless.words:
            return text
        if any(character.isdecimal() for character in text):
            return characters(self.key, text)
        return word(self.key, text, self.taken, distinct=harmless.distinct)

    def _spelled(self, text: str, tokens: list[re.Match[str]]) -> dict[int, str]:
        """Replacements for what is spelled out, one letter, digit or digit's word at a time, three or more of them."""
        replaced: dict[int, str] = {}
        group: list[int] = []
        for index, token in enumerate([*tokens, None]):
            joins = group and token and _BETWEEN_SPELLED.fullmatch(text[tokens[group[-1]].end() : token.start()])
            if token is not None and _unit(token) and (joins or not group):
                group.append(index)
                continue
            replaced.update(self._spelled_group([tokens[each] for each in group], group))
            group = [index] if token is not None and _unit(token) else []
        return replaced

    def _spelled_group(self, tokens: list[re.Match[str]], indexes: list[int]) -> dict[int, str]:
        units = [_unit(token) for token in tokens]
        whole = "".join(units)
        if len(tokens) < 2 or len(whole) <= _FEW_DIGITS or not any(_is_said(token) for token in tokens):
            return {}
        drawn, replaced = digits(self.key, whole), {}
        for index, token, unit in zip(indexes, tokens, units, strict=True):
            piece, drawn = drawn[: len(unit)], drawn[len(unit) :]
            replaced[index] = say(piece, folded(token[0])) if digit_said(folded(token[0])) else piece
        return replaced


def _mailboxes(text: str) -> Set[int]:
    """Where there is a name before an @, capital or not."""
    return {at for found in _MAILBOX.finditer(text) for at in range(*found.span())} if "@" in text else set()


def _unit(token: re.Match[str]) -> str:
    """What a token stands for when it is part of something spelled out, "" when it cannot be."""
    text = token[0]
    if len(text) == 1 and text.isalpha():
        return text
    return digit_said(folded(text)) or (text if text.isdecimal() and text.isascii() else "")


def _is_said(token: re.Match[str]) -> bool:
    return len(token[0]) == 1 or bool(digit_said(folded(token[0])))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
