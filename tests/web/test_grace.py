"""The warning of the grace period: once for each organization and minute (semantics §3)."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from adapter.app import create_app
from adapter.engine.model import Rate
from adapter.web.grace import GraceWarning
from tests.builders import CountedIds, ToldClock, Twilio, a_config, an_organization, call_sid

pytestmark = pytest.mark.stores

IN_GRACE = Rate(100, 101, 0, in_grace=True)


def test_it_is_told_once_an_organization_and_minute(caplog: pytest.LogCaptureFixture) -> None:
    warning = GraceWarning()
    for at in (0, 1, 59_999, 60_000, 60_001, 120_000):
        for name in "ab":
            warning.warn(name, IN_GRACE, at)
    assert [record.organization for record in caplog.records] == ["a", "b", "a", "b", "a", "b"]


@pytest.mark.parametrize("rate", [None, Rate(100, 100, 0)], ids=["not counted", "not in grace"])
def test_nothing_is_told_outside_of_it(caplog: pytest.LogCaptureFixture, rate: Rate | None) -> None:
    GraceWarning().warn("a", rate, 0)
    assert caplog.records == []


def test_threads_that_warn_at_once_warn_once(caplog: pytest.LogCaptureFixture) -> None:
    warning, gate = GraceWarning(), threading.Barrier(8)

    def warn() -> None:
        gate.wait()
        warning.warn("acme", IN_GRACE, 5)

    threads = [threading.Thread(target=warn) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(caplog.records) == 1


def test_voice_webhooks_warn_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(a_config(tmp_path, an_organization(per_minute=10)), clock=ToldClock(), ids=CountedIds())
    twilio = Twilio(app.test_client())
    for number in range(11):
        assert twilio.voice(call_sid(number)).status_code == 200
    app.extensions["sticky-calls"].store.close()
    assert [record.usage for record in caplog.records if "grace" in record.getMessage()] == [11]
