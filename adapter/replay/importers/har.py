"""HAR 1.2 ("HTTP Archive"), as browsers and proxies such as mitmproxy save it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.replay.recording import Answer, Broken, Pairs, Recorded

from .entries import webhooks_of
from .exchange import Exchange, decoded, iso_millis, pairs_of, webhook_of


def read_har(text: str, source: str) -> Iterator[Recorded | Broken]:
    """The webhooks of an archive, in its order."""
    return webhooks_of(text, source, _entries, _webhook)


def _entries(whole: Any) -> list[Any] | None:
    log = whole.get("log") if isinstance(whole, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    return entries if isinstance(entries, list) else None


def _webhook(entry: Any) -> Recorded:
    request = entry["request"]
    posted = request.get("postData") or {}
    return webhook_of(
        Exchange(
            method=request["method"],
            url=request["url"],
            body=_text(posted),
            fields=_fields(posted.get("params")),
            headers=pairs_of(request.get("headers")),
            at=iso_millis(entry.get("startedDateTime")),
            answer=_answer(entry.get("response")),
        )
    )


def _fields(params: Any) -> Pairs:
    return tuple((each["name"], each.get("value") or "") for each in params or ())


def _answer(response: Any) -> Answer | None:
    status = response.get("status") if isinstance(response, dict) else None
    if not isinstance(status, int) or status <= 0:  # HAR: 0 or -1, there was no answer
        return None
    content = response.get("content") or {}
    kind = pairs_of(response.get("headers")).get("content-type") or content.get("mimeType") or ""
    return Answer(status, kind, _text(content))


def _text(content: Any) -> str:
    """Of an answer, or, with some tools, of what was posted: as it is, or in base64."""
    text = content.get("text") or ""
    return decoded(text).decode("utf-8", "replace") if content.get("encoding") == "base64" else text
