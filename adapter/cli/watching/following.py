"""Which calls go on, and what has happened to them since they were last looked at: for `tail`.

Leaves out: what is worth telling of a call (`happenings`), how it is shown (`tail`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from adapter.engine.model import Call, Millis, Principal
from adapter.engine.policy import HOUR, MINUTE
from adapter.errors import StoreUnavailable
from adapter.store import calls as stored
from adapter.store.transaction import Transaction
from adapter.usecases import Service

from .happenings import Happening, happenings

# A call of which only the hang-up is known so far is dated back to its start.
_OVERLAP: Final = 2 * MINUTE
# Twilio ends a call after four hours; agents write their notes in the first minutes after it.
_LONGEST, _AFTERWARDS = 4 * HOUR, 15 * MINUTE
_MOST_FOLLOWED: Final = 2_000
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that happened to a call."""

    principal: Principal
    call: Call
    happening: Happening


@dataclass
class Follower:
    """Looks into these realms; remembers the calls that go on as they were seen last."""

    service: Service
    principals: Sequence[Principal]
    _since: Millis = 0
    _followed: dict[tuple[Principal, str], Call] = field(default_factory=dict)

    def begin(self, latest: int) -> list[Seen]:
        """What has happened to so many of the latest calls. From now on everything is news."""
        self._since = self.service.clock.now() - _LONGEST
        before = self._before(latest)
        seen = [*before, *self.look()]
        started = {each.call.call_id: each.call.started_at for each in seen}
        wanted = sorted(started, key=lambda call_id: started[call_id])[len(started) - min(latest, len(started)) :]
        return [each for each in seen if each.call.call_id in set(wanted)]

    def look(self) -> list[Seen]:
        """What has happened since the last look, in order; nothing while the database is away."""
        now = self.service.clock.now()
        try:
            seen = [each for principal in self.principals for each in self._look_into(principal, now)]
        except StoreUnavailable:
            return []
        self._since = max(self._since, now - _OVERLAP)
        self._let_go(now)
        return sorted(seen, key=lambda each: each.happening.at)

    def _before(self, latest: int) -> list[Seen]:
        """What has happened to calls to which nothing more happens: they began too long ago to be followed."""
        seen = []
        for principal in self.principals if latest else ():
            with suppress(StoreUnavailable), self.service.store.read(principal.realm) as tx:
                for call in reversed(stored.begun_before(tx, self._since, latest)):
                    seen += [Seen(principal, call, each) for each in happenings(None, call, call.started_at)]
        return sorted(seen, key=lambda each: each.happening.at)

    def _look_into(self, principal: Principal, now: Millis) -> Iterator[Seen]:
        followed = [call_id for whose, call_id in self._followed if whose == principal]
        with self.service.store.read(principal.realm) as tx:
            again = (stored.find(tx, call_id) for call_id in followed)
            found = {call.call_id: call for call in (*again, *_all_since(tx, self._since)) if call is not None}
        for call in found.values():
            before = self._followed.get((principal, call.call_id))
            self._followed[principal, call.call_id] = call
            if call != before:
                yield from (Seen(principal, call, each) for each in happenings(before, call, now))

    def _let_go(self, now: Millis) -> None:
        """Those to which nothing more happens; not the newest, which would be found and told once more."""
        for key, call in list(self._followed.items()):
            if _is_through(call, now) and call.started_at < now - 2 * _OVERLAP:
                del self._followed[key]
        oldest = sorted(self._followed, key=lambda key: self._followed[key].started_at)
        for key in oldest[: max(0, len(oldest) - _MOST_FOLLOWED)]:
            del self._followed[key]


def _is_through(call: Call, now: Millis) -> bool:
    hung_up_long_ago = call.hung_up_at is not None and now - call.hung_up_at > _AFTERWARDS
    return call.ended_at is not None or hung_up_long_ago or now - call.started_at > _LONGEST


def _all_since(tx: Transaction, since: Millis) -> Iterator[Call]:
    place, after = since, ""
    while page := stored.begun_after(tx, place, after, _PAGE):
        yield from page
        place, after = page[-1].started_at, page[-1].call_id
