"""Where recorded webhooks go: anything that answers them, and the way to a server."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final, Protocol

from adapter.replay.exchange import Exchange, HttpExchange, NoAnswer, Reply
from adapter.replay.recording import Answer, Receipt, Recorded
from adapter.replay.recording.values import call_id_in

from .addresses import here
from .api_calls import ApiCalls, Customers, NoKey

_CALL_SID: Final = re.compile("CA[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Rerun:
    """A webhook that was played again. `answer` None: there was none, and `trouble` says why. `receipt`: what was
    decided, where that can be known. `seconds`: how long the answer took. `round`: how often its call was played
    before."""

    recorded: Recorded
    answer: Answer | None
    receipt: Receipt | None = None
    seconds: float = 0.0
    trouble: str = ""
    round: int = 0


class Target(Protocol):
    """Answers webhooks. Used by one thread."""

    def send(self, recorded: Recorded) -> Rerun: ...


class Server:
    """A running server. `tokens`: auth tokens by AccountSid, "*" for any other; `public_url` is what is signed for.

    `base_url`: where to connect, when that is another address. `api_key`: for API calls, which are not sent without it;
    `customers`: shared with other ways to the same server.
    `exchanges` makes the way there (tests).
    """

    def __init__(
        self,
        public_url: str,
        tokens: Mapping[str, str],
        base_url: str | None = None,
        exchanges: Callable[[str], Exchange] | None = None,
        api_key: str | None = None,
        customers: Customers | None = None,
    ) -> None:
        self._public_url = public_url.rstrip("/")
        self._tokens = tokens
        self._make = exchanges or (lambda token: HttpExchange(self._public_url, token, base_url))
        self._exchanges: dict[str, Exchange] = {}
        asks = HttpExchange(self._public_url, "", base_url)
        self._api = ApiCalls(asks, self._public_url, lambda _: api_key, customers or Customers())

    def send(self, recorded: Recorded) -> Rerun:
        """See `Target`. A webhook of an account without a token is not sent."""
        if recorded.is_api:
            return sent_to_api(self._api, recorded)
        token = self._tokens.get(recorded.value("AccountSid")) or self._tokens.get("*")
        if token is None:
            return Rerun(recorded, None, trouble="no auth token for its account")
        if token not in self._exchanges:
            self._exchanges[token] = self._make(token)
        began = time.perf_counter()
        try:
            reply = sent(self._exchanges[token], self._public_url, _now(recorded))
        except NoAnswer as error:
            return Rerun(recorded, None, trouble=f"no answer: {error}", seconds=time.perf_counter() - began)
        return Rerun(recorded, answer_of(reply), seconds=time.perf_counter() - began)


def _now(recorded: Recorded) -> Recorded:
    """To a server that lives today, the call ends today: hung up long ago, nothing could be saved of it any more."""
    told = format_datetime(datetime.now(UTC))
    fields = tuple((name, told if name == "Timestamp" else value) for name, value in recorded.fields)
    return replace(recorded, fields=fields)


def sent_to_api(api: ApiCalls, recorded: Recorded) -> Rerun:
    """The API call, and what came of it."""
    began = time.perf_counter()
    try:
        reply = api.send(recorded)
    except NoKey:
        return Rerun(recorded, None, trouble="not sent: no API key for its organization")
    except NoAnswer as error:
        return Rerun(recorded, None, trouble=f"no answer: {error}", seconds=time.perf_counter() - began)
    return Rerun(recorded, answer_of(reply), seconds=time.perf_counter() - began)


def sent(exchange: Exchange, public_url: str, recorded: Recorded) -> Reply:
    """The webhook over this exchange, to our own address of its kind. NoAnswer."""
    webhook = here(recorded)
    return exchange.send(webhook.method, public_url + webhook.path, webhook.fields)


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
        renamed = _api_call_renamed(recorded, fresh) if recorded.is_api else replace(recorded, fields=fields)
        rerun = self.target.send(renamed)
        if rerun.answer is None:
            return replace(rerun, recorded=recorded)
        body = _CALL_SID.sub(lambda found: names.get(found[0], found[0]), rerun.answer.body)
        return replace(rerun, recorded=recorded, answer=replace(rerun.answer, body=body))


def _api_call_renamed(recorded: Recorded, fresh: Callable[[str], str]) -> Recorded:
    """An API call's id is of any form; what was safe to repeat is another request now."""
    sent, path = recorded.sent, recorded.path
    if isinstance(sent, Mapping) and isinstance(sent.get("call_id"), str):
        sent = {**sent, "call_id": fresh(sent["call_id"])}
    if call := call_id_in(path):
        path = f"/v1/calls/{fresh(call)}/identity"
    headers = {n: fresh(v) if n == "idempotency-key" else v for n, v in recorded.headers.items()}
    return replace(recorded, path=path, headers=headers, sent=sent)
