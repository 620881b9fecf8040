"""/metrics: who may read it, and that it counts what happened, once, without a word about anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from adapter import __version__
from adapter.config import Config, MetricsConfig
from adapter.engine.line import Confirm, ProofKind
from adapter.metrics import Metrics
from tests.builders import Api, ToldClock, Twilio, a_config, a_line, an_organization, call_sid

TOKEN = "a-token-of-the-tests"
CALLER = "+14155550123"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    line = a_line(confirm=Confirm(by=ProofKind.PIN, variable="pin"))
    return a_config(tmp_path, lines=(line,), metrics=MetricsConfig(TOKEN))


def scraped(app: Flask) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    page = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert page.status_code == 200
    samples = [each for family in text_string_to_metric_families(page.text) for each in family.samples]
    return {(each.name, frozenset(each.labels.items())): each.value for each in samples}


def counted(app: Flask, name: str, **labels: str) -> float:
    """The sum over all samples with these labels, whatever others they have."""
    found = (value for (each, has), value in scraped(app).items() if each == name and labels.items() <= has)
    return sum(found)


def test_without_a_token_in_the_configuration_there_is_no_page(tmp_path: Path) -> None:
    from adapter.app import create_app

    app = create_app(a_config(tmp_path, an_organization()))
    assert app.test_client().get("/metrics").status_code == 404
    app.extensions["sticky-calls"].store.close()


@pytest.mark.parametrize(
    "shown", [None, "", "Bearer", "Bearer other", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"]
)
def test_who_does_not_show_the_token_reads_nothing(app: Flask, shown: str | None) -> None:
    answer = app.test_client().get("/metrics", headers={} if shown is None else {"Authorization": shown})
    assert answer.status_code == 401
    assert "sticky_calls" not in answer.text


def test_the_page_has_one_spelling(app: Flask) -> None:
    """Proxies keep it from the world by its address."""
    for path in ("/metrics/", "//metrics", "/metrics//", "/Metrics"):
        answer = app.test_client().get(path, headers={"Authorization": f"Bearer {TOKEN}"})
        assert (path, answer.status_code) == (path, 404)


def test_callers_are_counted_by_how_they_were_greeted(app: Flask, twilio: Twilio, api: Api) -> None:
    twilio.voice(call_sid(1))
    assert counted(app, "sticky_calls_greetings_total", recommendation="ignore", organization="acme") == 1
    assert counted(app, "sticky_calls_confidence_count") == 1
    assert counted(app, "sticky_calls_steps_total", step="hand_over") == 1


def test_a_webhook_that_comes_again_is_no_second_caller(app: Flask, twilio: Twilio) -> None:
    for _ in range(3):
        twilio.voice(call_sid(1))
    assert counted(app, "sticky_calls_greetings_total") == 1
    assert counted(app, "sticky_calls_webhook_seconds_count", webhook="voice", status="200") == 3


def test_a_caller_greeted_without_memory_is_counted_with_the_reason(
    app: Flask, twilio: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("no memory")

    monkeypatch.setattr("adapter.web.webhooks.voice.greet", broken)
    twilio.voice(call_sid(1))
    assert counted(app, "sticky_calls_greetings_total", recommendation="neutral", reason="broken") == 1
    assert counted(app, "sticky_calls_steps_total", step="hand_over") == 1


@pytest.mark.parametrize(("keyed", "outcomes"), [("4711", {"verified": 1}), ("9999", {"wrong_answer": 1})])
def test_what_comes_of_asking_who_they_are_is_counted(
    app: Flask, twilio: Twilio, api: Api, keyed: str, outcomes: dict[str, int]
) -> None:
    api.end("before", identity_hints={"ani": CALLER}, variables={"pin": "4711"})
    assert "<Gather" in twilio.voice(call_sid(1), CALLER).text
    twilio.post("turn/1", CallSid=call_sid(1), From=CALLER, CallStatus="in-progress", Digits=keyed)
    for outcome in ("verified", "wrong_answer", "refuted", "identified"):
        assert counted(app, "sticky_calls_proofs_total", outcome=outcome) == outcomes.get(outcome, 0)
    assert counted(app, "sticky_calls_webhook_seconds_count", webhook="turn") == 1


def test_webhooks_that_are_not_twilios_are_counted(app: Flask) -> None:
    app.test_client().post("/twilio/voice", data={"CallSid": call_sid(1)})
    assert counted(app, "sticky_calls_webhook_seconds_count", webhook="voice", status="403") == 1
    assert counted(app, "sticky_calls_greetings_total") == 0


def test_requests_of_the_api_are_counted_by_route_and_status(app: Flask, api: Api) -> None:
    api.start("call-1", ani=CALLER)
    api.post("/v1/calls/start", {})
    assert counted(app, "sticky_calls_api_seconds_count", route="start_call", status="200") == 1
    assert counted(app, "sticky_calls_api_seconds_count", route="start_call", status="400") == 1


def test_the_page_tells_what_is_so_now(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (counted(app, "sticky_calls_database_up"), counted(app, "sticky_calls_inbox_events")) == (1, 0)
    inbox = app.extensions["sticky-calls"].inbox
    inbox.put({"organization": "acme"})
    monkeypatch.setattr("adapter.usecases.health", lambda service: False)
    assert (counted(app, "sticky_calls_database_up"), counted(app, "sticky_calls_inbox_events")) == (0, 1)


def test_transactions_are_timed(app: Flask, twilio: Twilio, monkeypatch: pytest.MonkeyPatch) -> None:
    before = counted(app, "sticky_calls_store_seconds_count", outcome="done")
    twilio.voice(call_sid(1))
    assert counted(app, "sticky_calls_store_seconds_count", outcome="done") == before + 1
    monkeypatch.setattr("adapter.usecases.greeting.begin", lambda *_: 1 / 0)
    twilio.voice(call_sid(2))
    assert counted(app, "sticky_calls_store_seconds_count", outcome="failed") == 1


def test_the_version_that_answers_is_told(app: Flask) -> None:
    assert counted(app, "sticky_calls_build_info", version=__version__) == 1


class TestLimits:
    @pytest.fixture
    def config(self, tmp_path: Path) -> Config:
        return a_config(tmp_path, an_organization(per_minute=20, monthly=30), metrics=MetricsConfig(TOKEN))

    def test_what_is_used_of_the_limits_is_told(self, app: Flask, api: Api, clock: ToldClock) -> None:
        api.start("call-1", ani=CALLER)
        api.end("call-1", identity_hints={"ani": CALLER})
        api.post("/v1/calls/start", {})
        assert counted(app, "sticky_calls_rate_used", organization="acme") == 3
        assert counted(app, "sticky_calls_rate_limit", organization="acme") == 20
        assert counted(app, "sticky_calls_quota_used", billing_account="ba_acme") == 2
        assert counted(app, "sticky_calls_quota_limit", billing_account="ba_acme") == 30
        clock.advance(seconds=61)
        assert counted(app, "sticky_calls_rate_used", organization="acme") == 0
        clock.advance(days=40)
        assert counted(app, "sticky_calls_quota_used", billing_account="ba_acme") == 0


def test_of_what_is_unlimited_there_is_no_limit(app: Flask, api: Api) -> None:
    api.start("call-1", ani=CALLER)
    assert counted(app, "sticky_calls_quota_used", billing_account="ba_acme") == 1
    assert not [name for name, _ in scraped(app) if name.endswith("_limit")]


def test_the_page_says_nothing_about_anybody(app: Flask, twilio: Twilio, api: Api) -> None:
    api.end("call-0", identity_hints={"ani": CALLER}, variables={"name": "Marguerite", "pin": "4711"})
    twilio.voice(call_sid(1), CALLER)
    page = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    # Without the values: among so many digits there is any PIN sooner or later.
    page = "\n".join(line.rpartition(" ")[0] for line in page.splitlines())
    for private in (CALLER[1:], "4155550", "Marguerite", "4711", call_sid(1), "call-0", TOKEN):
        assert private not in page


def test_each_process_counts_for_itself_unless_there_is_a_folder() -> None:
    one, other = Metrics(), Metrics()
    one.stepped("acme", "ask")
    assert b'step="ask"} 1.0' in one.page()
    assert b'step="ask"' not in other.page()
