"""What goes wrong between Twilio and a server: webhooks that come twice, late, in another order, or never.

Each is an exchange around another one, so that a whole call can be played through it.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field

from .exchange import Exchange, Form, NoAnswer, Reply

Webhook = tuple[str, str, Form]
Chosen = Callable[[str], bool]


def everything(url: str) -> bool:
    """All webhooks."""
    return True


@dataclass(slots=True)
class Twice:
    """Sends webhooks whose URL is `chosen` twice, one after the other; the second answer counts. `pairs`: both."""

    inner: Exchange
    chosen: Chosen = everything
    pairs: list[tuple[Reply, Reply]] = field(default_factory=list)

    def send(self, method: str, url: str, fields: Form) -> Reply:
        """See `Exchange`."""
        first = self.inner.send(method, url, fields)
        if not self.chosen(url):
            return first
        self.pairs.append((first, self.inner.send(method, url, fields)))
        return self.pairs[-1][1]


@dataclass(slots=True)
class Lost:
    """The server gets the chosen webhooks, but its answers do not come back (or, `sent` False, it never gets them)."""

    inner: Exchange
    chosen: Chosen
    sent: bool = True

    def send(self, method: str, url: str, fields: Form) -> Reply:
        """See `Exchange`."""
        if not self.chosen(url):
            return self.inner.send(method, url, fields)
        if self.sent:
            self.inner.send(method, url, fields)
        raise NoAnswer("lost on purpose")


@dataclass(slots=True)
class Held:
    """Keeps the chosen webhooks back (for callbacks whose answer nobody waits for) until they are released."""

    inner: Exchange
    chosen: Chosen
    kept: list[Webhook] = field(default_factory=list)

    def send(self, method: str, url: str, fields: Form) -> Reply:
        """See `Exchange`. A kept one looks answered with 204."""
        if not self.chosen(url):
            return self.inner.send(method, url, fields)
        self.kept.append((method, url, copy(fields)))
        return Reply(204, "", b"")

    def release(self) -> list[Reply]:
        """Send what was kept, in its order."""
        kept, self.kept = self.kept, []
        return [self.inner.send(*webhook) for webhook in kept]


@dataclass(slots=True)
class Remembered:
    """Lets everything pass and remembers it, so that each webhook can come again, as late as one likes."""

    inner: Exchange
    sent: list[tuple[Webhook, Reply]] = field(default_factory=list)

    def send(self, method: str, url: str, fields: Form) -> Reply:
        """See `Exchange`."""
        reply = self.inner.send(method, url, fields)
        self.sent.append(((method, url, copy(fields)), reply))
        return reply

    def again(self, place: int) -> Reply:
        """The webhook at this place (0 is the first), sent once more."""
        return self.inner.send(*self.sent[place][0])
