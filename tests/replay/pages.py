"""A server of fixed answers for the interpreter's tests, and a network around the real app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from adapter.replay import Network, NoAnswer, Reply, WsgiExchange
from tests.builders import ACCOUNT, AUTH_TOKEN, PUBLIC_URL, ToldClock

HEADER = '<?xml version="1.0" encoding="UTF-8"?>'
Answer = str | Reply | NoAnswer


def twiml(body: str) -> Reply:
    """A document with this inside its Response."""
    return Reply(200, "text/xml; charset=utf-8", f"{HEADER}<Response>{body}</Response>".encode())


def moved(location: str, status: int = 302) -> Reply:
    """A redirect of HTTP."""
    return Reply(status, "text/html", b"", location)


@dataclass
class Pages:
    """Answers by path, each used once, the last one for ever. `asked`: every request as (method, url, fields)."""

    answers: Mapping[str, Sequence[Answer]]
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    used: dict[str, int] = field(default_factory=dict)

    def send(self, method: str, url: str, fields: Mapping[str, str]) -> Reply:
        path = url.removeprefix(PUBLIC_URL)
        self.asked.append((method, url, dict(fields)))
        answers = self.answers.get(path, (Reply(404, "text/plain", b"nothing here"),))
        place = self.used.get(path, 0)
        self.used[path] = place + 1
        answer = answers[min(place, len(answers) - 1)]
        if isinstance(answer, NoAnswer):
            raise answer
        return twiml(answer) if isinstance(answer, str) else answer


def pages(voice: Answer, **others: Answer | Sequence[Answer]) -> Pages:
    """The voice URL's answer, and those of other paths ("turn" is /turn)."""
    answers = {f"/{name.replace('__', '/')}": given for name, given in others.items()}
    each = {path: (given,) if isinstance(given, Answer) else tuple(given) for path, given in answers.items()}
    return Pages({"/twilio/voice": (voice,), "/twilio/status": (Reply(204, "", b""),), **each})


def around(server: Any, **changes: Any) -> Network:
    """A network whose webhooks go to `server`, without a fallback URL unless one is given."""
    return Network(server, PUBLIC_URL, ACCOUNT, **{"fallback": None, **changes})


def a_network(app: Flask, clock: ToldClock | None = None, **changes: Any) -> Network:
    """A network in front of the real app. With `clock`, the server's time goes by as the call does."""
    times = {"now": lambda: clock.wall / 1000, "passes": lambda s: clock.advance(seconds=s)} if clock else {}
    exchange = changes.pop("exchange", None) or WsgiExchange(app, PUBLIC_URL, AUTH_TOKEN)
    return Network(exchange, PUBLIC_URL, ACCOUNT, **{**times, **changes})
