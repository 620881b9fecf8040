"""Genuine is what Twilio signed, to the byte, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from adapter.twilio.signature import Fields, is_genuine, public_url, sign

RECORDINGS = Path(__file__).parents[1] / "recordings"
VECTORS = [json.loads(line) for line in (RECORDINGS / "signatures.jsonl").read_text("utf-8").splitlines()]
TOKEN = "12345"
URL = "https://voice.example.com/twilio/voice"
FIELDS = (("CallSid", "CA" + "0" * 32), ("From", "+14155550123"))

vectors = pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])


def posted(vector: dict[str, Any]) -> tuple[list[tuple[str, str]], bytes | None]:
    """The vector's form and JSON body."""
    params = vector["params"]
    if isinstance(params, str):
        return [], params.encode()
    values = {name: value if isinstance(value, list) else [value] for name, value in params.items()}
    return [(name, value) for name, given_values in values.items() for value in given_values], None


def flips(text: str) -> Iterator[str]:
    """`text` with each bit of each byte turned over, each byte left out, and each doubled."""
    for at, char in enumerate(text):
        head, tail = text[:at], text[at + 1 :]
        yield from (head + chr(ord(char) ^ 1 << bit) + tail for bit in range(8))
        yield from (head + tail, head + char + char + tail)


def without_port(url: str) -> str:
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    host, colon, port = authority.rpartition(":")
    return f"{scheme}://{host if colon and port.isascii() and port.isdigit() else authority}{slash}{path}"


@vectors
def test_every_known_signature_is_accepted(vector: dict[str, Any]) -> None:
    fields, body = posted(vector)
    assert is_genuine(vector["url"], fields, vector["signature"], [vector["auth_token"]], body)


@vectors
def test_a_changed_url_is_refused(vector: dict[str, Any]) -> None:
    """The port is the exception: Twilio leaves it out of what it signs, so it cannot be told."""
    fields, body = posted(vector)
    same = without_port(vector["url"])
    for url in flips(vector["url"]):
        if url != vector["url"] and without_port(url) != same:
            assert not is_genuine(url, fields, vector["signature"], [TOKEN], body), url


@vectors
def test_a_changed_form_is_refused(vector: dict[str, Any]) -> None:
    fields, body = posted(vector)
    for at, (name, value) in enumerate(fields):
        rest = fields[:at] + fields[at + 1 :]
        changed = [(other, value) for other in flips(name)] + [(name, other) for other in flips(value)]
        for field in changed:
            if {*rest, field} != set(fields):
                assert not is_genuine(vector["url"], [*rest, field], vector["signature"], [TOKEN], body), field


@vectors
def test_a_changed_signature_or_token_is_refused(vector: dict[str, Any]) -> None:
    fields, body = posted(vector)
    for signature in flips(vector["signature"]):
        if signature != vector["signature"]:
            assert not is_genuine(vector["url"], fields, signature, [TOKEN], body)
    for token in flips(vector["auth_token"]):
        if token != TOKEN:
            assert not is_genuine(vector["url"], fields, vector["signature"], [token], body)


@vectors
def test_a_field_more_or_less_is_refused(vector: dict[str, Any]) -> None:
    fields, body = posted(vector)
    assert not is_genuine(vector["url"], [*fields, ("Extra", "")], vector["signature"], [TOKEN], body)
    for name in {name for name, _ in fields}:
        fewer = [field for field in fields if field[0] != name]
        assert not is_genuine(vector["url"], fewer, vector["signature"], [TOKEN], body)


def test_a_json_body_is_held_against_its_hash() -> None:
    body = b'{"CallSid": "CA0"}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    assert is_genuine(url, (), sign(url, (), TOKEN), [TOKEN], body)
    for changed in (b"", body + b" ", body.replace(b"0", b"1")):
        assert not is_genuine(url, (), sign(url, (), TOKEN), [TOKEN], changed)


def test_a_json_body_that_nothing_vouches_for_is_refused() -> None:
    digest = hashlib.sha256(b"{}").hexdigest()
    for url in (URL, f"{URL}?bodySHA256=", f"{URL}?bodySHA256={digest}&bodySHA256={digest}", f"{URL}?bodySHA256=%ff"):
        assert not is_genuine(url, (), sign(url, (), TOKEN), [TOKEN], b"{}")


def test_any_of_several_tokens_will_do_while_one_is_rotated() -> None:
    signature = sign(URL, FIELDS, "new")
    assert is_genuine(URL, FIELDS, signature, ["old", "new"])
    assert is_genuine(URL, FIELDS, signature, ["new", "old"])
    assert not is_genuine(URL, FIELDS, signature, ["old"])


def test_no_token_and_an_empty_token_vouch_for_nothing() -> None:
    assert not is_genuine(URL, FIELDS, sign(URL, FIELDS, TOKEN), [])
    assert not is_genuine(URL, FIELDS, sign(URL, FIELDS, ""), ["", TOKEN])


def test_another_text_for_the_same_signature_bytes_is_refused() -> None:
    signature = sign(URL, FIELDS, TOKEN)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = signature[:26] + alphabet[alphabet.index(signature[26]) ^ 1] + "="
    assert base64.b64decode(twin) == base64.b64decode(signature)
    assert not is_genuine(URL, FIELDS, twin, [TOKEN])


@pytest.mark.parametrize(
    ("asked", "signed", "genuine"),
    [
        ("https://h.example/v", "https://h.example/v", True),
        ("https://h.example/v", "https://h.example:443/v", True),
        ("https://h.example:443/v", "https://h.example/v", True),
        ("https://h.example:8443/v", "https://h.example/v", True),
        ("http://h.example/v", "http://h.example:80/v", True),
        ("http://h.example:8080/v", "http://h.example:8080/v", True),
        ("https://[2001:db8::1]:8443/v", "https://[2001:db8::1]/v", True),
        ("https://u:p@h.example:8443/v", "https://u:p@h.example/v", True),
        ("http://h.example:8080/v", "http://h.example:80/v", False),
        ("https://h.example:8443/v", "https://h.example:443/v", False),
        ("https://h.example/v", "http://h.example/v", False),
        ("https://h.example/v", "https://H.example/v", False),
        ("https://h.example/v", "https://h.example/v/", False),
        ("https://h.example/v", "https://h.example/v?", False),
        ("https://h.example/v?", "https://h.example/v?", True),
        ("https://h.example/v?", "https://h.example/v", True),
        ("https://h.example/v?a", "https://h.example/v", False),
        ("HTTPS://h.example/v", "https://h.example/v", False),
    ],
)
def test_only_the_port_may_differ(asked: str, signed: str, genuine: bool) -> None:
    assert is_genuine(asked, FIELDS, sign(signed, FIELDS, TOKEN), [TOKEN]) is genuine


@pytest.mark.parametrize(
    ("asked", "signed"),
    [
        ("From=sip:1001@pbx.example.com", "From=sip%3A1001%40pbx.example.com"),
        ("q=It's", "q=It%27s"),
        ("State=Köln", "State=K%C3%B6ln"),
        ("State=%F0%9F%98%80", "State=😀"),
        ("From=sip%3a1001%40pbx.example.com", "From=sip:1001@pbx.example.com"),
    ],
)
def test_a_query_may_be_spelled_plain_or_escaped(asked: str, signed: str) -> None:
    assert parse_qsl(asked) == parse_qsl(signed)
    assert is_genuine(f"{URL}?{asked}", (), sign(f"{URL}?{signed}", (), TOKEN), [TOKEN])
    assert is_genuine(f"{URL}?{signed}", (), sign(f"{URL}?{asked}", (), TOKEN), [TOKEN]) or "%3a" in asked


@pytest.mark.parametrize(
    ("asked", "signed"),
    [
        ("a=1%26b=2", "a=1&b=2"),
        ("a=%2B1", "a=+1"),
        ("a=+1", "a=%201"),
        ("a%3D=1", "a==1"),
        ("a=%2541", "a=%41"),
        ("a=%23x", "a=#x"),
        ("a=%41", "a=A"),
        ("a=%2527", "a=%27"),
        ("a=%C3", "a=Ã"),
        ("a=%FF", "a=\ufffd"),
        ("b=2&a=1", "a=1&b=2"),
    ],
)
def test_a_query_of_another_meaning_or_without_need_respelled_is_refused(asked: str, signed: str) -> None:
    assert not is_genuine(f"{URL}?{asked}", (), sign(f"{URL}?{signed}", (), TOKEN), [TOKEN])


def test_the_path_is_never_respelled() -> None:
    assert not is_genuine("https://h.example/a%27", (), sign("https://h.example/a'", (), TOKEN), [TOKEN])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "voice",
        "//h.example/v",
        "ftp://h.example/v",
        "https://h.example:99999/v",
        "https://h.example:123456789012345678901234567890/v",
        "https://h.example:/v",
        "https://h.example:x/v",
        "https://h.example:-1/v",
        "https://h.example:٤٤٣/v",
        "https://[2001:db8::1/v",
        "https://a@b@h.example/v",
        "https://\ud800.example/v",
    ],
)
def test_a_url_that_twilio_cannot_have_asked_for_is_refused(url: str) -> None:
    signature = sign(url.encode("utf-8", "replace").decode(), FIELDS, TOKEN)
    assert not is_genuine(url, FIELDS, signature, [TOKEN])


def test_odd_input_is_refused_without_an_exception() -> None:
    good = sign(URL, FIELDS, TOKEN)
    for signature in ("", "=", "\ud800" * 28, "é" * 28, good + "\n", good * 1_000, None):
        assert not is_genuine(URL, FIELDS, signature, [TOKEN])  # type: ignore[arg-type]
    for fields in ([("From", "\ud800")], [("\udfff", "")], [("From", None)], None, [["a", "b"]], [("a",)]):
        assert not is_genuine(URL, fields, good, [TOKEN])  # type: ignore[arg-type]
    for tokens in (["\ud800"], [None], None):
        assert not is_genuine(URL, FIELDS, good, tokens)  # type: ignore[arg-type]
    assert not is_genuine(None, FIELDS, good, [TOKEN])  # type: ignore[arg-type]


@given(st.text(), st.lists(st.tuples(st.text(), st.text())), st.text(), st.lists(st.text()), st.none() | st.binary())
def test_noise_is_refused_without_an_exception(
    url: str, fields: Fields, signature: str, tokens: list[str], body: bytes | None
) -> None:
    assert not is_genuine(url, fields, signature, tokens, body)


words = st.text("abcXYZ019._~-", min_size=1, max_size=8)
queries = st.lists(st.tuples(words, st.text("abc019+%27@:';/ö😀", max_size=6)), max_size=3)
forms = st.lists(st.tuples(st.text(max_size=6).filter(str.isprintable), st.text(max_size=6)), max_size=5)
unicode_only = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


@st.composite
def urls(draw: st.DrawFn) -> str:
    port = draw(st.just("") | st.integers(1, 65_535).map(lambda number: f":{number}"))
    query = "&".join(f"{name}={value}" for name, value in draw(queries))
    return f"{draw(st.sampled_from(['http', 'https']))}://{draw(words)}{port}/{draw(words)}" + (query and "?" + query)


@given(urls(), urls(), forms, unicode_only, st.integers(0, 4))
def test_it_agrees_with_twilios_own_validator(url: str, other: str, fields: Fields, token: str, kind: int) -> None:
    """Signed: as asked, without port, with the default port, another URL, another form."""
    bare = without_port(url)
    host, slash, rest = bare.partition("://")[2].partition("/")
    scheme = bare.partition(":")[0]
    standard = f"{scheme}://{host}:{'443' if scheme == 'https' else '80'}{slash}{rest}"
    signed = (url, bare, standard, other, url)[kind]
    signature = sign(signed, fields if kind < 4 else [*fields, ("a", "b")], token)
    theirs = RequestValidator(token).validate(url, MultiDict(fields), signature)
    assert is_genuine(url, fields, signature, [token]) is theirs
    assert theirs or kind != 0


@given(urls(), forms, unicode_only)
def test_it_signs_as_twilios_own_validator_does(url: str, fields: Fields, token: str) -> None:
    assert sign(url, fields, token) == RequestValidator(token).compute_signature(url, MultiDict(fields))


@pytest.mark.parametrize(
    ("base", "target", "url"),
    [
        ("https://v.example", "/twilio/voice", "https://v.example/twilio/voice"),
        ("https://v.example/", "/twilio/voice", "https://v.example/twilio/voice"),
        ("https://v.example/calls", "/twilio/voice?a=%27", "https://v.example/calls/twilio/voice?a=%27"),
        ("https://v.example/calls/", "/", "https://v.example/calls/"),
        ("https://v.example:8443", "/v", "https://v.example:8443/v"),
        ("https://user:pass@v.example", "/v", "https://v.example/v"),
        ("https://v.example/calls?x=1#rt=5000", "/v", "https://v.example/calls/v"),
        ("https://v.example#rt=5000", "/v", "https://v.example/v"),
        ("https://v.example", "/v?", "https://v.example/v?"),
        ("https://v.example", "//evil.example/v", "https://v.example//evil.example/v"),
        ("https://v.example", "http://evil.example:1/v?a=1", "https://v.example/v?a=1"),
        ("https://v.example", "HTTPS://u:p@evil.example?a=1", "https://v.example/?a=1"),
        ("https://v.example", "http://evil.example", "https://v.example/"),
        ("https://v.example", "/v?u=http://other.example/x", "https://v.example/v?u=http://other.example/x"),
        ("https://v.example", "v?u=http://other.example/x", "https://v.example/v?u=http://other.example/x"),
        ("https://v.example", "*", "https://v.example/*"),
        ("https://v.example", "", "https://v.example/"),
        ("https://v.example", "/v?a=K\u00c3\u00b6ln", "https://v.example/v?a=Köln"),
        ("https://v.example", "/v?a=\xff", "https://v.example/v?a=\xff"),
        ("https://v.example", "/v?a=\ud800", "https://v.example/v?a=\ud800"),
    ],
)
def test_the_public_url_is_the_configured_one_and_the_raw_target(base: str, target: str, url: str) -> None:
    assert public_url(base, target) == url


def test_a_fragment_never_travels_so_a_target_with_one_is_not_twilios() -> None:
    """Some servers would read the field after the "#", which nobody signed."""
    signature = sign(f"{URL}?a=1", (), TOKEN)
    for target in ("/twilio/voice?a=1#", "/twilio/voice?a=1#&CallStatus=completed", "http://h#/twilio/voice?a=1"):
        assert not is_genuine(public_url("https://voice.example.com", target), (), signature, [TOKEN])


@given(st.text())
def test_no_target_leaves_the_configured_host(target: str) -> None:
    assert public_url("https://user@v.example/calls", target).startswith("https://v.example/calls/")
