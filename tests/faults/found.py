"""What the files of a service hold: facts, and whatever is torn or damaged. Read past the product, the inbox apart."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from adapter.store.inbox import Inbox
from adapter.store.sealing import Keyring
from tests.faults.asked import CHOICE, Effect, Fact

_CALLS = "SELECT call_id, greeted_at, ended_at, hung_up_at, sealed FROM calls"
_MARKS = "SELECT substr(name, 6) FROM variables WHERE name LIKE 'mark-%'"
_CHARGED = "SELECT coalesce(sum(used), 0) FROM usage"


@dataclass
class Found:
    """`saved`: in the database; `kept`: in the inbox. `wrong`: sentences; none is the aim."""

    saved: set[Fact] = field(default_factory=set)
    kept: set[Fact] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def lost(self, told: set[Fact]) -> list[str]:
        """What was told to be saved and is nowhere. A choice has to be there only in a call that has begun."""
        begun = {fact.call_id for fact in self.saved if fact.effect is Effect.GREETED}
        missing = told - self.saved - self.kept
        return [
            f"{fact.call_id}: {fact.effect} is lost"
            for fact in sorted(missing)
            if fact.effect is not Effect.CHOSEN or fact.call_id in begun
        ]


def found(folder: Path) -> Found:
    """`folder` has the database, its log and the inbox's journal. Nothing may be at work there."""
    seen = Found()
    try:
        with closing(sqlite3.connect(folder / "calls.db")) as connection:
            seen.wrong += [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
            for row in connection.execute(_CALLS).fetchall():
                seen.saved.update(_facts(*row))
            marked = {call_id for (call_id,) in connection.execute(_MARKS)}
            charged = connection.execute(_CHARGED).fetchone()[0]
    except sqlite3.DatabaseError as error:
        return Found(wrong=[f"the database is damaged: {error}"])
    billable = [fact for fact in seen.saved if fact.effect is not Effect.CHOSEN]
    if charged != len(billable):
        seen.wrong.append(f"{charged} charged for {len(billable)} effects")
    ended = {fact.call_id for fact in seen.saved if fact.effect is Effect.END}
    seen.wrong += [f"{call_id}: an end is torn" for call_id in sorted(ended ^ marked)]
    for _, event in Inbox(folder / "calls.db.inbox", Keyring()).waiting():
        seen.kept.add(Fact(event["call_id"], Effect.CHOSEN if "turn" in event else Effect.HUNG_UP))
    return seen


def _facts(
    call_id: str, greeted_at: int | None, ended_at: int | None, hung_up_at: int | None, sealed: bytes
) -> set[Fact]:
    by_telephone = call_id.startswith("CA")
    there = {
        Effect.GREETED if by_telephone else Effect.START: greeted_at is not None,
        Effect.END: ended_at is not None,
        Effect.HUNG_UP: hung_up_at is not None,
        Effect.CHOSEN: by_telephone and CHOICE.encode() in sealed,
    }
    return {Fact(call_id, effect) for effect, is_there in there.items() if is_there}
