"""What was decided: identities, explanations, calls."""

from __future__ import annotations

from dataclasses import dataclass

from .found import Intent, Variable
from .talk import Talk
from .words import Basis, Distrust, Level, LineType, Millis, Origin, Recommendation, Verdict


@dataclass(frozen=True, slots=True)
class Identity:
    """Reference, response `identity`."""

    confidence: float
    level: Level
    sources: tuple[str, ...]
    recommendation: Recommendation


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line of an explanation: what was looked at, the rule that judged it, and what it added.

    `kind`: customer_ref | external_id | ani | recency | cap | candidate | verdict. `subject` never holds a personal
    value (an external id's *key*, a line type). `counted` False: left out, and `rule` says why.
    """

    kind: str
    subject: str
    rule: str
    counted: bool
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Links:
    """What the decision wants linked to the call's customer, and which pairs were presented together with the ANI."""

    ani: bool = False
    external: tuple[tuple[str, str], ...] = ()
    sightings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Who is calling. `customer_ref` None: make a new customer. `found`: the candidate, also when ignored."""

    customer_ref: str | None
    identity: Identity
    basis: Basis
    links: Links
    evidence: tuple[Evidence, ...]
    would_raise: tuple[str, ...]
    policy_version: str
    line_type: LineType = LineType.UNKNOWN
    found: str | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """What this call changed of who-is-who and of memory, so that a verdict or a re-link can take it back.

    Tokens are the store's blind indexes (hex), never numbers; `presented`: of all external ids that were shown.
    `previous_*` None: there was nothing before. `seen_at`: when the customer was seen, None: at the call's greeting.
    `intents` and `variables`: what the conversation wrote, as it was before; `told_until`: for each of those variables,
    in the same order, when what was written expires, which tells it from what another call wrote since.
    """

    created_customer: bool = False
    linked_ani: bool = False
    linked_external: tuple[str, ...] = ()
    presented: tuple[str, ...] = ()
    previous_contact: Millis | None = None
    seen_at: Millis | None = None
    previous_ani_seen: Millis | None = None
    previous_line_type: LineType | None = None
    previous_line_type_at: Millis = 0
    intents: tuple[tuple[str, Intent | None], ...] = ()
    variables: tuple[tuple[str, Variable | None], ...] = ()
    told_until: tuple[Millis, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A call as remembered.

    `started_at` is the first word we had of it. Three messages move it, each at most once and in any order:
    `greeted_at` (start: API start or voice webhook), `ended_at` (API end), `hung_up_at` (Twilio's terminal status).
    `distrust`: why its line took the number for less, so that a second look-up in the call does, too. `talk`: the
    conversation with the caller, for calls that came through Twilio.
    """

    call_id: str
    started_at: Millis
    customer_ref: str | None = None
    origin: Origin = Origin.API
    greeted_at: Millis | None = None
    hung_up_at: Millis | None = None
    ended_at: Millis | None = None
    basis: Basis = Basis.NEW
    identity: Identity | None = None
    evidence: tuple[Evidence, ...] = ()
    would_raise: tuple[str, ...] = ()
    policy_version: str = ""
    ani: str | None = None
    dnis: str | None = None
    line_type: LineType = LineType.UNKNOWN
    verdict: Verdict | None = None
    verdict_at: Millis | None = None
    undo: Undo = Undo()
    distrust: Distrust | None = None
    talk: Talk | None = None
