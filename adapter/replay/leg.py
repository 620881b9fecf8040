"""One leg of a call at the hands of TwiML: asks for documents as Twilio does and carries out verb after verb.

The verbs are `verbs` and `handover`. A leg is the caller's, or that of who answers and is told who is calling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, cast
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from .caller import HANG_UP, Caller, Person
from .document import HTTP_FAILED, TOO_MANY_REDIRECTS, Fault, Page, read
from .exchange import Exchange, NoAnswer, Reply, is_under
from .transcript import Ending, Heard, Request, Role, Transcript, Trouble

_MOST_REDIRECTS: Final = 10
_KEEPS_METHOD: Final = frozenset({307, 308})
_LETTERS_A_SECOND: Final = 15  # about as fast as voices speak
SORRY: Final = "We are sorry. An application error has occurred. Goodbye."


@dataclass(frozen=True, slots=True)
class Visit:
    """The next document: `fields` are sent beside those of every request."""

    method: str
    url: str
    fields: Mapping[str, str] = field(default_factory=dict)


Next = Visit | Ending | None
Verb = Callable[["Leg", ET.Element, Page], Next]


class Elsewhere(Exception):
    """The next document is another server's."""


class Looped(Exception):
    """More requests than a call may make."""


@dataclass(slots=True)
class Surroundings:
    """What the legs of a call share. `passes` is told the seconds that go by."""

    exchange: Exchange
    public_url: str
    fallback: str | None
    most_requests: int
    passes: Callable[[float], None]
    transcript: Transcript

    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.transcript.seconds += seconds
        self.passes(seconds)

    def send(self, method: str, url: str, fields: Mapping[str, str]) -> Reply:
        """One request, written down. Fault 11200 without an answer, Looped, Elsewhere."""
        requests = self.transcript.requests
        if len(requests) >= self.most_requests:
            raise Looped
        url = url.partition("#")[0]
        if not is_under(self.public_url, url):
            raise Elsewhere(url)
        try:
            reply = self.exchange.send(method, url, fields)
        except NoAnswer as error:
            requests.append(Request(method, url, dict(fields), 0, ""))
            raise Fault(HTTP_FAILED, f"no answer: {error}") from None
        requests.append(Request(method, url, dict(fields), reply.status, reply.body.decode("utf-8", "replace")))
        return reply


@dataclass(slots=True)
class Leg:
    """`fields`: sent with every request. `verbs`: what documents may do here. `answered`: billed from here on."""

    around: Surroundings
    role: Role
    person: Person
    fields: dict[str, str]
    verbs: Mapping[str, Verb]
    falls_back: bool = True
    answered: bool = False

    @property
    def caller(self) -> Caller:
        """The person, where a verb asks what only callers can answer. The other legs do not have these verbs."""
        return cast(Caller, self.person)

    def run(self, first: Visit) -> Ending:
        """Follow documents until this leg ends."""
        following: Visit | Ending = first
        try:
            while isinstance(following, Visit):
                following = self._follow(following)
        except Looped:
            self._note(Trouble(0, "the call goes round in circles"))
            return Ending.LOOPED
        except Elsewhere as error:
            self.around.transcript.left_to = str(error)
            return Ending.LEFT
        return following

    def notify(self, visit: Visit) -> None:
        """A request whose answer nobody hears any more."""
        try:
            self.around.send(visit.method, visit.url, {**self.fields, **visit.fields})
        except Fault as fault:
            self._note(Trouble(fault.code, fault.text, visit.url))
        except (Elsewhere, Looped) as error:
            self._note(Trouble(0, f"{type(error).__name__} after the end of the call", visit.url))

    def hear(self, text: str, language: str = "", voice: str = "", played: bool = False) -> bool:
        """Something is said. False: it was too much, the person hung up."""
        heard = Heard(self.role, text, language or "en-US", voice, played)
        self.around.transcript.heard.append(heard)
        self.around.wait(len(text) / _LETTERS_A_SECOND)
        return self.person.hears(heard) is not HANG_UP

    def warn(self, code: int, text: str, page: Page) -> None:
        """Something Twilio's debugger would show, without harm to the call."""
        self.around.transcript.warnings.append(Trouble(code, text, page.url))

    def goto(self, verb: ET.Element, page: Page, fields: Mapping[str, str], default: str | None = None) -> Visit | None:
        """The verb's action. Without one: `default`, or None where there is none."""
        action = verb.get("action") or default
        return None if action is None else visit(verb, page, action, fields)

    def _follow(self, following: Visit) -> Visit | Ending:
        try:
            page = self._fetch(following)
            self.fields["CallStatus"] = "in-progress"
            return self._perform(page)
        except Fault as fault:
            return self._fall_back(fault, following)

    def _fetch(self, following: Visit) -> Page:
        """The document, after redirects of HTTP: those lose what the caller said, as at Twilio."""
        method, url, fields = following.method, following.url, {**self.fields, **following.fields}
        for _ in range(_MOST_REDIRECTS + 1):
            reply = self.around.send(method, url, fields)
            if not (300 <= reply.status < 400 and reply.location):
                page = read(reply, url)
                self.around.transcript.warnings.extend(page.warnings)
                return page
            method = method if reply.status in _KEEPS_METHOD else "GET"
            url, fields = urljoin(url, reply.location), dict(self.fields)
        raise Fault(TOO_MANY_REDIRECTS, f"more than {_MOST_REDIRECTS} redirects")

    def _perform(self, page: Page) -> Visit | Ending:
        # An empty document answers the call and ends it; only these two verbs leave it unanswered.
        self.answered = self.answered or not len(page.root)
        for place, element in enumerate(page.root):
            verb = self.verbs.get(element.tag)
            if verb is None:
                continue
            self.answered = self.answered or not _leaves_unanswered(element, place)
            following = verb(self, element, page)
            if following is not None:
                return following
        return Ending.DOCUMENT_ENDED

    def _fall_back(self, fault: Fault, failed: Visit) -> Visit | Ending:
        self._note(Trouble(fault.code, fault.text, failed.url))
        fallback = self.around.fallback if self.falls_back else None
        if fallback is None or failed.url == fallback:
            self.hear(SORRY)
            return Ending.CUT_OFF
        return Visit("POST", fallback, {"ErrorCode": str(fault.code), "ErrorUrl": failed.url})

    def _note(self, trouble: Trouble) -> None:
        self.around.transcript.errors.append(trouble)


def visit(verb: ET.Element, page: Page, url: str, fields: Mapping[str, str] | None = None) -> Visit:
    """The address resolved against the document's, by the verb's method (POST unless it says GET)."""
    method = "GET" if verb.get("method", "").upper() == "GET" else "POST"
    return Visit(method, urljoin(page.url, url.strip()), fields or {})


def _leaves_unanswered(element: ET.Element, place: int) -> bool:
    return (element.tag == "Reject" and place == 0) or (
        element.tag == "Dial" and element.get("answerOnBridge") == "true"
    )
