"""A copy that is killed before and after each of its commits, on both sides, ends equal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from adapter.engine.model import Realm
from adapter.store.database import Store
from adapter.store.moving import Copying
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from adapter.store.transaction import Transaction
from tests.store.moving import contents

T = TypeVar("T")


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Life:
    """One process: it dies at its commit number `dies_at`, right before that or right after."""

    dies_at: int
    before: bool
    commits: int = 0

    def watch(self, store: Store) -> None:
        real = store.transact

        def transact(realm: Realm, work: Callable[[Transaction], T], at_most_seconds: float | None = None) -> T:
            here = self.commits == self.dies_at

            def dies(tx: Transaction) -> T:
                done = work(tx)
                if here and self.before:
                    raise Killed
                return done

            done = real(realm, dies, at_most_seconds)
            self.commits += 1
            if here:
                raise Killed
            return done

        store.transact = transact  # type: ignore[method-assign]

    def lived(self, old_url: str, new_url: str, *, verifies: bool) -> tuple[object, bool]:
        """How far the copy had come before, and whether it came to the end."""
        old, new = open_store(old_url, Keyring()), open_store(new_url, Keyring())
        self.watch(old)
        self.watch(new)
        found: object = None
        try:
            copying = Copying(old, new, lambda step: None, 20)
            if copying.begin():
                found = copying.rows_to_copy()
                if not found and not verifies:
                    # All that is left is copied in the last step, as if it had been written in the last moment.
                    copying.catch_up = lambda: None  # type: ignore[method-assign]
                copying.copy()
                if verifies:
                    copying.verify()
                copying.finish()
            return found, True
        except Killed:
            return found, False
        finally:
            old.close()
            new.close()


@pytest.mark.slow
def test_killed_before_and_after_every_commit_it_ends_equal(old_url: str, new_url: str) -> None:
    old = open_store(old_url, Keyring())
    for place in range(30):
        contents.use(old, place)
    lives, stuck, found_before, is_over = 0, 0, object(), False
    while not is_over:
        # Page by page every commit is met. Where lives begin with the same commits, each gets one further.
        life = Life(stuck // 2, before=lives % 2 == 0)
        found, is_over = life.lived(old_url, new_url, verifies=lives % 20 == 0)
        stuck = stuck + 1 if found == found_before else 0
        lives, found_before = lives + 1, found
        if lives in range(2, 70, 6):
            contents.use(old, 1_000 + lives)
        assert lives < 300
    new = open_store(new_url, Keyring())
    new.migrate()
    there = contents.everything(old)
    assert contents.everything(new) == there
    assert sum(map(len, there.values())) > 300
    assert lives > 60
    assert stuck > 10
    old.close()
    new.close()


@pytest.mark.sqlite
def test_a_kill_between_the_seal_and_the_end_is_gone_on_with(old_url: str, tmp_path: Path) -> None:
    old, new = open_store(old_url, Keyring()), open_store(f"sqlite:///{tmp_path}/new.db", Keyring())
    copying = Copying(old, new, lambda step: None, 20)
    copying.begin()
    copying.copy()
    copying._target.finish = lambda: None  # type: ignore[method-assign]
    copying.finish()
    assert "is not finished" in new.schema_problems()[0]
    again = Copying(old, new, lambda step: None, 20)
    assert again.begin()
    again.copy()
    again.finish()
    assert new.schema_problems() == []
    assert contents.everything(new) == contents.everything(old)
    old.close()
    new.close()
