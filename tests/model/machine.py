"""The rules of the machine: what may happen, in any order, as Hypothesis likes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.builders import call_sid

from .drive import REALMS, Drive

NUMBERS = [f"+1415555012{number}" for number in range(7)]
# Most of one example happens in one realm to few people, or nothing would ever meet.
HOME = "home"
realms = st.sampled_from([HOME] * 9 + REALMS)
# 0: a call of its own; n: the call before, the one before that, ...
calls = st.sampled_from([0, 0, 1, 1, 1, 2, 2, 3, 4, 5])
earlier = st.sampled_from([0, 1, 1, 1, 2, 2, 3, 4])
anis = st.sampled_from([NUMBERS[0]] * 4 + [NUMBERS[1]] * 2 + NUMBERS[2:] + ["anonymous"])
telcos = st.sampled_from([None, None, "mobile", "mobile", "landline", "voip", "unknown"])
pairs = st.dictionaries(
    st.sampled_from(["customer_id", "customer_id", "loyalty", "session_id"]),
    st.sampled_from(["a", "a", "b", "c"]),
    min_size=1,
    max_size=2,
)
refs = st.sampled_from([0, 1, 1, 2, 2, 3, 4, 5, 6, 7])
intents = st.sampled_from(["refund_request", "moving", "upgrade"])
ttls = st.sampled_from([None, 1, 20, 60, 3_600, 86_400, 2_592_000])
values = st.sampled_from(["Maria", "John", "Gold", None])
variables = st.dictionaries(st.sampled_from(["name", "tier", "city"]), values, max_size=2)
WAITS = [1, 1_000, 1_000, 19_999, 20_000, 59_999, 60_000, 3_600_000, 86_400_000, 86_400_001, 90_000_000]
WAITS += [2 * 86_400_000, 7 * 86_400_000, 8 * 86_400_000, 30 * 86_400_000]


@st.composite
def hints(draw: st.DrawFn) -> dict[str, Any]:
    kinds = draw(st.sampled_from(["a", "a", "a", "ae", "ae", "e", "r", "ar", "aer"]))
    asked: dict[str, Any] = {}
    if "a" in kinds:
        asked["ani"] = draw(anis)
    if "e" in kinds:
        asked["external_ids"] = draw(pairs)
    if "r" in kinds:
        asked["customer_ref"] = draw(refs)
    return asked


@st.composite
def learnt(draw: st.DrawFn) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if draw(st.booleans()):
        body["intent"] = draw(intents)
        if draw(st.booleans()):
            body["intent_status"] = draw(st.sampled_from(["open", "resolved"]))
    else:
        updates = draw(st.lists(intents, max_size=2, unique=True))
        body["intent_updates"] = [
            {"intent": name, "status": draw(st.sampled_from(["open", "resolved"]))} for name in updates
        ]
    simple = draw(variables)
    if simple:
        body["variables"] = simple
    advanced = {name: value for name, value in draw(variables).items() if name not in simple}
    if advanced:
        body["variable_updates"] = {
            name: {"value": value, "source": "crm", **({"ttl_seconds": ttl} if (ttl := draw(ttls)) else {})}
            for name, value in advanced.items()
        }
    return body


class Machine(RuleBasedStateMachine):
    """The product and the naive service, asked alike."""

    def __init__(self) -> None:
        super().__init__()
        self.drive = Drive()
        self.home = REALMS[0]
        self.made = 0
        self.presented: dict[str, list[dict[str, Any]]] = {}

    def teardown(self) -> None:
        try:
            self.drive.look_at_everything()
        finally:
            self.drive.close()
            counted(self.drive.steps)

    @initialize(
        home=st.sampled_from(["globex-prod"] * 3 + ["acme-prod", "initech-prod", "umbrella-prod", "umbrella-test"])
    )
    def settle(self, home: str) -> None:
        self.home = home

    def _realm(self, name: str) -> str:
        return self.home if name == HOME else name

    def _call(self, realm: str, back: int, twilio: bool = False) -> str:
        known = [name for name in self.drive.realms[realm].calls if name.startswith("CA") or not twilio]
        if back and known:
            return known[-min(back, len(known))]
        self.made += 1
        return call_sid(self.made)

    def _named(self, realm: str, asked: dict[str, Any]) -> dict[str, Any]:
        index = asked.get("customer_ref")
        return asked if index is None else {**asked, "customer_ref": self.drive.ref(realm, index)}

    @rule(realm=realms, asked=hints(), telco=telcos, body=learnt(), key=st.sampled_from([None, None, "key-1"]))
    def whole_call(
        self, realm: str, asked: dict[str, Any], telco: str | None, body: dict[str, Any], key: str | None
    ) -> None:
        realm = self._realm(realm)
        call_id, named = self._call(realm, 0), self._named(realm, asked)
        self.presented.setdefault(realm, []).append(named)
        self.drive.start(realm, call_id, named, telco)
        self._end(realm, call_id, body, key)

    @rule(realm=realms, back=calls, asked=hints(), telco=telcos)
    def start(self, realm: str, back: int, asked: dict[str, Any], telco: str | None) -> None:
        realm = self._realm(realm)
        named = self._named(realm, asked)
        self.presented.setdefault(realm, []).append(named)
        self.drive.start(realm, self._call(realm, back), named, telco)

    @rule(back=earlier, telco=telcos, ani=st.sampled_from([None, None, None, *NUMBERS]), ends=st.booleans())
    def the_same_again(self, back: int, telco: str | None, ani: str | None, ends: bool) -> None:
        """Who presented this calls again, perhaps from another number."""
        before = self.presented.get(self.home)
        if before:
            named = before[-1 - back % len(before)] | ({"ani": ani} if ani else {})
            call_id = self._call(self.home, 0)
            self.drive.start(self.home, call_id, named, telco)
            if ends:
                self._end(self.home, call_id, {}, None)

    @rule(pair=pairs, first=st.integers(0, 2), count=st.integers(3, 7), telco=telcos)
    def an_id_is_passed_around(self, pair: dict[str, str], first: int, count: int, telco: str | None) -> None:
        for number in NUMBERS[first : first + count]:
            self.drive.start(self.home, self._call(self.home, 0), {"ani": number, "external_ids": pair}, telco)

    @rule(back=earlier, verdicts=st.lists(st.sampled_from(["confirmed", "rejected"]), min_size=1, max_size=2))
    def they_turn_out(self, back: int, verdicts: list[str]) -> None:
        """A known caller, an agent who finds out who it is, and the same caller again."""
        before = self.presented.get(self.home)
        for verdict in verdicts if before else ():
            call_id = self._call(self.home, 0)
            self.drive.start(self.home, call_id, before[-1 - back % len(before)], "mobile")
            self.drive.verdict(self.home, call_id, verdict)

    @rule(realm=realms, back=earlier, body=learnt(), key=st.sampled_from([None, None, "key-1", "key-2"]))
    def end_as_usual(self, realm: str, back: int, body: dict[str, Any], key: str | None) -> None:
        realm = self._realm(realm)
        self._end(realm, self._call(realm, back), body, key)

    def _end(self, realm: str, call_id: str, body: dict[str, Any], key: str | None) -> None:
        """The usual end names the customer of the start."""
        call = self.drive.realms[realm].calls.get(call_id)
        ref = self.drive.names.get(call.who) if call and call.who else None
        named = {"customer_ref": ref} if ref else {"identity_hints": {"ani": NUMBERS[0]}}
        self.drive.end(realm, {"call_id": call_id, **named, **body}, key)

    @rule(
        realm=realms,
        back=earlier,
        ref=refs,
        asked=hints(),
        has=st.sampled_from(["r", "h", "h", "rh"]),
        telco=telcos,
        body=learnt(),
        key=st.sampled_from([None, None, None, "key-1"]),
    )
    def end_with_evidence(
        self,
        realm: str,
        back: int,
        ref: int,
        asked: dict[str, Any],
        has: str,
        telco: str | None,
        body: dict[str, Any],
        key: str | None,
    ) -> None:
        realm = self._realm(realm)
        named: dict[str, Any] = {"customer_ref": self.drive.ref(realm, ref)} if "r" in has else {}
        named |= {"identity_hints": self._named(realm, asked)} if "h" in has else {}
        named |= {"telco": {"line_type": telco}} if telco else {}
        self.drive.end(realm, {"call_id": self._call(realm, back), **named, **body}, key)

    @precondition(lambda self: bool(self.drive.ends))
    @rule(index=st.integers(0, 5), also=st.sampled_from([{}, {}, {"intent": "other"}]))
    def end_again_with_its_key(self, index: int, also: dict[str, str]) -> None:
        realm, body, key = self.drive.ends[index % len(self.drive.ends)]
        self.drive.end(realm, {**body, **also}, key)

    @rule(realm=realms, back=earlier, verdict=st.sampled_from(["confirmed", "rejected"]))
    def verdict(self, realm: str, back: int, verdict: str) -> None:
        realm = self._realm(realm)
        lasting = [call.call_id for call in self.drive.realms[realm].calls.values() if call.ended is None]
        call_id = lasting[-min(back, len(lasting))] if back and lasting else self._call(realm, back)
        self.drive.verdict(realm, call_id, verdict)

    @rule(realm=realms, back=calls, caller=anis)
    def voice(self, realm: str, back: int, caller: str) -> None:
        name = self._realm(realm).partition("-")[0]
        self.drive.voice(name, self._call(f"{name}-prod", back, twilio=True), caller)

    @rule(realm=realms, back=earlier, caller=anis, seconds=st.sampled_from([0, 35, 600]))
    def status(self, realm: str, back: int, caller: str, seconds: int) -> None:
        name = self._realm(realm).partition("-")[0]
        self.drive.status(name, self._call(f"{name}-prod", back, twilio=True), caller, seconds)

    @rule(ms=st.sampled_from(WAITS))
    def wait(self, ms: int) -> None:
        self.drive.clock.advance(ms=ms)

    @rule(realm=realms, back=earlier, ref=refs, customer=st.booleans())
    def look(self, realm: str, back: int, ref: int, customer: bool) -> None:
        realm = self._realm(realm)
        if customer:
            self.drive.show_customer(realm, self.drive.ref(realm, ref))
        else:
            self.drive.show_call(realm, self._call(realm, back))

    @rule(realm=realms, ref=refs, what=st.sampled_from(["forget", "forget", "sweep", "clock", "clock", "body", "key"]))
    def something_rare(self, realm: str, ref: int, what: str) -> None:
        realm = self._realm(realm)
        if what == "forget":
            self.drive.forget(realm, self.drive.ref(realm, ref))
        elif what == "sweep":
            self.drive.sweep()
        elif what == "clock":
            self.drive.clock.set_wall(self.drive.clock.wall + (-3_600_000, -1, 1, 3_600_000)[ref % 4])
        elif what == "body":
            bad = ({}, [], "x", {"call_id": 1})[ref % 4]
            self.drive.bad_body(realm, "/v1/calls/start" if ref % 2 else "/v1/calls/end", bad)
        else:
            self.drive.wrong_key("/v1/calls/start")


STEPS = [0]


def counted(steps: int) -> None:
    """What the long run's figures are made of."""
    STEPS[0] += steps
