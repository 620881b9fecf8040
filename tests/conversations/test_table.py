"""Every conversation of the table, word by word: as it is on both databases, with every webhook sent twice, and late,
on one.

(A repeated turn on PostgreSQL: tests/test_turn_webhooks.py.) The network in a box plays Twilio, the app and its store
are the real ones.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from flask import Flask

from adapter.replay import ANONYMOUS, Call, Exchange, Network, Remembered, Script, Transcript, Twice, WsgiExchange
from tests.builders import ACCOUNT, AUTH_TOKEN, PUBLIC_URL, Api
from tests.twilio.grammar import check

from .row import Row
from .table import TABLE
from .world import a_number, own

rows = pytest.mark.parametrize("row", TABLE, ids=[row.name.replace(" ", "-") for row in TABLE])


@rows
def test_a_conversation_goes_word_by_word_as_told(app: Flask, api: Api, row: Row) -> None:
    transcript, told = played(WsgiExchange(app, PUBLIC_URL, AUTH_TOKEN), api, row)
    as_told(row, transcript, told)
    assert opened(api, told) == row.opens


@rows
@pytest.mark.sqlite
def test_webhooks_that_come_twice_and_late_change_nothing(app: Flask, api: Api, row: Row) -> None:
    twice = Twice(WsgiExchange(app, PUBLIC_URL, AUTH_TOKEN))
    exchange = Remembered(twice)
    transcript, told = played(exchange, api, row)
    as_told(row, transcript, told)
    assert opened(api, told) == row.opens
    for first, second in twice.pairs:
        assert (first.status, first.body) == (second.status, second.body)
    come_again_when_all_is_over(exchange, api, told)


def played(exchange: Exchange, api: Api, row: Row, public_url: str = PUBLIC_URL) -> tuple[Transcript, dict[str, Any]]:
    """The call, and what the API tells of it afterwards."""
    number = a_number()
    for person in row.people:
        person.remembered(api, number)
    # A copy: agents use their answers up.
    script = [own(each, number) if isinstance(each, str) else deepcopy(each) for each in row.script]
    caller = ANONYMOUS if row.anonymous else number
    call = Call(caller, row.line, stir=row.stir, forwarded_from="+14155559999" if row.forwarded else None)
    transcript = Network(exchange, public_url, ACCOUNT).play(call, Script(*script))
    told = api.call(call.sid)
    assert told.status_code == 200, told.json
    assert told.json is not None
    return transcript, told.json


def as_told(row: Row, transcript: Transcript, told: dict[str, Any]) -> None:
    """Every word, every destination, and what is remembered."""
    assert transcript.said == row.says
    assert tuple(handover.target for handover in transcript.handovers) == row.to
    assert transcript.whispered == row.whispers
    assert transcript.ending is row.ending
    assert transcript.clean, (transcript.errors, transcript.warnings)
    for request in transcript.requests:
        assert request.status in (200, 204)
        # To an agent an empty document says "connect us now"; to the caller it would hang up.
        connects = request.document.endswith("<Response/>") and "/whisper/" in request.url
        assert connects or not request.document or check(request.document) == []
    verdicts = [event["event"] for event in told["timeline"] if event["event"].startswith("verdict")]
    assert verdicts == ([f"verdict_{row.verdict}"] if row.verdict else [])


def come_again_when_all_is_over(exchange: Remembered, api: Api, told: dict[str, Any]) -> None:
    """Every webhook once more, the last one first: its first answer, and nothing else is remembered for it.

    But a whisper tells an agent what is so now, of a call that is over nothing; and of who was erased nothing was kept.
    """
    status, remembered = customer(api, told)
    for place, ((_, url, _), first) in reversed(list(enumerate(exchange.sent))):
        again = exchange.again(place)
        assert (again.status, again.body) == (first.status, first.body) or "/whisper/" in url or status == 404
    assert api.call(told["call_id"]).json == told
    assert customer(api, told) == (status, remembered)


def customer(api: Api, told: dict[str, Any]) -> tuple[int, Any]:
    """Everything that is remembered of the call's customer."""
    answer = api.customer(told["customer_ref"])
    return answer.status_code, answer.json


def opened(api: Api, told: dict[str, Any]) -> dict[str, int]:
    """The open intents of the call's customer, with their attempts."""
    customer = api.customer(told["customer_ref"])
    if customer.status_code == 404:
        return {}  # who was erased has nothing left open
    assert customer.json is not None
    return {each["intent"]: each["attempt_count"] for each in customer.json["intents"] if each["status"] == "open"}
