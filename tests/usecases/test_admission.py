"""Quota counts successes, the rate counts requests, kept answers cost nothing (semantics §2, §3, §4, §7)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from adapter.engine.model import Mode
from adapter.store import keys
from adapter.usecases import Service
from tests import databases
from tests.builders import Api, ToldClock, Twilio, a_config, an_organization, call_sid, issue_key
from tests.conformance.wire import an_app

pytestmark = pytest.mark.stores

ANI = "+14155550123"
FULL = {"customer_ref": None, "intent": "refund_request", "variables": {"name": "Maria"}}


def used(folder: Path) -> int:
    return int(databases.rows(folder, "SELECT coalesce(sum(used), 0) FROM usage")[0][0])


def api_of(app: Flask, organization: str = "acme", mode: Mode = Mode.PROD) -> Api:
    return Api(app.test_client(), issue_key(app, organization, mode))


# Quota


def test_only_successful_starts_and_ends_are_charged(api: Api, twilio: Twilio, tmp_path: Path) -> None:
    ref = api.start("call-1", ani=ANI).json["customer_ref"]
    assert used(tmp_path) == 1
    for refused in (
        api.start("call-1", ani=ANI),
        api.start("call-2"),
        api.end("call-1", customer_ref="00000000-0000-4000-8000-0000000000ff"),
        api.verdict("call-9", "confirmed"),
    ):
        assert refused.status_code in (400, 404, 409)
    for free in (api.verdict("call-1", "confirmed"), api.call("call-1"), api.customer(ref)):
        assert free.status_code == 200
    assert used(tmp_path) == 1
    api.end("call-1", "key-1", customer_ref=ref)
    assert api.end("call-1", "key-1", customer_ref=ref).headers["Idempotency-Replayed"] == "true"
    assert used(tmp_path) == 2
    assert api.forget(ref).status_code == 200
    assert used(tmp_path) == 2
    for _ in range(2):
        twilio.voice(call_sid(1), ANI)
        twilio.status(call_sid(1), ANI)
    assert used(tmp_path) == 4


def test_at_zero_every_billable_request_gets_the_reference_s_402(tmp_path: Path) -> None:
    with an_app(tmp_path, an_organization(monthly=1)) as app:
        api = api_of(app)
        ref = api.start("call-1", ani=ANI).json["customer_ref"]
        for refused in (api.start("call-2", ani=ANI), api.end("call-1", customer_ref=ref)):
            assert refused.status_code == 402
            assert refused.json == {
                "error": "Payment Required",
                "message": "Monthly quota exhausted. Your account has 0 API calls remaining.",
                "quota_remaining": 0,
                "billing_account_id": "ba_acme",
            }
        assert api.verdict("call-1", "confirmed").status_code == 200
        assert api.call("call-1").status_code == 200
        app.extensions["sticky-calls"].clock.advance(days=22)
        assert api.end("call-1", customer_ref=ref).status_code == 200


def test_test_and_prod_use_up_one_quota(tmp_path: Path) -> None:
    with an_app(tmp_path, an_organization(monthly=2)) as app:
        assert api_of(app, mode=Mode.TEST).start("call-1", ani=ANI).status_code == 200
        assert api_of(app).start("call-1", ani=ANI).status_code == 200
        assert api_of(app).start("call-2", ani=ANI).status_code == 402


# Rate


def test_every_authenticated_request_counts_bad_bodies_too(tmp_path: Path) -> None:
    with an_app(tmp_path, an_organization(per_minute=10)) as app:
        api = api_of(app)
        asked: list[Callable[[], Any]] = [
            lambda: api.start("call-1", ani=ANI),
            lambda: api.start("call-1", ani=ANI),
            lambda: api.post("/v1/calls/start", {}),
            lambda: api.post("/v1/calls/end", "no object"),
            lambda: api.call("call-9"),
            lambda: api.customer("nobody"),
            lambda: api.verdict("call-1", "perhaps"),
        ]
        for number, ask in enumerate(asked, 1):
            answer = ask()
            assert answer.headers["X-RateLimit-Remaining"] == str(10 - number), answer.text
            assert answer.headers["X-RateLimit-Limit"] == "10"


def test_grace_then_refusal_then_exactly_when_it_says(tmp_path: Path) -> None:
    with an_app(tmp_path, an_organization(per_minute=10)) as app:
        api, clock = api_of(app), app.extensions["sticky-calls"].clock
        for number in range(1, 12):
            answer = api.call("call-9")
            assert answer.status_code == 404
            assert answer.headers["X-RateLimit-Remaining"] == str(max(0, 10 - number))
            clock.advance(seconds=1)
        refused = api.call("call-9")
        assert refused.status_code == 429
        assert (refused.json["currentUsage"], refused.json["limit"]) == (12, 10)
        assert refused.json["retryAfter"] == 49
        assert refused.headers["Retry-After"] == "49"
        assert refused.json["resetAt"] == "2026-02-07T10:31:00.000Z"
        assert refused.headers["X-RateLimit-Reset"] == str(clock.wall + 49_000)
        clock.advance(seconds=49, ms=-1)
        assert api.call("call-9").status_code == 429
        clock.advance(ms=1)
        assert api.call("call-9").status_code == 404
        assert api.call("call-9").status_code == 429


def test_a_clock_that_is_set_opens_and_blocks_nothing(tmp_path: Path) -> None:
    with an_app(tmp_path, an_organization(per_minute=1)) as app:
        api, clock = api_of(app), app.extensions["sticky-calls"].clock
        assert api.call("call-9").status_code == 404
        clock.set_wall(clock.wall + 3_600_000)
        assert api.call("call-9").status_code == 429
        clock.set_wall(clock.wall - 7_200_000)
        assert api.call("call-9").json["retryAfter"] == 60
        clock.advance(seconds=60)
        assert api.call("call-9").status_code == 404


def test_the_rate_is_looked_at_before_the_body_and_the_body_before_the_quota(tmp_path: Path) -> None:
    with an_app(tmp_path, an_organization(per_minute=2, monthly=0)) as app:
        api = api_of(app)
        assert api.post("/v1/calls/start", {}).status_code == 400
        assert api.start("call-1", ani=ANI).status_code == 402
        assert api.post("/v1/calls/start", {}).status_code == 429
        assert Api(app.test_client(), "sk_prod_nobody").post("/v1/calls/start", {}).status_code == 401


# Idempotency


def test_the_same_key_and_body_get_the_very_same_bytes(api: Api, clock: ToldClock) -> None:
    ref = api.start("call-1", ani=ANI).json["customer_ref"]
    first = api.end("call-1", "key-1", **{**FULL, "customer_ref": ref})
    before = api.customer(ref).data
    clock.advance(hours=24, ms=-1)
    again = api.end("call-1", "key-1", **{**FULL, "customer_ref": ref})
    assert (again.status_code, again.data) == (200, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert api.customer(ref).data == before


def test_the_same_key_with_another_body_is_a_conflict_and_saves_nothing(api: Api) -> None:
    ref = api.start("call-1", ani=ANI).json["customer_ref"]
    api.start("call-2", ani=ANI)
    api.end("call-1", "key-1", customer_ref=ref)
    before = api.customer(ref).json
    assert api.end("call-2", "key-1", customer_ref=ref, variables={"name": "John"}).status_code == 409
    assert api.customer(ref).json == before
    assert api.end("call-2", "key-2", customer_ref=ref).status_code == 200


def test_a_kept_answer_is_forgotten_after_a_day(api: Api, clock: ToldClock) -> None:
    ref = api.start("call-1", ani=ANI).json["customer_ref"]
    api.end("call-1", "key-1", customer_ref=ref)
    clock.advance(hours=24)
    assert api.end("call-1", "key-1", customer_ref=ref).status_code == 409
    assert api.end("call-2", "key-1", customer_ref=ref).json["call_id"] == "call-2"


def test_what_was_refused_does_not_use_up_the_key(tmp_path: Path) -> None:
    with an_app(tmp_path, an_organization(monthly=1)) as app:
        api, clock = api_of(app), app.extensions["sticky-calls"].clock
        ref = api.start("call-1", ani=ANI).json["customer_ref"]
        assert api.end("call-1", "key-1", customer_ref=ref).status_code == 402
        assert api.end("call-1", "key-1").status_code == 400
        clock.advance(days=22)
        ended = api.end("call-1", "key-1", customer_ref=ref)
        assert ended.status_code == 200
        assert "Idempotency-Replayed" not in ended.headers


def test_a_kept_answer_is_given_when_the_quota_is_used_up(tmp_path: Path) -> None:
    with an_app(tmp_path, an_organization(monthly=2)) as app:
        api = api_of(app)
        ref = api.start("call-1", ani=ANI).json["customer_ref"]
        first = api.end("call-1", "key-1", customer_ref=ref)
        assert api.end("call-1", "key-1", customer_ref=ref).data == first.data
        assert api.end("call-2", "key-2", customer_ref=ref).status_code == 402


@pytest.mark.parametrize(("key", "status"), [("k" * 255, 200), ("k" * 256, 400), ("clé", 400), ("a b~!", 200)])
def test_a_key_is_printable_ascii_of_at_most_255(api: Api, key: str, status: int) -> None:
    ref = api.start("call-1", ani=ANI).json["customer_ref"]
    assert api.end("call-1", key, customer_ref=ref).status_code == status


def test_spacing_and_order_of_names_do_not_make_another_body(api: Api) -> None:
    ref = api.start("call-1", ani=ANI).json["customer_ref"]
    first = api.end("call-1", "key-1", customer_ref=ref, intent="a")
    turned = api.post(
        "/v1/calls/end", {"intent": "a", "customer_ref": ref, "call_id": "call-1"}, {"Idempotency-Key": "key-1"}
    )
    assert turned.data == first.data


def test_duplicates_at_once_are_one_effect_and_all_get_its_answer(app: Flask, api: Api, tmp_path: Path) -> None:
    ref = api.start("call-1", ani=ANI).json["customer_ref"]

    def end(_: int) -> tuple[int, bytes]:
        answer = Api(app.test_client(), api.key).end("call-1", "key-1", customer_ref=ref, intent="refund_request")
        return answer.status_code, answer.data

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(end, range(8)))
    assert len(answers) == 1
    assert answers.pop()[0] == 200
    assert used(tmp_path) == 2
    assert api.customer(ref).json["intents"][0]["attempt_count"] == 1


# Keys and realms


@pytest.fixture
def two(tmp_path: Path) -> Any:
    with an_app(tmp_path, an_organization(), an_organization("globex")) as app:
        yield app


@pytest.mark.parametrize(("organization", "mode"), [("acme", Mode.TEST), ("globex", Mode.PROD), ("globex", Mode.TEST)])
def test_realms_are_blind_to_each_other(two: Flask, organization: str, mode: Mode) -> None:
    api, other = api_of(two), api_of(two, organization, mode)
    hints = {"ani": ANI, "external_ids": {"customer_id": "maria"}}
    ref = api.start("call-1", "mobile", **hints).json["customer_ref"]
    api.end("call-1", "key-1", customer_ref=ref, variables={"name": "Maria"})
    for theirs, nobodys in (
        (other.customer(ref), other.customer("00000000-0000-4000-8000-0000000000ff")),
        (other.forget(ref), other.forget("00000000-0000-4000-8000-0000000000ff")),
        (other.call("call-1"), other.call("call-9")),
        (other.verdict("call-1", "confirmed"), other.verdict("call-9", "confirmed")),
        (
            other.end("call-8", customer_ref=ref),
            other.end("call-8", customer_ref="00000000-0000-4000-8000-0000000000ff"),
        ),
    ):
        assert (theirs.status_code, theirs.data) == (nobodys.status_code, nobodys.data)
    started = other.start("call-1", "mobile", customer_ref=ref, **hints)
    assert (started.status_code, started.json["identity"]["confidence"]) == (200, 0)
    assert started.json["customer_ref"] != ref
    own = other.end("call-1", "key-1", customer_ref=started.json["customer_ref"])
    assert (own.status_code, own.json["customer_ref"]) == (200, started.json["customer_ref"])
    assert api.start("call-2", "mobile", **hints).json["customer_ref"] == ref


def test_a_revoked_key_is_refused_within_a_second(app: Flask, api: Api, service: Service, clock: ToldClock) -> None:
    assert api.call("call-9").status_code == 404
    prefix = api.key[: len("sk_prod_") + 8]
    assert keys.revoke(service.store, prefix, clock.now())
    clock.advance(seconds=1)
    refused = api.call("call-9")
    assert (refused.status_code, refused.json) == (
        401,
        {"error": "Unauthorized", "message": "Invalid or missing API key"},
    )
    other = Api(app.test_client(), api.key[:-1] + ("A" if api.key[-1] != "A" else "B"))
    assert other.call("call-9").data == refused.data


def test_the_wall_clock_cannot_keep_a_revoked_key_alive(api: Api, service: Service, clock: ToldClock) -> None:
    api.call("call-9")
    keys.revoke(service.store, api.key[: len("sk_prod_") + 8], clock.now())
    clock.advance(seconds=1)
    clock.set_wall(clock.wall - 3_600_000)
    assert api.call("call-9").status_code == 401


def test_a_key_whose_organization_is_no_longer_configured_opens_nothing(tmp_path: Path) -> None:
    with an_app(tmp_path, an_organization(), an_organization("globex")) as app:
        key = api_of(app, "globex").key
    with an_app(tmp_path, an_organization()) as app:
        assert Api(app.test_client(), key).call("call-1").status_code == 401
    assert a_config(tmp_path).organizations[0].id == "acme"


def test_a_request_that_fails_inside_counts_against_its_rate_and_leaves_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rate hit outlives a failed effect; quota, call and customer live and die with it."""
    with an_app(tmp_path, an_organization(per_minute=10)) as app:
        api = api_of(app)
        with monkeypatch.context() as patched:
            patched.setattr("adapter.usecases.start.charge", lambda *_: 1 / 0)
            assert api.start("call-1", ani=ANI).status_code == 500
        assert used(tmp_path) == 0
        started = api.start("call-1", ani=ANI)
        assert started.status_code == 200
        assert (started.json["identity"]["confidence"], started.headers["X-RateLimit-Remaining"]) == (0, "8")
