"""A call as it went: what was heard and asked, where it was put through, every request, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """Whose ear it is: the caller's, or that of who answers when the call is put through."""

    CALLER = "caller"
    AGENT = "agent"


class Ending(StrEnum):
    """How a call ended. `LEFT`: a Redirect led to another server, which is not asked; `LOOPED`: too many requests."""

    CALLER_HUNG_UP = "the caller hung up"
    HUNG_UP = "hung up by the document"
    DOCUMENT_ENDED = "the document ended"
    REJECTED = "rejected"
    LEFT = "went on at another server"
    CUT_OFF = "an application error"
    LOOPED = "too many requests"


@dataclass(frozen=True, slots=True)
class Heard:
    """Something said (`text`) or played (`text` is the address of the sound). `language` as in the document, "en-US"
    where it names none."""

    role: Role
    text: str
    language: str = "en-US"
    voice: str = ""
    played: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A Gather or (`records`) a Record. `said`: what was said with it. `digits` None: any number of them."""

    role: Role
    said: str
    keys: bool
    speech: bool
    digits: int | None = None
    finish_on: str = "#"
    timeout_seconds: float = 5
    language: str = "en-US"
    hints: tuple[str, ...] = ()
    action: str = ""
    records: bool = False


@dataclass(slots=True)
class Handover:
    """Where the call was put through to: one noun of a Dial, an Enqueue or a Connect.

    `kind`: number, sip, client, conference, queue (Dial), enqueue, workflow, relay, stream, or another noun in lower
    case. `target`: the number, the SIP URI without its headers, the identity, the name, the workflow SID, the URL.
    `context`: SIP headers (names as written), Parameters, or the Task's attributes (values as text). `status`: Twilio's
    DialCallStatus, QueueResult or SessionStatus. `bridged`: whether the two could talk.
    """

    kind: str
    target: str
    context: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    sid: str = ""
    whisper: str = ""
    timeout_seconds: float = 30
    status: str = ""
    bridged: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A webhook and its answer. `url` without the fields of a GET; `document`: the body. `status` 0: no answer."""

    method: str
    url: str
    fields: Mapping[str, str]
    status: int
    document: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error or a warning with Twilio's number."""

    code: int
    text: str
    url: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


@dataclass(slots=True)
class Transcript:
    """Everything that happened, each list in the order of time. `call_status` and `seconds`: as Twilio told them."""

    call_sid: str
    heard: list[Heard] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    errors: list[Trouble] = field(default_factory=list)
    warnings: list[Trouble] = field(default_factory=list)
    ending: Ending = Ending.CALLER_HUNG_UP
    left_to: str = ""
    call_status: str = ""
    seconds: float = 0

    @property
    def said(self) -> str:
        """All that was said to the caller."""
        return " ".join(each.text for each in self.heard if each.role is Role.CALLER and not each.played)

    @property
    def whispered(self) -> str:
        """All that was said to those who answered."""
        return " ".join(each.text for each in self.heard if each.role is Role.AGENT and not each.played)

    @property
    def clean(self) -> bool:
        """Without errors and warnings."""
        return not self.errors and not self.warnings

    def asked_for(self, path: str) -> list[Request]:
        """The requests whose address holds `path`."""
        return [each for each in self.requests if path in each.url]
