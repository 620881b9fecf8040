"""The rules of the machine: what may happen, in any order, as Hypothesis likes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.builders import call_sid

from .drive import PLANS, Drive

SIDS = [call_sid(number) for number in range(1, 4)]
NUMBERS = [f"+1415555012{number}" for number in range(7)]
# The common case first and often: most calls are of few people in one realm, or nothing would ever meet.
realms = st.sampled_from(
    ["globex-prod"] * 6 + ["globex-test", "acme-prod", "acme-test", "initech-prod", "umbrella-prod", "umbrella-test"]
)
names = st.sampled_from(["globex", "globex", "globex", *PLANS])
call_ids = st.sampled_from([*SIDS, "call-1", "call-2", "call-3", "call-4", "call-5"])
anis = st.sampled_from([NUMBERS[0]] * 4 + [NUMBERS[1]] * 2 + NUMBERS[2:] + ["anonymous"])
telcos = st.sampled_from([None, None, "mobile", "mobile", "landline", "voip", "unknown"])
pairs = st.dictionaries(
    st.sampled_from(["customer_id", "customer_id", "loyalty", "session_id"]),
    st.sampled_from(["a", "a", "b", "c"]),
    min_size=1,
    max_size=2,
)
refs = st.integers(0, 12)
intents = st.sampled_from(["refund_request", "moving", "upgrade"])
ttls = st.sampled_from([None, 1, 20, 60, 3_600, 86_400, 2_592_000])
values = st.sampled_from(["Maria", "John", "Gold", None])
variables = st.dictionaries(st.sampled_from(["name", "tier", "city"]), values, max_size=2)
WAITS = [1, 1_000, 1_000, 19_999, 20_000, 59_999, 60_000, 3_600_000, 86_400_000, 86_400_000, 90_000_000]
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

    def teardown(self) -> None:
        try:
            self.drive.look_at_everything()
        finally:
            self.drive.close()
            counted(self.drive.steps)

    def _named(self, asked: dict[str, Any]) -> dict[str, Any]:
        index = asked.get("customer_ref")
        return asked if index is None else {**asked, "customer_ref": self.drive.ref(index)}

    @rule(realm=realms, call_id=call_ids, asked=hints(), telco=telcos)
    def start(self, realm: str, call_id: str, asked: dict[str, Any], telco: str | None) -> None:
        self.drive.start(realm, call_id, self._named(asked), telco)

    @rule(realm=realms, call_id=call_ids, body=learnt(), key=st.sampled_from([None, None, "key-1", "key-2"]))
    def end_as_usual(self, realm: str, call_id: str, body: dict[str, Any], key: str | None) -> None:
        """The usual end names the customer of the start."""
        call = self.drive.realms[realm].calls.get(call_id)
        ref = self.drive.names.get(call.who) if call and call.who else None
        named = {"customer_ref": ref} if ref else {"identity_hints": {"ani": NUMBERS[0]}}
        self.drive.end(realm, {"call_id": call_id, **named, **body}, key)

    @rule(
        realm=realms,
        call_id=call_ids,
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
        call_id: str,
        ref: int,
        asked: dict[str, Any],
        has: str,
        telco: str | None,
        body: dict[str, Any],
        key: str | None,
    ) -> None:
        named: dict[str, Any] = {"customer_ref": self.drive.ref(ref)} if "r" in has else {}
        named |= {"identity_hints": self._named(asked)} if "h" in has else {}
        named |= {"telco": {"line_type": telco}} if telco else {}
        self.drive.end(realm, {"call_id": call_id, **named, **body}, key)

    @precondition(lambda self: bool(self.drive.ends))
    @rule(index=st.integers(0, 5), also=st.sampled_from([{}, {}, {"intent": "other"}]))
    def end_again_with_its_key(self, index: int, also: dict[str, str]) -> None:
        realm, body, key = self.drive.ends[index % len(self.drive.ends)]
        self.drive.end(realm, {**body, **also}, key)

    @rule(realm=realms, call_id=call_ids, verdict=st.sampled_from(["confirmed", "rejected"]))
    def verdict(self, realm: str, call_id: str, verdict: str) -> None:
        self.drive.verdict(realm, call_id, verdict)

    @rule(name=names, call_id=st.sampled_from(SIDS), caller=anis)
    def voice(self, name: str, call_id: str, caller: str) -> None:
        self.drive.voice(name, call_id, caller)

    @rule(name=names, call_id=st.sampled_from(SIDS), caller=anis, seconds=st.sampled_from([0, 35, 600]))
    def status(self, name: str, call_id: str, caller: str, seconds: int) -> None:
        self.drive.status(name, call_id, caller, seconds)

    @rule(ms=st.sampled_from(WAITS))
    def wait(self, ms: int) -> None:
        self.drive.clock.advance(ms=ms)

    @rule(ms=st.sampled_from([-3_600_000, -1, 1, 3_600_000]))
    def somebody_sets_the_clock(self, ms: int) -> None:
        self.drive.clock.set_wall(self.drive.clock.wall + ms)

    @rule(realm=realms, call_id=call_ids)
    def show_call(self, realm: str, call_id: str) -> None:
        self.drive.show_call(realm, call_id)

    @rule(realm=realms, ref=refs)
    def show_customer(self, realm: str, ref: int) -> None:
        self.drive.show_customer(realm, self.drive.ref(ref))

    @rule(realm=realms, ref=refs)
    def forget(self, realm: str, ref: int) -> None:
        self.drive.forget(realm, self.drive.ref(ref))

    @rule(realm=realms, which=st.sampled_from(["start", "end"]), body=st.sampled_from([{}, [], "x", {"call_id": 1}]))
    def bad_body(self, realm: str, which: str, body: Any) -> None:
        self.drive.bad_body(realm, f"/v1/calls/{which}", body)

    @rule(which=st.sampled_from(["start", "end"]))
    def wrong_key(self, which: str) -> None:
        self.drive.wrong_key(f"/v1/calls/{which}")

    @rule()
    def sweep(self) -> None:
        self.drive.sweep()


STEPS = [0]


def counted(steps: int) -> None:
    """What the long run's figures are made of."""
    STEPS[0] += steps
