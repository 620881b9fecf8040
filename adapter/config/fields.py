"""The kinds of values a setting can have, as marshmallow fields whose messages say what to write instead.

Every field is given text (see `tree`) and never repeats it in a message: it could be a secret.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields

from .suggestions import did_you_mean

_WHOLE = re.compile(r"-?[0-9]{1,15}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_E164_BEGINNING = re.compile(r"\+[1-9][0-9]{0,13}\*")
_PEPPER_MIN_LENGTH = 16
_KEY_BYTES = 32
# How the example file writes a secret that must not be left as it is.
_PLACEHOLDER = "replace-with-"


def printable(text: str) -> bool:
    """One line of text without control characters, and without what cannot be written as UTF-8."""
    return text.isprintable() and text == text.strip()


class Setting(fields.Field[Any]):
    """A scalar setting. `wanted` completes the sentence "write …"."""

    def __init__(self, wanted: str, **kwargs: Any) -> None:
        missing = f"is missing; write {wanted}"
        super().__init__(error_messages={"required": missing, "null": missing}, **kwargs)
        self.wanted = wanted

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            kind = "a list" if isinstance(value, list) else "a mapping"
            raise ValidationError(f"is {kind}, not a single value; write {self.wanted}")
        return self.read(value)

    def read(self, text: str) -> Any:
        """The value that `text` means; raises ValidationError."""
        raise NotImplementedError

    def refuse(self, what: str) -> ValidationError:
        """The error that says what is wrong, and what to write instead."""
        return ValidationError(f"{what}; write {self.wanted}")


class Text(Setting):
    """One line of text, checked by a pattern when there is one."""

    def __init__(self, wanted: str, pattern: str = ".{1,1024}", **kwargs: Any) -> None:
        super().__init__(wanted, **kwargs)
        self._pattern = re.compile(pattern)

    def read(self, text: str) -> str:
        if not text:
            raise self.refuse("is empty")
        if not printable(text) or not self._pattern.fullmatch(text):
            raise self.refuse("is not usable here")
        return text


class Whole(Setting):
    """A whole number from `least` to `most`. `word`: a word that stands for None."""

    def __init__(self, least: int, most: int, *, unit: str = "", word: str | None = None, **kwargs: Any) -> None:
        wanted = f"a whole number from {least} to {most}" + (f" ({unit})" if unit else "")
        super().__init__(wanted + (f', or "{word}"' if word else ""), **kwargs)
        self._least, self._most, self._word = least, most, word

    def read(self, text: str) -> int | None:
        if self._word is not None and text == self._word:
            return None
        if not _WHOLE.fullmatch(text):
            raise self.refuse("is not a whole number")
        number = int(text)
        if not self._least <= number <= self._most:
            raise self.refuse("is out of range")
        return number


class Fraction(Setting):
    """A number from 0 to 1."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("a number from 0 to 1", **kwargs)

    def read(self, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise self.refuse("is not a number") from None
        if not 0 <= number <= 1:
            raise self.refuse("is out of range")
        return number


class Switch(Setting):
    """true or false."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("true or false", **kwargs)

    def read(self, text: str) -> bool:
        try:
            return {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}[text.lower()]
        except KeyError:
            raise self.refuse("is neither true nor false") from None


class Choice(Setting):
    """One of a few words, in any case."""

    def __init__(self, words: Iterable[str], **kwargs: Any) -> None:
        self._words = tuple(words)
        super().__init__("one of " + ", ".join(self._words), **kwargs)

    def read(self, text: str) -> str:
        if text.lower() not in self._words:
            raise self.refuse("is not known" + did_you_mean(text, self._words))
        return text.lower()


class PhoneNumber(Setting):
    """An E.164 number."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("it as +14155550123 (E.164)", **kwargs)

    def read(self, text: str) -> str:
        if not _E164.fullmatch(text):
            raise self.refuse("is not an E.164 number")
        return text


class Numbers(Setting):
    """An E.164 number, "*" for any, or the beginning of numbers and "*"."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__('it as +14155550123 (E.164), "+1415*" for all that begin so, or "*" for any', **kwargs)

    def read(self, text: str) -> str:
        if text == "*" or _E164.fullmatch(text) or _E164_BEGINNING.fullmatch(text):
            return text
        raise self.refuse("is not an E.164 number")


class Address(Setting):
    """An absolute URL without user name and fragment. `base`: kept without a slash at its end, as paths are added."""

    def __init__(
        self, wanted: str, schemes: tuple[str, ...], *, query: bool = False, base: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(wanted, **kwargs)
        self._schemes, self._query, self._base = schemes, query, base

    def read(self, text: str) -> str:
        try:
            parts = urlsplit(text)
            complete = parts.scheme in self._schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            complete = False
        if not complete or not printable(text) or " " in text:
            raise self.refuse("is not an absolute " + " or ".join(self._schemes) + " URL")
        if parts.username is not None or "#" in text or ("?" in text and not self._query):
            raise self.refuse("has a part that does not belong there (user name, query or fragment)")
        return text.rstrip("/") if self._base else text


class Bind(Text):
    """host:port, [IPv6]:port or unix:/path."""

    def __init__(self, **kwargs: Any) -> None:
        wanted = "host:port (127.0.0.1:8080), [::1]:8080 or unix:/run/sticky-calls.sock"
        super().__init__(wanted, r"unix:/\S+|(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):[0-9]{1,5}", **kwargs)

    def read(self, text: str) -> str:
        bind = super().read(text)
        # Port 0 (any) would be another port for each worker.
        if not bind.startswith("unix:") and not 1 <= int(bind.rpartition(":")[2]) <= 65_535:
            raise self.refuse("has a port that is not from 1 to 65535")
        return bind


class DatabaseUrl(Text):
    """A SQLite file or a PostgreSQL database. May hold a password; the mask in its place is refused."""

    def __init__(self, **kwargs: Any) -> None:
        wanted = "sqlite:///file.db (relative), sqlite:////folder/file.db (absolute) or postgresql://user:password@host/database"
        pattern = r"sqlite:///(?!:memory:)[^?#]*[^?#/]|postgres(?:ql)?://(?![^@]*:\*+@)(?!.*password=\*)\S{1,2048}"
        super().__init__(wanted, pattern, **kwargs)

    def read(self, text: str) -> str:
        url = super().read(text)
        if url.startswith("postgres") and find_spec("psycopg") is None:
            advice = "run `pip install 'sticky-calls-adapter[postgres]'`"
            raise ValidationError(f"needs the driver for PostgreSQL, which is not installed; {advice}")
        return url


class Pepper(Setting):
    """Any text of enough characters; its UTF-8 bytes key the hashes of API keys."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(f"at least {_PEPPER_MIN_LENGTH} random characters (`openssl rand -base64 32`)", **kwargs)

    def read(self, text: str) -> bytes:
        if len(text) < _PEPPER_MIN_LENGTH:
            raise self.refuse("is too short")
        if not printable(text):
            raise self.refuse("holds a control character or a space at its end")
        if text.startswith(_PLACEHOLDER):
            raise self.refuse("is still the example's, which everybody knows")
        return text.encode()


class SecretKey(Setting):
    """32 bytes as base64, with either alphabet."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(f"base64 of exactly {_KEY_BYTES} bytes (`openssl rand -base64 32`)", **kwargs)

    def read(self, text: str) -> bytes:
        try:
            key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            raise self.refuse("is not base64") from None
        if len(key) != _KEY_BYTES:
            raise self.refuse(f"has {len(key)} bytes")
        return key
