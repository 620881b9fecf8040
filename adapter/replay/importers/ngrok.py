"""What ngrok's inspector kept: GET http://127.0.0.1:4040/api/requests/http, saved to a file or asked now (ngrok, "Agent
API"). The messages are there as raw bytes in base64; the newest comes first."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import Any, Final

import requests

from adapter.replay.recording import Answer, Broken, Recorded

from .entries import webhooks_of
from .exchange import Exchange, NoWebhook, decoded, iso_millis, pairs_of, webhook_of

INSPECTOR: Final = "http://127.0.0.1:4040"
_LIMIT: Final = 1_000
_TIMEOUT_SECONDS: Final = 10


def fetch(base_url: str = INSPECTOR) -> str:
    """What a running ngrok has. Raises NoWebhook when it does not answer."""
    with requests.Session() as session:
        session.trust_env = False  # a proxy has no business with this machine's own inspector
        try:
            url = f"{base_url.rstrip('/')}/api/requests/http"
            answer = session.get(url, params={"limit": str(_LIMIT)}, timeout=_TIMEOUT_SECONDS)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise NoWebhook(f"ngrok's inspector does not answer ({type(error).__name__})") from None
    return answer.text


def read_ngrok(text: str, source: str) -> Iterator[Recorded | Broken]:
    """The webhooks of a saved answer, the oldest first; of a single saved request, too."""
    return webhooks_of(text, source, _entries, _webhook)


def _entries(whole: Any) -> list[Any] | None:
    entries = whole.get("requests", [whole]) if isinstance(whole, dict) else whole
    return entries[::-1] if isinstance(entries, list) else None


def _webhook(entry: Any) -> Recorded:
    request = entry["request"]
    return webhook_of(
        Exchange(
            method=request["method"],
            url=request["uri"],
            body=_body(request).decode("utf-8", "replace"),
            headers=pairs_of(request.get("headers")),
            at=iso_millis(entry.get("start")),
            answer=_answer(entry.get("response")),
        )
    )


def _answer(response: Any) -> Answer | None:
    if not isinstance(response, dict) or not response.get("status_code"):
        return None
    kind = pairs_of(response.get("headers")).get("content-type", "")
    return Answer(int(response["status_code"]), kind, _body(response).decode("utf-8", "replace"))


def _body(message: Any) -> bytes:
    """The body out of the bytes on the wire, unchunked and unzipped."""
    body = decoded(message.get("raw") or "").partition(b"\r\n\r\n")[2]
    headers = pairs_of(message.get("headers"))
    if "chunked" in headers.get("transfer-encoding", ""):
        body = _unchunked(body)
    return _unzipped(body) if headers.get("content-encoding") == "gzip" else body


def _unchunked(body: bytes) -> bytes:
    done = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.partition(b";")[0] or b"0", 16)
        if not length:
            break
        done += rest[:length]
        body = rest[length + 2 :]
    return done


def _unzipped(body: bytes) -> bytes:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        raise NoWebhook("its body is cut off: ngrok keeps only the beginning of long ones") from None
