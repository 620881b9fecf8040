"""When a number's line type is looked up, and what becomes of the answer."""

from __future__ import annotations

import pytest

from adapter.engine.model import Hints, LineType, Mode, Principal
from adapter.store import customers
from adapter.usecases import Service
from adapter.usecases.line_types import is_due, note
from tests.builders import Api, ToldClock, Twilio, call_sid

ANI = "+14155550123"
M, L, V, U = LineType.MOBILE, LineType.LANDLINE, LineType.VOIP, LineType.UNKNOWN


@pytest.fixture
def principal(service: Service) -> Principal:
    found = service.directory.principal("acme", Mode.PROD)
    assert found is not None
    return found


def kept(service: Service, principal: Principal, ani: str = ANI) -> list[LineType | None]:
    with service.store.read(principal.realm) as tx:
        return [link.line_type for link in customers.facts(tx, Hints(ani=ani)).ani]


def judged_as(api: Api, call_id: str) -> str:
    source: str = api.start(call_id, ani=ANI).json["identity"]["sources"][0]
    return source


def test_a_number_that_is_nobodys_is_not_looked_up(service: Service, principal: Principal) -> None:
    assert not is_due(service, principal, ANI)


def test_a_number_of_a_line_type_never_told_is_looked_up(service: Service, principal: Principal, api: Api) -> None:
    api.start("call-1", ani=ANI)
    assert is_due(service, principal, ANI)
    assert not is_due(service, principal, "+14155550124")


def test_what_was_found_counts_from_the_next_call_on(service: Service, principal: Principal, api: Api) -> None:
    api.start("call-1", ani=ANI)
    note(service, principal, ANI, M)
    assert judged_as(api, "call-2") == "ani:mobile"


@pytest.mark.parametrize("found", LineType)
def test_an_answer_is_good_for_thirty_days(
    service: Service, principal: Principal, api: Api, clock: ToldClock, found: LineType
) -> None:
    api.start("call-1", ani=ANI)
    note(service, principal, ANI, found)
    clock.advance(days=30, ms=-1)
    assert not is_due(service, principal, ANI)
    clock.advance(ms=1)
    assert is_due(service, principal, ANI)


def test_what_a_request_said_is_good_for_as_long(
    service: Service, principal: Principal, api: Api, clock: ToldClock
) -> None:
    api.start("call-1", "landline", ani=ANI)
    clock.advance(days=30, ms=-1)
    assert not is_due(service, principal, ANI)
    clock.advance(ms=1)
    assert is_due(service, principal, ANI)


def test_what_a_request_said_while_twilio_was_asked_stays(service: Service, principal: Principal, api: Api) -> None:
    api.start("call-1", ani=ANI)
    assert is_due(service, principal, ANI)
    api.start("call-2", "landline", ani=ANI)
    note(service, principal, ANI, V)
    assert kept(service, principal) == [L]


def test_what_a_request_says_later_counts_again(
    service: Service, principal: Principal, api: Api, clock: ToldClock
) -> None:
    api.start("call-1", ani=ANI)
    note(service, principal, ANI, V)
    clock.advance(days=1)
    api.start("call-2", "mobile", ani=ANI)
    assert kept(service, principal) == [M]


def test_an_old_line_type_gives_way_to_a_found_one_but_not_to_none(
    service: Service, principal: Principal, api: Api, clock: ToldClock
) -> None:
    api.start("call-1", "landline", ani=ANI)
    clock.advance(days=31)
    note(service, principal, ANI, U)
    assert kept(service, principal) == [L]
    clock.advance(days=31)
    note(service, principal, ANI, V)
    assert kept(service, principal) == [V]


def test_everybody_on_the_number_has_the_same_line(service: Service, principal: Principal, api: Api) -> None:
    api.start("call-1", ani=ANI)
    api.verdict("call-1", "rejected")
    api.start("call-2", ani=ANI)
    api.verdict("call-2", "rejected")
    note(service, principal, ANI, L)
    links = kept(service, principal)
    assert len(links) > 1
    assert set(links) == {L}


def test_the_newest_word_stays_when_twilio_does_not_know_a_shared_line(
    service: Service, principal: Principal, api: Api, clock: ToldClock
) -> None:
    refs = [api.start("call-1", "mobile", ani=ANI).json["customer_ref"]]
    refs.append(api.verdict("call-1", "rejected").json["customer_ref"])
    clock.advance(days=1)
    api.start("call-2", "landline", ani=ANI, customer_ref=refs[1])
    clock.advance(days=40)
    note(service, principal, ANI, U)
    assert set(kept(service, principal)) == {L}


def test_a_call_that_was_somebody_elses_takes_its_look_up_back(
    service: Service, principal: Principal, api: Api, clock: ToldClock
) -> None:
    """The link is what it was before the call; the number is looked up again then."""
    api.start("call-1", "landline", ani=ANI)
    clock.advance(days=31)
    api.start("call-2", ani=ANI)
    note(service, principal, ANI, V)
    api.verdict("call-2", "rejected")
    assert L in kept(service, principal)
    assert is_due(service, principal, ANI)


def test_what_a_call_told_of_its_line_goes_along_when_it_is_somebody_elses(api: Api) -> None:
    """The newest known for that number (semantics §5), whoever turned out to have called."""
    maria = api.start("call-1", external_ids={"customer_id": "maria"}).json["customer_ref"]
    api.start("call-2", "mobile", ani=ANI)
    assert api.end("call-2", customer_ref=maria).json["customer_ref"] == maria
    assert api.call("call-2").json["line_type"] == "mobile"
    assert judged_as(api, "call-3") == "ani:mobile"


def test_what_a_call_told_of_its_line_outlives_its_rejection(api: Api) -> None:
    api.start("call-1", "mobile", ani=ANI)
    api.verdict("call-1", "rejected")
    assert judged_as(api, "call-2") == "ani:mobile"


def test_what_is_told_with_a_caller_who_is_not_believed_changes_nothing(
    service: Service, principal: Principal, api: Api, clock: ToldClock
) -> None:
    api.start("call-1", "mobile", ani=ANI)
    clock.advance(days=30)
    assert api.start("call-2", "voip", ani=ANI).json["identity"]["recommendation"] == "ignore"
    assert kept(service, principal) == [M]


def test_an_erased_customers_number_is_not_noted(service: Service, principal: Principal, api: Api) -> None:
    ref = api.start("call-1", ani=ANI).json["customer_ref"]
    api.forget(ref)
    note(service, principal, ANI, M)
    assert kept(service, principal) == []
    assert not is_due(service, principal, ANI)


def test_another_realm_has_its_own_word(service: Service, principal: Principal, api: Api) -> None:
    api.start("call-1", ani=ANI)
    other = service.directory.principal("acme", Mode.TEST)
    assert other is not None
    assert not is_due(service, other, ANI)
    note(service, other, ANI, M)
    assert kept(service, principal) == [None]


def test_noting_is_no_contact(service: Service, principal: Principal, api: Api, clock: ToldClock) -> None:
    api.start("call-1", ani=ANI)
    with service.store.read(principal.realm) as tx:
        before = customers.facts(tx, Hints(ani=ANI))
    clock.advance(days=8)
    note(service, principal, ANI, M)
    with service.store.read(principal.realm) as tx:
        after = customers.facts(tx, Hints(ani=ANI))
    assert after.customers == before.customers
    assert [link.last_seen for link in after.ani] == [link.last_seen for link in before.ani]


def test_a_mobile_number_found_out_is_reused(service: Service, principal: Principal, twilio: Twilio, api: Api) -> None:
    twilio.voice(call_sid(1), ANI)
    assert api.start("call-1", ani=ANI).json["identity"]["recommendation"] == "confirm"
    note(service, principal, ANI, M)
    assert api.start("call-2", ani=ANI).json["identity"]["recommendation"] == "reuse"
