"""The vocabulary everybody shares: what is asked, what was found, what was decided, what is answered.

Frozen values only. Times are `Millis` (epoch milliseconds, UTC), durations say their unit in the name.
Leaves out: every rule (the modules beside this package).
"""

from .answered import (
    Answer,
    Conflict,
    Denial,
    Ended,
    Invalid,
    Issue,
    Missing,
    QuotaExhausted,
    Rate,
    RateExceeded,
    Started,
)
from .asked import (
    EndCall,
    HangUp,
    Hints,
    IdempotencyKey,
    IntentUpdate,
    Plan,
    Principal,
    Realm,
    StartCall,
    Tier,
    VariableUpdate,
)
from .decided import Call, Decision, Evidence, Identity, Links, Undo
from .found import AniLink, CustomerFacts, ExternalLink, Facts, Intent, Memory, Sightings, Variable
from .words import Basis, IntentStatus, Level, LineType, Millis, Mode, Origin, Recommendation, Verdict

__all__ = [
    "AniLink",
    "Answer",
    "Basis",
    "Call",
    "Conflict",
    "CustomerFacts",
    "Decision",
    "Denial",
    "EndCall",
    "Ended",
    "Evidence",
    "ExternalLink",
    "Facts",
    "HangUp",
    "Hints",
    "IdempotencyKey",
    "Identity",
    "Intent",
    "IntentStatus",
    "IntentUpdate",
    "Invalid",
    "Issue",
    "Level",
    "LineType",
    "Links",
    "Memory",
    "Millis",
    "Missing",
    "Mode",
    "Origin",
    "Plan",
    "Principal",
    "QuotaExhausted",
    "Rate",
    "RateExceeded",
    "Realm",
    "Recommendation",
    "Sightings",
    "StartCall",
    "Started",
    "Tier",
    "Undo",
    "Variable",
    "VariableUpdate",
    "Verdict",
]
