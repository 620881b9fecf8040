"""How far a caller is trusted at this point of a call, where the recommendation alone does not tell.

Leaves out: who the caller is (`known`), when they are asked to prove it (`places`), and the classes (`disclosure`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapter.engine.disclosure import disclosed, entitled, own_language, secrets
from adapter.engine.line import Disclosure, Line
from adapter.engine.model import Place, Recommendation, Talk

from .known import Known, trusted
from .places import is_identify_due, is_proving_due, is_who_due

_PROVING: Final = frozenset({Place.WHO, Place.CONFIRM})


def probable_at_most(line: Line, talk: Talk, known: Known) -> Known:
    """The caller as they may be treated: of several people on a number, whoever does not show who they are is not
    known, whatever the recommendation. Silence at the question would be told personal things otherwise."""
    if line.confirm is None or known.verified or known.recommendation is not Recommendation.REUSE:
        return known
    # Who is locked out is not asked any more, and has still not shown it.
    shared = known.people > 1 and (talk.locked or known.locked or is_who_due(line, talk, known))
    if not shared and Place.WHO not in talk.visited:
        return known
    classes = entitled(Recommendation.CONFIRM, False)
    memory = disclosed(known.memory, line.disclosure, classes, secrets(line), own_language(line))
    return replace(known, recommendation=Recommendation.CONFIRM, memory=memory)


def is_unproved(line: Line, talk: Talk, known: Known) -> bool:
    """Whether something is left to prove, or cannot be proved any more: such a caller is not told that their number
    called before, for it may be a forged one."""
    if known.verified:
        return False
    if known.recommendation is Recommendation.IGNORE or is_identify_due(line, talk, known):
        return True
    return is_proving_due(line, talk, known) or _is_locked_out(line, talk, known)


def may_go_on_with(line: Line, talk: Talk, known: Known) -> frozenset[Disclosure]:
    """The classes of intents of an earlier call that this call may go on with. A probable caller who has nothing to
    prove it with could never go on otherwise."""
    asked = known.provable or talk.place in _PROVING or not _PROVING.isdisjoint(talk.visited)
    probable = known.recommendation is Recommendation.CONFIRM
    if probable and not asked and not _is_locked_out(line, talk, known):
        return entitled(Recommendation.REUSE, known.verified)
    return entitled(trusted(line, known.recommendation, known.verified), known.verified)


def _is_locked_out(line: Line, talk: Talk, known: Known) -> bool:
    locked = line.confirm is not None and (talk.locked or known.locked)
    return locked and trusted(line, known.recommendation, known.verified) is not Recommendation.REUSE
