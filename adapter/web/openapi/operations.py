"""Every operation of the API as data, for its description: what it takes, and with what it can answer.

Leaves out: how that is written as OpenAPI (`document`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema

from adapter.engine.idempotency import MAX_KEY_CHARS
from adapter.engine.policy import Policy
from adapter.web.rest.fields import UUID
from adapter.web.rest.schemas import end_request, start_request, verdict_request

from . import answers, examples
from .examples import Examples

RATE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
_CALL_ID = {"type": "string", "minLength": 1, "maxLength": 128}
_CUSTOMER_REF = {"type": "string", "format": "uuid", "pattern": f"^{UUID.pattern}$"}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes retries safe: the same key with the same body gets the first answer again, for 24 hours",
    # Blanks at the ends do not survive HTTP.
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARS, "pattern": r"^[!-~]([ -~]*[!-~])?$"},
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One status an operation can answer with. `headers`: beside X-Request-Id, which every answer has."""

    about: str
    schema: type[Schema]
    shown: Examples = field(default_factory=dict)
    headers: tuple[str, ...] = RATE_HEADERS


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address. `takes`: the request body's schema. `is_public`: needs no key."""

    name: str
    method: str
    path: str
    summary: str
    outcomes: Mapping[int, Outcome]
    takes: Schema | None = None
    shown: Examples = field(default_factory=dict)
    parameters: tuple[dict[str, Any], ...] = ()
    is_public: bool = False


_REFUSALS: dict[int, Outcome] = {
    400: Outcome("Invalid parameters; every issue is listed", answers.ValidationProblemAnswer, examples.INVALID),
    401: Outcome("Invalid or missing API key", answers.ProblemAnswer, examples.UNAUTHORIZED, ("WWW-Authenticate",)),
    402: Outcome("Monthly quota exhausted", answers.QuotaProblemAnswer, examples.QUOTA_EXHAUSTED),
    404: Outcome("No such thing in this organization and mode", answers.ProblemAnswer),
    409: Outcome("Duplicate call_id, already ended, or another request's key", answers.ConflictProblemAnswer),
    413: Outcome("The body is too large", answers.ProblemAnswer),
    429: Outcome(
        "Rate limit exceeded", answers.RateProblemAnswer, examples.RATE_EXCEEDED, (*RATE_HEADERS, "Retry-After")
    ),
    500: Outcome("Server error", answers.ProblemAnswer, headers=()),
    503: Outcome("The database does not answer; nothing was done", answers.ProblemAnswer, headers=("Retry-After",)),
}
_BILLABLE = (400, 401, 402, 409, 413, 429, 500, 503)
_VERDICT = (400, 401, 404, 409, 413, 429, 500, 503)
_LOOK_UP = (401, 404, 429, 500, 503)
_STARTED = Outcome("Who is calling, and what is remembered", answers.StartAnswer, examples.STARTED)
_ENDED = Outcome("Saved", answers.EndAnswer, examples.ENDED, (*RATE_HEADERS, "Idempotency-Replayed"))


def operations(policy: Policy) -> tuple[Operation, ...]:
    """Every operation below /v1, in the reference's order."""
    return (*_calls(policy), *_customers(), *_service())


def _calls(policy: Policy) -> tuple[Operation, ...]:
    call_id = _in_path("call_id", _CALL_ID)
    return (
        Operation(
            name="start_call",
            method="post",
            path="/v1/calls/start",
            summary="Start a new call and identify the caller",
            outcomes=_outcomes(_STARTED, _BILLABLE),
            takes=start_request(),
            shown=examples.START,
        ),
        Operation(
            name="end_call",
            method="post",
            path="/v1/calls/end",
            summary="End a call and save context for future interactions",
            outcomes=_outcomes(_ENDED, _BILLABLE),
            takes=end_request(policy.variables.max_ttl_seconds),
            shown=examples.END,
            parameters=(_IDEMPOTENCY_KEY,),
        ),
        Operation(
            name="show_call",
            method="get",
            path="/v1/calls/{call_id}",
            summary="Show a call, why its caller was recognized, and what happened when",
            outcomes=_outcomes(Outcome("The call", answers.CallAnswer), _LOOK_UP),
            parameters=(call_id,),
        ),
        Operation(
            name="give_verdict",
            method="post",
            path="/v1/calls/{call_id}/identity",
            summary="Tell who the caller turned out to be in the call",
            outcomes=_outcomes(_STARTED, _VERDICT),
            takes=verdict_request(),
            shown=examples.VERDICT,
            parameters=(call_id,),
        ),
    )


def _customers() -> tuple[Operation, ...]:
    customer_ref = _in_path("customer_ref", _CUSTOMER_REF)
    return (
        Operation(
            name="show_customer",
            method="get",
            path="/v1/customers/{customer_ref}",
            summary="Show everything stored of a customer",
            outcomes=_outcomes(Outcome("The customer", answers.CustomerAnswer), _LOOK_UP),
            parameters=(customer_ref,),
        ),
        Operation(
            name="forget_customer",
            method="delete",
            path="/v1/customers/{customer_ref}",
            summary="Erase a customer for good",
            outcomes=_outcomes(Outcome("Erased", answers.ErasedAnswer), _LOOK_UP),
            parameters=(customer_ref,),
        ),
    )


def _service() -> tuple[Operation, ...]:
    return (
        Operation(
            name="check_health",
            method="get",
            path="/v1/health",
            summary="Health check endpoint (no authentication required)",
            outcomes={
                200: Outcome("Healthy", answers.HealthAnswer, examples.HEALTHY, ()),
                503: Outcome("The database does not answer", answers.HealthAnswer, examples.UNHEALTHY, ()),
            },
            is_public=True,
        ),
        Operation(
            name="describe",
            method="get",
            path="/v1/openapi.json",
            summary="This description (no authentication required)",
            outcomes={200: Outcome("OpenAPI 3.1", answers.DescriptionAnswer, headers=())},
            is_public=True,
        ),
    )


def _outcomes(success: Outcome, refusals: tuple[int, ...]) -> dict[int, Outcome]:
    return {200: success, **{status: _REFUSALS[status] for status in refusals}}


def _in_path(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}
