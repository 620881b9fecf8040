"""A form's body as it was logged or pasted, one a line. Where it went is not told: its fields decide."""

from __future__ import annotations

from collections.abc import Iterator

from adapter.replay.recording import Broken, Recorded, kind_of

from .exchange import form


def read_forms(text: str, source: str) -> Iterator[Recorded | Broken]:
    """One webhook a line."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        fields = form(line)
        if any(name == "CallSid" for name, _ in fields):
            kind = kind_of(dict(fields))
            yield Recorded("POST", f"/twilio/{'turn/0' if kind == 'turn' else kind}", fields)
        else:
            yield Broken(source, f"line {number}", "not a form with a CallSid")
