"""The races: what everybody does at once, and what must have come of it. Each returns its faults, as sentences.

Sources: semantics §2 (order of checks), §4 (quota), §6 (one customer, one start), §7 (idempotency), §9 (webhooks).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tests.races.arena import QUOTA, UNLIMITED, Arena, quotas_of
from tests.races.racers import Reply
from tests.serving import Request

RACERS = 64
DUPLICATES = 32
_CUSTOMERS = "SELECT COUNT(*) FROM customers"


def one_new_number(arena: Arena, place: int = 0) -> list[str]:
    """A number nobody knows is started by the API and by webhooks, all at once: one customer comes of it."""
    number, line = arena.number(), arena.line(UNLIMITED)
    calls = [arena.call_id() for _ in range(RACERS)]
    customers, used = _customers(arena), arena.used(UNLIMITED)
    requests = [
        arena.start(UNLIMITED, call, number) if odd else arena.server.webhook("voice", line, call, number)
        for call, odd in zip(calls, _alternating(), strict=False)
    ]
    faults = _all_are(arena.racers.race(arena.server.port, requests), 200)
    shown = arena.racers.race(arena.server.port, [arena.get(UNLIMITED, f"/v1/calls/{call}") for call in calls])
    faults += _all_are(shown, 200)
    refs = {reply.json.get("customer_ref") for reply in shown if reply.status == 200}
    faults += _equal("customers that the calls of one number show", len(refs), 1)
    faults += _equal("customers made for one number", _customers(arena) - customers, 1)
    return faults + _equal("charges", arena.used(UNLIMITED) - used, RACERS)


def last_of_the_quota(arena: Arena, place: int = 0) -> list[str]:
    """10 left and 64 who want one: 10 get it, by start or by end, 54 are told 402, and 10 are charged."""
    organization = quotas_of(place)[0]
    requests = [
        arena.start(organization, arena.call_id(), arena.number()) if odd else _standalone_end(arena, organization)
        for odd, _ in zip(_alternating(), range(RACERS), strict=False)
    ]
    replies = arena.racers.race(arena.server.port, requests)
    faults = _statuses(replies, {200: QUOTA, 402: RACERS - QUOTA})
    return faults + _equal("charges", arena.used(organization), QUOTA)


def last_of_the_quota_by_calls(arena: Arena, place: int = 0) -> list[str]:
    """10 left and 64 callers: every one is put through, 10 are remembered, and 10 are charged."""
    organization = quotas_of(place)[1]
    calls = [arena.call_id() for _ in range(RACERS)]
    line = arena.line(organization)
    replies = arena.racers.race(
        arena.server.port, [arena.server.webhook("voice", line, call, arena.number()) for call in calls]
    )
    faults = _all_are(replies, 200)
    faults += [f"a caller was not put through: {reply.body}" for reply in replies if "<Dial" not in reply.body]
    shown = arena.racers.race(arena.server.port, [arena.get(organization, f"/v1/calls/{call}") for call in calls])
    faults += _statuses(shown, {200: QUOTA, 404: RACERS - QUOTA})
    return faults + _equal("charges", arena.used(organization), QUOTA)


def one_idempotency_key(arena: Arena, place: int = 0) -> list[str]:
    """One end, sent 32 times at once under one key: one effect, the same bytes for all, 31 say they are a replay."""
    call, number = arena.call_id(), arena.number()
    ref = _started(arena, call, number).get("customer_ref")
    used = arena.used(UNLIMITED)
    body: dict[str, Any] = {
        "call_id": call,
        "customer_ref": ref,
        "intent": "refund",
        "variables": {"name": "Maria"},
    }
    request = arena.post(UNLIMITED, "/v1/calls/end", body, **{"Idempotency-Key": f"key-{call}"})
    replies = arena.racers.race(arena.server.port, [request] * DUPLICATES)
    faults = _all_are(replies, 200)
    faults += _equal("different answers", len({reply.body for reply in replies}), 1)
    replayed = sum(reply.headers.get("idempotency-replayed") == "true" for reply in replies)
    faults += _equal("answers marked as replayed", replayed, DUPLICATES - 1)
    faults += _equal("charges", arena.used(UNLIMITED) - used, 1)
    again = _started(arena, arena.call_id(), number)
    faults += _equal("open intents", again.get("open_intents"), [_refund(1)])
    return faults + _equal("customer", again.get("customer_ref"), ref)


def one_call_id(arena: Arena, place: int = 0) -> list[str]:
    """One call_id started 32 times at once: one start, 31 conflicts that name the first one's customer."""
    call, number = arena.call_id(), arena.number()
    customers, used = _customers(arena), arena.used(UNLIMITED)
    replies = arena.racers.race(arena.server.port, [arena.start(UNLIMITED, call, number)] * DUPLICATES)
    faults = _statuses(replies, {200: 1, 409: DUPLICATES - 1})
    first = [reply.json for reply in replies if reply.status == 200][:1]
    for reply in replies:
        if reply.status == 409 and first:
            wanted = {"customer_ref": first[0]["customer_ref"], "call_start": first[0]["call_start"]}
            faults += _equal("details of a conflict", reply.json.get("details"), wanted)
    faults += _equal("customers", _customers(arena) - customers, 1)
    return faults + _equal("charges", arena.used(UNLIMITED) - used, 1)


def one_webhook(arena: Arena, place: int = 0) -> list[str]:
    """One voice webhook of a known caller, 32 times at once: the same TwiML for all, one call, one charge."""
    number = arena.number()
    first = arena.call_id()
    ref = _started(arena, first, number).get("customer_ref")
    body = {"call_id": first, "customer_ref": ref, "variables": {"name": "Maria"}}
    faults = _all_are(arena.racers.race(arena.server.port, [arena.post(UNLIMITED, "/v1/calls/end", body)]), 200)
    call, used = arena.call_id(), arena.used(UNLIMITED)
    webhook = arena.server.webhook("voice", arena.line(UNLIMITED), call, number)
    replies = arena.racers.race(arena.server.port, [webhook] * DUPLICATES)
    faults += _all_are(replies, 200)
    faults += _equal("different TwiML documents", len({reply.body for reply in replies}), 1)
    faults += _equal("charges", arena.used(UNLIMITED) - used, 1)
    hang_up = arena.server.hang_up(arena.line(UNLIMITED), call, number)
    faults += _all_are(arena.racers.race(arena.server.port, [hang_up] * DUPLICATES), 204)
    faults += _equal("charges with the hang-up", arena.used(UNLIMITED) - used, 2)
    shown = arena.racers.race(arena.server.port, [arena.get(UNLIMITED, f"/v1/calls/{call}")])[0].json
    events = [event["event"] for event in shown.get("timeline", ())]
    return faults + _equal("events", sorted(events), ["greeted", "hung_up"])


def _started(arena: Arena, call: str, number: str) -> dict[str, Any]:
    return arena.racers.race(arena.server.port, [arena.start(UNLIMITED, call, number)])[0].json


def _standalone_end(arena: Arena, organization: str) -> Request:
    body = {"call_id": arena.call_id(), "identity_hints": {"ani": arena.number()}, "variables": {"name": "Maria"}}
    return arena.post(organization, "/v1/calls/end", body)


def _refund(attempts: int) -> dict[str, Any]:
    return {"intent": "refund", "status": "open", "attempt_count": attempts}


def _customers(arena: Arena) -> int:
    return int(arena.rows(_CUSTOMERS)[0][0])


def _alternating() -> Iterable[bool]:
    while True:
        yield True
        yield False


def _all_are(replies: Sequence[Reply], status: int) -> list[str]:
    return _statuses(replies, {status: len(replies)})


def _statuses(replies: Sequence[Reply], wanted: dict[int, int]) -> list[str]:
    found = dict(Counter(reply.status for reply in replies))
    told = {reply.error or reply.body[:300] for reply in replies if reply.status not in wanted}
    return [] if found == wanted else [f"statuses are {found}, not {wanted} {sorted(told)[:3]}"]


def _equal(what: str, found: object, wanted: object) -> list[str]:
    return [] if found == wanted else [f"{what}: {found}, not {wanted}"]


SCENARIOS = (
    one_new_number,
    last_of_the_quota,
    last_of_the_quota_by_calls,
    one_idempotency_key,
    one_call_id,
    one_webhook,
)
