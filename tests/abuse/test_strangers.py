"""Briefly what `python -m tests.abuse requests|sockets|signatures` does at length: nothing a stranger sends gets in, or
breaks anything; and each attack finds the mistakes that are put there for it."""

from __future__ import annotations

import pytest

from tests import databases
from tests.abuse import fuzz, signatures, sockets

pytestmark = pytest.mark.slow
on_each_store = pytest.mark.parametrize("kind", databases.STORES)


@on_each_store
def test_no_request_of_a_stranger_ends_in_a_failure(kind: str) -> None:
    found = fuzz.examine(2_000, 1, kind)
    assert found.faults == {}
    assert found.tried == 2_000
    assert {"200", "204", "400", "401", "403", "404", "405", "409", "413"} <= set(found.answers)


@pytest.mark.parametrize("bug", fuzz.BUGS)
def test_a_request_that_breaks_something_is_found(bug: str) -> None:
    assert "traceback of ValueError" in fuzz.examine(2_000, 1, bug=bug).faults


def test_no_bytes_of_a_stranger_end_in_a_failure_or_end_a_worker() -> None:
    found = sockets.examine(2_000, 1)
    assert found.faults == {}
    assert {"200", "400", "401", "403", "404", "414", "417", "431"} <= set(found.answers)


def test_bytes_that_break_something_are_found() -> None:
    found = sockets.examine(1_000, 1, bug=True).faults
    assert {"status 500", "traceback", "a worker has ended"} <= set(found)


@on_each_store
def test_no_changed_webhook_is_taken_for_twilio_s_own(kind: str) -> None:
    found = signatures.examine(2_000, 1, kind)
    assert found.faults == {}
    assert {"the same fields", "the same query, spelled otherwise", "borders between fields"} <= set(found.told)


@pytest.mark.parametrize("bug", signatures.BUGS)
def test_a_check_that_lets_changed_webhooks_in_is_found(bug: str) -> None:
    assert any(kind.startswith("accepted") for kind in signatures.examine(1_000, 1, bug=bug).faults)
