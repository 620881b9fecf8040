"""Who is calling: precedence, linking, shared phones, ignored candidates (semantics §5)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.evidence import Standing
from adapter.engine.identity import resolve
from adapter.engine.model import (
    AniLink,
    Basis,
    CustomerFacts,
    Decision,
    Distrust,
    ExternalLink,
    Facts,
    Hints,
    LineType,
    Recommendation,
    Sightings,
)
from adapter.engine.policy import DAY, IdentityPolicy, Policy

NOW = 1_770_460_200_000
LONG_AGO = NOW - 30 * DAY
ANI = "+14155550123"
CRM = ("customer_id", "12345")
MARIA, JOHN = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
POLICY = Policy()


def customer(ref: str, *keys: str, last_contact: int = LONG_AGO) -> CustomerFacts:
    return CustomerFacts(ref, last_contact, frozenset(keys))


def line(ref: str, kind: LineType | None = LineType.MOBILE, seen: int = LONG_AGO, doubts: int = 0) -> AniLink:
    return AniLink(ref, seen, kind, LONG_AGO if kind else 0, doubts)


def facts(*people: CustomerFacts, ani: tuple[AniLink, ...] = (), **rest: object) -> Facts:
    return Facts({p.customer_ref: p for p in people}, ani, **rest)  # type: ignore[arg-type]


def decide(hints: Hints, known: Facts, standing: Standing | None = None) -> Decision:
    return resolve("call-1", hints, known, POLICY, NOW, standing)


def rules(decision: Decision) -> list[str]:
    return [line.rule for line in decision.evidence]


def test_an_unknown_caller_is_a_new_customer_linked_to_number_and_ids() -> None:
    decision = decide(Hints(ani=ANI, external_ids=(CRM,)), facts())
    assert (decision.customer_ref, decision.identity.confidence, decision.identity.sources) == (None, 0, ())
    assert decision.identity.recommendation is Recommendation.IGNORE
    assert decision.links.ani
    assert decision.links.external == (CRM,)
    assert decision.links.sightings == (CRM,)
    assert rules(decision) == ["external_id.new", "ani.new"]


@pytest.mark.parametrize(
    ("note", "rule"),
    [(None, "ani.missing"), ("withheld", "ani.withheld"), ("caller_id_failed", "ani.caller_id_failed")],
)
def test_a_caller_without_a_number_is_linked_to_none(note: str | None, rule: str) -> None:
    decision = decide(Hints(ani_note=note), facts())
    assert not decision.links.ani
    assert rules(decision) == [rule]


def test_a_known_mobile_is_reused() -> None:
    decision = decide(Hints(ani=ANI), facts(customer(MARIA), ani=(line(MARIA),)))
    assert (decision.customer_ref, decision.basis, decision.identity.confidence) == (MARIA, Basis.ANI, 0.5)
    assert decision.links.ani
    assert decision.would_raise == ("external_id", "customer_ref", "verdict")


def test_the_request_s_line_type_wins_over_what_was_known() -> None:
    decision = decide(Hints(ani=ANI, line_type=LineType.LANDLINE), facts(customer(MARIA), ani=(line(MARIA),)))
    assert decision.identity.sources == ("ani:landline",)


def test_unknown_is_a_word_of_the_request_too() -> None:
    decision = decide(Hints(ani=ANI, line_type=LineType.UNKNOWN), facts(customer(MARIA), ani=(line(MARIA),)))
    assert decision.identity.sources == ("ani:unknown",)


def test_the_newest_known_line_type_counts() -> None:
    known = (
        replace(line(MARIA, LineType.MOBILE), line_type_at=1),
        replace(line(JOHN, LineType.VOIP), line_type_at=2),
    )
    decision = decide(Hints(ani=ANI), facts(customer(MARIA), customer(JOHN), ani=known))
    assert decision.line_type is LineType.VOIP


def test_customer_ref_comes_before_external_id_before_number() -> None:
    known = facts(customer(MARIA), customer(JOHN), ani=(line(JOHN),), external={CRM: ExternalLink(JOHN, LONG_AGO)})
    decision = decide(Hints(ani=ANI, external_ids=(CRM,), customer_ref=MARIA), known)
    assert (decision.customer_ref, decision.basis) == (MARIA, Basis.CUSTOMER_REF)
    assert decision.identity.sources == ("customer_ref",)
    assert {"external_id.disagrees", "ani.disagrees"} <= set(rules(decision))
    assert not decision.links.ani
    by_id = decide(Hints(ani=ANI, external_ids=(CRM,)), known)
    assert (by_id.customer_ref, by_id.basis, by_id.identity.confidence) == (JOHN, Basis.EXTERNAL_ID, 0.9)


def test_an_unknown_customer_ref_contributes_nothing() -> None:
    decision = decide(Hints(ani=ANI, customer_ref=JOHN), facts(customer(MARIA), ani=(line(MARIA),)))
    assert (decision.customer_ref, decision.identity.sources) == (MARIA, ("ani:mobile",))
    assert "customer_ref.unknown" in rules(decision)


def test_a_ref_with_its_own_number_reaches_certainty() -> None:
    decision = decide(Hints(ani=ANI, customer_ref=MARIA), facts(customer(MARIA), ani=(line(MARIA),)))
    assert (decision.identity.confidence, decision.would_raise) == (1.0, ())


@pytest.mark.parametrize("key", POLICY.identity.never_identifying_keys)
def test_keys_that_name_a_call_never_identify(key: str) -> None:
    pair = (key.title(), "CA1")
    known = facts(customer(MARIA), external={pair: ExternalLink(MARIA, LONG_AGO)})
    decision = decide(Hints(external_ids=(pair,)), known)
    assert (decision.customer_ref, decision.links.external, decision.links.sightings) == (None, (), ())
    assert "external_id.never_identifies" in rules(decision)


@pytest.mark.parametrize(
    ("others", "shared"), [pytest.param(4, False, id="fifth number"), pytest.param(5, True, id="sixth")]
)
def test_a_value_seen_from_more_than_five_numbers_stops_identifying(others: int, shared: bool) -> None:
    known = facts(customer(MARIA), external={CRM: ExternalLink(MARIA, LONG_AGO)}, sightings={CRM: Sightings(others)})
    decision = decide(Hints(ani=ANI, external_ids=(CRM,)), known)
    assert (decision.customer_ref is None) is shared
    assert ("external_id.shared" in rules(decision)) is shared


def test_a_shared_number_divides_its_weight_and_takes_the_most_recently_seen() -> None:
    known = facts(
        customer(MARIA), customer(JOHN), ani=(line(MARIA, seen=NOW - 9 * DAY), line(JOHN, seen=NOW - 8 * DAY))
    )
    decision = decide(Hints(ani=ANI), known)
    assert decision.found == JOHN
    assert decision.identity.confidence == 0.25


def test_an_ignored_candidate_is_shown_in_the_score_and_nowhere_else() -> None:
    known = facts(customer(MARIA), ani=(line(MARIA, LineType.VOIP),))
    decision = decide(Hints(ani=ANI, external_ids=(CRM,)), known)
    assert (decision.customer_ref, decision.found) == (None, MARIA)
    assert (decision.identity.confidence, decision.identity.sources) == (0.2, ("ani:voip",))
    assert not decision.links.ani
    assert decision.links.external == (CRM,)
    assert "candidate.ignored" in rules(decision)


@pytest.mark.parametrize(
    ("kind", "sharers", "keys", "same_person"),
    [
        pytest.param(LineType.MOBILE, 1, (), True, id="mobile"),
        pytest.param(LineType.MOBILE, 2, (), True, id="mobile of two"),
        pytest.param(None, 1, (), True, id="unknown line, one customer"),
        pytest.param(None, 2, (), False, id="unknown line, two customers"),
        pytest.param(LineType.LANDLINE, 1, (), False, id="landline"),
        pytest.param(LineType.VOIP, 1, (), False, id="voip"),
        pytest.param(LineType.MOBILE, 1, ("customer_id",), False, id="another value under the same key"),
        pytest.param(LineType.MOBILE, 1, ("email",), True, id="a value under another key"),
    ],
)
def test_a_new_external_id_joins_the_number_s_customer_only_on_a_personal_line(
    kind: LineType | None, sharers: int, keys: tuple[str, ...], same_person: bool
) -> None:
    people = (customer(MARIA, *keys, last_contact=NOW), customer(JOHN))
    links = (line(MARIA, kind, seen=NOW), line(JOHN, kind))[:sharers]
    # Heavy weights: the case is about linking, not about a candidate too weak to be believed.
    heavy = Policy(IdentityPolicy(ani_unknown=0.9, ani_voip=0.9))
    decision = resolve("call-1", Hints(ani=ANI, external_ids=(CRM,)), facts(*people, ani=links), heavy, NOW)
    assert (decision.customer_ref == MARIA) is same_person
    assert decision.links.ani
    assert decision.links.external == (CRM,)
    assert ("ani.other_person" in rules(decision)) is not same_person


def test_another_person_on_a_shared_phone_is_answered_as_new() -> None:
    known = facts(customer(MARIA), ani=(line(MARIA, LineType.LANDLINE),))
    decision = decide(Hints(ani=ANI, external_ids=(CRM,)), known)
    assert (decision.identity.confidence, decision.identity.sources, decision.found) == (0, (), MARIA)


@pytest.mark.parametrize(
    ("first_call", "linked"),
    [
        pytest.param(None, False, id="first time: a mistyped id or a borrowed phone"),
        pytest.param("call-1", False, id="the same call again"),
        pytest.param("call-0", True, id="second call"),
    ],
)
def test_an_owned_number_gets_a_second_owner_at_the_second_sighting(first_call: str | None, linked: bool) -> None:
    known = facts(
        customer(MARIA),
        customer(JOHN),
        ani=(line(MARIA),),
        external={CRM: ExternalLink(JOHN, LONG_AGO)},
        sightings={CRM: Sightings(0, first_call)},
    )
    decision = decide(Hints(ani=ANI, external_ids=(CRM,)), known)
    assert (decision.customer_ref, decision.links.ani) == (JOHN, linked)


def test_a_customer_ref_on_somebody_else_s_number_is_linked_at_the_second_sighting() -> None:
    known = facts(
        customer(MARIA),
        customer(JOHN),
        ani=(line(MARIA),),
        sightings={("customer_ref", JOHN): Sightings(0, "call-0")},
    )
    decision = decide(Hints(ani=ANI, customer_ref=JOHN), known)
    assert decision.links.ani
    assert decision.links.sightings == (("customer_ref", JOHN),)


def test_an_unknown_number_is_linked_to_whoever_the_evidence_found() -> None:
    known = facts(customer(JOHN), external={CRM: ExternalLink(JOHN, LONG_AGO)})
    assert decide(Hints(ani=ANI, external_ids=(CRM,)), known).links.ani


def test_a_second_value_under_a_key_is_not_linked_and_says_so() -> None:
    decision = decide(Hints(external_ids=(CRM,), customer_ref=MARIA), facts(customer(MARIA, "customer_id")))
    assert decision.links.external == ()
    assert "external_id.other_value" in rules(decision)


def test_a_doubted_link_gets_the_caller_asked() -> None:
    decision = decide(Hints(ani=ANI), facts(customer(MARIA), ani=(line(MARIA, doubts=1),)))
    assert decision.identity.recommendation is Recommendation.CONFIRM


class TestAtTheEndOfACall:
    def test_the_call_s_customer_stands(self) -> None:
        known = facts(customer(MARIA), ani=(line(MARIA, LineType.VOIP),))
        decision = decide(Hints(ani=ANI), known, Standing(MARIA, Basis.ANI))
        assert (decision.customer_ref, decision.basis) == (MARIA, Basis.ANI)

    def test_an_erased_customer_does_not(self) -> None:
        assert decide(Hints(), facts(), Standing(MARIA, Basis.VERIFIED)).customer_ref is None

    def test_an_external_id_overrules_a_guess_by_number(self) -> None:
        known = facts(customer(MARIA), customer(JOHN), external={CRM: ExternalLink(JOHN, LONG_AGO)})
        assert decide(Hints(external_ids=(CRM,)), known, Standing(MARIA, Basis.ANI)).customer_ref == JOHN

    @pytest.mark.parametrize("basis", [Basis.VERIFIED, Basis.CUSTOMER_REF])
    def test_but_not_a_verified_or_named_customer(self, basis: Basis) -> None:
        known = facts(customer(MARIA), customer(JOHN), external={CRM: ExternalLink(JOHN, LONG_AGO)})
        decision = decide(Hints(external_ids=(CRM,)), known, Standing(MARIA, basis))
        assert (decision.customer_ref, decision.basis) == (MARIA, basis)

    def test_a_verified_caller_s_number_is_linked_at_once(self) -> None:
        known = facts(customer(MARIA), customer(JOHN), ani=(line(JOHN),))
        assert decide(Hints(ani=ANI), known, Standing(MARIA, Basis.VERIFIED)).links.ani

    def test_a_customer_made_by_this_call_takes_the_call_s_new_ids(self) -> None:
        known = facts(customer(MARIA), ani=(line(MARIA, LineType.LANDLINE),))
        decision = decide(Hints(ani=ANI, external_ids=(CRM,)), known, Standing(MARIA, Basis.NEW, created_here=True))
        assert (decision.customer_ref, decision.links.external) == (MARIA, (CRM,))

    def test_a_new_id_on_a_landline_makes_the_call_another_person_s(self) -> None:
        known = facts(customer(MARIA), ani=(line(MARIA, LineType.LANDLINE),))
        assert decide(Hints(ani=ANI, external_ids=(CRM,)), known, Standing(MARIA, Basis.ANI)).customer_ref is None


REFS = (MARIA, JOHN)
PAIRS = (CRM, ("email", "a"), ("call_id", "x"))


@given(
    hints=st.builds(
        Hints,
        ani=st.none() | st.just(ANI),
        external_ids=st.lists(st.sampled_from(PAIRS), unique=True).map(tuple),
        customer_ref=st.none() | st.sampled_from((*REFS, "unknown")),
        line_type=st.none() | st.sampled_from(LineType),
        distrust=st.sampled_from((None, *Distrust)),
    ),
    ani=st.lists(st.sampled_from(REFS), unique=True),
    doubts=st.integers(0, 2),
    external=st.dictionaries(
        st.sampled_from(PAIRS), st.builds(ExternalLink, st.sampled_from(REFS), st.just(LONG_AGO), st.integers(0, 1))
    ),
    sightings=st.dictionaries(
        st.sampled_from(PAIRS),
        st.builds(Sightings, st.integers(0, 8), st.none() | st.sampled_from(["call-0", "call-1"])),
    ),
    standing=st.none() | st.builds(Standing, st.sampled_from(REFS), st.sampled_from(Basis), st.booleans()),
)
def test_any_evidence_gives_one_decision_and_the_same_one_again(
    hints: Hints,
    ani: list[str],
    doubts: int,
    external: dict[tuple[str, str], ExternalLink],
    sightings: dict[tuple[str, str], Sightings],
    standing: Standing | None,
) -> None:
    known = facts(
        customer(MARIA, "email", last_contact=NOW - DAY),
        customer(JOHN),
        ani=tuple(line(ref, LineType.MOBILE, doubts=doubts) for ref in ani) if hints.ani else (),
        external={pair: link for pair, link in external.items() if pair in hints.external_ids},
        sightings=sightings,
    )
    decision = decide(hints, known, standing)
    assert decision == decide(hints, known, standing)
    assert set(decision.links.external) <= set(hints.external_ids)
    assert not decision.links.ani or hints.ani
    assert decision.customer_ref is None or decision.customer_ref in known.customers
    if standing is None and decision.identity.recommendation is Recommendation.IGNORE:
        assert decision.customer_ref is None
