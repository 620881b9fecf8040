"""The evidence of one call, sorted: what may identify, what is new, what was left out and why (semantics §5).

`identity` decides with it. Every line left out keeps the rule that said so, for the explanation. Nothing here weighs.
"""

from __future__ import annotations

from dataclasses import dataclass

from .model import Basis, Evidence, ExternalLink, Facts, Hints, LineType, Millis
from .policy import IdentityPolicy, Policy

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Standing:
    """Whose call it already is, when it ends or is taken up again. `created_here`: this call made the customer."""

    customer_ref: str
    basis: Basis
    created_here: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One question with all that is needed to answer it."""

    call_id: str
    hints: Hints
    facts: Facts
    policy: Policy
    now: Millis
    standing: Standing | None

    @property
    def rules(self) -> IdentityPolicy:
        return self.policy.identity


@dataclass(frozen=True, slots=True)
class ExternalIds:
    """The presented external ids by what they are good for. `presented`: all that may identify, shared ones too."""

    known: tuple[tuple[Pair, ExternalLink], ...]
    new: tuple[Pair, ...]
    presented: tuple[Pair, ...]
    left_out: tuple[Evidence, ...]


def line_type(hints: Hints, facts: Facts) -> LineType:
    """The request's word, else the newest known for that number, else unknown."""
    if hints.line_type is not None:
        return hints.line_type
    told = [link for link in facts.ani if link.line_type is not None]
    newest = max(told, key=lambda link: link.line_type_at, default=None)
    return (newest.line_type if newest else None) or LineType.UNKNOWN


def sort_external_ids(case: Case) -> ExternalIds:
    known: list[tuple[Pair, ExternalLink]] = []
    new: list[Pair] = []
    presented: list[Pair] = []
    left_out: list[Evidence] = []
    for pair in case.hints.external_ids:
        if pair[0].lower() in case.rules.never_identifying_keys:
            left_out.append(Evidence("external_id", pair[0], "external_id.never_identifies", counted=False))
            continue
        presented.append(pair)
        link = case.facts.external.get(pair)
        if _is_shared(case, pair):
            left_out.append(Evidence("external_id", pair[0], "external_id.shared", counted=False))
        elif link is None:
            new.append(pair)
        else:
            known.append((pair, link))
    return ExternalIds(tuple(known), tuple(new), tuple(presented), tuple(left_out))


def _is_shared(case: Case, pair: Pair) -> bool:
    """A value that turns up with many numbers is a company's or a test's, not a person's."""
    seen = case.facts.sightings.get(pair)
    numbers = (seen.other_numbers if seen else 0) + (1 if case.hints.ani else 0)
    return numbers > case.rules.shared_external_id_after_numbers


def conflicts(case: Case, pair: Pair, candidate: str) -> bool:
    return pair[0] in case.facts.customers[candidate].external_keys


def left_out(case: Case, ids: ExternalIds, candidate: str | None, skip_ani: bool = False) -> tuple[Evidence, ...]:
    """What was looked at and added nothing, with the reason."""
    return (
        *_unhelpful_ref(case),
        *ids.left_out,
        *_unhelpful_ids(case, ids, candidate),
        *(() if skip_ani else _unhelpful_ani(case, candidate)),
    )


def _unhelpful_ref(case: Case) -> list[Evidence]:
    ref = case.hints.customer_ref
    if ref is None or ref in case.facts.customers:
        return []
    return [Evidence("customer_ref", "customer_ref", "customer_ref.unknown", counted=False)]


def _unhelpful_ids(case: Case, ids: ExternalIds, candidate: str | None) -> list[Evidence]:
    lines = [
        Evidence("external_id", pair[0], "external_id.disagrees", counted=False)
        for pair, link in ids.known
        if link.customer_ref != candidate
    ]
    for pair in ids.new:
        clash = candidate is not None and conflicts(case, pair, candidate)
        lines.append(
            Evidence("external_id", pair[0], f"external_id.{'other_value' if clash else 'new'}", counted=False)
        )
    return lines


def _unhelpful_ani(case: Case, candidate: str | None) -> list[Evidence]:
    if case.hints.ani is None:
        return [Evidence("ani", "line", f"ani.{case.hints.ani_note or 'missing'}", counted=False)]
    if not case.facts.ani:
        return [Evidence("ani", line_type(case.hints, case.facts).value, "ani.new", counted=False)]
    if any(link.customer_ref == candidate for link in case.facts.ani):
        return []
    return [Evidence("ani", line_type(case.hints, case.facts).value, "ani.disagrees", counted=False)]
