"""curl command lines, as documentation gives them: -d, --data…, --data-urlencode, -G, -X, -H, -A, --url."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote_plus

from adapter.replay.recording import Broken, Recorded

from .exchange import Exchange, NoWebhook, webhook_of

Option = tuple[str, str]

_DATA: Final = frozenset({"-d", "--data", "--data-ascii", "--data-raw", "--data-binary", "--data-urlencode"})
_METHOD: Final = frozenset({"-X", "--request"})
_HEADER: Final = frozenset({"-H", "--header"})
_AGENT: Final = frozenset({"-A", "--user-agent"})
_AS_QUERY: Final = frozenset({"-G", "--get"})
_MULTIPART: Final = frozenset({"-F", "--form"})
# Options with a value that is nothing to us. One that curl has and this list has not is taken to have none.
_OTHERS: Final = frozenset(
    {"-u", "--user", "-o", "--output", "-m", "--max-time", "--connect-timeout", "-b", "--cookie", "-e", "--referer"}
    | {"-x", "--proxy", "--cacert", "--cert", "--key", "-w", "--write-out", "-c", "--cookie-jar", "--retry", "-T"}
)
# Browsers write $'…' where there are escapes in it; of those, these mean something else than themselves.
_ANSI_C: Final = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_MEANINGS: Final = {"n": "\n", "r": "\r", "t": "\t"}
# How a line begins that is a command, after a prompt or as a Windows program, too.
COMMAND: Final = re.compile(r"[ \t]*(?:[$>%] |PS [^>\n]*> )?(?:[^\s'\"]*[/\\])?curl(?:\.exe)?(?=\s)")
# As a POSIX shell, cmd.exe and PowerShell have it.
_GOES_ON: Final = re.compile(r"[\\^`]\r?\n")
_WITH_VALUE: Final = _DATA | _METHOD | _HEADER | _AGENT | _MULTIPART | _OTHERS | {"--url"}


def read_curl(text: str, source: str) -> Iterator[Recorded | Broken]:
    """One webhook for each curl command; a command may go over several lines."""
    for number, command in _commands(text):
        try:
            yield webhook_of(_exchange(_options(_words(command))))
        except NoWebhook as error:
            yield Broken(source, f"line {number}", str(error))


def _commands(text: str) -> Iterator[tuple[int, str]]:
    """(number of the first line, command). Each begins where a line begins with curl."""
    begun, command = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if COMMAND.match(line):
            if command:
                yield begun, command
            begun, command = number, ""
        if begun:
            command += f"{line}\n"
    if command:
        yield begun, command


def _words(command: str) -> list[str]:
    joined = _GOES_ON.sub(" ", COMMAND.sub("", command, count=1))
    try:
        words = shlex.split(_ANSI_C.sub(lambda quoted: shlex.quote(_unescaped(quoted[1])), joined))
    except ValueError:
        raise NoWebhook("a quote is not closed") from None
    if "curl" in words:
        raise NoWebhook("two commands in one; begin each of them on a line of its own")
    return words


def _unescaped(text: str) -> str:
    """Code units of UTF-16 that belong together become one character."""
    meant = _ESCAPE.sub(lambda found: _meant(*found.groups()), text)
    return meant.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _meant(unit: str | None, byte: str | None, other: str) -> str:
    return chr(int(unit or byte or "", 16)) if unit or byte else _MEANINGS.get(other, other)


def _options(words: list[str]) -> list[Option]:
    """Options with their values in curl's spellings (-d x, -dx, -sd x, --data=x); addresses as --url."""
    found = []
    remaining = iter(words)
    for word in remaining:
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            found.append(("--url", word))
        elif word in _WITH_VALUE:
            found.append((word, next(remaining, "")))
        elif equals and word.startswith("--") and name in _WITH_VALUE:
            found.append((name, value))
        elif word.startswith("--"):
            found.append((word, ""))
        else:
            found += _letters(word[1:], remaining)
    return found


def _letters(letters: str, remaining: Iterator[str]) -> Iterator[Option]:
    """Options of one letter behind one dash. What follows the first that has a value is its value."""
    for place, letter in enumerate(letters, 1):
        if f"-{letter}" in _WITH_VALUE:
            yield f"-{letter}", letters[place:] or next(remaining, "")
            return
        yield f"-{letter}", ""


def _exchange(options: list[Option]) -> Exchange:
    names = {name for name, _ in options}
    if names & _MULTIPART:
        raise NoWebhook("a multipart form, which Twilio never sends")
    url = _last(options, frozenset({"--url"}))
    if not url:
        raise NoWebhook("a curl command without an address")
    body = "&".join(_data(name, value) for name, value in options if name in _DATA)
    method = _last(options, _METHOD)
    headers = {name.strip(): text.strip() for name, _, text in (_header(option) for option in options) if name}
    if names & _AS_QUERY:
        return Exchange(method or "GET", url + ("&" if "?" in url else "?") + body, headers=headers)
    return Exchange(method or ("POST" if names & _DATA else "GET"), url, body, headers=headers)


def _last(options: list[Option], names: frozenset[str]) -> str:
    return next((value for name, value in reversed(options) if name in names), "")


def _header(option: Option) -> tuple[str, str, str]:
    name, value = option
    if name in _AGENT:
        return "user-agent", ":", value
    return value.partition(":") if name in _HEADER else ("", "", "")


def _data(name: str, value: str) -> str:
    """curl's --data-urlencode takes "name=content", "=content" or "content"; "@file" is another file's business."""
    is_file = value.startswith("@") if name != "--data-urlencode" else "@" in value.partition("=")[0]
    if is_file and name != "--data-raw":
        raise NoWebhook("its data is in another file")
    if name != "--data-urlencode":
        return value
    field, equals, content = value.partition("=")
    return f"{field}={quote_plus(content)}" if equals and field else quote_plus(content if equals else value)
