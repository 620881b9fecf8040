"""The shapes of every answer, for the description of the API only: `rest.render` and `rest.problems` write them.

Leaves out: requests (`rest.schemas`). That what is written has these shapes is tested, not enforced at run time.
"""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate

from adapter.engine.model import Basis, IntentStatus, Level, LineType, Origin, Place, Recommendation
from adapter.web.rest.fields import UUID


class _Answer(Schema):
    class Meta:
        unknown = EXCLUDE


def _text(about: str = "", null: bool = False) -> fields.String:
    return fields.String(required=True, allow_none=null, metadata={"description": about} if about else {})


def _ref(about: str, null: bool = False, required: bool = True) -> fields.String:
    form = {"description": about, "format": "uuid", "pattern": f"^{UUID.pattern}$"}
    return fields.String(required=required, allow_none=null, metadata=form)


def _time(about: str = "", required: bool = True) -> fields.String:
    pattern = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$"
    return fields.String(
        required=required, metadata={"format": "date-time", "pattern": pattern, "description": about or "ISO 8601, UTC"}
    )


def _count(about: str, least: int = 0) -> fields.Integer:
    return fields.Integer(required=True, validate=validate.Range(least), metadata={"description": about})


def _word(*words: str, about: str = "") -> fields.String:
    return fields.String(
        required=True, validate=validate.OneOf(words), metadata={"description": about} if about else {}
    )


def _share(about: str) -> fields.Float:
    return fields.Float(required=True, validate=validate.Range(0, 1), metadata={"description": about})


def _part(schema: type[Schema], **options: Any) -> fields.Nested:
    return fields.Nested(schema, required=True, **options)


def _many(item: fields.Field[Any]) -> fields.List[Any]:
    return fields.List(item, required=True)


class IdentityAnswer(_Answer):
    confidence = _share("0.0 to 1.0 confidence score")
    level = _word(*Level)
    sources = fields.List(
        fields.String(), required=True, metadata={"description": 'Confidence factors (e.g., ["ani:mobile"])'}
    )
    recommendation = _word(*Recommendation, about="reuse (≥0.5), confirm (0.3-0.5), or ignore (<0.3)")


class OpenIntentAnswer(_Answer):
    intent = _text()
    status = _word(IntentStatus.OPEN)
    attempt_count = _count("Ended calls in which it was left open since it last was resolved", 1)


class VariableAnswer(_Answer):
    value = _text()
    source = _text(null=True)
    ttl_seconds = _count("How long it is kept after it was written", 1)


class StartAnswer(_Answer):
    call_id = _text("Echo of the request call_id")
    customer_ref = _ref("UUID for this customer (use in /calls/end)")
    call_start = _time("ISO 8601 timestamp when call started")
    identity = _part(IdentityAnswer)
    open_intents = _many(fields.Nested(OpenIntentAnswer))
    variables = fields.Dict(fields.String(), fields.Nested(VariableAnswer), required=True)


class EndAnswer(_Answer):
    call_id = _text("Echo of the request call_id")
    customer_ref = _ref("Customer UUID")
    call_start = _time("When call started (from /calls/start)")
    call_end = _time("When call ended")
    duration_seconds = _count("Call duration in seconds")
    intents_updated = _count("Number of intents saved/updated")
    variables_updated = _count("Number of variables saved/updated")


class EvidenceAnswer(_Answer):
    kind = _text("What was looked at")
    subject = _text("Which of its kind: an external id's key or a line type, never a personal value")
    rule = _text("The rule that judged it")
    counted = fields.Boolean(required=True)
    weight = _share("What it added to the confidence")
    text = _text("The rule in words")


class WayUpAnswer(_Answer):
    by = _text()
    text = _text()


class ExplanationAnswer(_Answer):
    basis = _word(*Basis, about="The evidence the call's customer rests on")
    evidence = _many(fields.Nested(EvidenceAnswer))
    would_have_raised = _many(fields.Nested(WayUpAnswer))
    policy_version = _text("Names the set of rules that decided")


class EventAnswer(_Answer):
    at = _time()
    event = _word("greeted", "verdict_confirmed", "verdict_rejected", "hung_up", "ended")


class ConversationAnswer(_Answer):
    place = _word(*Place, about="Which question was asked last, or what has become of the call")
    language = _text("Chosen in the call or remembered; null: the line's own", null=True)
    verified = fields.Boolean(required=True, metadata={"description": "The caller was confirmed in this call"})
    intent = _text("What the call is about", null=True)
    opened_intents = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Count as left open when the call ends, unless /calls/end says otherwise"},
    )
    destination = _text("The name of where the call was put through to last; null: nowhere yet", null=True)
    attempt_of = _text("The call_id of the call that broke off and that this one goes on with", null=True)


class CallAnswer(_Answer):
    call_id = _text()
    customer_ref = _ref("null while only a hang-up is known of the call", null=True)
    origin = _word(*Origin)
    call_start = _time()
    ani = _text(null=True)
    dnis = _text(null=True)
    line_type = _word(*LineType)
    identity = _part(IdentityAnswer, allow_none=True)
    explanation = _part(ExplanationAnswer)
    timeline = _many(fields.Nested(EventAnswer))
    conversation = _part(ConversationAnswer, allow_none=True)


class NumberAnswer(_Answer):
    ani = _text()
    line_type = _word(*LineType)
    last_seen = _time()


class ExternalIdAnswer(_Answer):
    key = _text()
    value = _text()


class StoredIntentAnswer(_Answer):
    intent = _text()
    status = _word(*IntentStatus)
    attempt_count = _count("Ended calls in which it was left open since it last was resolved")
    opened_at = _time()
    updated_at = _time()
    last_call_id = _text()
    resolution = fields.Dict(required=True, allow_none=True)


class StoredVariableAnswer(VariableAnswer):
    created_at = _time()
    expires_at = _time()


class CustomerAnswer(_Answer):
    customer_ref = _ref("Customer UUID")
    created_at = _time()
    last_contact = _time()
    numbers = _many(fields.Nested(NumberAnswer))
    external_ids = _many(fields.Nested(ExternalIdAnswer))
    intents = _many(fields.Nested(StoredIntentAnswer))
    variables = fields.Dict(fields.String(), fields.Nested(StoredVariableAnswer), required=True)
    calls = _many(fields.Nested(CallAnswer))


class ErasedAnswer(_Answer):
    customer_ref = _ref("Customer UUID")
    erased_at = _time()


class HealthAnswer(_Answer):
    status = _word("healthy", "unhealthy")
    timestamp = _time()
    database = _word("connected", "disconnected")


class DescriptionAnswer(_Answer):
    openapi = _text()


class ProblemAnswer(_Answer):
    error = _text()
    message = _text()


class PathStep(fields.Raw):
    """A name or an index."""


class IssueAnswer(_Answer):
    path = _many(PathStep(metadata={"type": ["string", "integer"]}))
    message = _text()


class IssuesAnswer(_Answer):
    issues = _many(fields.Nested(IssueAnswer))


class ValidationProblemAnswer(ProblemAnswer):
    details = _part(IssuesAnswer)


class QuotaProblemAnswer(ProblemAnswer):
    quota_remaining = _count("Calls left this month")
    billing_account_id = _text()


class FirstCallAnswer(_Answer):
    customer_ref = _ref("The first call's customer", required=False)
    call_start = _time("When the first call started", required=False)


class ConflictProblemAnswer(ProblemAnswer):
    details = fields.Nested(FirstCallAnswer)


class RateProblemAnswer(ProblemAnswer):
    retryAfter = _count("Seconds to wait before retrying", 1)
    currentUsage = _count("Your request count in last 60 seconds")
    limit = _count("Your tier's base limit (not including grace period)")
    resetAt = _time("When the rate limit window resets")
