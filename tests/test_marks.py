"""No personal data in logs, errors, recordings, backups and files (the short version of `python -m tests.leaks`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.leaks.marks import LEAKS_INTO, Seeded, forgotten, found, marks_in, world

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]


def test_no_mark_is_left_anywhere_and_nothing_of_the_expired_and_erased(tmp_path: Path) -> None:
    with world(tmp_path, 1) as here:
        here.send(400)
        places, left = found(here), forgotten(here)
    assert len(here.refs) > 5
    assert {place: marks for place, marks in places.items() if marks} == {}
    assert left == dict.fromkeys(left, 0)


@pytest.mark.parametrize("leak", Seeded)
def test_a_leak_made_on_purpose_is_found(leak: Seeded, tmp_path: Path) -> None:
    with world(tmp_path, 1, seeded=leak) as here:
        here.send(150)
        places = {place for place, marks in found(here).items() if marks}
    assert places - {"inbox"} == LEAKS_INTO[leak] - {"inbox"}


@pytest.mark.parametrize(
    "written",
    [
        b"Qxjwqname1",
        b"qXJWQname1",
        b"%51xjwqname1",
        b"\\u0051xjwqname1",
        b"+12125550123",
        b"(212) 555-0123",
        b"2125550123",
    ],
)
def test_a_mark_is_found_however_it_is_written(written: bytes) -> None:
    assert marks_in(b"{" + written + b"}")


@pytest.mark.parametrize("written", [b"xjwq", b"4155550123", b"12125550123456", b"2125551123"])
def test_what_is_no_mark_is_not_found(written: bytes) -> None:
    assert marks_in(b"{" + written + b"}") == []
