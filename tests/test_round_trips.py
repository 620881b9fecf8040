"""On PostgreSQL a request is three round trips: what is known to be needed, what follows from that, all writes.

Counted on the wire. Beside the database a round trip costs little; a millisecond away it is what a caller waits for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from adapter.app import create_app
from adapter.config import Config
from tests.builders import Api, CountedIds, ToldClock, Twilio, call_sid, issue_key
from tests.store.proxy import Proxy, proxied

pytestmark = pytest.mark.postgresql
MARIA, STRANGER = "+14155550123", "+14155550177"
MOST = 3


@pytest.fixture
def proxy(config: Config) -> Iterator[Proxy]:
    with proxied(config.database.url) as proxy:
        yield proxy


@pytest.fixture
def app(config: Config, clock: ToldClock, proxy: Proxy) -> Iterator[Flask]:
    """On the far side of the proxy; it has served before, and knows a caller."""
    beyond = replace(config, database=replace(config.database, url=proxy.url))
    app = create_app(beyond, clock=clock, ids=CountedIds())
    variables = {"name": "Maria", "plan": "gold", "city": "Graz"}
    api = Api(app.test_client(), issue_key(app))
    assert api.end("seed", identity_hints={"ani": MARIA}, variables=variables, intent="refund").status_code == 200
    clock.advance(seconds=1)
    yield app
    app.extensions["sticky-calls"].store.close()


@pytest.fixture
def trips(proxy: Proxy, api: Api) -> Callable[[Callable[[], Any]], int]:
    """How many round trips a request is; it has to be a success."""
    api.start("warm-up", ani=MARIA)  # the key is known from now on

    def count(request: Callable[[], Any]) -> int:
        before = proxy.answered
        assert request().status_code in (200, 204)
        return proxy.answered - before

    return count


Trips = Callable[[Callable[[], Any]], int]


def test_a_call_of_a_known_caller(twilio: Twilio, trips: Trips) -> None:
    assert trips(lambda: twilio.voice(call_sid(1), MARIA)) == MOST


def test_the_hang_up_of_it(twilio: Twilio, trips: Trips) -> None:
    twilio.voice(call_sid(1), MARIA)
    assert trips(lambda: twilio.status(call_sid(1), MARIA)) <= MOST


def test_a_start_of_a_known_caller(api: Api, trips: Trips) -> None:
    assert trips(lambda: api.start("call-1", ani=MARIA)) == MOST


def test_a_start_with_an_external_id_that_is_known(api: Api, trips: Trips) -> None:
    known = {"ani": MARIA, "external_ids": {"customer_id": "C1"}}
    api.start("call-1", **known)
    api.start("call-2", **known)
    assert trips(lambda: api.start("call-3", **known)) == MOST


def test_an_end_with_three_variables(api: Api, trips: Trips) -> None:
    variables = {"name": "Maria", "plan": "silver", "city": "Linz"}
    ref = api.start("call-1", ani=MARIA).json["customer_ref"]
    assert trips(lambda: api.end("call-1", customer_ref=ref, variables=variables)) <= MOST
    assert trips(lambda: api.end("call-2", identity_hints={"ani": MARIA}, variables=variables, intent="refund")) <= MOST


def test_a_repeated_webhook(twilio: Twilio, trips: Trips) -> None:
    twilio.voice(call_sid(1), MARIA)
    assert trips(lambda: twilio.voice(call_sid(1), MARIA)) <= MOST


def test_a_caller_whom_nobody_knows_is_one_more(api: Api, twilio: Twilio, trips: Trips) -> None:
    """A new customer has to be let in by the database: an erased one may not come back."""
    assert trips(lambda: twilio.voice(call_sid(1), STRANGER)) <= MOST + 1
    assert trips(lambda: api.start("call-1", ani="+14155550178")) <= MOST + 1
