"""The naive memory of one realm: who is who, in dicts and lists, slow and plain.

Written from the reference and semantics §5 to §8 alone; nothing of the engine is imported. Where those are silent the
product's documented choice is followed and marked "choice". Customers are numbers here, in order of their making.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

DAY = 86_400_000
NEVER = {"twilio_call_sid", "call_sid", "call_id", "session_id", "contact_id", "interaction_id", "conversation_id"}
NEVER |= {"campaign_id", "skill_id", "agent_id", "queue_id"}
WEIGHTS = {"mobile": 0.50, "landline": 0.30, "voip": 0.20, "unknown": 0.30}
NOBODY = {"confidence": 0, "level": "low", "sources": [], "recommendation": "ignore"}
STRONG = ("verified", "customer_ref")

Pair = tuple[str, str]


@dataclass(frozen=True)
class Who:
    """A customer, whatever the system under test calls them. Later ones are greater."""

    number: int


@dataclass
class Asked:
    """What a caller presents: `ani` only when it is a number; `says_ani`: something stood in its place."""

    ani: str | None = None
    says_ani: bool = False
    dnis: str | None = None
    ids: list[Pair] = field(default_factory=list)
    who: Any = None
    line: str | None = None


@dataclass
class NumberLink:
    who: Who
    seen: int
    line: str | None = None
    line_at: int = 0
    doubts: int = 0


@dataclass
class Changed:
    """What a call did to who is who."""

    made: bool = False
    number: bool = False
    ids: list[Pair] = field(default_factory=list)
    presented: list[Pair] = field(default_factory=list)
    contact: int | None = None
    touched_at: int | None = None
    link: tuple[int, str | None, int] | None = None


@dataclass
class Found:
    who: Who
    identity: dict[str, Any]
    basis: str
    line: str
    changed: Changed


@dataclass
class People:
    """Customers of one realm, and what points to them."""

    made_at: dict[Who, int] = field(default_factory=dict)
    contact: dict[Who, int] = field(default_factory=dict)
    numbers: dict[str, list[NumberLink]] = field(default_factory=dict)
    ids: dict[Pair, list[Any]] = field(default_factory=dict)  # pair -> [who, doubts]
    seen: dict[Pair, dict[str, list[Any]]] = field(default_factory=dict)  # pair -> number -> [first call, last seen]

    def lives(self, who: Any) -> bool:
        return who in self.contact

    def make(self, who: Who, now: int) -> None:
        self.made_at[who] = self.contact[who] = now

    def recognize(
        self, call_id: str, asked: Asked, now: int, new: Any, stands: tuple[Who, str, bool] | None = None
    ) -> Found:
        """`new()` gives the next customer. `stands`: whose call it already is, on what, and whether it made them."""
        if stands and not self.lives(stands[0]):
            stands = None
        good = [pair for pair in asked.ids if pair[0] not in NEVER]
        fine = [pair for pair in good if not self._is_shared(pair, asked.ani)]
        known = [pair for pair in fine if pair in self.ids]
        fresh = [pair for pair in fine if pair not in self.ids]
        line = self._line(asked)
        owners = self._owners(asked.ani)
        who, basis = self._candidate(asked, known, owners, stands)
        if who is None:
            return self._newcomer(call_id, asked, now, new(), dict(NOBODY), fresh, good, line)
        identity = self._identity(asked, who, known, owners, line, now)
        if stands is None and identity["recommendation"] == "ignore":
            return self._newcomer(call_id, asked, now, new(), identity, fresh, good, line, link_number=False)
        if basis == "ani" and fresh and not (stands and stands[2]):
            personal = line == "mobile" or (line == "unknown" and len(owners) == 1)
            if not personal or any(self._has_key(who, pair[0]) for pair in fresh):
                return self._newcomer(call_id, asked, now, new(), dict(NOBODY), fresh, good, line)
        changed = Changed(presented=list(asked.ids), contact=self.contact[who], touched_at=now)
        may_link = self._may_link(call_id, asked, who, basis, known, owners)
        joins = [pair for pair in fresh if not self._has_key(who, pair[0])]
        self.contact[who] = now
        if may_link:
            self._link_number(asked, who, now, changed)
        for pair in joins:
            self.ids[pair] = [who, 0]
            changed.ids.append(pair)
        self._sight(call_id, asked, good, now)
        return Found(who, identity, basis, line, changed)

    def _is_shared(self, pair: Pair, ani: str | None) -> bool:
        return len(set(self.seen.get(pair, {})) | ({ani} if ani else set())) > 5

    def _has_key(self, who: Who, key: str) -> bool:
        return any(pair[0] == key and owner[0] == who for pair, owner in self.ids.items())

    def _owners(self, ani: str | None) -> list[NumberLink]:
        links = self.numbers.get(ani or "", [])
        return sorted(links, key=lambda link: (-link.seen, link.who.number))

    def _line(self, asked: Asked) -> str:
        if asked.line is not None:
            return str(asked.line)
        told = [link for link in self._owners(asked.ani) if link.line]
        # Choice: of types told at the same instant, the one of the customer seen last.
        return max(told, key=lambda link: link.line_at).line or "unknown" if told else "unknown"

    def _candidate(
        self, asked: Asked, known: list[Pair], owners: list[NumberLink], stands: tuple[Who, str, bool] | None
    ) -> tuple[Who | None, str]:
        if self.lives(asked.who):
            return asked.who, "customer_ref"
        if stands and stands[1] in STRONG:
            return stands[0], stands[1]
        if known:
            return self.ids[known[0]][0], "external_id"
        if stands:
            return stands[0], stands[1]
        if owners:
            # Choice: seen at the same instant, then the one in contact last, then the younger customer.
            best = max(owners, key=lambda link: (link.seen, self.contact[link.who], link.who.number))
            return best.who, "ani"
        return None, "new"

    def _identity(
        self, asked: Asked, who: Who, known: list[Pair], owners: list[NumberLink], line: str, now: int
    ) -> dict[str, Any]:
        named = asked.who == who
        own = [link for link in owners if link.who == who]
        mine = [pair for pair in known if self.ids[pair][0] == who]
        total, sources = 0.0, []
        if named:
            total, sources = total + 0.90, [*sources, "customer_ref"]
        if own:
            total, sources = total + WEIGHTS[line] / len(owners), [*sources, f"ani:{line}"]
        if mine:
            total, sources = total + 0.40, [*sources, "external_id"]
        days = max(1, math.ceil((now - self.contact[who]) / DAY))
        if sources and days <= 7:
            total, sources = total + (0.10 if days == 1 else 0.05), [*sources, f"recency:{days}day"]
        doubts = sum(link.doubts for link in own) + sum(self.ids[pair][1] for pair in mine)
        # Choice: the doubt of earlier calls caps what is merely presented just below reuse.
        cap = 0.45 if doubts and not named else 1.0 if named and own else 0.90
        return judged(math.floor(min(cap, total) * 100 + 0.5 + 1e-9) / 100, sources)

    def _may_link(
        self, call_id: str, asked: Asked, who: Who, basis: str, known: list[Pair], owners: list[NumberLink]
    ) -> bool:
        if asked.ani is None:
            return False
        if not owners or any(link.who == who for link in owners) or basis == "verified":
            return True
        backing = [pair for pair in known if self.ids[pair][0] == who]
        backing += [("customer_ref", str(who))] if asked.who == who else []
        before = [self.seen.get(pair, {}).get(asked.ani) for pair in backing]
        return any(first and first[0] != call_id for first in before)

    def _newcomer(
        self,
        call_id: str,
        asked: Asked,
        now: int,
        who: Who,
        identity: dict[str, Any],
        fresh: list[Pair],
        good: list[Pair],
        line: str,
        link_number: bool = True,
    ) -> Found:
        changed = Changed(made=True, presented=list(asked.ids), touched_at=now)
        known_ref = self.lives(asked.who)
        self.make(who, now)
        if link_number and asked.ani:
            self._link_number(asked, who, now, changed)
        for pair in fresh:
            self.ids[pair] = [who, 0]
            changed.ids.append(pair)
        assert not known_ref, "a living customer_ref is a candidate that cannot be ignored"
        self._sight(call_id, asked, good, now)
        return Found(who, identity, "new", line, changed)

    def _link_number(self, asked: Asked, who: Who, now: int, changed: Changed) -> None:
        before = next((link for link in self.numbers.get(asked.ani or "", []) if link.who == who), None)
        if before is None:
            changed.number = True
        else:
            changed.link = (before.seen, before.line, before.line_at)
        self.link(asked.ani or "", who, now, asked.line)

    def link(self, ani: str, who: Who, now: int, line: str | None = None) -> None:
        links = self.numbers.setdefault(ani, [])
        link = next((each for each in links if each.who == who), None)
        if link is None:
            link = NumberLink(who, now)
            links.append(link)
        link.seen = now
        if line not in (None, "unknown"):
            link.line, link.line_at = line, now

    def told(self, ani: str | None, line: str | None) -> str | None:
        """The line type that a call told, if the number's is not known to be that without it."""
        return line if line not in (None, "unknown", self._line(Asked(ani))) else None

    def _sight(self, call_id: str, asked: Asked, good: list[Pair], now: int) -> None:
        if asked.ani is None:
            return
        named = [("customer_ref", str(asked.who))] if self.lives(asked.who) else []
        for pair in [*good, *named]:
            first = self.seen.setdefault(pair, {}).setdefault(asked.ani, [call_id, now])
            if first[1] < now - DAY:
                first[1] = now

    def take_back(self, who: Who, ani: str | None, changed: Changed, own: set[int | None]) -> None:
        """The call's links go, and its customer was not in contact after all.

        `own`: when this call saw its number. One that was seen with this customer later is not this call's to undo.
        """
        for pair in changed.ids:
            if pair in self.ids and self.ids[pair][0] == who:
                del self.ids[pair]
        mine = [link for link in self.numbers.get(ani or "", []) if link.who == who and link.seen in own]
        if changed.number and mine:
            self.numbers[ani or ""] = [link for link in self.numbers.get(ani or "", []) if link.who != who]
        elif changed.link and mine:
            mine[0].seen, mine[0].line, mine[0].line_at = changed.link
        if changed.contact is not None and self.contact.get(who) == changed.touched_at:
            self.contact[who] = changed.contact

    def mark(self, who: Who, ani: str | None, pairs: list[Pair], doubt: bool) -> None:
        """One more doubt on this evidence for this customer, or none any more."""
        for link in self.numbers.get(ani or "", []):
            if link.who == who:
                link.doubts = link.doubts + 1 if doubt else 0
        for pair in dict.fromkeys(pairs):
            if pair in self.ids and self.ids[pair][0] == who:
                self.ids[pair][1] = self.ids[pair][1] + 1 if doubt else 0

    def erase(self, who: Who) -> None:
        gone = [pair for pair, owner in self.ids.items() if owner[0] == who]
        for ani, links in list(self.numbers.items()):
            if any(link.who == who for link in links):
                # Choice: what was seen with a number that is somebody else's too is theirs as well.
                for sightings in self.seen.values() if len(links) == 1 else ():
                    sightings.pop(ani, None)
                self.numbers[ani] = [link for link in links if link.who != who]
        for pair in [*gone, ("customer_ref", str(who))]:
            self.seen.pop(pair, None)
        for pair in gone:
            del self.ids[pair]
        del self.contact[who]


def judged(confidence: float, sources: list[str]) -> dict[str, Any]:
    """Reference: reuse from 0.5, confirm from 0.3; semantics §5: the levels."""
    levels = ((0.9, "very_high"), (0.7, "high"), (0.5, "medium"))
    return {
        "confidence": confidence,
        "level": next((name for least, name in levels if confidence >= least), "low"),
        "sources": sources,
        "recommendation": "reuse" if confidence >= 0.5 else "confirm" if confidence >= 0.3 else "ignore",
    }
