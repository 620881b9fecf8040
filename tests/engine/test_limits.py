"""The rolling rate limit: grace, refusal, and the exact instant of the next slot (semantics §3)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.limits import Window, admit, hard_limit
from adapter.engine.model import Rate, RateExceeded, Tier
from adapter.engine.policy import MINUTE, LimitPolicy

FREE = Tier("free", 100)
POLICY = LimitPolicy()
STEADY, WALL = 5_000_000, 1_770_460_200_000


def test_the_reference_s_tiers_have_the_reference_s_hard_limits() -> None:
    limits = {n: hard_limit(Tier("t", n), POLICY) for n in (100, 600, 3_000, 10_000)}
    assert limits == {100: 110, 600: 660, 3_000: 3_300, 10_000: 11_000}


def test_the_first_request_leaves_all_but_one() -> None:
    rate, refused = admit(FREE, Window(0), POLICY, STEADY, WALL)
    assert refused is None
    assert rate == Rate(100, 1, WALL + MINUTE)
    assert rate.remaining == 99


def test_the_hundredth_is_normal_and_the_next_ten_are_grace() -> None:
    hundredth, _ = admit(FREE, Window(99, STEADY), POLICY, STEADY, WALL)
    grace, refused = admit(FREE, Window(100, STEADY), POLICY, STEADY, WALL)
    last, still = admit(FREE, Window(109, STEADY), POLICY, STEADY, WALL)
    assert (hundredth.in_grace, grace.in_grace, last.in_grace) == (False, True, True)
    assert (refused, still) == (None, None)
    assert (hundredth.remaining, grace.remaining, last.remaining) == (0, 0, 0)


def test_the_hundred_and_eleventh_is_refused_as_the_reference_shows() -> None:
    oldest = STEADY - 18_000
    rate, refused = admit(FREE, Window(110, oldest, oldest), POLICY, STEADY, WALL)
    assert refused == RateExceeded(limit=100, usage=111, retry_after_seconds=42, reset_at=WALL + 42_000)
    assert rate.reset_at == WALL + 42_000


def test_waiting_is_rounded_up_to_whole_seconds() -> None:
    blocking = STEADY - 59_999
    _, refused = admit(FREE, Window(110, blocking, blocking), POLICY, STEADY, WALL)
    assert refused is not None
    assert (refused.retry_after_seconds, refused.reset_at) == (1, WALL + 1)


def test_an_unlimited_tier_is_never_refused_and_shows_no_limit() -> None:
    rate, refused = admit(Tier("unlimited", None), Window(10**9), POLICY, STEADY, WALL)
    assert (refused, rate.limit, rate.remaining) == (None, None, 0)


def test_a_full_window_without_a_known_blocker_waits_the_whole_span() -> None:
    _, refused = admit(FREE, Window(110), POLICY, STEADY, WALL)
    assert refused is not None
    assert refused.retry_after_seconds == 60


class _Meter:
    """The naive counter: a list of instants."""

    def __init__(self) -> None:
        self.hits: list[int] = []

    def window(self, steady: int, hard: int) -> Window:
        inside = [at for at in self.hits if at > steady - MINUTE]
        blocking = inside[len(inside) - hard] if len(inside) >= hard else None
        return Window(len(inside), inside[0] if inside else None, blocking)


@given(st.integers(1, 12), st.lists(st.integers(0, 20_000), max_size=60))
def test_no_window_ever_holds_more_than_the_hard_limit_and_every_retry_succeeds(base: int, gaps: list[int]) -> None:
    tier, meter, steady = Tier("t", base), _Meter(), 0
    hard = hard_limit(tier, POLICY)
    assert hard is not None
    for gap in gaps:
        steady += gap
        _, refused = admit(tier, meter.window(steady, hard), POLICY, steady, WALL + steady)
        if refused is None:
            meter.hits.append(steady)
            continue
        again = steady + refused.reset_at - (WALL + steady)
        _, too_soon = admit(tier, meter.window(again - 1, hard), POLICY, again - 1, WALL)
        _, then = admit(tier, meter.window(again, hard), POLICY, again, WALL)
        assert too_soon is not None
        assert then is None
    for at in meter.hits:
        assert sum(at <= other < at + MINUTE for other in meter.hits) <= hard
