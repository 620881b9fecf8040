"""Many customers at once, from somebody's other system: matched, linked and remembered by the engine's own rules.

Each record is what a standalone end (semantics §7) would be, with two differences: it is no call, so none is kept and
nothing is billed or counted; and a record that names no last contact makes nobody look as if they had just called.
How far a file has come is kept in the transaction that takes its records, so an import that was killed goes on where it
was. Leaves out: reading files (`cli`), what a record may be (`web.rest.customer_records`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, repeat
from typing import Final

from adapter.engine import identity, intents, variables
from adapter.engine.model import (
    Basis,
    Decision,
    Hints,
    Intent,
    IntentStatus,
    IntentUpdate,
    Millis,
    Principal,
    VariableUpdate,
)
from adapter.engine.policy import DAY
from adapter.store import answers
from adapter.store.bulk.roster import Roster
from adapter.store.transaction import Transaction

from .service import Service

_IMPORT: Final = "import"
_PROGRESS_DAYS: Final = 30
# Beyond the reach of recency: of whom nothing is said, nothing is assumed.
_LONG_AGO: Final = 8 * DAY
# New customers of one transaction are drawn with the same 32 bits at the front (and 90 of their own): their rows then
# lie beside each other. Scattered, a million of them take twice as long, as each row has another page of the disk.
_SHARED_DIGITS: Final = 8
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Record:
    """One customer of the other system. `hints` decide who it is; `numbers`: further ones of theirs. `last_contact`
    None: not known. `last_seen`: of each number, that of `hints` first; None or left out: at the last contact.
    `attempts`: how often intents were left open, by name. A `customer_ref` that nobody has becomes that of a customer
    who is new, whoever else has the numbers; of one who was erased nothing is taken."""

    place: int
    hints: Hints
    numbers: tuple[Hints, ...] = ()
    intents: tuple[IntentUpdate, ...] = ()
    variables: tuple[VariableUpdate, ...] = ()
    last_contact: Millis | None = None
    last_seen: tuple[Millis | None, ...] = ()
    attempts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a file has come: records read, and what became of them."""

    read: int = 0
    created: int = 0
    known: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """`progress` afterwards; `erased`: places of records whose customer was erased and stays so; `waited`: so long for
    the turn to write."""

    progress: Progress
    erased: tuple[int, ...] = ()
    waited: Millis = 0


def import_progress(service: Service, principal: Principal, file: str) -> Progress:
    """Where this file's import is. `file`: names its content."""
    with service.store.read(principal.realm) as tx:
        return _progress(tx, file, service.clock.now())


def import_customers(
    service: Service, principal: Principal, file: str, records: Sequence[Record], before: Progress
) -> Taken:
    """Take the next records of the file, all in one transaction. `before`: the progress so far, in which those that
    were read and refused since are counted. Nothing is done when somebody else has taken them meanwhile."""

    asked = service.clock.steady()

    def work(tx: Transaction) -> Taken:
        waited = service.clock.steady() - asked
        now = service.clock.now()
        kept = _progress(tx, file, now)
        if kept.read >= before.read + len(records) and records:
            return Taken(kept, waited=waited)
        roster = Roster(tx, [hints for each in records for hints in _all(each)])
        importing = _Importing(service, tx, file, now, roster)
        found = [importing.take(record) for record in records]
        roster.write(is_first=not kept.created)
        progress = replace(
            before,
            read=before.read + len(records),
            created=before.created + found.count(True),
            known=before.known + found.count(False),
            refused=before.refused + found.count(None),
        )
        answers.keep(tx, _IMPORT, file, "", dict(asdict(progress)), _NOBODY, now + _PROGRESS_DAYS * DAY)
        erased = tuple(each.place for each, done in zip(records, found, strict=True) if done is None)
        return Taken(progress, erased, waited)

    return service.store.transact(principal.realm, work)


@dataclass(slots=True)
class _Importing:
    """One transaction of an import."""

    service: Service
    tx: Transaction
    file: str
    now: Millis
    roster: Roster
    neighbourhood: str = ""

    def take(self, record: Record) -> bool | None:
        """Whether the customer is new; None: they were erased."""
        given = record.hints.customer_ref
        if given is not None and self.roster.is_erased(given):
            return None
        call_id = f"import/{self.file[:12]}/{record.place}"
        contact = record.last_contact if record.last_contact is not None else self.now - _LONG_AGO
        seen = chain(record.last_seen, repeat(None))
        ref, is_new = self._recognized(record.hints, call_id, contact, next(seen))
        brought_along = is_new and ref == given
        for number in record.numbers:
            hints = replace(number, customer_ref=ref)
            self._recognized(hints, call_id, contact, next(seen), is_theirs=brought_along)
        self._remember(record, ref, call_id)
        return is_new

    def _recognized(
        self, hints: Hints, call_id: str, contact: Millis, seen: Millis | None, *, is_theirs: bool = False
    ) -> tuple[str, bool]:
        """Whose record it is, the links written that the decision says. `seen`: when the number was."""
        roster = self.roster
        decision = self._decided(hints, call_id, is_theirs=is_theirs)
        ref = decision.customer_ref
        if ref is None:
            ref = self._new_ref(hints)
            roster.create(ref, self.now, contact)
        else:
            roster.touch(ref, contact)
        if hints.ani is not None and decision.links.ani:
            roster.link_ani(hints.ani, ref, contact if seen is None else seen, hints.line_type, self.now)
        for pair in decision.links.external:
            roster.link_external(pair, ref, contact)
        if hints.ani is not None and decision.links.sightings:
            roster.sight(hints.ani, decision.links.sightings, call_id, contact)
        return ref, decision.customer_ref is None

    def _decided(self, hints: Hints, call_id: str, *, is_theirs: bool) -> Decision:
        """`is_theirs`: the number, whoever else has it. So it is where the record brings a customer along: a reference
        is an id of which everybody has one, so who has another is another person (semantics §5, a new external id)."""
        facts, policy = self.roster.facts(hints), self.service.policy
        by_all = identity.resolve(call_id, hints, facts, policy, self.now)
        brings_along = hints.customer_ref not in (None, *facts.customers) and by_all.basis in (Basis.ANI, Basis.NEW)
        if not is_theirs and not brings_along:
            return by_all
        return identity.resolve(call_id, hints, replace(facts, ani=()), policy, self.now)

    def _new_ref(self, hints: Hints) -> str:
        """The one that the record brings along, if nobody has it: other systems know the customer by it."""
        given = hints.customer_ref
        if given is not None and not self.roster.facts(Hints(customer_ref=given)).customers:
            return given
        drawn = self.service.ids.customer_ref()
        self.neighbourhood = self.neighbourhood or drawn[:_SHARED_DIGITS]
        return self.neighbourhood + drawn[_SHARED_DIGITS:]

    def _remember(self, record: Record, ref: str, call_id: str) -> None:
        if record.intents:
            known = self.roster.intents(ref, [update.intent for update in record.intents])
            applied = intents.apply(known, record.intents, call_id, self.now)
            self.roster.save_intents(ref, [_counted(each, dict(record.attempts)) for each in applied])
        if record.variables:
            living = self.roster.variables(ref, [update.name for update in record.variables], self.now)
            policy = self.service.policy.variables
            self.roster.save_variables(ref, *variables.apply(living, record.variables, policy, self.now))


def _counted(intent: Intent, attempts: Mapping[str, int]) -> Intent:
    """An open one was left open as often as the other system says, if it says more."""
    if intent.status is IntentStatus.RESOLVED:
        return intent
    return replace(intent, attempt_count=max(intent.attempt_count, attempts.get(intent.intent, 0)))


def _progress(tx: Transaction, file: str, now: Millis) -> Progress:
    kept = answers.find(tx, _IMPORT, file, now)
    return Progress() if kept is None else Progress(**{name: int(str(value)) for name, value in kept.body.items()})


def _all(record: Record) -> tuple[Hints, ...]:
    return (record.hints, *record.numbers)
