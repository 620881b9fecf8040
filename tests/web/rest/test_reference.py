"""The API reference's own examples, as printed, against the running app: the same names, order, types and values.

Only the key in the requests is ours. Counts differ where the printed answer belongs to no printed request.
"""

import itertools
import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapter.app import create_app
from adapter.engine.model import Organization, Plan, Tier
from adapter.web.openapi import examples
from tests.builders import NOW, Api, CountedIds, a_config, issue_key

pytestmark = pytest.mark.stores

REFERENCE = Path(__file__).parents[2] / "recordings" / "reference.md"
SECTIONS = dict(re.findall(r"^## (.+?)\n\n```\w+\n(.*?)\n```$", REFERENCE.read_text(), re.MULTILINE | re.DOTALL))
PRINTED_REF = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
ANI = "+14155551234"


@dataclass
class PrintedIds(CountedIds):
    """The first customer is the reference's."""

    refs: itertools.chain = field(default_factory=lambda: itertools.chain([PRINTED_REF]))

    def customer_ref(self) -> str:
        return next(self.refs, None) or super().customer_ref()


@pytest.fixture
def config(tmp_path):
    free = Organization("free", Tier("free", 100), Plan("ba_1a2b3c4d5e6f...", None))
    spent = Organization("spent", Tier("free", 100), Plan("ba_1a2b3c4d5e6f...", 0))
    starter = Organization("starter", Tier("starter", 600), Plan("ba_starter", None))
    return a_config(tmp_path, free, spent, starter)


@pytest.fixture
def app(config, clock):
    app = create_app(config, clock=clock, ids=PrintedIds())
    yield app
    app.extensions["sticky-calls"].store.close()


@pytest.fixture
def api(app):
    return Api(app.test_client(), issue_key(app, "free"))


def printed(section):
    return json.loads(SECTIONS[section])


def curl(api, section, body=None):
    """Runs a printed curl line against the app, with our key for YOUR_API_KEY."""
    words = shlex.split(SECTIONS[section].replace("\\\n", " "))
    assert words[0] == "curl"
    options = list(itertools.pairwise(words))
    method = next((value for word, value in options if word == "-X"), "GET")
    url = next(word for word in words if word.startswith("https://"))
    headers = dict(value.split(": ", 1) for word, value in options if word == "-H")
    headers = {name: value.replace("YOUR_API_KEY", api.key) for name, value in headers.items()}
    data = body or next((value for word, value in options if word == "-d"), None)
    return api.client.open(url.removeprefix("https://api.stickycalls.com"), method=method, headers=headers, data=data)


def assert_is_printed(response, section, differ=()):
    """The same JSON in the same order with the same types, but for the values of the names in `differ`."""
    answered, expected = response.json, printed(section)
    for name in differ:
        assert type(answered[name]) is type(expected[name])
        answered[name] = expected[name]
    assert json.dumps(answered) == json.dumps(expected)


def test_a_new_customer(api):
    assert_is_printed(curl(api, "start request"), "new customer")


def test_a_returning_customer(api, clock):
    clock.advance(hours=-3)
    variables = {"name": "John Doe", "email": "john@example.com", "account_balance": "$1,234.56"}
    for call_id in ("call_a", "call_b"):
        ref = api.start(call_id, "mobile", ani=ANI, external_ids={"customer_id": "12345"}).json["customer_ref"]
        ended = api.end(call_id, customer_ref=ref, intent="refund_request", intent_status="open", variables=variables)
        assert ended.status_code == 200
        clock.advance(hours=1)
    clock.advance(hours=1)
    assert clock.now() == NOW
    assert_is_printed(curl(api, "start request"), "returning customer")


@pytest.mark.parametrize(
    ("form", "counts"), [("simple", (1, 3)), ("advanced", (2, 2))], ids=["simple form", "advanced form"]
)
def test_an_end(api, clock, form, counts):
    curl(api, "start request")
    clock.advance(seconds=330)
    body = SECTIONS["end request, advanced form"] if form == "advanced" else None
    response = curl(api, "end request, simple form", body)
    assert (response.json["intents_updated"], response.json["variables_updated"]) == counts
    assert_is_printed(response, "end response", differ=("intents_updated", "variables_updated"))


def test_what_the_simple_form_saved_is_there_at_the_next_call(api):
    curl(api, "start request")
    curl(api, "end request, simple form")
    answer = api.start("call_002", ani=ANI, external_ids={"customer_id": "12345"}).json
    assert answer["customer_ref"] == PRINTED_REF
    assert answer["open_intents"] == []
    assert {name: variable["value"] for name, variable in answer["variables"].items()} == {
        "name": "John Doe",
        "email": "john@example.com",
        "last_interaction": "Resolved billing issue - refunded $50",
    }


def test_what_the_advanced_form_saved_is_there_at_the_next_call(api):
    curl(api, "start request")
    curl(api, "end request, simple form", SECTIONS["end request, advanced form"])
    answer = api.start("call_002", ani=ANI, external_ids={"customer_id": "12345"}).json
    assert answer["open_intents"] == [{"intent": "account_upgrade", "status": "open", "attempt_count": 1}]
    assert answer["variables"] == printed("end request, advanced form")["variable_updates"]


def test_an_end_with_an_idempotency_key_is_saved_once(api, clock):
    curl(api, "start request")
    body = SECTIONS["end request, advanced form"]
    first = curl(api, "end request, idempotent", body)
    clock.advance(seconds=60)
    again = curl(api, "end request, idempotent", body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"


def test_health(api):
    assert_is_printed(curl(api, "health request"), "health response")


def test_a_request_without_hints_is_400(api):
    response = api.post("/v1/calls/start", {"call_id": "call_001", "identity_hints": {}})
    assert response.status_code == 400
    assert_is_printed(response, "400")


def test_a_wrong_key_is_401(app):
    response = curl(Api(app.test_client(), "wrong"), "start request")
    assert response.status_code == 401
    assert_is_printed(response, "401")


def test_a_spent_quota_is_402(app):
    response = curl(Api(app.test_client(), issue_key(app, "spent")), "start request")
    assert response.status_code == 402
    assert_is_printed(response, "402")


def test_the_111th_request_of_a_minute_is_429(api, clock):
    statuses = [api.call("call_001").status_code for _ in range(110)]
    assert statuses == [404] * 110
    clock.advance(seconds=18)
    response = curl(api, "start request")
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "42"
    assert_is_printed(response, "429")
    clock.advance(seconds=42)
    assert curl(api, "start request").status_code == 200


def test_the_rate_headers(app):
    starter = Api(app.test_client(), issue_key(app, "starter"))
    for _ in range(77):
        response = starter.call("call_001")
    headers = {name: value for name, value in response.headers if name.startswith("X-RateLimit")}
    expected = dict(line.split(": ") for line in SECTIONS["rate limit headers"].splitlines())
    assert list(headers) == list(expected)
    del expected["X-RateLimit-Reset"]  # printed for another day
    assert headers == {**expected, "X-RateLimit-Reset": str(NOW + 60_000)}


def test_the_description_shows_the_references_examples():
    shown = {
        "returning customer": examples.STARTED["returning_customer"],
        "new customer": examples.STARTED["new_customer"],
        "end request, advanced form": examples.END["advanced_form"],
        "end response": examples.ENDED["ended"],
        "health response": examples.HEALTHY["healthy"],
        "402": examples.QUOTA_EXHAUSTED["quota_exhausted"],
        "429": examples.RATE_EXCEEDED["rate_exceeded"],
        "400": examples.INVALID["invalid"],
        "401": examples.UNAUTHORIZED["unauthorized"],
    }
    for section, example in shown.items():
        assert json.dumps(example) == json.dumps(printed(section))
