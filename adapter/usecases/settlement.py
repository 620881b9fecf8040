"""What a conversation leaves behind once its call is over, and whose memory that is (semantics §7, §9).

The intents that it opened count as left open, once, unless the call's API end judged them: hang-up, end and late turns
may come in any order. When the call turns out to be somebody else's, what the caller said in it goes along, and the
memory of the customer who was taken for the caller is as it was: intents, and the language if it was not known before.
(A language that the caller changed stays changed: what it was is not kept.) Leaves out: the conversation (`flow`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from adapter.engine import flow, intents
from adapter.engine.flow.hearing import estranged
from adapter.engine.model import Call, Intent, IntentStatus, Millis, Variable
from adapter.store import memory
from adapter.store.database import Transaction

# The source of variables that the caller told in the conversation.
CALLER = "caller"


def attempt_of(call: Call) -> str:
    """The call_id that this call's intents are counted under: a call that was taken up again is one attempt."""
    return call.talk.attempt_of if call.talk is not None and call.talk.attempt_of else call.call_id


def settle(tx: Transaction, call: Call, at: Millis, judged: Collection[str] = ()) -> Call:
    """Once the call is over: what it opened is open. `judged`: intents that its API end says something of."""
    talk, ref = call.talk, call.customer_ref
    if talk is None or ref is None or talk.settled or not talk.opened:
        return call
    attempt = attempt_of(call)
    known = memory.intents(tx, ref, talk.opened)
    counted = [name for name, intent in known.items() if _has_its_word(intent, attempt, at)]
    updates = flow.settlement(talk, {*judged, *counted})
    memory.save_intents(tx, ref, intents.apply(known, updates, attempt, at))
    before = tuple((update.intent, known.get(update.intent)) for update in updates)
    undo = replace(call.undo, intents=(*call.undo.intents, *before))
    return replace(call, talk=replace(talk, settled=True), undo=undo)


def _has_its_word(intent: Intent, attempt: str, at: Millis) -> bool:
    """Judged or counted for this call already; or resolved after it, by news that overtook its hang-up."""
    return intent.last_call_id == attempt or (intent.status is IntentStatus.RESOLVED and intent.updated_at > at)


def taken_along(tx: Transaction, before: Call, after: Call, now: Millis) -> Call:
    """`after` is the same call; when it is another customer's, what was said in it is theirs."""
    if after.talk is None or before.customer_ref in (None, after.customer_ref):
        return after
    _take_language_along(tx, before, after, now)
    _take_intents_back(tx, before)
    # What was offered to the caller came out of the other's memory.
    talk = estranged(after.talk)
    after = replace(after, talk=replace(talk, settled=False), undo=replace(after.undo, intents=()))
    return settle(tx, after, now) if talk.settled else after


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


def _take_language_along(tx: Transaction, before: Call, after: Call, now: Millis) -> None:
    was, is_now, talk = before.customer_ref, after.customer_ref, before.talk
    if was is None or is_now is None or talk is None or not talk.language:
        return
    for variable in memory.memory(tx, was, now).variables:
        if _was_told(variable, before):
            memory.save_variables(tx, was, [], [variable.name])
            memory.save_variables(tx, is_now, [variable], [])


def _was_told(variable: Variable, call: Call) -> bool:
    """Told in this call, and not known before."""
    since = call.greeted_at if call.greeted_at is not None else call.started_at
    chosen = call.talk.language if call.talk else ""
    return (variable.source, variable.value) == (CALLER, chosen) and variable.created_at >= since
