"""What a request's JSON may be (reference, request body parameters; semantics §5, §7).

Names nobody documented are ignored. One instance of each schema, made when first asked for. Leaves out: single values
(`fields`), turning what was loaded into commands (`commands`), and what only the store can know.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from adapter.engine.model import IntentStatus, LineType, Verdict
from adapter.engine.policy import VariablePolicy

from .fields import Ani, CustomerRef, JsonObject, Many, Named, Part, Text, Whole, Word

MAX_INTENTS = 100
MAX_VARIABLES = 200
MAX_EXTERNAL_IDS = 64
MAX_TTL_SECONDS = VariablePolicy().max_ttl_seconds


class Request(Schema):
    """`any_of`: of these names at least one must be there; `needs`: a name → the name it makes no sense without."""

    class Meta:
        unknown = EXCLUDE

    error_messages = {"type": "must be an object"}
    any_of: tuple[str, ...] = ()
    needs: Mapping[str, str] = {}


class IdentityHints(Request):
    any_of = ("ani", "external_ids", "customer_ref")

    ani = Ani(
        metadata={
            "description": "Caller's phone number in E.164 format; a word such as anonymous when it is withheld",
            "examples": ["+14155550123"],
        }
    )
    dnis = Text(128, metadata={"description": "Dialed number (your phone number they called)"})
    external_ids = Named(
        Text(1024, 1),
        at_most=MAX_EXTERNAL_IDS,
        metadata={"description": "Key-value pairs of external IDs (CRM ID, account number, etc.)"},
    )
    customer_ref = CustomerRef(metadata={"description": "Previously returned customer_ref UUID"})

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _names_somebody(self, data: object, original: object, **_: object) -> None:
        # Looked up in what was sent, not in what loaded: a malformed ani is one mistake, not two.
        if isinstance(original, Mapping) and not any(original.get(name) not in ("", {}, None) for name in self.any_of):
            raise ValidationError("must include ani, external_ids, or customer_ref")


class Telco(Request):
    line_type = Word(LineType, metadata={"description": "What kind of line the caller's number is"})


class StartRequest(Request):
    call_id = Text(128, 1, required=True, metadata={"description": "Unique identifier for this call"})
    identity_hints = Part(IdentityHints, required=True)
    telco = Part(Telco)


class IntentUpdateRequest(Request):
    intent = Text(128, 1, required=True)
    status = Word(IntentStatus, load_default=IntentStatus.OPEN)
    resolution = JsonObject()


class VariableUpdateRequest(Request):
    value = Text(1024, required=True, allow_none=True, metadata={"description": "null deletes the variable"})
    source = Text(128, allow_none=True)
    ttl_seconds = Whole(1, MAX_TTL_SECONDS)


class EndRequest(Request):
    any_of = ("customer_ref", "identity_hints")
    needs = {"intent_status": "intent"}

    call_id = Text(128, 1, required=True, metadata={"description": "Must match call_id from /calls/start"})
    customer_ref = CustomerRef(metadata={"description": "UUID from /calls/start response"})
    identity_hints = Part(IdentityHints)
    # Beyond the reference: agents and bots learn during the call what kind of line it is.
    telco = Part(Telco)
    intent = Text(128, 1, metadata={"description": "Primary topic discussed"})
    intent_status = Word(IntentStatus, metadata={"description": "open (unresolved) or resolved (completed)"})
    variables = Named(
        Text(1024, allow_none=True),
        at_most=MAX_VARIABLES,
        metadata={"description": "Key-value pairs to save; null deletes the variable"},
    )
    # "No intent twice" is more than JSON Schema can say; this is the part it can.
    intent_updates = Many(Part(IntentUpdateRequest), at_most=MAX_INTENTS, metadata={"uniqueItems": True})
    variable_updates = Named(Part(VariableUpdateRequest), at_most=MAX_VARIABLES)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _names_somebody(self, data: object, original: object, **_: object) -> None:
        if isinstance(original, Mapping) and not any(name in original for name in self.any_of):
            raise ValidationError("must include customer_ref or identity_hints")

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _status_has_its_intent(self, data: object, original: object, **_: object) -> None:
        for name, needed in self.needs.items():
            if isinstance(original, Mapping) and name in original and needed not in original:
                raise ValidationError(f"needs {needed}", name)


class VerdictRequest(Request):
    verdict = Word(Verdict, required=True, metadata={"description": "What was found out about the caller"})


@cache
def start_request() -> Schema:
    """The one schema of POST /v1/calls/start."""
    return StartRequest()


@cache
def end_request(max_ttl_seconds: int = MAX_TTL_SECONDS) -> Schema:
    """The one schema of POST /v1/calls/end under this longest time to live (configuration, policy.variables)."""
    update = VariableUpdateRequest.from_dict(
        {"ttl_seconds": Whole(1, max_ttl_seconds)}, name=VariableUpdateRequest.__name__
    )
    updates = Named(Part(update), at_most=MAX_VARIABLES)
    return EndRequest.from_dict({"variable_updates": updates}, name=EndRequest.__name__)()


@cache
def verdict_request() -> Schema:
    """The one schema of POST /v1/calls/{call_id}/identity."""
    return VerdictRequest()
