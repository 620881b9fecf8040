"""A window that is full is refused without the store, exactly as the store would."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.engine.model import Rate, RateExceeded
from adapter.usecases.full_windows import FullWindows
from tests import databases
from tests.builders import Api, ToldClock, an_organization, issue_key
from tests.conformance.wire import an_app

MINUTE = 60_000


def a_refusal(wait: int, now: int) -> tuple[Rate, RateExceeded]:
    return Rate(10, 11, now + wait), RateExceeded(10, 12, 1, now + wait)


@pytest.mark.stores
def test_who_hammers_is_refused_without_the_store_and_admitted_when_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with an_app(tmp_path, an_organization(per_minute=10)) as app:
        api, clock = Api(app.test_client(), issue_key(app)), app.extensions["sticky-calls"].clock
        for _ in range(11):
            assert api.call("c").status_code == 404
        clock.advance(seconds=10.4)
        first = api.call("c")
        assert (first.status_code, first.json["retryAfter"]) == (429, 50)
        with monkeypatch.context() as without_store:
            databases.replace_in_stores(without_store, "begin", lambda *_: 1 / 0)
            again = api.call("c")
            assert (again.data, again.headers["Retry-After"]) == (first.data, "50")
            assert again.headers["X-RateLimit-Reset"] == first.headers["X-RateLimit-Reset"]
            clock.advance(seconds=48.7)
            assert api.call("c").json["retryAfter"] == 1
        clock.advance(ms=899)
        assert api.call("c").status_code == 429
        clock.advance(ms=1)
        assert api.call("c").status_code == 404


def test_each_organization_has_its_own() -> None:
    windows = FullWindows()
    windows.note((1, 1), 0, 0, a_refusal(5_000, 0))
    assert windows.refusal((1, 1), 4_999, 0, MINUTE) is not None
    assert windows.refusal((1, 2), 4_999, 0, MINUTE) is None
    assert windows.refusal((2, 1), 4_999, 0, MINUTE) is None
    assert windows.refusal((1, 1), 5_000, 0, MINUTE) is None


def test_a_steady_clock_that_was_put_right_closes_nobody_out() -> None:
    windows = FullWindows()
    windows.note((1, 1), 10_000_000, 0, a_refusal(5_000, 0))
    assert windows.refusal((1, 1), 10_000_000 - MINUTE, 0, MINUTE) is None


def test_a_wall_clock_that_is_set_changes_only_what_is_shown() -> None:
    clock, windows = ToldClock(), FullWindows()
    windows.note((1, 1), clock.steady(), clock.now(), a_refusal(5_000, clock.now()))
    clock.advance(seconds=2)
    clock.set_wall(clock.now() - 3_600_000)
    refusal = windows.refusal((1, 1), clock.steady(), clock.now(), MINUTE)
    assert refusal is not None
    assert (refusal[1].retry_after_seconds, refusal[1].reset_at) == (3, clock.now() + 3_000)
