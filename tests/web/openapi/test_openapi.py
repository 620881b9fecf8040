import re
from uuid import UUID

import jsonschema
import pytest
from openapi_spec_validator import validate

from adapter.engine.model import StartCall
from adapter.engine.policy import Policy, VariablePolicy
from adapter.web.openapi import document
from adapter.web.openapi.document import describe
from adapter.web.rest.commands import read_start

DESCRIPTION = describe(Policy())


def operations():
    for path, methods in DESCRIPTION["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def component(name):
    return {**DESCRIPTION, "$ref": f"#/components/schemas/{name}"}


def accepts(name, body) -> bool:
    return jsonschema.Draft202012Validator(component(name)).is_valid(body)


def test_the_description_is_valid_openapi():
    validate(DESCRIPTION)
    assert DESCRIPTION["openapi"] == "3.1.0"


def test_the_description_is_served_without_a_key(app):
    assert app.test_client().get("/v1/openapi.json").json == DESCRIPTION


def test_every_route_is_described_and_every_described_route_exists(app):
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert routes == {(method, path) for method, path, _ in operations()}


def test_every_operation_but_the_public_ones_needs_a_key():
    assert DESCRIPTION["security"] == [{"api_key": []}]
    public = {path for _, path, operation in operations() if operation.get("security") == []}
    assert public == {"/v1/health", "/v1/openapi.json"}
    assert all("401" in operation["responses"] for _, path, operation in operations() if path not in public)


def test_every_answer_names_its_headers():
    for _, _, operation in operations():
        for response in operation["responses"].values():
            assert "X-Request-Id" in response["headers"]
    start = DESCRIPTION["paths"]["/v1/calls/start"]["post"]["responses"]
    assert "Retry-After" in start["429"]["headers"]
    assert "X-RateLimit-Reset" in start["200"]["headers"]


def test_every_example_is_what_its_schema_says():
    shown = 0
    for _, _, operation in operations():
        bodies = [response["content"] for response in operation["responses"].values()]
        bodies += [operation["requestBody"]["content"]] if "requestBody" in operation else []
        for media in (body["application/json"] for body in bodies):
            for example in media.get("examples", {}).values():
                jsonschema.validate(example["value"], {**DESCRIPTION, **media["schema"]})
                shown += 1
    assert shown > 20


@pytest.mark.parametrize(
    ("hints", "accepted"),
    [
        ({}, False),
        ({"ani": "+14155550123"}, True),
        ({"ani": "4155550123"}, False),
        ({"ani": ""}, False),
        ({"ani": "", "customer_ref": "a1b2c3d4-e5f6-7890-abcd-ef1234567890"}, True),
        ({"external_ids": {}}, False),
        ({"external_ids": {"a": "b"}}, True),
        ({"external_ids": {"": "b"}}, False),
        ({"external_ids": {"a": 1}}, False),
        ({"dnis": "+14155550199"}, False),
    ],
)
def test_the_rules_between_fields_are_described(hints, accepted):
    assert accepts("IdentityHints", hints) is accepted


@pytest.mark.parametrize(
    ("ani", "accepted"),
    [
        ("+14155550123", True),
        ("", True),
        *((word, True) for word in ("anonymous", "Restricted", "unavailable", "Unknown", "private", "Blocked")),
        ("4155550123", False),
        ("+1415x", False),
        ("+14155550123 anonymous", False),
    ],
)
def test_a_withheld_number_is_described_as_it_is_read(ani, accepted):
    body = {"call_id": "c", "identity_hints": {"ani": ani, "customer_ref": str(UUID(int=1))}}
    assert accepts("StartRequest", body) is accepted
    assert isinstance(read_start(body), StartCall) or not accepted


def test_a_status_without_intent_is_described_as_wrong():
    end = {"call_id": "c", "customer_ref": "a1b2c3d4-e5f6-7890-abcd-ef1234567890"}
    assert accepts("EndRequest", end)
    assert not accepts("EndRequest", {**end, "intent_status": "open"})
    assert accepts("EndRequest", {**end, "intent_status": "open", "intent": "x"})
    assert not accepts("EndRequest", {"call_id": "c"})


def test_the_configured_longest_time_to_live_is_described():
    described = describe(Policy(variables=VariablePolicy(max_ttl_seconds=60)))
    update = described["components"]["schemas"]["VariableUpdateRequest"]
    assert update["properties"]["ttl_seconds"] == {"type": "integer", "minimum": 1, "maximum": 60}


def test_the_description_is_made_once(app, monkeypatch):
    client = app.test_client()
    first = client.get("/v1/openapi.json").data
    monkeypatch.setattr(document, "describe", None)
    assert client.get("/v1/openapi.json").data == first
