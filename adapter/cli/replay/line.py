"""Webhooks of calls to other people's numbers, played as calls of a line of ours: `sticky-calls replay --line`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from adapter.cli.dialed import Dialed
from adapter.config import Config
from adapter.replay.recording import Recorded
from adapter.replay.rerun import Rerun, Target
from adapter.twilio.events import line_for

_DIALED: Final = frozenset({"To", "Called"})


@dataclass(frozen=True, slots=True)
class OnLine:
    """The target, to whom every call is one to this number. See `Target`."""

    target: Target
    dialed: Dialed

    def send(self, recorded: Recorded) -> Rerun:
        """An API call is nobody's of a number."""
        if recorded.is_api:
            return self.target.send(recorded)
        # Who answers a hand-over has a number of their own.
        own = frozenset[str]() if recorded.value("ParentCallSid") else _DIALED
        fields = [(name, self.dialed.number if name in own else value) for name, value in recorded.fields]
        fields = [(name, self.dialed.account if name == "AccountSid" else value) for name, value in fields]
        names = {name for name, _ in fields}
        added = [("AccountSid", self.dialed.account), *([("To", self.dialed.number)] if own else [])]
        fields += [(name, value) for name, value in added if name not in names]
        return replace(self.target.send(replace(recorded, fields=tuple(fields))), recorded=recorded)


@dataclass(slots=True)
class OfNoLine:
    """Counts webhooks of numbers that no line is configured for: what they are answered says nothing. `seen`: of how
    many."""

    config: Config
    count: int = field(default=0)
    seen: int = field(default=0)

    @property
    def is_all(self) -> bool:
        """Whether nothing that was answered says anything."""
        return 0 < self.seen == self.count

    def look_at(self, recorded: Recorded) -> None:
        """A whisper's line stands in its address, and an API call has none."""
        if recorded.is_api or recorded.kind == "whisper":
            return
        if recorded.value("ParentCallSid"):
            return
        self.seen += 1
        self.count += line_for(self.config.lines, recorded.value("AccountSid"), recorded.value("To")) is None
