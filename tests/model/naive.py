"""The naive service: what every request must be answered, worked out with dicts and lists.

A `Realm` has people (`people`), memories and limits (`remembered`), calls and kept answers. Answers are (status, body,
headers) with `Who` where the wire has a customer_ref.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from .people import DAY, NOBODY, Asked, Changed, People, Who
from .remembered import TEXTS, Body, Memories, Organization, Told, iso, shown, speech

HOUR = 3_600_000
QUOTA = {
    "error": "Payment Required",
    "message": "Monthly quota exhausted. Your account has 0 API calls remaining.",
    "quota_remaining": 0,
}


@dataclass
class OneCall:
    call_id: str
    started: int
    who: Who | None = None
    greeted: int | None = None
    hung_up: int | None = None
    ended: int | None = None
    ani: str | None = None
    line: str = "unknown"
    identity: Body | None = None
    basis: str = "new"
    changed: Changed = field(default_factory=Changed)
    verdict: str | None = None
    verdict_at: int | None = None
    talks: bool = False


class Realm(Memories):
    """Everything of one organization in one mode."""

    def __init__(self, organization: Organization, ids: list[int]) -> None:
        super().__init__()
        self.organization, self.ids = organization, ids
        self.people = People()
        self.calls: dict[str, OneCall] = {}
        self.kept: dict[str, tuple[int, str, Told, Who]] = {}
        self.spoken: dict[str, tuple[int, str, Who]] = {}

    def new(self) -> Who:
        self.ids.append(len(self.ids) + 1)
        return Who(self.ids[-1])

    # Calls

    def call(self, call_id: str, now: int) -> OneCall | None:
        """The call under this id, while the id is taken."""
        call = self.calls.get(call_id)
        return call if call and now - call.started < 30 * DAY else None

    def started(self, call: OneCall, now: int) -> Body:
        told = {"call_id": call.call_id, "customer_ref": call.who, "call_start": iso(call.started)}
        return {**told, "identity": call.identity or dict(NOBODY), **self.memory(call.who, now)}

    def begin(self, call_id: str, asked: Asked, now: int) -> OneCall:
        before = self.call(call_id, now)
        found = self.people.recognize(call_id, asked, now, self.new)
        call = OneCall(call_id, before.started if before else now, found.who, greeted=now)
        call.hung_up = before.hung_up if before else None
        call.ani, call.line, call.identity = asked.ani, found.line, found.identity
        call.basis, call.changed = found.basis, found.changed
        self.calls[call_id] = call
        self.organization.charge(now)
        return call

    def refuse_start(self, call_id: str, now: int) -> Told | None:
        if self.organization.is_exhausted(now):
            return Told(402, QUOTA | {"billing_account_id": f"ba_{self.organization.name}"})
        call = self.call(call_id, now)
        if call is None or (call.greeted is None and call.ended is None):
            return None
        return conflict(call)

    def start(self, call_id: str, asked: Asked, now: int) -> Told:
        refused = self.refuse_start(call_id, now)
        if refused:
            return refused
        return Told(200, self.started(self.begin(call_id, asked, now), now))

    def voice(self, call_id: str, asked: Asked, now: int, steady: int) -> Told:
        """What the caller hears."""
        if call_id in self.spoken and self.spoken[call_id][0] > now:
            return Told(200, says=self.spoken[call_id][1])
        refused, _ = self.organization.admit(steady, now)
        if refused or self.organization.is_exhausted(now):
            return Told(200, says=TEXTS["neutral"])
        call = self.call(call_id, now)
        if call is None or (call.greeted is None and call.ended is None):
            call = self.begin(call_id, asked, now)
        elif call.greeted is None:
            if call.who and self.people.lives(call.who):
                stands = (call.who, call.basis, call.changed.made)
                self.people.recognize(call_id, asked, now, self.new, stands)
                call.ani = asked.ani or call.ani
            call.greeted = now
            self.organization.charge(now)
            return Told(200, says=TEXTS["neutral"])
        elif call.ended is not None or call.hung_up is not None or call.talks or not self.people.lives(call.who):
            # Choice: a webhook again, a day after its first answer was forgotten, finds the call long since greeted.
            return Told(200, says=TEXTS["neutral"])
        call.talks = True
        says = speech(self.started(call, now))
        assert call.who is not None
        self.spoken[call_id] = (now + DAY, says, call.who)
        return Told(200, says=says)

    def hang_up(self, call_id: str, asked: Asked, seconds: int, now: int, steady: int) -> Told:
        call = self.call(call_id, now)
        if call and call.hung_up is not None:
            return Told(204)
        # Choice: an exhausted quota is looked at first, so that waiting for the renewal uses up no rate.
        if self.organization.is_exhausted(now) or self.organization.admit(steady, now)[0]:
            return Told(204)
        if call is None:
            call = self.calls[call_id] = OneCall(call_id, now - seconds * 1000, ani=asked.ani)
        call.hung_up = now
        self.organization.charge(now)
        return Told(204)

    def end(self, call_id: str, who: Any, asked: Asked | None, body: Body, key: str | None, now: int) -> Told:
        wire = json.dumps(body, sort_keys=True, default=str)
        if key and key in self.kept and self.kept[key][0] > now:
            _, first, told, _ = self.kept[key]
            return Told(200, told.body, {"Idempotency-Replayed": "true"}) if first == wire else Told(409, {})
        told = self._end(call_id, who, asked, body, now)
        if key and told.status == 200 and told.body:
            self.kept[key] = (now + DAY, wire, told, told.body["customer_ref"])
        return told

    def _end(self, call_id: str, who: Any, asked: Asked | None, body: Body, now: int) -> Told:
        if self.organization.is_exhausted(now):
            return Told(402, QUOTA | {"billing_account_id": f"ba_{self.organization.name}"})
        call = self.call(call_id, now)
        if call and call.ended is not None:
            return conflict(call)
        if call and call.hung_up is not None and now - call.hung_up > 24 * HOUR:
            return conflict(call)
        settled = self._settle(call_id, call, who, asked, body.get("telco", {}).get("line_type"), now)
        if settled is None:
            return Told(400, {"issues": [["customer_ref"]]})
        intents, variables = self.write(settled.who, call_id, body, now)  # type: ignore[arg-type]
        settled.ended = now
        self.calls[call_id] = settled
        self.organization.charge(now)
        over = max(settled.started, settled.hung_up if settled.hung_up is not None else now)
        told = {"call_id": call_id, "customer_ref": settled.who, "call_start": iso(settled.started)}
        told |= {"call_end": iso(over), "duration_seconds": (over - settled.started) // 1000}
        return Told(200, told | {"intents_updated": intents, "variables_updated": variables})

    def _settle(
        self, call_id: str, call: OneCall | None, who: Any, asked: Asked | None, line: str | None, now: int
    ) -> OneCall | None:
        """The call with its customer; None: the end names nobody that lives."""
        if call and asked is None and line is None and who == call.who:
            if not self.people.lives(who):
                return None
            self.people.contact[who] = now
            return call
        given = asked or Asked()
        named = [each for each in (who, given.who) if each is not None]
        living = next((each for each in named if self.people.lives(each)), None)
        if named and living is None and not (given.ani or given.says_ani or given.ids):
            return None
        merged = Asked(given.ani or (call.ani if call else None), given.says_ani, given.dnis, given.ids)
        merged.who, merged.line = living, given.line or line
        stands = (call.who, call.basis, call.changed.made) if call and call.who else None
        if call and call.who and stands:
            # Choice: somebody else's call is decided anew, once what it changed is taken back.
            tried = deepcopy(self.people).recognize(call_id, merged, now, lambda: Who(-1), stands)
            if tried.who != call.who:
                self.people.take_back(call.who, call.ani, call.changed, {call.greeted, call.verdict_at})
                call.verdict, call.verdict_at = None, None  # it was about that customer
                stands = None
                # What was told of the number's line stays true of it.
                if merged.line is None and merged.ani == call.ani:
                    merged.line = self.people.told(call.ani, call.line)
        found = self.people.recognize(call_id, merged, now, self.new, stands)
        if call and stands:
            call.basis = found.basis
            return call
        settled = call or OneCall(call_id, now)
        settled.who, settled.identity, settled.basis = found.who, found.identity, found.basis
        settled.ani, settled.line, settled.changed = merged.ani or settled.ani, found.line, found.changed
        return settled

    # Extensions

    def verdict(self, call_id: str, verdict: str, now: int) -> Told:
        call = self.calls.get(call_id)
        if call is None or call.who is None or not self.people.lives(call.who):
            return Told(404, {})
        if call.ended is not None:
            return conflict(call)
        if call.verdict != verdict:
            (self._confirm if verdict == "confirmed" else self._reject)(call, now)
            call.verdict, call.verdict_at = verdict, now
        return Told(200, self.started(call, now))

    def _confirm(self, call: OneCall, now: int) -> None:
        assert call.who is not None
        if call.ani:
            owns = any(link.who == call.who for link in self.people.numbers.get(call.ani, []))
            call.changed.number = call.changed.number or not owns
            self.people.link(call.ani, call.who, now)
        self.people.mark(call.who, call.ani, call.changed.presented, doubt=False)
        sources = [] if call.basis == "new" else (call.identity or NOBODY)["sources"]
        call.identity = {"confidence": 1.0, "level": "very_high", "sources": sources, "recommendation": "reuse"}
        call.basis = "verified"

    def _reject(self, call: OneCall, now: int) -> None:
        was = call.who
        assert was is not None
        shared = bool(call.ani) and any(link.who == was for link in self.people.numbers.get(call.ani or "", []))
        self.people.take_back(was, call.ani, call.changed, {call.greeted, call.verdict_at})
        self.people.mark(was, call.ani, call.changed.presented, doubt=True)
        call.who = self.new()
        self.people.make(call.who, now)
        if shared:
            self.people.link(call.ani or "", call.who, now, self.people.told(call.ani, call.line))
        call.changed = Changed(made=True, number=shared, presented=call.changed.presented)
        call.identity, call.basis = dict(NOBODY), "new"

    def show_call(self, call_id: str) -> Told:
        call = self.calls.get(call_id)
        if call is None:
            return Told(404, {})
        events = (("greeted", call.greeted), (f"verdict_{call.verdict}", call.verdict_at))
        events += (("hung_up", call.hung_up), ("ended", call.ended))
        told = sorted(((at, name) for name, at in events if at is not None), key=lambda event: event[0])
        body = {"customer_ref": call.who, "call_start": iso(call.started), "ani": call.ani, "line_type": call.line}
        body |= {"identity": call.identity, "timeline": [{"at": iso(at), "event": name} for at, name in told]}
        return Told(200, body | {"basis": call.basis})

    def show_customer(self, who: Any, now: int) -> Told:
        if not self.people.lives(who):
            return Told(404, {})
        numbers = [
            {"ani": ani, "line_type": link.line or "unknown", "last_seen": iso(link.seen)}
            for ani, links in self.people.numbers.items()
            for link in links
            if link.who == who
        ]
        pairs = [{"key": key, "value": value} for (key, value), owner in self.people.ids.items() if owner[0] == who]
        intents = [
            {name: each[name] for name in ("intent", "status", "attempt_count", "resolution")}
            | {"opened_at": iso(each["opened"]), "updated_at": iso(each["updated"]), "last_call_id": each["call"]}
            for each in self.intents.get(who, {}).values()
        ]
        body = {"created_at": iso(self.people.made_at[who]), "last_contact": iso(self.people.contact[who])}
        body |= {"numbers": numbers, "external_ids": pairs, "intents": intents}
        body |= {"variables": {each["name"]: shown(each) for each in self.living(who, now)}}
        return Told(200, body | {"calls": [call.call_id for call in self.calls.values() if call.who == who]})

    def forget(self, who: Any, now: int) -> Told:
        if not self.people.lives(who):
            return Told(404, {})
        self.people.erase(who)
        self.intents.pop(who, None)
        self.variables.pop(who, None)
        self.kept = {key: each for key, each in self.kept.items() if each[3] != who}
        self.spoken = {key: each for key, each in self.spoken.items() if each[2] != who}
        for call in self.calls.values():
            if call.who == who:
                call.ani, call.changed = None, Changed()
        return Told(200, {"customer_ref": who, "erased_at": iso(now)})

    def sweep(self, now: int) -> None:
        """What has expired is gone for good, even if somebody sets the clock back afterwards."""
        self.calls = {name: call for name, call in self.calls.items() if call.started >= now - 90 * DAY}
        self.kept = {key: each for key, each in self.kept.items() if each[0] > now}
        self.spoken = {key: each for key, each in self.spoken.items() if each[0] > now}
        for who, mine in self.variables.items():
            self.variables[who] = {name: each for name, each in mine.items() if each["expires"] > now}
        for sightings in self.people.seen.values():
            for ani in [ani for ani, first in sightings.items() if first[1] < now - 90 * DAY]:
                del sightings[ani]


def conflict(call: OneCall) -> Told:
    known = {"customer_ref": call.who, "call_start": iso(call.started)}
    return Told(409, {"details": {name: value for name, value in known.items() if value is not None}})
