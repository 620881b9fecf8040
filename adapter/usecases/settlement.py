"""What a conversation leaves behind once its call is over, and whose memory that is (semantics §7, §9).

The intents that it opened count as left open, once, unless the call's API end judged them: hang-up, end and late turns
may come in any order. When the call turns out to be somebody else's, what the caller said in it goes along, and the
memory of the customer who was taken for the caller is as it was before. What is said by somebody who had a proof to
give and did not give it stays on the call until they are verified: whoever has a telephone at hand, or forges its
number, could fill its owner's memory. Leaves out: the conversation (`flow`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import zip_longest

from adapter.engine import flow, intents, lifecycle, variables
from adapter.engine.flow.hearing import estranged
from adapter.engine.lifecycle import CallState
from adapter.engine.model import Call, Intent, IntentStatus, IntentUpdate, Millis, Talk, Undo, VariableUpdate
from adapter.store import memory
from adapter.store.transaction import Transaction

from .service import Service

# The source of variables that the caller told in the conversation.
CALLER = "caller"


def attempt_of(call: Call) -> str:
    """The call_id that this call's intents are counted under: a call that was taken up again is one attempt."""
    return call.talk.attempt_of if call.talk is not None and call.talk.attempt_of else call.call_id


def settle(tx: Transaction, call: Call, at: Millis) -> Call:
    """Once the call is over: what it opened is open, but for what it has had its word on."""
    talk, ref = call.talk, call.customer_ref
    if talk is None or ref is None or talk.settled or talk.unproved or not talk.opened:
        return call
    attempt = attempt_of(call)
    known = memory.intents(tx, ref, talk.opened)
    judged = [name for name, intent in known.items() if _is_judged(intent, talk, attempt, at)]
    updates = flow.settlement(talk, judged)
    memory.save_intents(tx, ref, intents.apply(known, updates, attempt, at))
    before = tuple((update.intent, known.get(update.intent)) for update in updates)
    undo = replace(call.undo, intents=(*call.undo.intents, *before))
    return replace(call, talk=having_its_word(replace(talk, settled=True), talk.opened), undo=undo)


def having_its_word(talk: Talk, names: Collection[str]) -> Talk:
    """The talk of a call that has said something of these intents, in its end or by what was opened in it."""
    return replace(talk, counted=tuple(dict.fromkeys((*talk.counted, *names))))


def _is_judged(intent: Intent, talk: Talk, attempt: str, at: Millis) -> bool:
    """By this call already; or resolved after it, by news that overtook its hang-up."""
    if intent.last_call_id == attempt:
        return True
    return intent.updated_at > at if intent.status is IntentStatus.RESOLVED else intent.intent in talk.counted


def without_account(talk: Talk) -> Talk:
    """That an account was named, and no more which one: unproved it is nobody's, and so in nobody's export."""
    return talk if talk.presented is None else replace(talk, presented=(talk.presented[0], ""))


def closed(call: Call, at: Millis) -> Call:
    """The call after its API end: whose it is will not change any more, so nothing has to be taken back."""
    talk = None if call.talk is None else without_account(call.talk)
    return replace(call, ended_at=at, talk=talk, undo=Undo(created_customer=call.undo.created_customer))


def told(service: Service, tx: Transaction, call: Call, name: str, value: str, now: Millis) -> Call:
    """The caller told it in this call: it is kept at once, or with the call while a proof is due."""
    talk = call.talk
    if talk is None or not talk.unproved:
        return learn(service, tx, call, name, value, now)
    return replace(call, talk=replace(talk, learned=tuple({**dict(talk.learned), name: value}.items())))


def released(service: Service, tx: Transaction, call: Call, now: Millis) -> Call:
    """The call's customer is verified: what was kept back is theirs."""
    talk = call.talk
    if talk is None or not talk.unproved:
        return call
    call = replace(call, talk=replace(talk, unproved=False, learned=()))
    for name, value in talk.learned:
        call = learn(service, tx, call, name, value, now)
    end = lifecycle.call_end(call)
    return call if end is None else settle(tx, call, end)


def learn(service: Service, tx: Transaction, call: Call, name: str, value: str, now: Millis) -> Call:
    """A variable that the caller told is their customer's."""
    ref = call.customer_ref or ""
    before = memory.variables(tx, ref, [name], now)
    update = VariableUpdate(name, value, CALLER)
    written, gone = variables.apply(before, [update], service.policy.variables, now)
    memory.save_variables(tx, ref, written, gone)
    undo = replace(
        call.undo,
        variables=(*call.undo.variables, (name, before.get(name))),
        told_until=(*call.undo.told_until, *(variable.expires_at for variable in written)),
    )
    return replace(call, undo=undo)


def withdrawn(tx: Transaction, call: Call, name: str, now: Millis) -> Call:
    """The intent is resolved if it is open, whichever call opened it: the caller does not want it any more."""
    ref = call.customer_ref or ""
    known = memory.intents(tx, ref, [name])
    if name not in known or known[name].status is IntentStatus.RESOLVED:
        return call
    update = IntentUpdate(name, IntentStatus.RESOLVED)
    memory.save_intents(tx, ref, intents.apply(known, [update], attempt_of(call), now))
    # Settled already, this call has noted how it was before.
    before = dict(call.undo.intents).get(name, known[name])
    others = (each for each in call.undo.intents if each[0] != name)
    return replace(call, undo=replace(call.undo, intents=(*others, (name, before))))


def taken_along(service: Service, tx: Transaction, before: Call, after: Call, now: Millis) -> Call:
    """`after` is the same call; when it is another customer's, what was said in it is theirs."""
    if after.talk is None or before.customer_ref in (None, after.customer_ref):
        return after
    _take_intents_back(tx, before)
    learned = {**_take_variables_back(tx, before, now), **dict(after.talk.learned)}
    # What was offered to the caller came out of the other's memory.
    talk = estranged(after.talk)
    undo = replace(after.undo, intents=(), variables=(), told_until=())
    after = replace(after, talk=replace(talk, settled=False, counted=(), unproved=False, learned=()), undo=undo)
    for name, value in learned.items():
        after = learn(service, tx, after, name, value, now)
    kept_back = talk.unproved and lifecycle.state(after) is not CallState.ACTIVE
    return settle(tx, after, now) if talk.settled or kept_back else after


def _take_intents_back(tx: Transaction, call: Call) -> None:
    ref = call.customer_ref or ""
    current = memory.intents(tx, ref, [name for name, _ in call.undo.intents])
    for name, before in call.undo.intents:
        if name not in current:
            continue
        restored = intents.take_back(current[name], before, attempt_of(call))
        if restored is None:
            memory.forget_intents(tx, ref, [name])
        else:
            memory.save_intents(tx, ref, [restored])


def _take_variables_back(tx: Transaction, call: Call, now: Millis) -> dict[str, str]:
    """What the caller told, by name. What somebody else wrote over it stays."""
    learned: dict[str, str] = {}
    ref = call.customer_ref or ""
    # From the end: a call of an earlier version has noted no times for what it wrote first.
    noted = zip_longest(reversed(call.undo.variables), reversed(call.undo.told_until))
    for (name, before), until in noted:
        current = memory.variables(tx, ref, [name], now).get(name)
        if current is None or current.source != CALLER or until not in (None, current.expires_at):
            continue
        learned.setdefault(name, current.value)
        memory.save_variables(tx, ref, [] if before is None else [before], [name] if before is None else [])
    return learned
