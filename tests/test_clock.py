"""Time and ids of the real world."""

from __future__ import annotations

import re
import time
import uuid
from pathlib import Path

import pytest

from adapter import clock
from adapter.clock import RandomIds, SystemClock


def test_now_is_the_wall_clock_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_770_460_200_123_999_999)
    assert SystemClock(0).now() == 1_770_460_200_123


def test_steady_time_is_ticks_and_the_offset_all_processes_agree_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "ticks", lambda: 5_000)
    assert SystemClock(1_000_000).steady() == 1_005_000


def test_without_an_agreed_offset_steady_time_begins_at_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "ticks", lambda: 5_000)
    monkeypatch.setattr(time, "time_ns", lambda: 1_770_460_200_000_000_000)
    assert SystemClock().steady() == 1_770_460_200_000


@pytest.mark.parametrize("step_hours", [-1, 1], ids=["back", "forward"])
def test_setting_the_clock_moves_now_and_not_steady_time(monkeypatch: pytest.MonkeyPatch, step_hours: int) -> None:
    monkeypatch.setattr(clock, "ticks", lambda: 5_000)
    system, wall = SystemClock(), time.time_ns()
    before = system.steady()
    monkeypatch.setattr(time, "time_ns", lambda: wall + step_hours * 3_600_000_000_000)
    assert system.now() == wall // 1_000_000 + step_hours * 3_600_000
    assert system.steady() == before


def test_ticks_never_go_back() -> None:
    seen = [clock.ticks() for _ in range(1_000)]
    assert seen == sorted(seen)


def test_ticks_are_read_where_suspended_time_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    assert clock.ticks() <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000_000


def test_the_boot_is_named_as_the_kernel_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = tmp_path / "boot_id"
    named.write_text("6c7b1e2a-0000-4000-8000-000000000000\n")
    monkeypatch.setattr(clock, "_BOOT_ID", named)
    assert clock.boot_id() == "6c7b1e2a-0000-4000-8000-000000000000"


def test_a_boot_without_a_name_has_one_for_all_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(clock, "_BOOT_ID", tmp_path / "absent")
    monkeypatch.setattr(clock, "ticks", lambda: 120_000)
    monkeypatch.setattr(time, "time_ns", lambda: 600_000 * 1_000_000)
    assert clock.boot_id() == "boot-8"


def test_customer_refs_are_random_uuids_in_the_order_of_their_making(monkeypatch: pytest.MonkeyPatch) -> None:
    refs: list[str] = []
    for count in range(100):
        monkeypatch.setattr(time, "time_ns", lambda now=1_770_460_200_123_000_000 + count * 1_000_000: now)
        refs.append(RandomIds().customer_ref())
    assert refs == sorted(refs)
    assert {(uuid.UUID(ref).version, uuid.UUID(ref).variant) for ref in refs} == {(7, uuid.RFC_4122)}
    assert uuid.UUID(refs[0]).int >> 80 == 1_770_460_200_123
    random_bits = [uuid.UUID(ref).int & ((1 << 62) - 1) for ref in refs]
    assert len(set(random_bits)) == 100


def test_of_one_millisecond_they_differ_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_770_460_200_123_000_000)
    assert len({RandomIds().customer_ref() for _ in range(100)}) == 100


def test_request_ids_are_short_random_and_safe_to_log() -> None:
    ids = {RandomIds().request_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"req_[0-9a-f]{24}", each) for each in ids)
