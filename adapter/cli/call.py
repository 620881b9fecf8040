"""`sticky-calls call`: a thin client of a running service's REST API. The key comes from the environment or a file."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import click

from .client import ask

Command = TypeVar("Command", bound=Callable[..., Any])


def _pairs(_: click.Context, __: click.Parameter, written: tuple[str, ...]) -> dict[str, str]:
    """KEY=VALUE options as a mapping; a value may hold more equals signs."""
    for pair in written:
        if not pair.partition("=")[0] or "=" not in pair:
            raise click.BadParameter(f"{pair} is not KEY=VALUE")
    return {pair.partition("=")[0]: pair.partition("=")[2] for pair in written}


def _reaching(command: Command) -> Command:
    """The options that say where the service is and with which key."""
    key_file = click.option(
        "--key-file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File that holds the API key. Without it: $ADAPTER_API_KEY.",
    )
    url = click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="Where the service is.")
    return url(key_file(command))


def _hinting(command: Command) -> Command:
    """The options that say who is calling."""
    for option in (
        click.option("--customer-ref", help="A customer_ref from an earlier answer."),
        click.option(
            "--external-id", "external_ids", callback=_pairs, multiple=True, help="KEY=VALUE, as often as needed."
        ),
        click.option("--dnis", help="The number that was called."),
        click.option("--ani", help="The caller's number, E.164."),
    ):
        command = option(command)
    return command


@click.group(epilog="Example:  ADAPTER_API_KEY=… sticky-calls call start call_001 --ani +14155550123")
def call() -> None:
    """Talk to a running service: start, end, show a call.

    The API key comes from $ADAPTER_API_KEY or --key-file, never from the command line.
    """


@call.command(epilog="Example:  sticky-calls call start call_001 --ani +14155550123 --external-id customer_id=12345")
@click.argument("call_id", required=False)
@_hinting
@click.option("--line-type", type=click.Choice(["mobile", "landline", "voip", "unknown"]), help="The caller's line.")
@_reaching
def start(call_id: str | None, line_type: str | None, url: str, key_file: Path | None, **hints: Any) -> None:
    """Start a call and show who is calling. Without CALL_ID a new one is made."""
    body: dict[str, Any] = {"call_id": call_id or f"cli_{secrets.token_hex(8)}", "identity_hints": _hints(**hints)}
    if line_type:
        body["telco"] = {"line_type": line_type}
    ask("POST", url, "/v1/calls/start", key_file, os.environ, body)


@call.command(
    epilog="Example:  sticky-calls call end call_001 --customer-ref 4f1c… --intent refund --variable name=Ann"
)
@click.argument("call_id")
@_hinting
@click.option("--intent", help="What the call was about.")
@click.option("--intent-status", type=click.Choice(["open", "resolved"]), help="Is it done?")
@click.option(
    "--variable", "variables", callback=_pairs, multiple=True, help="NAME=VALUE to remember, as often as needed."
)
@click.option("--idempotency-key", help="Makes it safe to send the same end again.")
@_reaching
def end(
    call_id: str,
    intent: str | None,
    intent_status: str | None,
    variables: dict[str, str],
    idempotency_key: str | None,
    url: str,
    key_file: Path | None,
    **hints: Any,
) -> None:
    """End a call and save what is to be remembered."""
    customer_ref = hints.pop("customer_ref")
    wanted = {
        "call_id": call_id,
        "customer_ref": customer_ref,
        "identity_hints": _hints(customer_ref=None, **hints),
        "intent": intent,
        "intent_status": intent_status,
        "variables": variables,
    }
    body = {name: value for name, value in wanted.items() if value}
    headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
    ask("POST", url, "/v1/calls/end", key_file, os.environ, body, headers)


@call.command(epilog="Example:  sticky-calls call show call_001")
@click.argument("call_id")
@_reaching
def show(call_id: str, url: str, key_file: Path | None) -> None:
    """Show a call with its explanation: why this customer, and how sure."""
    ask("GET", url, f"/v1/calls/{quote(call_id, safe='')}", key_file, os.environ)


def _hints(ani: str | None, dnis: str | None, external_ids: dict[str, str], customer_ref: str | None) -> dict[str, Any]:
    hints = {"ani": ani, "dnis": dnis, "external_ids": external_ids, "customer_ref": customer_ref}
    return {name: value for name, value in hints.items() if value}
