"""Confidence, level, sources and recommendation: the table of semantics §5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.confidence import Agreement, level, recency_days, recommend, score, verified
from adapter.engine.model import Distrust, Level, LineType, Recommendation
from adapter.engine.policy import DAY, IdentityPolicy

NOW = 1_770_460_200_000
POLICY = IdentityPolicy()
M, L, V, U = LineType.MOBILE, LineType.LANDLINE, LineType.VOIP, LineType.UNKNOWN


@pytest.mark.parametrize(
    ("agreement", "confidence", "sources"),
    [
        pytest.param(
            Agreement(ani=M, external_id=True, last_contact=NOW - DAY),
            0.90,
            ("ani:mobile", "external_id", "recency:1day"),
            id="the reference's example",
        ),
        pytest.param(Agreement(ani=M), 0.50, ("ani:mobile",), id="mobile only"),
        pytest.param(
            Agreement(ani=U, last_contact=NOW - 5_000), 0.40, ("ani:unknown", "recency:1day"), id="seconds later"
        ),
        pytest.param(Agreement(ani=L), 0.30, ("ani:landline",), id="landline"),
        pytest.param(Agreement(ani=V), 0.20, ("ani:voip",), id="voip"),
        pytest.param(Agreement(external_id=True), 0.40, ("external_id",), id="external id alone"),
        pytest.param(Agreement(customer_ref=True), 0.90, ("customer_ref",), id="customer_ref alone"),
        pytest.param(
            Agreement(customer_ref=True, external_id=True, last_contact=NOW),
            0.90,
            ("customer_ref", "external_id", "recency:1day"),
            id="presented evidence is capped",
        ),
        pytest.param(
            Agreement(customer_ref=True, ani=V), 1.0, ("customer_ref", "ani:voip"), id="ref and its own number"
        ),
        pytest.param(Agreement(ani=M, sharers=2), 0.25, ("ani:mobile",), id="two on one mobile"),
        pytest.param(Agreement(ani=M, sharers=3), 0.17, ("ani:mobile",), id="three, rounded to two decimals"),
        # 0.175 and 0.125: half a cent is rounded up, whatever the binary fraction next to it.
        pytest.param(
            Agreement(ani=L, sharers=4, last_contact=NOW),
            0.18,
            ("ani:landline", "recency:1day"),
            id="near a half",
        ),
        pytest.param(Agreement(ani=M, sharers=4), 0.13, ("ani:mobile",), id="exactly at a half"),
        pytest.param(Agreement(ani=V, last_contact=NOW), 0.30, ("ani:voip", "recency:1day"), id="no float dust at 0.3"),
        pytest.param(
            Agreement(ani=M, external_id=True, doubted=True, last_contact=NOW),
            0.45,
            ("ani:mobile", "external_id", "recency:1day"),
            id="rejected before",
        ),
        pytest.param(Agreement(customer_ref=True, doubted=True), 0.90, ("customer_ref",), id="a ref outweighs a doubt"),
        pytest.param(
            Agreement(ani=M, distrust=Distrust.NOT_ATTESTED), 0.45, ("ani:mobile",), id="not attested on a strict line"
        ),
        pytest.param(
            Agreement(ani=M, distrust=Distrust.FORWARDED), 0.45, ("ani:mobile",), id="forwarded on a strict line"
        ),
        pytest.param(Agreement(last_contact=NOW), 0, (), id="recency alone never identifies"),
    ],
)
def test_the_weights_add_up_to_the_confidence(
    agreement: Agreement, confidence: float, sources: tuple[str, ...]
) -> None:
    identity, _ = score(agreement, POLICY, NOW)
    assert (identity.confidence, identity.sources) == (confidence, sources)


@pytest.mark.parametrize(
    ("elapsed", "days"),
    [
        pytest.param(-5, 1, id="a contact in the future was just now"),
        pytest.param(0, 1, id="now"),
        pytest.param(DAY, 1, id="exactly one day"),
        pytest.param(DAY + 1, 2, id="one over"),
        pytest.param(7 * DAY, 7, id="exactly a week"),
        pytest.param(7 * DAY + 1, None, id="beyond a week"),
    ],
)
def test_recency_counts_whole_days_rounded_up(elapsed: int, days: int | None) -> None:
    assert recency_days(NOW - elapsed, NOW) == days


def test_recency_of_a_week_weighs_less_than_of_a_day() -> None:
    identity, _ = score(Agreement(ani=M, last_contact=NOW - 2 * DAY), POLICY, NOW)
    assert (identity.confidence, identity.sources[-1]) == (0.55, "recency:2day")


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [
        (0.9, Level.VERY_HIGH),
        (0.89, Level.HIGH),
        (0.7, Level.HIGH),
        (0.69, Level.MEDIUM),
        (0.5, Level.MEDIUM),
        (0.49, Level.LOW),
    ],
)
def test_levels_begin_at_their_thresholds(confidence: float, expected: Level) -> None:
    assert level(confidence, POLICY) is expected


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [
        (0.5, Recommendation.REUSE),
        (0.49, Recommendation.CONFIRM),
        (0.3, Recommendation.CONFIRM),
        (0.29, Recommendation.IGNORE),
    ],
)
def test_recommendations_begin_at_their_thresholds(confidence: float, expected: Recommendation) -> None:
    assert recommend(confidence, POLICY) is expected


def test_a_verified_caller_is_as_sure_as_it_gets() -> None:
    identity = verified(("ani:voip",))
    assert (identity.confidence, identity.level, identity.recommendation) == (
        1.0,
        Level.VERY_HIGH,
        Recommendation.REUSE,
    )


def test_the_explanation_names_the_cap_that_was_hit() -> None:
    _, lines = score(Agreement(ani=M, external_id=True, last_contact=NOW), POLICY, NOW)
    assert [(line.rule, line.weight) for line in lines][-1] == ("cap.presented", 0.9)


AGREEMENTS = st.builds(
    Agreement,
    customer_ref=st.booleans(),
    ani=st.none() | st.sampled_from(LineType),
    sharers=st.integers(1, 9),
    external_id=st.booleans(),
    last_contact=st.none() | st.integers(NOW - 9 * DAY, NOW),
    doubted=st.booleans(),
    distrust=st.sampled_from((None, *Distrust)),
)


@given(AGREEMENTS)
def test_any_agreement_scores_between_nothing_and_certainty(agreement: Agreement) -> None:
    identity, _ = score(agreement, POLICY, NOW)
    assert 0 <= identity.confidence <= 1
    assert identity.confidence == round(identity.confidence, 2)
    assert identity.confidence <= 0.9 or (agreement.customer_ref and agreement.ani is not None)


@given(AGREEMENTS.filter(lambda agreement: agreement.distrust is not None))
def test_a_distrusted_call_is_never_recommended_for_reuse(agreement: Agreement) -> None:
    identity, lines = score(agreement, POLICY, NOW)
    assert identity.recommendation is not Recommendation.REUSE
    assert {line.rule for line in lines if line.kind == "cap"} <= {f"cap.{agreement.distrust}"}
