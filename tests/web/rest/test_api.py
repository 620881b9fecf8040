import io
import json
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from adapter.engine.model import Mode
from adapter.errors import StoreUnavailable
from tests import databases
from tests.builders import Api, a_config, an_organization, issue_key

ANI = "+14155550123"
UNKNOWN_REF = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


@pytest.fixture
def config(tmp_path):
    small = an_organization("small", per_minute=10, monthly=2)
    return a_config(tmp_path, an_organization(), small)


@pytest.fixture
def small(app):
    """An organization with 10 requests a minute (11 with grace) and 2 calls a month."""
    return Api(app.test_client(), issue_key(app, "small"))


class BrokenOff(io.BytesIO):
    """What comes of a client that hangs up while it sends."""

    def read(self, *_):
        raise ConnectionResetError


def issues(response):
    assert response.status_code == 400, response.text
    return [issue["path"] for issue in response.json["details"]["issues"]]


def remaining(response) -> int:
    return int(response.headers["X-RateLimit-Remaining"])


class TestKeys:
    ROUTES = (
        ("POST", "/v1/calls/start"),
        ("POST", "/v1/calls/end"),
        ("GET", "/v1/calls/c"),
        ("POST", "/v1/calls/c/identity"),
        ("GET", f"/v1/customers/{UNKNOWN_REF}"),
        ("DELETE", f"/v1/customers/{UNKNOWN_REF}"),
    )

    @pytest.mark.parametrize(("method", "path"), ROUTES)
    @pytest.mark.parametrize(
        "header", [None, "", "Bearer", "Bearer ", "Bearer sk_prod_wrong", "Basic eDp5", "sk_prod_x"]
    )
    def test_no_route_answers_without_a_key(self, app, method, path, header):
        headers = {} if header is None else {"Authorization": header}
        response = app.test_client().open(path, method=method, data="{}", headers=headers)
        assert response.status_code == 401
        assert response.text == '{"error":"Unauthorized","message":"Invalid or missing API key"}'
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert "X-RateLimit-Limit" not in response.headers

    def test_every_route_below_v1_is_in_the_list_above_or_public(self, app):
        def filled(rule):
            return rule.replace("<call_id:call_id>", "c").replace("<customer_ref>", UNKNOWN_REF)

        routes = {
            (method, filled(rule.rule))
            for rule in app.url_map.iter_rules()
            if rule.rule.startswith("/v1")
            for method in rule.methods - {"HEAD", "OPTIONS"}
        }
        assert routes == set(self.ROUTES) | {("GET", "/v1/health"), ("GET", "/v1/openapi.json")}

    @pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("PUT", "/v1/calls/start"), ("GET", "/v1/")])
    def test_who_has_no_key_is_not_told_what_there_is(self, app, small, method, path):
        client = app.test_client()
        refused = client.open(path, method=method)
        assert refused.text == '{"error":"Unauthorized","message":"Invalid or missing API key"}'
        headers = {"Authorization": f"Bearer {small.key}"}
        told = [client.open(path, method=method, headers=headers) for _ in range(12)]
        assert {answer.status_code for answer in told[:11]} in ({404}, {405})
        assert [remaining(answer) for answer in told[:3]] == [9, 8, 7]
        assert told[11].status_code == 429

    def test_the_wrong_method_of_a_public_address_needs_no_key(self, app):
        assert app.test_client().post("/v1/health").status_code == 405

    def test_the_scheme_is_read_in_any_case(self, app, api):
        headers = {"Authorization": f"bearer  {api.key} "}
        assert app.test_client().get("/v1/calls/c", headers=headers).status_code == 404

    def test_a_test_key_sees_nothing_of_prod(self, app, api):
        ref = api.start("call_001", ani=ANI).json["customer_ref"]
        other = Api(app.test_client(), issue_key(app, mode=Mode.TEST))
        assert other.call("call_001").status_code == 404
        assert other.customer(ref).status_code == 404
        assert other.forget(ref).status_code == 404
        assert api.call("call_001").status_code == 200


class TestBodies:
    @pytest.mark.parametrize(
        "content_type",
        [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"],
    )
    def test_json_is_json_whatever_it_is_called(self, app, api, content_type):
        body = json.dumps({"call_id": "c", "identity_hints": {"ani": ANI}})
        headers = {"Authorization": f"Bearer {api.key}"}
        response = app.test_client().post("/v1/calls/start", data=body, content_type=content_type, headers=headers)
        assert response.status_code == 200

    @pytest.mark.parametrize("body", ["", "call_id=c", "{", '"x"', "[]", "null", "\xff", '{"a":NaN}', "[" * 50_000])
    @pytest.mark.parametrize("path", ["/v1/calls/start", "/v1/calls/end", "/v1/calls/c/identity"])
    def test_anything_else_is_one_issue_of_the_body(self, app, api, path, body):
        headers = {"Authorization": f"Bearer {api.key}", "Content-Type": "application/json"}
        response = app.test_client().post(path, data=body.encode("latin-1"), headers=headers)
        assert issues(response) == [[]]

    def test_issues_of_json_and_of_meaning_are_told_together(self, app, api):
        body = '{"call_id":"","identity_hints":{"external_ids":{"a":"1","a":"2"}}}'
        headers = {"Authorization": f"Bearer {api.key}"}
        response = app.test_client().post("/v1/calls/start", data=body, headers=headers)
        assert issues(response) == [["identity_hints", "external_ids", "a"], ["call_id"]]

    def test_text_that_cannot_be_kept_is_an_issue(self, app, api):
        body = r'{"call_id":"\ud800","identity_hints":{"external_ids":{"\u0000":"x"}}}'
        response = app.test_client().post("/v1/calls/start", data=body, headers={"Authorization": f"Bearer {api.key}"})
        assert issues(response) == [["call_id"], ["identity_hints", "external_ids", "\0"]]

    @pytest.mark.parametrize(("size", "status"), [(256 * 1024, 200), (256 * 1024 + 1, 413)])
    def test_a_body_of_up_to_256_kib_is_read(self, app, api, size, status):
        body = json.dumps({"call_id": "c", "identity_hints": {"ani": ANI}})
        headers = {"Authorization": f"Bearer {api.key}"}
        response = app.test_client().post("/v1/calls/start", data=body.ljust(size), headers=headers)
        assert response.status_code == status
        assert response.content_type == "application/json"

    @pytest.mark.parametrize(("size", "status"), [(256 * 1024, 200), (256 * 1024 + 1, 413)])
    def test_a_body_without_a_length_is_read_as_far_as_any_other(self, app, api, size, status):
        body = json.dumps({"call_id": "c", "identity_hints": {"ani": ANI}}).ljust(size).encode()
        response = app.test_client().post(
            "/v1/calls/start",
            input_stream=io.BytesIO(body),
            headers={"Authorization": f"Bearer {api.key}", "Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )
        assert response.status_code == status

    def test_a_body_too_large_may_break_off(self, app, api):
        response = app.test_client().post(
            "/v1/calls/start",
            input_stream=BrokenOff(),
            headers={"Authorization": f"Bearer {api.key}"},
            environ_overrides={"CONTENT_LENGTH": "300000"},
        )
        assert response.status_code == 413

    def test_a_new_caller_gets_the_references_answer(self, api):
        response = api.start("call_001", ani=ANI)
        assert list(response.json) == ["call_id", "customer_ref", "call_start", "identity", "open_intents", "variables"]
        assert response.json["identity"] == {"confidence": 0, "level": "low", "sources": [], "recommendation": "ignore"}
        assert '"confidence":0,' in response.text


class TestOrderOfChecks:
    def test_a_bad_body_counts_against_the_rate_and_says_so(self, small):
        first = small.post("/v1/calls/start", {})
        second = small.post("/v1/calls/start", {})
        assert (remaining(first), remaining(second)) == (9, 8)

    def test_a_body_too_large_counts_too(self, small):
        small.post("/v1/calls/start", "x" * 300_000)
        assert remaining(small.post("/v1/calls/start", {})) == 8

    def test_the_rate_comes_before_the_body(self, small):
        answers = [small.post("/v1/calls/start", "x" * 300_000) for _ in range(12)]
        assert [answer.status_code for answer in answers] == [413] * 11 + [429]
        refused = answers[-1]
        assert refused.json == {
            "error": "Too Many Requests",
            "message": "Rate limit exceeded for your tier. Limit: 10 requests/minute.",
            "retryAfter": 60,
            "currentUsage": 12,
            "limit": 10,
            "resetAt": "2026-02-07T10:31:00.000Z",
        }
        assert refused.headers["Retry-After"] == "60"
        assert refused.headers["X-RateLimit-Remaining"] == "0"
        assert refused.headers["X-RateLimit-Reset"] == "1770460260000"

    def test_the_body_comes_before_the_quota_and_the_quota_before_conflicts(self, small):
        for call_id in ("a", "b"):
            assert small.start(call_id, ani=ANI).status_code == 200
        assert small.post("/v1/calls/start", {}).status_code == 400
        exhausted = small.start("a", ani=ANI)
        assert exhausted.status_code == 402
        assert exhausted.text == (
            '{"error":"Payment Required",'
            '"message":"Monthly quota exhausted. Your account has 0 API calls remaining.",'
            '"quota_remaining":0,"billing_account_id":"ba_small"}'
        )
        assert remaining(exhausted) == 6

    def test_a_kept_answer_comes_before_the_quota(self, small):
        ref = small.start("a", ani=ANI).json["customer_ref"]
        first = small.end("a", "key", customer_ref=ref)
        again = small.end("a", "key", customer_ref=ref)
        assert again.data == first.data
        assert again.headers["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in first.headers
        assert small.end("c", customer_ref=ref).status_code == 402


class TestIdempotency:
    @pytest.mark.parametrize("key", ["x" * 256, "schlüssel", ""])
    def test_an_unusable_key_is_an_issue_beside_the_bodys(self, app, api, key):
        headers = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": key}
        response = app.test_client().post("/v1/calls/end", data="{}", headers=headers)
        assert issues(response) == [["Idempotency-Key"], ["call_id"], []]

    def test_a_bad_body_never_claims_a_key(self, api):
        ref = api.start("a", ani=ANI).json["customer_ref"]
        assert api.end("a", "key", customer_ref="x").status_code == 400
        assert api.end("a", "key", customer_ref=ref).status_code == 200

    def test_the_same_body_written_otherwise_is_the_same_body(self, app, api):
        ref = api.start("a", ani=ANI).json["customer_ref"]
        first = api.end("a", "key", customer_ref=ref)
        headers = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": "key"}
        body = f'{{ "customer_ref":\n"{ref}", "call_id": "a" }}'
        assert app.test_client().post("/v1/calls/end", data=body, headers=headers).data == first.data

    def test_another_body_under_the_same_key_is_refused(self, api):
        ref = api.start("a", ani=ANI).json["customer_ref"]
        api.end("a", "key", customer_ref=ref)
        other = api.end("a", "key", customer_ref=ref, intent="x")
        assert other.status_code == 409
        assert list(other.json) == ["error", "message"]


class TestLookUps:
    def test_a_call_id_may_hold_slashes_and_whatever_an_address_can_quote(self, app, api):
        named_as_addresses = ("start", "end", "identity", "c/identity", "start/", "/", "c/")
        for call_id in ("2026/02/07/17", "a b?c#d%", "é/ü", "x//y", "a\nb", *named_as_addresses):
            api.start(call_id, ani=ANI)
            path = f"/v1/calls/{quote(call_id, safe='')}"
            headers = {"Authorization": f"Bearer {api.key}"}
            assert app.test_client().get(path, headers=headers).json["call_id"] == call_id
            verdict = app.test_client().post(f"{path}/identity", data='{"verdict":"confirmed"}', headers=headers)
            assert verdict.json["identity"]["confidence"] == 1

    def test_what_no_database_can_hold_names_no_call(self, app, api):
        headers = {"Authorization": f"Bearer {api.key}"}
        assert app.test_client().get("/v1/calls/a%00b", headers=headers).status_code == 404
        verdict = app.test_client().post("/v1/calls/%00/identity", data='{"verdict":"confirmed"}', headers=headers)
        assert verdict.status_code == 404
        assert verdict.json["message"] == "No such call"

    @pytest.mark.parametrize(
        ("method", "path"), [("PUT", "start"), ("DELETE", "end"), ("DELETE", "c/identity"), ("PUT", "c")]
    )
    def test_a_method_that_an_address_does_not_know_is_405(self, app, api, method, path):
        headers = {"Authorization": f"Bearer {api.key}"}
        response = app.test_client().open(f"/v1/calls/{path}", method=method, headers=headers)
        assert response.status_code == 405
        assert response.json["error"] == "Method Not Allowed"
        assert response.headers["Allow"]

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize("path", ["start", "end", "c/identity"])
    def test_reading_where_one_can_only_send_is_405_not_a_call_that_is_missing(self, app, api, method, path):
        headers = {"Authorization": f"Bearer {api.key}"}
        response = app.test_client().open(f"/v1/calls/{path}", method=method, headers=headers)
        assert response.status_code == 405
        assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}

    def test_a_verdict_is_answered_like_a_start(self, api):
        started = api.start("a", ani=ANI)
        confirmed = api.verdict("a", "confirmed")
        assert list(confirmed.json) == list(started.json)
        assert confirmed.json["identity"]["confidence"] == 1.0
        assert api.verdict("unknown", "confirmed").status_code == 404
        assert issues(api.verdict("a", "perhaps")) == [["verdict"]]

    @pytest.mark.parametrize("ref", [UNKNOWN_REF, UNKNOWN_REF.upper(), "x", "%00", "..%2f", "é"])
    def test_whatever_names_no_customer_is_404_and_counts(self, small, ref):
        before = remaining(small.call("c"))
        shown, forgotten = small.customer(ref), small.forget(ref)
        assert (shown.status_code, forgotten.status_code) == (404, 404)
        if "%2f" not in ref:
            assert shown.text == '{"error":"Not Found","message":"No such customer"}'
            assert remaining(forgotten) == before - 2

    def test_a_customer_is_exported_and_erased_by_its_ref_in_any_case(self, api):
        ref = api.start("a", ani=ANI).json["customer_ref"]
        assert api.customer(ref.upper()).json["numbers"][0]["ani"] == ANI
        assert api.forget(ref.upper()).json == {"customer_ref": ref, "erased_at": "2026-02-07T10:30:00.000Z"}
        assert api.customer(ref).status_code == 404


class TestTroubles:
    def test_health_needs_no_key_and_counts_nothing(self, app):
        response = app.test_client().get("/v1/health")
        assert response.text == '{"status":"healthy","timestamp":"2026-02-07T10:30:00.000Z","database":"connected"}'

    def test_health_tells_when_the_database_is_gone(self, app, service, monkeypatch):
        def gone(*_):
            raise StoreUnavailable("gone")

        databases.replace_in_stores(monkeypatch, "begin", gone)
        response = app.test_client().get("/v1/health")
        assert response.status_code == 503
        assert response.text == (
            '{"status":"unhealthy","timestamp":"2026-02-07T10:30:00.000Z","database":"disconnected"}'
        )

    def test_a_store_that_does_not_answer_is_503(self, api, monkeypatch):
        api.call("c")

        def gone(*_):
            raise StoreUnavailable("gone")

        databases.replace_in_stores(monkeypatch, "begin", gone)
        response = api.start("a", ani=ANI)
        assert response.status_code == 503
        assert response.json["error"] == "Service Unavailable"

    def test_a_database_without_one_of_its_tables_is_503(self, api, config):
        api.call("c")
        engine = sa.create_engine(config.database.url.replace("postgresql:", "postgresql+psycopg:"))

        def rename(before, after):
            with engine.begin() as connection:
                connection.execute(sa.text(f"ALTER TABLE {before} RENAME TO {after}"))

        rename("numbers", "numbers_gone")
        try:
            assert api.start("a", ani=ANI).status_code == 503
        finally:
            rename("numbers_gone", "numbers")
            engine.dispose()
        assert api.start("a", ani=ANI).status_code == 200

    def test_every_answer_has_its_request_id_and_is_kept_by_nobody(self, app, api):
        for response in (
            api.start("a", ani=ANI),
            api.start("a", ani=ANI),
            app.test_client().get("/v1/calls/a"),
            app.test_client().get("/nowhere"),
            app.test_client().put("/v1/calls/start"),
        ):
            assert response.headers["X-Request-Id"] == "req_test"
            assert response.headers["Cache-Control"] == "no-store"
            assert response.content_type == "application/json"

    def test_head_is_get_without_a_body(self, app, api):
        api.start("a", ani=ANI)
        headers = {"Authorization": f"Bearer {api.key}"}
        response = app.test_client().head("/v1/calls/a", headers=headers)
        assert (response.status_code, response.data) == (200, b"")
        assert int(response.headers["Content-Length"]) > 0

    def test_options_need_no_key(self, app):
        response = app.test_client().options("/v1/calls/start")
        assert response.status_code == 204
        assert set(response.headers["Allow"].split(", ")) == {"OPTIONS", "GET", "HEAD", "POST"}


class TestGrace:
    def test_requests_in_grace_succeed_with_nothing_remaining_and_one_warning(self, small, caplog):
        answers = [small.call("c") for _ in range(11)]
        assert [answer.status_code for answer in answers] == [404] * 11
        assert [remaining(answer) for answer in answers] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
        assert [record.organization for record in caplog.records if "grace" in record.message] == ["small"]

    def test_the_warning_comes_again_in_another_minute(self, small, clock, caplog):
        for _ in range(2):
            for _ in range(11):
                small.call("c")
            clock.advance(seconds=61)
        assert len([record for record in caplog.records if "grace" in record.message]) == 2
