"""One request to a running service, and its answer shown to a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import requests
from requests.auth import AuthBase
from rich.console import Console

_CONNECT_SECONDS, _ANSWER_SECONDS = 3.0, 10.0


def ask(
    method: str,
    url: str,
    path: str,
    key_file: Path | None,
    environ: Mapping[str, str],
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send it and print the JSON of a good answer to stdout; anything else is a ClickException (exit code 1)."""
    key = api_key(key_file, environ)
    address = url.rstrip("/") + path
    try:
        # A redirect would carry the key to wherever the answer points.
        response = requests.request(
            method,
            address,
            json=body,
            headers=headers,
            auth=_Bearer(key),
            timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
            allow_redirects=False,
        )
    except requests.Timeout:
        raise click.ClickException(f"{url} did not answer in time") from None
    except (requests.RequestException, ValueError) as error:
        advice = "is it running? `sticky-calls serve` starts it, --url says where it is"
        raise click.ClickException(f"cannot reach {url} ({type(error).__name__}); {advice}") from None
    _show(response)


class _Bearer(AuthBase):
    """Not a plain header: requests would replace that by what a .netrc says about the host."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def api_key(key_file: Path | None, environ: Mapping[str, str]) -> str:
    """The key from the file, else from $ADAPTER_API_KEY; a ClickException when there is none or it cannot be sent."""
    if key_file is None:
        key = environ.get("ADAPTER_API_KEY", "").strip()
    else:
        try:
            key = key_file.read_text("utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise click.ClickException(f"{key_file} cannot be read: {reason}") from None
    if not key or not (key.isascii() and key.isprintable()):
        where = (
            "set ADAPTER_API_KEY, or write --key-file FILE" if key_file is None else f"{key_file} must hold one alone"
        )
        raise click.ClickException(f"no usable API key: {where} (`sticky-calls keys create` makes a key)")
    return key


def _show(response: requests.Response) -> None:
    try:
        answer = response.json()
    except ValueError:
        raise click.ClickException(
            f"HTTP {response.status_code} without JSON: --url does not seem to lead to this service"
        ) from None
    if not response.ok or response.is_redirect:
        raise click.ClickException(_refusal(response.status_code, answer))
    text = json.dumps(answer, indent=2, ensure_ascii=False)
    console = Console()
    if console.is_terminal:
        console.print_json(text)
    else:
        click.echo(text)


def _refusal(status: int, answer: Any) -> str:
    """`400 Bad Request: Validation failed` and under it what is wrong where."""
    if not isinstance(answer, dict):
        return f"HTTP {status}"
    lines = [f"{status} {answer.get('error', '')}: {answer.get('message', '')}"]
    details = answer.get("details")
    issues = details.get("issues", []) if isinstance(details, dict) else []
    for issue in issues if isinstance(issues, list) else []:
        if isinstance(issue, dict):
            where = ".".join(str(part) for part in issue.get("path", []))
            lines.append(f"  {where}: {issue.get('message', '')}" if where else f"  {issue.get('message', '')}")
    if isinstance(details, dict):
        lines += [f"  {name}: {value}" for name, value in details.items() if name != "issues"]
    if "retryAfter" in answer:
        lines.append(f"  try again in {answer['retryAfter']} seconds")
    return "\n".join(lines)
