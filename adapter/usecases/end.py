"""A call ends: keep what was learnt (semantics §7), or note that the caller hung up (§9)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from adapter.engine import idempotency, intents, lifecycle, variables
from adapter.engine.model import (
    Answer,
    Call,
    EndCall,
    Ended,
    HangUp,
    Hints,
    IdempotencyKey,
    Intent,
    Invalid,
    Issue,
    Millis,
    Origin,
    Principal,
    Variable,
)
from adapter.engine.policy import SECOND
from adapter.store import answers, calls, customers, memory
from adapter.store.transaction import Transaction

from . import kept, recognition
from .admission import admitted, charge, hit, look_ahead, over_quota
from .recognition import decide_again, why_no_number
from .service import Service
from .settlement import attempt_of, closed, having_its_word, settle, taken_along

_END = "end"


def end_call(
    service: Service, principal: Principal, command: EndCall | list[Issue], key: IdempotencyKey | None = None
) -> Answer[Ended]:
    """Reference, POST /v1/calls/end. A list of issues: the body was bad; it counts as a request and claims nothing."""

    def effect(tx: Transaction, now: Millis) -> Answer[Ended]:
        if isinstance(command, list):
            return Answer(Invalid(tuple(command)))
        before = answers.find(tx, _END, key.key, now) if key else None
        if before is not None and key is not None:
            refused = idempotency.refuse(before.fingerprint, key)
            return Answer(refused) if refused else Answer(kept.to_ended(before.body), replayed=True)
        answer = _end(service, principal, tx, command, now)
        if key is not None and isinstance(answer.outcome, Ended):
            expires_at = idempotency.expires_at(now, service.policy.retention)
            body, ref = kept.from_ended(answer.outcome), answer.outcome.customer_ref
            answers.keep(tx, _END, key.key, key.fingerprints[0], body, ref, expires_at)
        return answer

    def ahead(tx: Transaction, now: Millis) -> None:
        if isinstance(command, EndCall):
            if key:
                answers.find(tx, _END, key.key, now)
            _look_ahead(tx, command, now)

    return admitted(service, principal, effect, ahead)


def hang_up(service: Service, principal: Principal, command: HangUp) -> bool:
    """Twilio's terminal status of the caller's own leg, saved soon or not at all. False: a limit refuses it now.

    What is not saved the edge keeps for later."""

    def ahead(tx: Transaction) -> None:
        calls.find(tx, command.call_id)
        look_ahead(service, principal, tx)

    return service.hurried(principal.realm, partial(note_hang_up, service, principal, command), ahead)


def note_hang_up(service: Service, principal: Principal, command: HangUp, tx: Transaction) -> bool:
    """`hang_up` in this transaction. Once more, it changes nothing."""
    now = service.clock.now()
    call = calls.find(tx, command.call_id)
    if lifecycle.is_free(call, command.at, service.policy.calls):
        call = None  # by the hang-up's own time: one that comes late belongs to the call it is late for
    if call is not None and call.hung_up_at is not None:
        return True
    if call is None and lifecycle.is_forgotten(command.at, now, service.policy.calls):
        command = replace(command, at=now)
    # The quota first: a hang-up that waits for the month's renewal is tried again and again, which must not use up the
    # rate of the organization's own requests.
    # Of a call that was refused for its quota there is nothing to end: kept, it would eat the next month's.
    if over_quota(principal, tx, now) is not None:
        return call is None
    if hit(service, principal, tx)[1] is not None:
        return False
    calls.save(tx, _hung_up(tx, call, command.at) if call else _only_hung_up(command))
    charge(principal, tx, now)
    return True


def _hung_up(tx: Transaction, call: Call, told: Millis) -> Call:
    """Never before its start: a recorded callback sent again by hand tells of years ago, and the call's wrap-up would
    be over before it began. (And Twilio tells whole seconds, by another clock than ours.)"""
    at = max(told, call.started_at)
    return settle(tx, replace(call, hung_up_at=at), at)


def _only_hung_up(command: HangUp) -> Call:
    """The hang-up overtook everything else: all we know is that there was such a call, and from which number."""
    return Call(
        call_id=command.call_id,
        started_at=command.at - (command.duration_seconds or 0) * SECOND,
        origin=Origin.TWILIO,
        hung_up_at=command.at,
        ani=command.hints.ani,
        dnis=command.hints.dnis,
    )


def _end(service: Service, principal: Principal, tx: Transaction, command: EndCall, now: Millis) -> Answer[Ended]:
    call = calls.find(tx, command.call_id)
    refused = over_quota(principal, tx, now) or lifecycle.refuse_end(call, now, service.policy.calls)
    if refused is not None:
        return Answer(refused)
    if lifecycle.is_free(call, now, service.policy.calls):
        call = None
    whose = _whose(service, tx, command, call, now)
    if isinstance(whose, Invalid):
        return Answer(whose)
    if call is not None:
        whose = taken_along(service, tx, call, whose, now)
    ref = whose.customer_ref or ""
    _remember(service, tx, command, whose, now)
    ended = closed(_judged(tx, whose, command, now), now)
    calls.save(tx, ended)
    charge(principal, tx, now)
    return Answer(_ended(command, ended, ref, now))


def _judged(tx: Transaction, call: Call, command: EndCall, now: Millis) -> Call:
    """What the conversation opened is open, but for what the end said something of."""
    if call.talk is None:
        return call
    talk = having_its_word(call.talk, [update.intent for update in command.intents])
    return settle(tx, replace(call, talk=talk), now)


def _look_ahead(tx: Transaction, command: EndCall, now: Millis) -> None:
    """Read what an end is going to read."""
    call = calls.find(tx, command.call_id)
    ref = command.customer_ref or (call.customer_ref if call else None)
    hints = _evidence_at_end(tx, command, call)
    if hints is not None and not (call is not None and _adds_nothing(command)):
        ref = recognition.look_ahead(tx, hints, now) or ref
    if ref is not None:
        customers.exists(tx, ref)
        _remembered(tx, command, ref, now)


def _remembered(
    tx: Transaction, command: EndCall, ref: str, now: Millis
) -> tuple[dict[str, Intent], dict[str, Variable]]:
    """What is known of the intents and variables that the end names."""
    return (
        memory.intents(tx, ref, [update.intent for update in command.intents]),
        memory.variables(tx, ref, [update.name for update in command.variables], now),
    )


def _whose(service: Service, tx: Transaction, command: EndCall, call: Call | None, now: Millis) -> Call | Invalid:
    """Whose call it is in the end: the end's word wins over the start's (semantics §7)."""
    if call is not None and _adds_nothing(command) and command.customer_ref == call.customer_ref:
        if not customers.exists(tx, call.customer_ref or ""):
            return _unknown_ref(command)
        customers.touch(tx, call.customer_ref or "", now)
        return call
    hints = _evidence_at_end(tx, command, call)
    if hints is None:
        return _unknown_ref(command)
    return decide_again(service, tx, call or Call(command.call_id, now), hints, now)


def _adds_nothing(command: EndCall) -> bool:
    """The usual end: it names the start's customer and brings no further evidence."""
    return command.hints is None and command.line_type is None


def _evidence_at_end(tx: Transaction, command: EndCall, call: Call | None) -> Hints | None:
    """What the end says of the caller, with the start's number. None: it only names a customer that does not exist."""
    given = command.hints or Hints()
    refs = [ref for ref in (command.customer_ref, given.customer_ref) if ref]
    living = next((ref for ref in refs if customers.exists(tx, ref)), None)
    says_more = given.ani is not None or given.ani_note is not None or given.external_ids
    if refs and living is None and not says_more:
        return None
    return replace(
        given,
        customer_ref=living or (refs[0] if refs else None),
        ani=given.ani or (call.ani if call else None),
        ani_note=given.ani_note or (why_no_number(call) if call else None),
        line_type=given.line_type or command.line_type,
    )


def _remember(service: Service, tx: Transaction, command: EndCall, call: Call, now: Millis) -> None:
    ref, counted = call.customer_ref or "", call.talk.counted if call.talk else ()
    known, living = _remembered(tx, command, ref, now)
    memory.save_intents(tx, ref, intents.apply(known, command.intents, attempt_of(call), now, counted))
    memory.save_variables(tx, ref, *variables.apply(living, command.variables, service.policy.variables, now))


def _ended(command: EndCall, call: Call, ref: str, now: Millis) -> Ended:
    end = lifecycle.call_end(call)
    return Ended(
        call_id=call.call_id,
        customer_ref=ref,
        call_start=call.started_at,
        call_end=now if end is None else end,
        duration_seconds=lifecycle.duration_seconds(call),
        intents_updated=len(command.intents),
        variables_updated=len(command.variables),
    )


def _unknown_ref(command: EndCall) -> Invalid:
    if command.customer_ref is not None:
        message = "customer_ref is unknown here; send the one that /v1/calls/start returned, or identity_hints as well"
        return Invalid((Issue(("customer_ref",), message),))
    message = "identity_hints.customer_ref is unknown here; send ani or external_ids as well"
    return Invalid((Issue(("identity_hints", "customer_ref"), message),))
