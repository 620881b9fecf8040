"""Bringing everything under the newest key, stopped half-way and run again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from adapter.engine.model import Hints, Realm
from adapter.errors import SealBroken
from adapter.store import answers, calls, customers, records
from adapter.store import rekey as rekeying
from adapter.store.answers import Kept
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.rekey import Rekeyed, rekey
from adapter.store.sealing import Keyring
from tests.store import people
from tests.store.conftest import NEW_KEY, OLD_KEY
from tests.store.interruptions import interrupting_once_a_transaction
from tests.store.people import ANI, PAIR, A, B

OTHER = ("crm", "42")
EVERYTHING = Rekeyed(numbers=1, external_ids=1, sightings=2, intents=1, variables=2, answers=1, calls=1)


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture(params=["from plain", "from an old key"])
def keyring(request: pytest.FixtureRequest) -> Keyring:
    return Keyring() if request.param == "from plain" else Keyring([OLD_KEY])


@pytest.fixture
def rotating(store: Store, realm: Realm, url: str) -> Iterator[Store]:
    """Everything was written under the old key (or none); this store writes under the new one."""
    with store.begin(realm) as tx:
        people.remember(tx)
    rotating = open_store(url, Keyring([NEW_KEY, OLD_KEY]))
    yield rotating
    rotating.close()


@pytest.fixture
def after(url: str) -> Iterator[Store]:
    """A store that only knows the new key."""
    store = open_store(url, Keyring([NEW_KEY]))
    yield store
    store.close()


def all_is_there(store: Store, realm: Realm) -> None:
    with store.read(realm) as tx:
        record = records.export(tx, A, 200)
        assert record is not None
        assert record.numbers[0][0] == ANI
        assert record.external_ids == (PAIR,)
        assert record.intents == (people.REFUND, people.DONE)
        assert record.variables == (people.NAME, people.TIER)
        assert record.calls[0].ani == ANI
        facts = customers.facts(tx, Hints(ani=ANI, external_ids=(PAIR,), customer_ref=A))
        assert (len(facts.ani), set(facts.external)) == (1, {PAIR})
        assert {seen.with_this_ani_in_call for seen in facts.sightings.values()} == {"CA1"}
        assert answers.find(tx, "end", "PERSONAL-key", 0) == Kept("f", {"ref": "PERSONAL-body"})


def test_after_a_rekey_the_new_key_alone_opens_and_finds_everything(
    rotating: Store, after: Store, realm: Realm
) -> None:
    assert rekey(rotating) == EVERYTHING
    all_is_there(after, realm)


def test_a_second_run_finds_nothing_to_do(rotating: Store) -> None:
    rekey(rotating)
    assert rekey(rotating) == Rekeyed()


def test_it_can_be_killed_after_any_table_and_run_again(
    rotating: Store, after: Store, realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed_after(rows: int) -> None:
        real = rekeying._Step.run

        def run(step: rekeying._Step, store: Store, realm: Realm, batch: int) -> int:
            nonlocal rows
            if rows == 0:
                raise Killed
            rows -= 1
            return real(step, store, realm, batch)

        monkeypatch.setattr(rekeying._Step, "run", run)

    for steps in range(14):
        killed_after(steps)
        with suppress(Killed):
            rekey(rotating, batch=1)
        monkeypatch.undo()
        all_is_there(rotating, realm)
    rekey(rotating, batch=1)
    all_is_there(after, realm)


def test_a_batch_that_fails_half_way_changes_nothing(
    rotating: Store, realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, rows = rekeying._again, []

    def dies_on_the_second(*given: object) -> bytes:
        rows.append(1)
        if len(rows) == 3:
            raise Killed
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(rekeying, "_again", dies_on_the_second)
    with pytest.raises(Killed):
        rekey(rotating)
    monkeypatch.undo()
    all_is_there(rotating, realm)
    assert rekey(rotating) == Rekeyed(variables=2, answers=1, calls=1)


def test_links_a_call_can_take_back_keep_their_names_in_step(rotating: Store, after: Store, realm: Realm) -> None:
    rekey(rotating)
    with after.begin(realm) as tx:
        call = calls.find(tx, "CA1")
        assert call is not None
        token = customers.external_token(tx, PAIR)
        assert call.undo.linked_external == (token,)
        assert call.undo.presented[0] == token
        customers.unlink_external(tx, token, A, 100)
        assert customers.facts(tx, Hints(external_ids=(PAIR,))).external == {}


def test_a_call_saved_under_the_new_key_with_old_names_is_corrected_too(
    rotating: Store, after: Store, realm: Realm
) -> None:
    with rotating.begin(realm) as tx:
        call = calls.find(tx, "CA1")
        assert call is not None
        calls.save(tx, call)
    assert rekey(rotating).calls == 1
    with after.read(realm) as tx:
        corrected = calls.find(tx, "CA1")
        assert corrected is not None
        assert corrected.undo.linked_external == (customers.external_token(tx, PAIR),)


def test_calls_of_nobody_are_sealed_again_too(store: Store, realm: Realm, rotating: Store, after: Store) -> None:
    with store.begin(realm) as tx:
        call = calls.find(tx, "CA1")
        assert call is not None
        calls.save(tx, type(call)("CA0", 5, ani=ANI))
    assert rekey(rotating).calls == 2
    with after.read(realm) as tx:
        assert calls.find(tx, "CA0") == type(call)("CA0", 5, ani=ANI)


def test_what_was_written_during_the_change_is_not_touched_again(rotating: Store, realm: Realm) -> None:
    rekey(rotating)
    with rotating.begin(realm) as tx:
        customers.create(tx, B, 100)
        customers.link_ani(tx, "+14155550199", B, 100)
    assert rekey(rotating) == Rekeyed()


@pytest.mark.parametrize("is_told_late", [True, False], ids=["the old one is later", "the new one is later"])
def test_what_was_written_twice_while_keys_changed_is_kept_once_as_it_was_last(
    store: Store, realm: Realm, rotating: Store, after: Store, is_told_late: bool
) -> None:
    """A process that knows the old key alone finds nothing of what another one has written under the new key."""
    known = {rotating: (OTHER, A, 250), store: (OTHER, B, 300 if is_told_late else 200)}
    for writer, (pair, ref, now) in known.items():
        with writer.begin(realm) as tx:
            if ref == B:
                customers.create(tx, B, 100)
            customers.link_external(tx, pair, ref, now)
            customers.link_ani(tx, "+14155550199", A, now)
            customers.sight(tx, "+14155550199", [pair], f"CA{now}", now)
            answers.keep(tx, "end", "twice", "f", {"at": now}, A, now)
    rekey(rotating)
    assert rekey(rotating) == Rekeyed()
    last = B if is_told_late else A
    with after.read(realm) as tx:
        facts = customers.facts(tx, Hints("+14155550199", external_ids=(OTHER,)))
        assert facts.external[OTHER].customer_ref == last
        at = 300 if is_told_late else 250
        assert [link.last_seen for link in facts.ani] == [at]
        assert facts.sightings[OTHER].with_this_ani_in_call == f"CA{at}"
        assert answers.find(tx, "end", "twice", 0) == Kept("f", {"at": at})


def test_a_key_taken_out_too_early_is_told(rotating: Store, realm: Realm, after: Store, keyring: Keyring) -> None:
    if not keyring.tokens("x")[1:]:
        assert rekey(after) == EVERYTHING
        return
    with pytest.raises(SealBroken, match="not configured"):
        rekey(after)
    assert rekey(rotating) == EVERYTHING


@pytest.mark.postgresql
def test_a_run_whose_connections_are_lost_goes_on(
    rotating: Store, after: Store, realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = interrupting_once_a_transaction(rotating, monkeypatch)
    assert rekey(rotating) == EVERYTHING
    assert len(tried) > len(rekeying._STEPS)
    all_is_there(after, realm)
