"""Where recorded webhooks go: anything that answers them, and the way to a server."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from adapter.replay.exchange import Exchange, HttpExchange, NoAnswer, Reply
from adapter.replay.recording import Answer, Receipt, Recorded

_CALL_SID: Final = re.compile("CA[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Rerun:
    """A webhook that was played again. `answer` None: there was none, and `trouble` says why. `receipt`: what was
    decided, where that can be known. `seconds`: how long the answer took."""

    recorded: Recorded
    answer: Answer | None
    receipt: Receipt | None = None
    seconds: float = 0.0
    trouble: str = ""


class Target(Protocol):
    """Answers webhooks. Used by one thread."""

    def send(self, recorded: Recorded) -> Rerun: ...


class Server:
    """A running server. `tokens`: auth tokens by AccountSid, "*" for any other; `public_url` is what is signed for.

    `base_url`: where to connect, when that is another address. `exchanges` makes the way there (tests).
    """

    def __init__(
        self,
        public_url: str,
        tokens: Mapping[str, str],
        base_url: str | None = None,
        exchanges: Callable[[str], Exchange] | None = None,
    ) -> None:
        self._public_url = public_url.rstrip("/")
        self._tokens = tokens
        self._make = exchanges or (lambda token: HttpExchange(self._public_url, token, base_url))
        self._exchanges: dict[str, Exchange] = {}

    def send(self, recorded: Recorded) -> Rerun:
        """See `Target`. A webhook of an account without a token is not sent."""
        token = self._tokens.get(recorded.value("AccountSid")) or self._tokens.get("*")
        if token is None:
            return Rerun(recorded, None, trouble="no auth token for its account")
        if token not in self._exchanges:
            self._exchanges[token] = self._make(token)
        began = time.perf_counter()
        try:
            reply = sent(self._exchanges[token], self._public_url, recorded)
        except NoAnswer as error:
            return Rerun(recorded, None, trouble=f"no answer: {error}", seconds=time.perf_counter() - began)
        return Rerun(recorded, answer_of(reply), seconds=time.perf_counter() - began)


def sent(exchange: Exchange, public_url: str, recorded: Recorded) -> Reply:
    """The webhook over this exchange. NoAnswer."""
    return exchange.send(recorded.method, public_url + recorded.path, dict(recorded.fields))


def answer_of(reply: Reply) -> Answer:
    """The reply as recordings have it."""
    return Answer(reply.status, reply.content_type, reply.body.decode("utf-8", "replace"))


def fresh_sids(target: Target, salt: str) -> Target:
    """The target, to whom every call is one it never heard of. In answers the recorded CallSids stand again.

    New ones are drawn from the old and `salt`: nothing has to be remembered, however many calls there are.
    """
    return _Renamed(target, salt)


@dataclass(frozen=True, slots=True)
class _Renamed:
    target: Target
    salt: str

    def send(self, recorded: Recorded) -> Rerun:
        """See `Target`."""
        names: dict[str, str] = {}

        def fresh(value: str) -> str:
            new = "CA" + hashlib.sha256(f"{self.salt}\0{value}".encode()).hexdigest()[:32]
            names[new] = value
            return new

        fields = tuple((n, fresh(v) if _CALL_SID.fullmatch(v) else v) for n, v in recorded.fields)
        rerun = self.target.send(replace(recorded, fields=fields))
        if rerun.answer is None:
            return replace(rerun, recorded=recorded)
        body = _CALL_SID.sub(lambda found: names.get(found[0], found[0]), rerun.answer.body)
        return replace(rerun, recorded=recorded, answer=replace(rerun.answer, body=body))
