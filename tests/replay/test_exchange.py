"""How webhooks reach a server: signed for the public address, wherever they are really sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
import responses

from adapter.replay import HttpExchange, NoAnswer, WsgiExchange
from adapter.replay.exchange import LONGEST_DOCUMENT, is_under
from adapter.twilio.signature import is_genuine, public_url

PUBLIC = "https://voice.example.com/calls"
BASE = "http://127.0.0.1:8080"
TOKEN = "token"
FIELDS = {"From": "+14155550123", "SpeechResult": "ä & b"}


@pytest.fixture
def http() -> Iterable[HttpExchange]:
    exchange = HttpExchange(PUBLIC, TOKEN, BASE)
    yield exchange
    exchange.close()


@responses.activate
def test_over_http_a_webhook_goes_to_the_base_url_signed_for_the_public_one(http: HttpExchange) -> None:
    responses.post(f"{BASE}/twilio/voice", body="<Response/>", content_type="text/xml")
    reply = http.send("POST", f"{PUBLIC}/twilio/voice", FIELDS)
    assert (reply.status, reply.content_type, reply.body) == (200, "text/xml", b"<Response/>")
    sent = responses.calls[0].request
    fields = parse_qsl(str(sent.body), keep_blank_values=True)
    assert fields == list(FIELDS.items())
    assert is_genuine(f"{PUBLIC}/twilio/voice", fields, sent.headers["X-Twilio-Signature"], (TOKEN,))


@responses.activate
def test_a_get_carries_its_fields_in_the_query_and_signs_them(http: HttpExchange) -> None:
    responses.get(f"{BASE}/twilio/voice", body="<Response/>", content_type="text/xml")
    http.send("GET", f"{PUBLIC}/twilio/voice?line=1", FIELDS)
    sent = responses.calls[0].request
    query = str(sent.url).partition("?")[2]
    assert parse_qsl(query) == [("line", "1"), *FIELDS.items()]
    assert is_genuine(f"{PUBLIC}/twilio/voice?{query}", (), sent.headers["X-Twilio-Signature"], (TOKEN,))


@responses.activate
def test_without_a_base_url_the_public_one_is_asked() -> None:
    responses.post(f"{PUBLIC}/twilio/voice", body="<Response/>", content_type="text/xml")
    exchange = HttpExchange(PUBLIC, TOKEN)
    assert exchange.send("POST", f"{PUBLIC}/twilio/voice", {}).status == 200
    exchange.close()


@responses.activate
def test_redirects_are_not_followed_proxies_see_nothing(http: HttpExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    responses.post(f"{BASE}/a", status=302, headers={"Location": "/b"})
    reply = http.send("POST", f"{PUBLIC}/a", {})
    assert (reply.status, reply.location) == (302, "/b")
    assert not responses.calls[0].request.req_kwargs["proxies"]  # type: ignore[attr-defined]
    assert responses.calls[0].request.req_kwargs["timeout"] == (5, 15)  # type: ignore[attr-defined]


@responses.activate
def test_no_more_is_read_than_a_document_may_be_long(http: HttpExchange) -> None:
    responses.post(f"{BASE}/a", body=b"a" * (2 * LONGEST_DOCUMENT))
    assert len(http.send("POST", f"{PUBLIC}/a", {}).body) == LONGEST_DOCUMENT + 1


@responses.activate
@pytest.mark.parametrize("error", [requests.ConnectionError(), requests.ReadTimeout()])
def test_no_connection_and_no_answer_in_time_are_no_answer(http: HttpExchange, error: Exception) -> None:
    responses.post(f"{BASE}/a", body=error)
    with pytest.raises(NoAnswer):
        http.send("POST", f"{PUBLIC}/a", {})


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wsgi_app_sees_a_genuine_request_below_its_prefix(method: str) -> None:
    seen: list[dict[str, Any]] = []
    WsgiExchange(_app(seen), PUBLIC, TOKEN).send(method, f"{PUBLIC}/twilio/a%20b?x=1", FIELDS)
    environ = seen[0]
    assert (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == (method, "/twilio/a b")
    assert environ["RAW_URI"].startswith("/twilio/a%20b?x=1")
    form = parse_qsl(environ["wsgi.input"].read().decode(), keep_blank_values=True)
    asked = public_url(PUBLIC, environ["RAW_URI"])
    assert is_genuine(asked, form, environ["HTTP_X_TWILIO_SIGNATURE"], (TOKEN,))


def test_a_wsgi_apps_answer_is_read_and_closed() -> None:
    closed: list[bool] = []
    reply = WsgiExchange(_app([], closed), PUBLIC, TOKEN).send("POST", f"{PUBLIC}/a", {})
    assert (reply.status, reply.content_type, reply.body) == (200, "text/xml", b"<Response/>")
    assert closed == [True]


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        (PUBLIC, True),
        (f"{PUBLIC}/a", True),
        (f"{PUBLIC}?a=b", True),
        (f"{PUBLIC}er/a", False),
        ("https://voice.example.com/", False),
        ("https://voice.example.com.evil.example/calls", False),
    ],
)
def test_which_addresses_are_the_servers_own(url: str, ours: bool) -> None:
    assert is_under(PUBLIC, url) is ours


class _Body(list[bytes]):
    def __init__(self, closed: list[bool]) -> None:
        super().__init__([b"<Resp", b"onse/>"])
        self._closed = closed

    def close(self) -> None:
        self._closed.append(True)


def _app(seen: list[dict[str, Any]], closed: list[bool] | None = None) -> Callable[..., Iterable[bytes]]:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen.append(environ)
        start_response("200 OK", [("Content-Type", "text/xml")])
        return _Body([] if closed is None else closed)

    return app
