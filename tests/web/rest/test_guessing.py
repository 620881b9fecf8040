"""Who sends wrong keys is slowed down, and nobody else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from adapter.store import keys
from adapter.web.rest import guessing
from adapter.web.rest.guessing import FREE_GUESSES, SECONDS_A_GUESS, Guesses, client_address
from tests.builders import Api, ToldClock, issue_key

SECRET = "x" * 43
OURS, THEIRS = "5.6.7.8", "9.8.7.6"


def ask(app: Flask, key: str, address: str = THEIRS, **headers: str) -> TestResponse:
    sent = {"Authorization": f"Bearer {key}", **headers}
    return app.test_client().get("/v1/calls/c", headers=sent, environ_overrides={"REMOTE_ADDR": address})


def guess(app: Flask, count: int, prefix: str = "sk_prod_aaaaaaaa", address: str = THEIRS) -> list[int]:
    return [ask(app, prefix + SECRET, address).status_code for _ in range(count)]


def test_after_some_wrong_keys_further_ones_have_to_wait(app: Flask, clock: ToldClock) -> None:
    assert guess(app, FREE_GUESSES + 2) == [401] * FREE_GUESSES + [429] * 2
    refused = ask(app, "sk_prod_bbbbbbbb" + SECRET)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == str(SECONDS_A_GUESS)
    assert refused.json["retryAfter"] == SECONDS_A_GUESS
    assert refused.json["error"] == "Too Many Requests"
    clock.advance(seconds=SECONDS_A_GUESS)
    assert guess(app, 2) == [401, 429]
    clock.advance(seconds=FREE_GUESSES * SECONDS_A_GUESS)
    assert guess(app, FREE_GUESSES + 1) == [401] * FREE_GUESSES + [429]


def test_each_guess_that_is_looked_at_is_in_the_log_with_where_it_came_from(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    guess(app, FREE_GUESSES + 5)
    told = [(record.getMessage(), record.address) for record in caplog.records]  # type: ignore[attr-defined]
    assert told == [("an API key was refused", THEIRS)] * FREE_GUESSES
    assert SECRET not in caplog.text


def test_nobody_else_is_slowed(app: Flask) -> None:
    guess(app, FREE_GUESSES + 1)
    assert guess(app, 1, address=OURS) == [401]
    assert ask(app, issue_key(app), OURS).status_code == 404


def test_who_guesses_locks_nobody_behind_the_same_address_out(app: Flask, api: Api) -> None:
    """Neither with a key that this worker knows already, nor with one that it has never seen."""
    assert ask(app, api.key).status_code == 404
    unseen = issue_key(app)
    guess(app, FREE_GUESSES + 1)
    assert ask(app, api.key).status_code == 404
    assert ask(app, unseen).status_code == 404


def test_wrong_secrets_under_a_key_s_own_prefix_slow_only_that_prefix_there(app: Flask, api: Api) -> None:
    assert ask(app, api.key).status_code == 404
    prefix = api.key[:16]
    assert guess(app, FREE_GUESSES + 1, prefix) == [401] * FREE_GUESSES + [429]
    assert ask(app, api.key).status_code == 404, "known here: looked at all the same"
    assert ask(app, issue_key(app)).status_code == 404
    assert guess(app, 1, prefix, OURS) == [401]


def test_what_has_not_the_form_of_a_key_is_no_guess(app: Flask) -> None:
    assert {ask(app, "sk_prod_wrong").status_code for _ in range(FREE_GUESSES + 5)} == {401}


def test_a_revoked_key_is_soon_asked_to_slow_down(app: Flask, api: Api, clock: ToldClock) -> None:
    assert ask(app, api.key).status_code == 404
    keys.revoke(app.extensions["sticky-calls"].store, api.key[:16], clock.now())
    clock.advance(seconds=1)
    answers = [ask(app, api.key).status_code for _ in range(FREE_GUESSES + 2)]
    assert answers == [401] * (FREE_GUESSES + 1) + [429]


def test_a_wrong_key_is_looked_at_and_refused_without_a_place_for_it_being_kept(app: Flask) -> None:
    directory = app.extensions["sticky-calls"].directory
    before = len(directory._by_key)
    guess(app, 3)
    assert len(directory._by_key) == before


@pytest.mark.sqlite
def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guessing, "_MOST_GUESSERS", 100)
    guesses = Guesses()
    for number in range(1_000):
        guesses.note(str(number), 0)
    assert len(guesses._paid_at) == 100
    for _ in range(FREE_GUESSES):
        guesses.note("last", 0)
    assert guesses.wait_seconds("last", 0) == SECONDS_A_GUESS


@pytest.mark.parametrize(
    ("peer", "headers", "address"),
    [
        pytest.param(OURS, {}, OURS, id="no proxy"),
        pytest.param(OURS, {"X-Forwarded-For": THEIRS}, OURS, id="a stranger's claim"),
        pytest.param("127.0.0.1", {"X-Forwarded-For": THEIRS}, THEIRS, id="our proxy"),
        pytest.param("172.18.0.3", {"X-Forwarded-For": THEIRS}, THEIRS, id="our proxy's container"),
        pytest.param("", {"X-Forwarded-For": THEIRS}, THEIRS, id="our proxy by a Unix socket"),
        pytest.param("", {"X-Forwarded-For": f"{OURS}, {THEIRS}"}, THEIRS, id="what our proxy saw itself"),
        pytest.param("127.0.0.1", {}, "127.0.0.1", id="this machine"),
        pytest.param("", {}, "", id="nobody knows"),
        pytest.param("", {"X-Forwarded-For": "somebody"}, "", id="not an address"),
        pytest.param("", {"X-Forwarded-For": "2001:db8:1:2:3::4"}, "2001:db8:1:2::/64", id="a network of IPv6"),
        pytest.param(f"::ffff:{THEIRS}", {"X-Forwarded-For": OURS}, THEIRS, id="IPv4 at a socket of IPv6"),
        pytest.param("::ffff:127.0.0.1", {"X-Forwarded-For": THEIRS}, THEIRS, id="our proxy, there"),
        pytest.param("", {"X-Forwarded-For": f"{THEIRS}:5555"}, THEIRS, id="with its port"),
        pytest.param("", {"X-Forwarded-For": "[2001:db8:1:2::3]:443"}, "2001:db8:1:2::/64", id="IPv6 with its port"),
        pytest.param("", {"X-Forwarded-For": "[2001:db8:1:2::3]"}, "2001:db8:1:2::/64", id="IPv6 in brackets"),
        pytest.param("fe80::1%eth0", {}, "fe80::/64", id="IPv6 of this link"),
    ],
)
def test_whose_request_it_is(peer: str, headers: Mapping[str, str], address: str) -> None:
    app = Flask("addresses")
    with app.test_request_context("/", headers=headers, environ_overrides={"REMOTE_ADDR": peer}):
        assert client_address() == address
