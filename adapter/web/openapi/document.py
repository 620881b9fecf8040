"""The OpenAPI 3.1 description, made from the schemas that do the work: nothing is described twice.

Leaves out: which operations there are (`operations`), and showing them (`docs`).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_instance
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Blueprint, Response
from marshmallow import Schema
from marshmallow.fields import Field

from adapter import __version__
from adapter.engine.policy import Policy
from adapter.web.rest.fields import Ani, Named
from adapter.web.rest.render import to_bytes
from adapter.web.rest.schemas import Request

from .examples import Examples
from .operations import Operation, Outcome, operations

ADDRESS = "/v1/openapi.json"
TITLE = "Sticky Calls API"
_ABOUT = "Caller memory for the telephone: who is calling, how sure are we, what was left open last time."
_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "X-Request-Id": ("Names this answer; the log's lines about it have it, too", {"type": "string"}),
    "X-RateLimit-Limit": ("Base limit per minute; left out where there is none", {"type": "integer", "minimum": 0}),
    "X-RateLimit-Remaining": ("What is left of the base limit", {"type": "integer", "minimum": 0}),
    "X-RateLimit-Reset": ("When the window resets, in epoch milliseconds", {"type": "integer", "minimum": 0}),
    "Retry-After": ("Seconds to wait before retrying", {"type": "integer", "minimum": 1}),
    "WWW-Authenticate": ("The scheme to authenticate with", {"type": "string", "enum": ["Bearer"]}),
    "Idempotency-Replayed": ("The kept answer of an earlier request", {"type": "string", "enum": ["true"]}),
}


def build(policy: Policy | None = None) -> Blueprint:
    """The blueprint of /v1/openapi.json: made at the first request, then kept. `policy` None: the defaults."""
    blueprint = Blueprint("openapi", __name__)

    @cache
    def description() -> bytes:
        return to_bytes(describe(policy or Policy()))

    @blueprint.get(ADDRESS)
    def openapi() -> Response:
        return Response(description(), content_type="application/json", headers={"Cache-Control": "no-cache"})

    return blueprint


def describe(policy: Policy) -> dict[str, Any]:
    """The whole description as JSON-able values."""
    spec = APISpec(
        TITLE,
        __version__,
        "3.1.0",
        plugins=[_Plugin()],
        info={"description": _ABOUT},
        servers=[{"url": "/"}],
        security=[{"api_key": []}],
    )
    spec.components.security_scheme("api_key", {"type": "http", "scheme": "bearer"})
    for name, (about, schema) in _HEADERS.items():
        spec.components.header(name, {"description": about, "schema": schema})
    for operation in operations(policy):
        spec.path(operation.path, operations={operation.method: _operation(operation)})
    return spec.to_dict()


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [dict(parameter) for parameter in operation.parameters],
        "responses": {str(status): _response(outcome) for status, outcome in operation.outcomes.items()},
    }
    if operation.takes is not None:
        described["requestBody"] = {"required": True, "content": _json(operation.takes, operation.shown)}
    if operation.is_public:
        described["security"] = []
    return described


def _response(outcome: Outcome) -> dict[str, Any]:
    return {
        "description": outcome.about,
        "headers": {name: name for name in ("X-Request-Id", *outcome.headers)},
        "content": _json(outcome.schema, outcome.shown),
    }


def _json(schema: Schema | type[Schema], shown: Examples) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": schema}
    if shown:
        media["examples"] = {name: {"value": value} for name, value in shown.items()}
    return {"application/json": media}


class _Converter(OpenAPIConverter):
    """Adds what marshmallow has no word for: rules between fields, and names that the client chooses."""

    def schema2jsonschema(self, schema: Any) -> dict[str, Any]:
        described: dict[str, Any] = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]
        instance = resolve_schema_instance(schema)
        if isinstance(instance, Request) and instance.any_of:
            described["anyOf"] = [_given(name, instance.fields[name]) for name in instance.any_of]
        if isinstance(instance, Request) and instance.needs:
            described["dependentRequired"] = {name: [needed] for name, needed in instance.needs.items()}
        return described

    def named2properties(self, field: Field[Any], **_: object) -> dict[str, Any]:
        if not isinstance(field, Named):
            return {}
        return {"propertyNames": self.field2property(field.names), "maxProperties": field.at_most}


class _Plugin(MarshmallowPlugin):
    Converter = _Converter

    def init_spec(self, spec: APISpec) -> None:
        super().init_spec(spec)
        assert self.converter is not None  # init_spec has just made it
        self.converter.add_attribute_function(_Converter.named2properties)  # type: ignore[no-untyped-call]


def _given(name: str, field: Field[Any]) -> dict[str, Any]:
    """`name` is there and not empty; empty is what some clients send for "none"."""
    least = {Ani: "minLength", Named: "minProperties"}.get(type(field))
    return {"required": [name], **({"properties": {name: {least: 1}}} if least else {})}
