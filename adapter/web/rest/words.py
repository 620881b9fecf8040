"""The engine's rule names in sentences for the people who integrate: why a caller was recognized, or was not.

Never spoken to callers (reference, Best Practices). A rule without a sentence is shown by its name. Leaves out: texts
for callers (configuration).
"""

from __future__ import annotations

from typing import Final

SENTENCES: Final[dict[str, str]] = {
    "customer_ref.known": "The customer_ref names a known customer.",
    "customer_ref.unknown": "The customer_ref names no known customer, so it counted for nothing.",
    "ani.known": "The caller's number belongs to this customer.",
    "ani.shared": "The caller's number is shared by several customers, so it counted for less.",
    "ani.new": "The caller's number has not called before.",
    "ani.disagrees": "The caller's number belongs to somebody else than the stronger evidence, so it was left out.",
    "ani.other_person": "The caller's number is known, but its new external id says that somebody else is calling.",
    "ani.withheld": "The caller withheld the number.",
    "ani.not_dialable": "What came as the caller's number cannot be dialed, so it identifies nobody.",
    "ani.caller_id_failed": "The caller's number failed the network's validation, so it identifies nobody.",
    "ani.caller_id_forwarded": "The number is that of the telephone which forwarded the call, not the caller's.",
    "ani.missing": "No caller's number was given.",
    "external_id.known": "An external id belongs to this customer.",
    "external_id.new": "The external id has not been seen before.",
    "external_id.shared": "The external id was seen with too many numbers to be one person's.",
    "external_id.never_identifies": "An external id of this name belongs to a call or a group, never to a person.",
    "external_id.disagrees": "The external id belongs to somebody else than the stronger evidence, so it was left out.",
    "external_id.named": "The caller named an account: that alone proves nobody, so it changed nothing.",
    "external_id.other_value": "The customer has another value under this external id's name.",
    "recency.day": "The customer was last in touch within a day.",
    "recency.week": "The customer was last in touch within a week.",
    "cap.presented": "What a caller merely presents proves nobody: confidence ends here without a verdict.",
    "cap.whole": "Confidence ends at 1.",
    "cap.doubted": "A caller was rejected under this evidence before, so it is asked about again.",
    "cap.not_attested": "The line demands a signed caller ID and this call had none.",
    "cap.self_named": "The caller named the id in the call, as anybody could who knows it: that alone proves nobody.",
    "cap.forwarded": "The call was forwarded, and the line greets nobody by name whose call was.",
    "candidate.ignored": "A customer was found, but too unsure to be taken for the caller: treated as new.",
    "verdict.confirmed": "The caller was confirmed in this call.",
    "verdict.rejected": "The caller was found to be somebody else in this call.",
}

WAYS_UP: Final[dict[str, str]] = {
    "ani": "the caller's number (identity_hints.ani)",
    "line_type": "the kind of line (telco.line_type)",
    "external_id": "an external id of the customer (identity_hints.external_ids)",
    "customer_ref": "the customer_ref of an earlier answer (identity_hints.customer_ref)",
    "verdict": "a verdict: POST /v1/calls/{call_id}/identity",
}
