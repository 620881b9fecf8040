"""Some power cuts, what the harness sees of their cost, and the simulated disk. `python -m tests.powercut`: many."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.faults.vfs import Call, Does
from tests.powercut.cuts import Findings, cut
from tests.powercut.disk import Disk
from tests.powercut.recording import record

CALLS = 12


def after_cuts(folder: Path, cuts: int, **how: object) -> Findings:
    (folder / "work").mkdir()
    recording = record(folder / "work", CALLS, **how)  # type: ignore[arg-type]
    return list(cut(recording, cuts, seed=20_260_207, folder=folder / "files"))[-1]


@pytest.mark.slow
@pytest.mark.sqlite
def test_what_was_answered_survives_a_power_cut(tmp_path: Path) -> None:
    found = after_cuts(tmp_path, 200)
    assert (found.cuts, found.lost, found.broken, found.examples) == (200, 0, 0, [])


@pytest.mark.slow
@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("how", "sign"),
    [({"synchronous": "NORMAL"}, "start is lost"), ({"inbox_synced": False}, "hung_up is lost")],
    ids=["a database that is not synced", "an inbox that is not synced"],
)
def test_with_durability_turned_down_losses_are_found(tmp_path: Path, how: dict[str, object], sign: str) -> None:
    found = after_cuts(tmp_path, 100, **how)
    assert found.lost > 10
    assert any(sign in example for example in found.examples)


def wrote(at: int, data: bytes) -> Call:
    return Call(Does.WRITE, "f", at, data)


def states(disk: Disk, call: Call | None = None) -> set[bytes]:
    """All contents that the file was found with."""
    return {disk.cut_off_in(call, Random(seed)).get("f", b"") for seed in range(300)}


def test_what_was_synced_is_there_and_what_was_not_may_be() -> None:
    disk = Disk({"f": b"old"})
    disk.take(wrote(0, b"new"))
    assert states(disk) == {b"old", b"new"}
    disk.take(Call(Does.SYNC, "f"))
    assert states(disk) == {b"new"}


def test_what_was_not_synced_may_be_there_in_any_order_and_in_part() -> None:
    disk = Disk({"f": b""})
    disk.take(wrote(0, b"a"))
    disk.take(wrote(1, b"b"))
    assert states(disk) == {b"", b"a", b"ab", b"\0b"}
    disk = Disk({"f": b""})
    disk.take(wrote(0, b"a" * 512 + b"b" * 512))
    assert {b"a" * 512, b"a" * 512 + b"b" * 512, bytes(512) + b"b" * 512} <= states(disk)


def test_a_write_that_the_cut_falls_into_may_be_done() -> None:
    assert states(Disk({"f": b"old"}), wrote(0, b"new")) == {b"old", b"new"}


def test_a_truncation_cuts_or_lengthens_and_a_deletion_leaves_nothing() -> None:
    disk = Disk({"f": b"content"})
    disk.take(Call(Does.TRUNCATE, "f", 4))
    assert states(disk) == {b"content", b"cont"}
    disk.take(Call(Does.SYNC, "f"))
    disk.take(Call(Does.TRUNCATE, "f", 6))
    assert states(disk) == {b"cont", b"cont\0\0"}
    disk.take(Call(Does.SYNC, "f"))
    disk.take(Call(Does.DELETE, "f"))
    assert states(disk) == {b"cont\0\0", b""}
