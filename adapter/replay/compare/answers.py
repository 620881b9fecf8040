"""Two answers compared as what a caller hears and what then becomes of the call.

Verbs are aligned in their order, so that one more sentence is one difference and not a shift of everything after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import zip_longest

from adapter.replay.recording import Answer

from .data import differences_of_tables, table
from .described import added, changed, elsewhere, handed_on, removed
from .trees import Difference, Verb, tree


def differences(before: str, after: str) -> tuple[Difference, ...]:
    """What a caller would now hear differently, in the order of the call; nothing for equal trees."""
    if before == after:
        return ()
    told, tells = table(before), table(after)
    if told is not None and tells is not None:
        return tuple(differences_of_tables(told, tells))
    old, new = tree(before), tree(after)
    if old is None or new is None:
        return _unreadable(old, new, before, after)
    if old.name != new.name:
        return (Difference("document", f"is a {new.name} document instead of {old.name}", old.name, new.name),)
    return tuple(_inside(old, new))


def differences_of_answers(before: Answer | None, after: Answer | None) -> tuple[Difference, ...]:
    """Of status, content type and body. An answer that nobody knows is not compared."""
    if before is None or after is None:
        return ()
    found = []
    if before.status != after.status:
        sentence = f"is answered with status {after.status} instead of {before.status}"
        found.append(Difference("status", sentence, str(before.status), str(after.status)))
        if table(before.body) is not None:  # an answer and a refusal have nothing in common
            return tuple(found)
    if _media(before) != _media(after):
        sentence = f"is answered as {_media(after) or 'nothing'} instead of {_media(before) or 'nothing'}"
        found.append(Difference("type", sentence, _media(before), _media(after)))
    return (*found, *differences(before.body, after.body))


def _media(answer: Answer) -> str:
    return answer.content_type.partition(";")[0].strip().lower()


def _unreadable(old: Verb | None, new: Verb | None, before: str, after: str) -> tuple[Difference, ...]:
    if old is None and new is None:
        return (Difference("body", "is answered with another text, which is no TwiML", before, after),)
    if new is None:
        return (Difference("document", "is not answered with TwiML any more", "TwiML", ""),)
    return (Difference("document", "is now answered with TwiML", "", "TwiML"),)


def _inside(old: Verb, new: Verb) -> Iterator[Difference]:
    yield from handed_on(old, new)
    told, tells = _without_parameters(old), _without_parameters(new)
    matcher = SequenceMatcher(None, [_key(verb) for verb in told], [_key(verb) for verb in tells], False)
    for _, i, j, k, m in matcher.get_opcodes():
        yield from _aligned(told[i:j], tells[k:m])


def _without_parameters(verb: Verb) -> tuple[Verb, ...]:
    return tuple(each for each in verb.verbs if each.name != "Parameter")


def _aligned(old: tuple[Verb, ...], new: tuple[Verb, ...]) -> Iterator[Difference]:
    """Verbs that stand in each other's place: of one kind changed, else one gone and another come."""
    if [verb.name for verb in old] != [verb.name for verb in new]:
        names = SequenceMatcher(None, [verb.name for verb in old], [verb.name for verb in new], False)
        for kind, i, j, k, m in names.get_opcodes():
            if kind == "equal":
                yield from _aligned(old[i:j], new[k:m])
            else:
                yield from _replaced(old[i:j], new[k:m])
        return
    for one, other in zip(old, new, strict=True):
        yield from changed(one, other)
        if one.name != "Dial":  # whose nouns are its destination
            yield from _inside(one, other)


def _replaced(old: tuple[Verb, ...], new: tuple[Verb, ...]) -> Iterator[Difference]:
    for one, other in zip_longest(old, new):
        if one is not None and other is not None and (moved := elsewhere(one, other)) is not None:
            yield moved
            continue
        if one is not None:
            yield removed(one)
        if other is not None:
            yield added(other)


def _key(verb: Verb) -> tuple[object, ...]:
    """Equal for equal trees."""
    return (verb.name, tuple(sorted(verb.attributes.items())), verb.text, tuple(map(_key, verb.verbs)))
