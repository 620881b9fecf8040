import json
from http import HTTPStatus
from types import SimpleNamespace

import pytest
from flask import Flask, abort
from werkzeug.exceptions import default_exceptions

from adapter import logs
from adapter.engine.model import Conflict, Invalid, Issue, Missing, QuotaExhausted, Rate, RateExceeded
from adapter.errors import SealBroken, StoreMismatch, StoreUnavailable
from adapter.web.openapi import examples
from adapter.web.rest import problems
from adapter.web.rest.problems import Problem, of_denial
from adapter.web.rest.render import to_bytes

REF = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
MINUTE_31 = 1_770_460_260_000  # 2026-02-07T10:31:00.000Z


def bytes_of(denial) -> bytes:
    return to_bytes(of_denial(denial).body())


class TestDenials:
    def test_a_spent_quota_is_refused_as_in_the_reference(self):
        assert of_denial(QuotaExhausted("ba_1")).status == 402
        assert bytes_of(QuotaExhausted("ba_1a2b3c4d5e6f...")) == to_bytes(examples.QUOTA_EXHAUSTED["quota_exhausted"])

    def test_too_many_requests_are_refused_as_in_the_reference(self):
        denial = RateExceeded(limit=100, usage=111, retry_after_seconds=42, reset_at=MINUTE_31)
        assert bytes_of(denial) == to_bytes(examples.RATE_EXCEEDED["rate_exceeded"])
        assert of_denial(denial).status == 429
        assert of_denial(denial).headers == {"Retry-After": "42"}

    def test_issues_are_listed_as_in_the_reference(self):
        issue = Issue(("identity_hints",), "identity_hints must include ani, external_ids, or customer_ref")
        assert bytes_of(Invalid((issue,))) == to_bytes(examples.INVALID["invalid"])

    def test_a_wrong_key_is_refused_as_in_the_reference(self):
        assert to_bytes(problems.UNAUTHORIZED.body()) == to_bytes(examples.UNAUTHORIZED["unauthorized"])

    def test_a_conflict_names_the_first_call_where_it_may(self):
        denial = Conflict("call_id already used", REF, MINUTE_31)
        assert of_denial(denial).body() == {
            "error": "Conflict",
            "message": "call_id already used",
            "details": {"customer_ref": REF, "call_start": "2026-02-07T10:31:00.000Z"},
        }
        assert of_denial(Conflict("other body")).body() == {"error": "Conflict", "message": "other body"}

    def test_what_is_not_there_is_404(self):
        assert of_denial(Missing("call")).body() == {"error": "Not Found", "message": "No such call"}


@pytest.fixture
def app():
    app = Flask("problems", static_folder=None)
    problems.install(app, SimpleNamespace(request_id=lambda: "req_1"))
    app.testing = True

    @app.get("/abort/<int:status>")
    def stop(status):
        abort(status)

    @app.get("/raise/<what>")
    def fail(what):
        raise {
            "store": StoreUnavailable("locked"),
            "schema": StoreMismatch("locked"),
            "seal": SealBroken("secret"),
            "bug": ValueError("secret"),
        }[what]

    @app.get("/limited/<limit>")
    def limited(limit):
        rate = Rate(None if limit == "none" else int(limit), 77, MINUTE_31)
        return problems.refuse(Problem(404, "No such call"), rate)

    @app.get("/plain/")
    def plain():
        return "plain"

    return app


@pytest.fixture
def client(app):
    return app.test_client()


def assert_is_problem(response, status):
    assert response.status_code == status
    assert response.content_type == "application/json"
    assert list(response.json)[:2] == ["error", "message"]
    assert response.headers["X-Request-Id"] == "req_1"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("status", sorted(default_exceptions))
def test_every_http_error_is_json(client, status):
    response = client.get(f"/abort/{status}")
    assert_is_problem(response, status)
    assert response.json["error"] == ("Content Too Large" if status == 413 else HTTPStatus(status).phrase)


def test_an_unknown_address_is_json(client):
    assert_is_problem(client.get("/nowhere"), 404)


def test_an_almost_right_address_is_no_redirect(client):
    assert client.get("/plain").text == "plain"
    assert_is_problem(client.get("//plain"), 404)


def test_a_wrong_method_says_which_are_right(client):
    response = client.post("/plain/")
    assert_is_problem(response, 405)
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_options_are_told_without_a_page(client):
    response = client.options("/plain/")
    assert response.status_code == 204
    assert response.data == b""
    assert "Content-Type" not in response.headers
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("what", ["seal", "bug"])
def test_a_failure_tells_the_client_nothing_and_the_log_where(client, capsys, restored_logging, what):
    logs.configure("info", problems.of_request)
    response = client.get(f"/raise/{what}")
    assert_is_problem(response, 500)
    assert "secret" not in response.text
    assert [json.loads(line)["request_id"] for line in capsys.readouterr().err.splitlines()] == ["req_1"]


@pytest.mark.parametrize("what", ["store", "schema"])
def test_an_unusable_database_is_503_with_a_hint_when_to_come_back(client, what):
    response = client.get(f"/raise/{what}")
    assert_is_problem(response, 503)
    assert response.headers["Retry-After"] == "1"
    assert "locked" not in response.text


def test_the_rate_is_told_in_headers(client):
    headers = client.get("/limited/600").headers
    assert headers["X-RateLimit-Limit"] == "600"
    assert headers["X-RateLimit-Remaining"] == "523"
    assert headers["X-RateLimit-Reset"] == str(MINUTE_31)


def test_no_limit_has_no_headers(client):
    assert not [name for name, _ in client.get("/limited/none").headers if name.startswith("X-RateLimit")]
