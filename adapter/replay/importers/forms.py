"""A form as it was logged or pasted: one a line, or one field a line, up to an empty one. Where it went is not told:
its fields decide."""

from __future__ import annotations

from collections.abc import Iterator

from adapter.replay.recording import Broken, Pairs, Recorded, kind_of

from .exchange import form


def read_forms(text: str, source: str) -> Iterator[Recorded | Broken]:
    """The webhooks in their order."""
    for number, written in _forms(text):
        fields = form(written)
        if any(name == "CallSid" for name, _ in fields):
            yield _webhook(fields)
        else:
            yield Broken(source, f"line {number}", "not a form with a CallSid")


def _forms(text: str) -> Iterator[tuple[int, str]]:
    """(number of the first line, form)."""
    begun, fields = 0, list[str]()
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if _is_field(line):
            begun, fields = begun or number, [*fields, line.strip()]
            continue
        if fields:
            yield begun, "&".join(fields)
            begun, fields = 0, []
        if line.strip():
            yield number, line


def _is_field(line: str) -> bool:
    return "=" in line and "&" not in line


def _webhook(fields: Pairs) -> Recorded:
    kind = kind_of(dict(fields))
    return Recorded("POST", f"/twilio/{'turn/0' if kind == 'turn' else kind}", fields)
