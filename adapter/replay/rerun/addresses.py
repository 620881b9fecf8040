"""Where a recorded webhook goes here: to our own address of its kind, whatever application was asked then, and whatever
stood in front of that one."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from adapter.replay.recording import Recorded

# Behind a proxy's prefix, with or without a slash at the end.
_OURS: Final = re.compile(
    r"/twilio/(?:voice|status|fallback|turn/[^/?]+|whisper/[^/?]+/[^/?]+(?:/answer)?)(?=/?(?:\?|$))"
)
# Which question was answered, or for which line somebody is told something, other applications do not say: these work
# without memory.
_WITHOUT_MEMORY: Final = {"turn": "turn/0", "whisper": "whisper/0/0"}


def here(recorded: Recorded) -> Recorded:
    """The webhook as it comes to a service of ours. An API call goes where it went."""
    if recorded.is_api:
        return recorded
    ours = _OURS.search(recorded.path)
    if ours is not None:
        return replace(recorded, path=recorded.path[ours.start() :])
    return replace(recorded, path=f"/twilio/{_WITHOUT_MEMORY.get(recorded.kind, recorded.kind)}")
