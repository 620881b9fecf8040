"""What the service itself reads of a webhook keeps its name under pseudonyms: a replay would take another way else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import adapter.twilio
from adapter.replay.pseudonyms import Key, Pseudonyms, vocabulary
from adapter.replay.pseudonyms.harmless import FORMS, NAMES
from adapter.replay.recording import Recorded
from adapter.twilio.turns import _DIALED, _QUEUED

READ_BY = Path(adapter.twilio.__file__).parent
READ = {
    name
    for module in ("turns.py", "events.py")
    for name in re.findall(r'(?:\.get\(|\[|^    if |or |not )"([A-Z]\w+)"', (READ_BY / module).read_text("utf-8"), re.M)
}


def test_every_field_that_is_read_is_known_by_name() -> None:
    assert {"DialCallStatus", "SessionStatus", "Digits"} <= READ
    assert READ <= NAMES


@pytest.mark.parametrize(
    ("name", "value"), [*(("DialCallStatus", each) for each in _DIALED), *(("QueueResult", each) for each in _QUEUED)]
)
def test_every_outcome_that_is_understood_stays(name: str, value: str) -> None:
    """Else a recorded call would go on another way when it is played again."""
    assert FORMS[name].fullmatch(value)


@pytest.mark.parametrize("status", ["completed", "ended", "failed"])
def test_the_outcome_of_a_voice_agent_stays(status: str) -> None:
    fields = (("CallSid", "CA" + "1" * 32), ("SessionStatus", status), ("SessionId", "VX" + "1" * 32))
    clean = Pseudonyms(Key.random(), vocabulary()).clean
    assert clean(Recorded("POST", "/twilio/turn/1", fields)).fields == fields
