"""Links and sightings, also while encryption keys change."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa

from adapter.engine.model import AniLink, ExternalLink, Hints, LineType, Realm, Sightings
from adapter.engine.policy import DAY
from adapter.store import customers
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from adapter.store.statements import Prepared
from adapter.store.tables import external_ids, numbers, sightings
from adapter.store.transaction import Transaction
from tests.store.conftest import NEW_KEY, OLD_KEY

ANI, PAIR = "+14155550123", ("customer_id", "12345")
A, B = str(UUID(int=1)), str(UUID(int=2))


@pytest.fixture
def tx(tx: Transaction) -> Transaction:
    customers.create(tx, A, 100)
    customers.create(tx, B, 100)
    return tx


def ani_links(tx: Transaction) -> dict[str, AniLink]:
    return {link.customer_ref: link for link in customers.facts(tx, Hints(ani=ANI)).ani}


def external(tx: Transaction) -> ExternalLink | None:
    return customers.facts(tx, Hints(external_ids=(PAIR,))).external.get(PAIR)


def rows_in(tx: Transaction, table: sa.Table) -> int:
    found = tx.row(Prepared(sa.select(sa.func.count()).select_from(table)), {})
    assert found is not None
    return int(found[0])


def test_seeing_a_number_again_refreshes_its_link(tx: Transaction) -> None:
    customers.link_ani(tx, ANI, A, 100)
    customers.link_ani(tx, ANI, A, 200)
    assert ani_links(tx) == {A: AniLink(A, 200)}


@pytest.mark.parametrize(
    ("then", "known", "known_at"),
    [
        (None, LineType.MOBILE, 100),
        (LineType.UNKNOWN, LineType.MOBILE, 100),
        (LineType.VOIP, LineType.VOIP, 200),
    ],
)
def test_only_a_line_type_that_says_something_replaces_the_known_one(
    tx: Transaction, then: LineType | None, known: LineType, known_at: int
) -> None:
    customers.link_ani(tx, ANI, A, 100, LineType.MOBILE)
    customers.link_ani(tx, ANI, A, 200, then)
    assert ani_links(tx) == {A: AniLink(A, 200, known, known_at)}


def test_a_link_is_put_back_to_what_it_was(tx: Transaction) -> None:
    customers.link_ani(tx, ANI, A, 100, LineType.MOBILE)
    before = ani_links(tx)[A]
    customers.link_ani(tx, ANI, A, 200, LineType.VOIP)
    customers.restore_ani(tx, ANI, A, before.last_seen, before.line_type, before.line_type_at)
    assert ani_links(tx)[A] == before
    customers.restore_ani(tx, ANI, A, 50, None, 0)
    assert ani_links(tx)[A] == AniLink(A, 50)


def test_unlinking_a_number_leaves_its_other_customers(tx: Transaction) -> None:
    customers.link_ani(tx, ANI, A, 100)
    customers.link_ani(tx, ANI, B, 100)
    customers.unlink_ani(tx, ANI, A)
    assert set(ani_links(tx)) == {B}


def test_an_external_id_points_to_one_customer_and_moving_it_forgets_doubts(tx: Transaction) -> None:
    token = customers.link_external(tx, PAIR, A, 100)
    customers.doubt(tx, A, None, [token])
    assert customers.link_external(tx, PAIR, A, 150) == token
    assert external(tx) == ExternalLink(A, 150, doubts=1)
    assert customers.link_external(tx, PAIR, B, 200) == token
    assert external(tx) == ExternalLink(B, 200)


def test_the_token_of_a_pair_is_told_before_it_is_linked(tx: Transaction) -> None:
    assert customers.external_token(tx, PAIR) == customers.link_external(tx, PAIR, A, 100)


def test_an_external_id_is_unlinked_only_from_the_customer_named(tx: Transaction) -> None:
    token = customers.link_external(tx, PAIR, A, 100)
    customers.unlink_external(tx, token, B, 100)
    assert external(tx) is not None
    customers.unlink_external(tx, token, A, 100)
    assert external(tx) is None


def test_an_external_id_that_was_proved_since_is_unlinked_only_by_whom_proved_it(tx: Transaction) -> None:
    token = customers.link_external(tx, PAIR, A, 100)
    customers.trust(tx, A, None, [token], 200)
    for begun, verified in ((100, None), (100, 150), (None, None)):
        customers.unlink_external(tx, token, A, begun, verified)
        assert external(tx) == ExternalLink(A, 200)
    customers.unlink_external(tx, token, A, 100, 200)
    assert external(tx) is None


def test_doubts_add_up_until_trust_clears_them(tx: Transaction) -> None:
    token = customers.link_external(tx, PAIR, A, 100)
    customers.link_ani(tx, ANI, A, 100)
    customers.link_ani(tx, ANI, B, 100)
    for _ in range(2):
        customers.doubt(tx, A, ANI, [token, customers.external_token(tx, ("other", "x"))])
    links = ani_links(tx)
    assert (links[A].doubts, links[B].doubts, replace(external(tx) or ExternalLink("", 0)).doubts) == (2, 0, 2)
    customers.trust(tx, A, ANI, [token], 200)
    assert (ani_links(tx)[A].doubts, external(tx)) == (0, ExternalLink(A, 200))


def test_the_first_call_of_a_sighting_is_kept(tx: Transaction) -> None:
    customers.sight(tx, ANI, [PAIR], "first", 100)
    customers.sight(tx, ANI, [PAIR], "second", 200)
    found = customers.facts(tx, Hints(ani=ANI, external_ids=(PAIR,))).sightings[PAIR]
    assert found == Sightings(0, "first")


@pytest.mark.parametrize(("later", "kept"), [(DAY, 100), (DAY + 1, 100 + DAY + 1)], ids=["within a day", "after a day"])
def test_a_sighting_in_use_is_renewed_once_a_day(tx: Transaction, later: int, kept: int) -> None:
    customers.sight(tx, ANI, [PAIR], "first", 100)
    customers.sight(tx, ANI, [PAIR], "second", 100 + later)
    assert tx.row(Prepared(sa.select(sightings.c.seen_at)), {}) == (kept,)


@pytest.fixture
def rotated(store: Store, realm: Realm, url: str) -> tuple[Store, str]:
    """Rows written under the old key, a store that writes under the new one."""
    with store.begin(realm) as tx:
        customers.create(tx, A, 100)
        customers.create(tx, B, 100)
        customers.link_ani(tx, ANI, A, 100, LineType.MOBILE)
        token = customers.link_external(tx, PAIR, A, 100)
        customers.sight(tx, ANI, [PAIR], "first", 100)
    return open_store(url, Keyring([NEW_KEY, OLD_KEY])), token


def test_while_keys_change_rows_are_found_and_not_doubled(rotated: tuple[Store, str], realm: Realm) -> None:
    store, token = rotated
    with store.begin(realm) as tx:
        customers.link_ani(tx, ANI, A, 200)
        assert customers.link_external(tx, PAIR, A, 200) == token
        customers.sight(tx, ANI, [PAIR], "second", 200)
        customers.sight(tx, "+14155550199", [PAIR], "third", 200)
        found = customers.facts(tx, Hints(ani=ANI, external_ids=(PAIR,)))
        assert found.ani == (AniLink(A, 200, LineType.MOBILE, 100),)
        assert found.external == {PAIR: ExternalLink(A, 200)}
        assert found.sightings == {PAIR: Sightings(1, "first")}
        assert [rows_in(tx, table) for table in (numbers, external_ids, sightings)] == [1, 1, 2]
    store.close()


def test_a_token_of_the_new_key_names_a_link_under_the_old_one(rotated: tuple[Store, str], realm: Realm) -> None:
    store, token = rotated
    with store.begin(realm) as tx:
        renamed = customers.external_token(tx, PAIR)
        assert renamed != token
        customers.doubt(tx, A, ANI, [renamed])
        assert (external(tx), ani_links(tx)[A].doubts) == (ExternalLink(A, 100, doubts=1), 1)
        customers.unlink_external(tx, renamed, A, 100)
        assert external(tx) is None
    store.close()
