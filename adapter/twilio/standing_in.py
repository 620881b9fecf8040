"""What takes calls while this service is down: a document for a TwiML Bin, which Twilio serves by itself.

It says the line's neutral text and puts callers through to the line's default destination. Nothing in it leads back
here. Leaves out: whispers, `accept` and what comes after a destination, all of which would ask this service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree as ET

from adapter.engine.flow import Record, neutral
from adapter.engine.flow.without_memory import nobody_left
from adapter.engine.line import Line

from .texts import Templates
from .twiml import Speaker

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
# Where Twilio would ask again: without `action` it goes on in the document, which ends, and so does the call.
_ASKS_AGAIN: Final = {
    "Dial": ("action", "method"),
    "Enqueue": ("action", "method"),
    "Connect": ("action", "method"),
    "Number": ("url", "method"),
    "Sip": ("url", "method"),
    "Client": ("url", "method"),
}


def standing_in(line: Line, texts: Mapping[str, Templates] | None = None) -> str:
    """The TwiML to paste. Where the line takes messages by itself, callers hear that nobody can be reached: a bin
    cannot take one without asking the same bin for what comes next, for ever."""
    step = neutral(line)
    if isinstance(step.then, Record):
        step = nobody_left(line)
    document = ET.fromstring(Speaker(texts).speak(step, line))  # nosec B314  # noqa: S314 - we wrote it ourselves
    for element in document.iter():
        for name in _ASKS_AGAIN.get(element.tag, ()):
            element.attrib.pop(name, None)
    ET.indent(document)
    # In a bin, two braces begin a variable.
    return _HEAD + ET.tostring(document, encoding="unicode").replace("{{", "{ {") + "\n"
